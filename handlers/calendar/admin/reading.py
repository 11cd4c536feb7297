"""What the calendar's forms send, as values; and what a change would do, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from bot.errors import InvalidInput, NotFound
from bot.web.admin import AdminCall
from handlers.calendar import texts
from handlers.calendar.domain import STATUTORY_DAYS, Effect, Holiday, LocalDay, LocalKind, Term, YearTable
from handlers.calendar.domain import working_days_off as days_off
from handlers.calendar.service.editing import Difference, Preview

CALENDAR: Final = "/calendar"
HOLIDAY_ROWS: Final = len(texts.HOLIDAYS)
MAKE_UP_ROWS: Final = 10
_LONGEST_NAME: Final = 40
_LONGEST_SOURCE: Final = 120
# The law of 2025 gave two days more: the sum of older tables is another.
_LAW_OF: Final = 2025
_NAMED_DAYS: Final = 8
_NAMED_DUTIES: Final = 10
_NAMED_SCHOOLS: Final = 5


def read_day(text: str | None) -> date:
    """Raises InvalidInput for what is no date."""
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError:
        raise InvalidInput(texts.NO_DATES) from None


def read_term(call: AdminCall) -> Term:
    """Raises InvalidInput."""
    return Term(read_day(call.form.get("first")), read_day(call.form.get("last")), _name(call))


def read_local(call: AdminCall) -> LocalDay:
    """Raises InvalidInput."""
    try:
        kind, effect = LocalKind(call.form.get("kind", "")), Effect(call.form.get("effect", ""))
    except ValueError:
        raise InvalidInput(texts.NO_CHOICE) from None
    first = read_day(call.form.get("first"))
    # A single day needs no second date.
    last = read_day(call.form["last"]) if call.form.get("last", "").strip() else first
    return LocalDay(first, last, kind, effect, _name(call) or texts.LOCAL_KINDS[kind.value])


def read_week(call: AdminCall) -> frozenset[int]:
    """The days that were ticked."""
    return frozenset(int(each) for each in call.lists.get("weekday", ()) if each in set("1234567"))


def read_table(call: AdminCall, year: int) -> YearTable:
    """Raises InvalidInput for what cannot be read; what it says is checked elsewhere."""
    holidays = [found for row in range(HOLIDAY_ROWS) if (found := _holiday(call, row))]
    days = [call.form.get(f"make_up_{row}", "").strip() for row in range(MAKE_UP_ROWS)]
    make_up = sorted({read_day(text) for text in days if text})
    source = call.form.get("source", "").strip()[:_LONGEST_SOURCE]
    return YearTable(year, source, tuple(sorted(holidays)), tuple(make_up))


def _holiday(call: AdminCall, row: int) -> Holiday | None:
    name, first, last = (call.form.get(f"{part}_{row}", "").strip() for part in ("holiday", "first", "last"))
    # The names stand in the form already: one without dates is not kept apart that year.
    if not first and not last:
        return None
    if not (name and first and last):
        raise InvalidInput(texts.HALF_HOLIDAY)
    return Holiday(read_day(first), read_day(last), name[:_LONGEST_NAME])


def read_year(text: str | None, default: int) -> int:
    """The year the address names. Raises NotFound for what can be none."""
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) == 4 and 2000 <= int(text) < 2100):
        raise NotFound
    return int(text)


def read_month(text: str | None, today: date) -> tuple[int, int]:
    """Year and month the address names (`2026-09`); this month when it names none that can be shown."""
    year, _, month = (text or "").partition("-")
    if year.isascii() and month.isascii() and year.isdigit() and month.isdigit():
        found = int(year), int(month)
        if 2000 <= found[0] < 2100 and 1 <= found[1] <= 12:
            return found
    return today.year, today.month


def read_seen(call: AdminCall) -> int:
    """How often the calendar had been changed when it was looked at; -1 for what cannot be."""
    text = call.form.get("changes", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _name(call: AdminCall) -> str:
    return call.form.get("name", "").strip()[:_LONGEST_NAME]


# ----------------------------------------------------------------------------------------------------------- in words
def doubts_of(table: YearTable) -> list[str]:
    """What is odd about a table that breaks no rule."""
    found = days_off(table)
    if table.year < _LAW_OF or found == STATUTORY_DAYS:
        return []
    return [texts.ARITHMETIC.format(found=found, wanted=STATUTORY_DAYS)]


def effects_of(preview: Preview, *, names_schools: bool) -> list[str]:
    """What will happen, a sentence each."""
    effects = [_difference(each, names_schools=names_schools) for each in preview.differences] or [texts.NOTHING]
    if preview.moved is not None:
        count, named = preview.moved.messages, list(preview.moved.named)
        effects.append(texts.MOVED.format(count=count) if count else texts.MOVED_NONE)
        effects += named[:_NAMED_DUTIES]
        if len(named) > _NAMED_DUTIES:
            effects.append(texts.MORE_MOVED.format(count=len(named) - _NAMED_DUTIES))
    return [*effects, texts.WRITTEN]


def _difference(found: Difference, *, names_schools: bool) -> str:
    parts = [
        words.format(count=len(days), days=_days(days))
        for words, days in ((texts.GAINED, found.gained), (texts.LOST, found.lost))
        if days
    ]
    return (_schools(found.schools) if names_schools and found.schools else "") + "".join(parts)


def _schools(names: Sequence[str]) -> str:
    shown = "、".join(names[:_NAMED_SCHOOLS])
    more = len(names) > _NAMED_SCHOOLS
    return (texts.MORE_SCHOOLS if more else texts.FOR_SCHOOLS).format(schools=shown, count=len(names))


def _days(days: Sequence[date]) -> str:
    if len(days) <= _NAMED_DAYS:
        return "、".join(map(in_words, days))
    return texts.MANY_DAYS.format(first=in_words(days[0]), last=in_words(days[-1]))


def in_words(day: date) -> str:
    """`2026年9月26日（星期六）`."""
    return f"{day.year}年{day.month}月{day.day}日（星期{texts.WEEKDAYS[day.weekday()]}）"
