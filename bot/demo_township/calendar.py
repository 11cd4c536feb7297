"""The school calendar of the made-up township: terms of three school years, and days kept otherwise there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from handlers.calendar.domain import Effect, LocalDay, LocalKind, Term

_DAY: Final = timedelta(days=1)
_MONDAY, _WEDNESDAY, _THURSDAY, _FRIDAY = 1, 3, 4, 5


def terms_around(year: int) -> list[Term]:
    """Of the school year that begins in `year`, of the one before and of the one after."""
    return [term for each in range(year - 1, year + 2) for term in _terms(each)]


def town_days(year: int) -> list[LocalDay]:
    """For all schools, in the same years: the rice is brought in, and the autumn term ends with examinations."""
    found: list[LocalDay] = []
    for each in range(year - 1, year + 2):
        harvest = _next(date(each, 10, 14), _THURSDAY)
        exams = _next(_end_of_autumn(each) - 6 * _DAY, _WEDNESDAY)
        found.append(LocalDay(harvest, harvest + _DAY, LocalKind.HARVEST, Effect.OFF, "秋收农忙假"))
        found.append(LocalDay(exams, exams + _DAY, LocalKind.EXAM, Effect.ON, "期末考试"))
    return found


def point_days(year: int) -> list[LocalDay]:
    """For the teaching point alone: on the day of the great market nobody comes."""
    return [
        LocalDay(day, day, LocalKind.MARKET, Effect.OFF, "冬月大集")
        for day in (_next(date(each, 12, 10), _FRIDAY) for each in range(year - 1, year + 2))
    ]


def _terms(year: int) -> Iterator[Term]:
    yield Term(date(year, 9, 1), _end_of_autumn(year), f"{year}年秋季学期")
    spring = year + 1
    yield Term(_next(date(spring, 3, 1), _MONDAY), _next(date(spring, 7, 8), _FRIDAY), f"{spring}年春季学期")


def _end_of_autumn(year: int) -> date:
    """The last Friday of January."""
    return _next(date(year + 1, 1, 25), _FRIDAY)


def _next(day: date, weekday: int) -> date:
    """The day, or the first one after it on that day of the week."""
    return day + timedelta(days=(weekday - day.isoweekday()) % 7)
