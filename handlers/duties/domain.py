"""Rules of recurring duties: when they fall due, how far one has come, and who stands above whom. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput
from bot.identity import Role
from handlers.accounts.domain import AppointmentKind
from handlers.calendar.domain import SchoolCalendar, month_of

LONGEST_TITLE: Final = 40
LONGEST_DETAIL: Final = 300
LONGEST_NOTE: Final = 200
MOST_LEAD: Final = 20
PREVIEWED: Final = 4
AHEAD: Final = timedelta(days=45)
"""How far ahead tasks are written."""
BEHIND: Final = timedelta(days=31)
"""How far back a planner that slept makes good."""
_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_FAR: Final = timedelta(days=400)


class Rhythm(StrEnum):
    """When a duty comes again."""

    MONTH_END = "month_end"
    """The last school day of every month."""
    TERM_START = "term_start"
    """Within a week from the first school day of every term."""
    WEEKLY = "weekly"
    """A day of every week; without school on it the last school day before, else the first after, in that week."""
    MONTH_DAY = "month_day"
    """A day of every month; without school on it the last school day before, else the first after, in that month."""


class TaskState(StrEnum):
    """How far a task has come."""

    OPEN = "open"
    LATE = "late"
    ESCALATED = "escalated"
    DONE = "done"


UNFINISHED: Final = (TaskState.OPEN, TaskState.LATE, TaskState.ESCALATED)


class RuleInvalid(InvalidInput):
    """A rule that says nothing, or something impossible."""

    code = "duty_rule_invalid"
    default_message = "规定没有填好：要有名称，周几是1到7，几号是1到31，提前和超期天数是0到20，请改正后再试。"


class NoteTooLong(InvalidInput):
    """More than a note."""

    code = "duty_note_too_long"
    default_message = f"说明太长了，最多{LONGEST_NOTE}个字，请缩短后再交。"


class TaskDone(Conflict):
    """Somebody has done it already."""

    code = "duty_done"
    default_message = "这件事已经办好了，不用再交。"


class RuleChanged(Conflict):
    """Somebody else has changed the rule meanwhile."""

    code = "duty_rule_changed"
    default_message = "这条规定刚被别人改过，请刷新后再改。"


# ------------------------------------------------------------------------------------------------------------ charges
OWNERS: Final[tuple[AppointmentKind, ...]] = (
    AppointmentKind.HEAD_TEACHER,
    AppointmentKind.DUTY,
    AppointmentKind.PROTECTION_LEAD,
    AppointmentKind.SCHOOL_LEADER,
    AppointmentKind.TOWNSHIP_ADMINISTRATOR,
)
"""Whose a duty may be."""
ABOVE: Final[Mapping[AppointmentKind, AppointmentKind]] = {
    AppointmentKind.HEAD_TEACHER: AppointmentKind.SCHOOL_LEADER,
    AppointmentKind.DUTY: AppointmentKind.SCHOOL_LEADER,
    AppointmentKind.PROTECTION_LEAD: AppointmentKind.SCHOOL_LEADER,
    AppointmentKind.SCHOOL_LEADER: AppointmentKind.TOWNSHIP_ADMINISTRATOR,
}
"""The next one up; nobody stands above an administrator."""
COVERED: Final[Mapping[Role, frozenset[AppointmentKind]]] = {
    Role.HEAD_TEACHER: frozenset({AppointmentKind.HEAD_TEACHER}),
    Role.DUTY: frozenset({AppointmentKind.DUTY}),
    Role.PROTECTION_LEAD: frozenset({AppointmentKind.PROTECTION_LEAD}),
    Role.SCHOOL_LEADER: frozenset(set(OWNERS) - {AppointmentKind.TOWNSHIP_ADMINISTRATOR}),
    Role.ADMINISTRATOR: frozenset(OWNERS),
}
"""Whose duties a role sees and may do: its own, and those of everybody below."""


def ladder_from(owner: AppointmentKind) -> Iterator[AppointmentKind]:
    """The charge itself, then those above it."""
    at: AppointmentKind | None = owner
    while at is not None:
        yield at
        at = ABOVE.get(at)


# ------------------------------------------------------------------------------------------------------------- rhythm
@dataclass(frozen=True, slots=True)
class Schedule:
    """When a duty comes again. `number`: the day of the week (1 is Monday) or of the month; 0 where it means nothing.
    Leads are counted in school days: when the owner is reminded, and how long after the day it is escalated."""

    rhythm: Rhythm
    number: int = 0
    remind_before: int = 3
    escalate_after: int = 2

    def __post_init__(self) -> None:
        limits = {Rhythm.WEEKLY: range(1, 8), Rhythm.MONTH_DAY: range(1, 32)}
        is_right = self.number in limits.get(self.rhythm, range(1))
        if not is_right or not 0 <= self.remind_before <= MOST_LEAD or not 1 <= self.escalate_after <= MOST_LEAD:
            raise RuleInvalid


@dataclass(frozen=True, slots=True)
class Due:
    """One time a duty is due. `occurrence` names it, wherever its day moves; `late_on` is the first school day on
    which it is late. `is_provisional`: a year without a table is touched, so it may move."""

    occurrence: str
    due_on: date
    remind_on: date
    late_on: date
    escalate_on: date
    is_provisional: bool


def dues(schedule: Schedule, calendar: SchoolCalendar, first: date, last: date) -> list[Due]:
    """Every time the duty is due on a day of the span, in order."""
    found = (
        _due(schedule, calendar, occurrence, day)
        for occurrence, day in _days(schedule, calendar, first - _WEEK * 5, last + _WEEK * 5)
        if day is not None and first <= day <= last
    )
    return sorted(found, key=lambda due: due.due_on)


def upcoming(schedule: Schedule, calendar: SchoolCalendar, after: date, count: int = PREVIEWED) -> list[Due]:
    """The next times after a day, as far as the stated terms reach."""
    return dues(schedule, calendar, after + _DAY, after + _FAR)[:count]


def _days(schedule: Schedule, calendar: SchoolCalendar, first: date, last: date) -> Iterator[tuple[str, date | None]]:
    """Each period that touches the span, and the day in it; None in a period without school."""
    match schedule.rhythm:
        case Rhythm.TERM_START:
            yield from _term_days(calendar)
        case Rhythm.WEEKLY:
            monday = first - timedelta(days=first.weekday())
            while monday <= last:
                year, week, _ = monday.isocalendar()
                wanted = monday + timedelta(days=schedule.number - 1)
                yield f"{year}-W{week:02}", _nearest(calendar, monday, monday + _WEEK - _DAY, wanted)
                monday += _WEEK
        case Rhythm.MONTH_END | Rhythm.MONTH_DAY:
            begins = first.replace(day=1)
            while begins <= last:
                start, end = month_of(begins.year, begins.month)
                is_end = schedule.rhythm is Rhythm.MONTH_END
                wanted = end if is_end else min(end, start + timedelta(days=schedule.number - 1))
                yield f"{begins:%Y-%m}", _nearest(calendar, start, end, wanted)
                begins = end + _DAY


def _term_days(calendar: SchoolCalendar) -> Iterator[tuple[str, date | None]]:
    """One for each half of a year in which a term begins: a term that is moved by some days stays the same."""
    seen: set[str] = set()
    for term in calendar.terms:
        name = f"{term.first_day.year}-{'autumn' if term.first_day.month >= 7 else 'spring'}"
        begins = calendar.first_school_day(term)
        if begins is None or name in seen:
            continue
        seen.add(name)
        end = min(begins + _WEEK - _DAY, term.last_day)
        yield name, _nearest(calendar, begins, end, end)


def _nearest(calendar: SchoolCalendar, first: date, last: date, wanted: date) -> date | None:
    """The wanted day, else the last school day before it, else the first after it, within the span."""
    before = calendar.school_days(first, wanted)
    if before:
        return before[-1]
    after = calendar.school_days(wanted, last)
    return after[0] if after else None


def _due(schedule: Schedule, calendar: SchoolCalendar, occurrence: str, day: date) -> Due:
    """The days around it. Where the stated terms end, calendar days are counted."""
    before, after = schedule.remind_before, schedule.escalate_after
    remind_on = calendar.nth_school_day(day, -before) if before else day
    late_on = calendar.nth_school_day(day, 1) or day + _DAY
    # Never before it is late at all.
    escalate_on = calendar.nth_school_day(day, after) or late_on + timedelta(days=after - 1)
    return Due(
        occurrence=occurrence,
        due_on=day,
        remind_on=remind_on or day - timedelta(days=before),
        late_on=late_on,
        escalate_on=escalate_on,
        is_provisional=calendar.is_provisional(day, escalate_on),
    )


# -------------------------------------------------------------------------------------------------------------- rules
@dataclass(frozen=True, slots=True)
class Rule:
    """What a township asks for. `detail` says how it is done."""

    title: str
    detail: str
    owner: AppointmentKind
    schedule: Schedule

    def __post_init__(self) -> None:
        has_words = bool(self.title.strip()) and len(self.title) <= LONGEST_TITLE and len(self.detail) <= LONGEST_DETAIL
        if not has_words or self.owner not in OWNERS:
            raise RuleInvalid


def checked_note(text: str) -> str:
    """A note as it is kept. Raises NoteTooLong."""
    note = " ".join(text.split())
    if len(note) > LONGEST_NOTE:
        raise NoteTooLong
    return note


@dataclass(frozen=True, slots=True)
class Holders:
    """Those who hold a charge, by name; `kind` is whose charge it is: not the owner's where nobody is appointed."""

    kind: AppointmentKind
    person_ids: tuple[str, ...] = ()
    names: tuple[str, ...] = field(default=(), repr=False)


def in_words(names: Sequence[str]) -> str:
    """甲、乙."""
    return "、".join(names)
