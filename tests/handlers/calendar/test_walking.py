"""Calendars of all kinds against a plain walk: from fact to fact, and from one day to the next."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from handlers.calendar.domain import DayKind, Effect, Facts, Holiday, LocalDay, SchoolCalendar, Term
from tests.handlers.calendar.test_domain import DAY, days_near, facts, property_test

LAW = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}


def walked(made_of: Facts, day: date) -> DayKind | None:
    """What a day of a term is, read off the facts one after another; None outside the terms. Of several local days the
    last one stands."""
    if not any(term.first_day <= day <= term.last_day for term in made_of.terms):
        return None
    for local in [*reversed(made_of.local_days), *reversed(made_of.town_days)]:
        if local.first_day <= day <= local.last_day:
            return DayKind.LOCAL_ON if local.effect is Effect.ON else DayKind.LOCAL_OFF
    if any(day in table.make_up_days for table in made_of.years.values()):
        return DayKind.MAKE_UP
    holidays = [one for table in made_of.years.values() for one in table.holidays]
    if any(one.first_day <= day <= one.last_day for one in holidays):
        return DayKind.HOLIDAY
    if day.year not in made_of.years and (day.month, day.day) in LAW:
        return DayKind.HOLIDAY
    return DayKind.LESSONS if day.isoweekday() in made_of.weekdays else DayKind.WEEKEND


def walk(made_of: Facts, day: date, n: int) -> date | None:
    """So many school days on, or back for a negative number, one day after the other."""
    last = date(2029, 1, 1) if n > 0 else date(2023, 1, 1)
    left, step = abs(n), DAY if n > 0 else -DAY
    while left and day != last:
        day += step
        left -= walked(made_of, day) in {DayKind.LESSONS, DayKind.MAKE_UP, DayKind.LOCAL_ON}
    return None if left else day


@property_test
@given(facts(), days_near)
def test_every_day_is_what_its_facts_say_one_after_another(made_of: Facts, first: date) -> None:
    calendar = SchoolCalendar(made_of)
    tables_there = made_of.years.values()
    holidays = [one for table in tables_there for one in table.holidays]
    spans_there: list[Term | Holiday | LocalDay] = [*holidays, *made_of.terms, *made_of.local_days, *made_of.town_days]
    edges = [each for table in tables_there for each in table.make_up_days]
    edges += [each for one in spans_there for each in (one.first_day, one.last_day)]
    near = {each + n * DAY for each in edges for n in (-1, 0, 1)}
    by_law = {date(year, *each) for year in range(2024, 2029) for each in LAW}
    for day in near | by_law | {first + n * DAY for n in range(40)}:
        kind = walked(made_of, day)
        assert calendar.is_school_day(day) is (kind in {DayKind.LESSONS, DayKind.MAKE_UP, DayKind.LOCAL_ON}), day
        if kind is not None:
            assert calendar.view(day).kind is kind, day


@property_test
@given(facts(), days_near, st.integers(-40, 40).filter(bool))
def test_counting_comes_to_where_walking_does(made_of: Facts, day: date, n: int) -> None:
    assert SchoolCalendar(made_of).nth_school_day(day, n) == walk(made_of, day, n)


@property_test
@given(facts(), st.integers(2024, 2028), st.integers(1, 12))
def test_the_end_of_a_month_is_where_walking_back_from_the_next_one_comes_to(
    made_of: Facts, year: int, month: int
) -> None:
    following = date(year + month // 12, month % 12 + 1, 1)
    found = walk(made_of, following, -1)
    is_there = found is not None and (found.year, found.month) == (year, month)
    assert SchoolCalendar(made_of).last_school_day_of_month(year, month) == (found if is_there else None)
