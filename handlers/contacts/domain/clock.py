"""When the next contact with a child is due. Pure.

Days are counted from the last contact that reached somebody. A vacation stops the count: its days are not counted, and
what falls due without school is due on the first day with school after. A holiday or a weekend within a term is
counted. A vacation longer than any is a term that nobody has entered: there every day counts, and is as good as one
with school, so that a missing term makes nobody forgotten; so is a day of a closure longer than any holiday.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from bot.errors import InvalidInput
from handlers.calendar.domain import SchoolCalendar
from handlers.contacts.domain.records import Way
from handlers.contacts.domain.register import Level

LONGEST_VACATION: Final = 70
"""Days between two terms: what is longer is no vacation."""
LONGEST_HOLIDAY: Final = 14
"""Days without school within a term: what is longer is a closure, and children are at home without a vacation."""
LONGEST_CONTACT: Final = 200
LONGEST_VISIT: Final = 400
LATEST_STAGE: Final = 20
MOST_A_DAY: Final = 3
LONGEST_CLAUSE: Final = 300
_DAY: Final = timedelta(days=1)


class CadenceInvalid(InvalidInput):
    """A rule that says nothing, or something impossible."""

    code = "contacts_cadence_invalid"
    default_message = (
        f"间隔没有填好：联系1到{LONGEST_CONTACT}天，家访1到{LONGEST_VISIT}天或不填，级别越高间隔不能越长；"
        f"提醒的上课日要先老师、再负责人、再校领导，最多{LATEST_STAGE}天；一人一天1到{MOST_A_DAY}条。请改正后再试。"
    )


class ClauseMissing(InvalidInput):
    """It is not said where the rule comes from."""

    code = "contacts_clause_missing"
    default_message = f"请写上依据（文件名称、文号和条款，最多{LONGEST_CLAUSE}个字），再保存。"


# --------------------------------------------------------------------------------------------------------------- rules
@dataclass(frozen=True, slots=True)
class Beat:
    """How many days may pass until the next contact, and until the next visit (None: none is asked for)."""

    contact_days: int
    visit_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRule:
    """What a township asks for from a day on, up to and with `until` (None: without an end). `teacher_grace`,
    `lead_after` and `leader_after`: how many school days after the due day each is told; `daily_cap`: how many messages
    somebody gets a day at most."""

    id: str
    since: date
    cadence: Mapping[Level, Beat]
    teacher_grace: int
    lead_after: int
    leader_after: int
    daily_cap: int = 1
    until: date | None = None

    def __post_init__(self) -> None:
        beats = [self.cadence.get(level) for level in Level]
        known = [beat for beat in beats if beat is not None]
        is_right = (
            len(known) == len(beats)
            and all(_is_beat(beat) for beat in known)
            and all(_is_closer(later, earlier) for earlier, later in pairwise(known))
            and 0 <= self.teacher_grace < self.lead_after < self.leader_after <= LATEST_STAGE
            and 1 <= self.daily_cap <= MOST_A_DAY
        )
        if not is_right:
            raise CadenceInvalid


def _is_beat(beat: Beat) -> bool:
    visit = beat.visit_days
    return 1 <= beat.contact_days <= LONGEST_CONTACT and (visit is None or 1 <= visit <= LONGEST_VISIT)


def _is_closer(beat: Beat, than: Beat) -> bool:
    visits = than.visit_days is None or (beat.visit_days is not None and beat.visit_days <= than.visit_days)
    return beat.contact_days <= than.contact_days and visits


def checked_clause(text: str) -> str:
    """Where a rule comes from, in one line. Raises ClauseMissing."""
    clause = " ".join(text.split())
    if not 2 <= len(clause) <= LONGEST_CLAUSE:
        raise ClauseMissing
    return clause


SUGGESTED: Final[Mapping[Level, Beat]] = {
    Level.GREEN: Beat(60, 180),
    Level.YELLOW: Beat(30, 90),
    Level.RED: Beat(7, 30),
}
"""A beginning for whoever writes the first rule. No plan and no law names these numbers."""
SUGGESTED_STAGES: Final = (0, 3, 6)


# ---------------------------------------------------------------------------------------------------------------- days
class _Days:
    """Some of the days of a span, and every day outside it."""

    def __init__(self, days: Sequence[date], first: date, last: date) -> None:
        self._days, self._first, self._last = days, first, last

    def nth_after(self, day: date, n: int) -> date:
        """The n-th of them after a day; the day itself for 0."""
        if n == 0:
            return day
        before = max(0, (self._first - day).days - 1)
        if n <= before:
            return day + timedelta(days=n)
        left, start = n - before, max(day, self._first - _DAY)
        place = bisect_right(self._days, start) + left - 1
        if place < len(self._days):
            return self._days[place]
        return max(self._last, start) + timedelta(days=place - len(self._days) + 1)

    def __contains__(self, day: date) -> bool:
        if not self._first <= day <= self._last:
            return True
        place = bisect_left(self._days, day)
        return place < len(self._days) and self._days[place] == day

    def count(self, after: date, until: date) -> int:
        """How many lie after one day, up to and with another."""
        if until <= after:
            return 0
        inside = bisect_right(self._days, until) - bisect_right(self._days, after)
        before = (min(until, self._first - _DAY) - after).days
        beyond = (until - max(after, self._last)).days
        return inside + max(0, before) + max(0, beyond)


class ContactDays:
    """The days of a school as the clock counts them."""

    def __init__(self, calendar: SchoolCalendar) -> None:
        terms = calendar.terms
        first = terms[0].first_day if terms else date.max
        last = max(term.last_day for term in terms) + timedelta(days=LONGEST_VACATION) if terms else date.min
        whole = [first + timedelta(days=n) for n in range((last - first).days + 1)] if terms else []
        spans = [(term.first_day, term.last_day) for term in terms]
        in_term = {begin + timedelta(days=n) for begin, end in spans for n in range((end - begin).days + 1)}
        at_school = {day for day in whole if calendar.is_school_day(day)}
        unknown = _beyond([day for day in whole if day not in in_term], LONGEST_VACATION)
        closed = _beyond([day for day in whole if day in in_term and day not in at_school], LONGEST_HOLIDAY)
        self._counted = _Days(sorted(in_term | unknown), first, last)
        self._open = _Days(sorted(at_school | unknown | closed), first, last)

    def counted_after(self, day: date, n: int) -> date:
        """The day on which n counted days have passed since another."""
        return self._counted.nth_after(day, n)

    def is_open(self, day: date) -> bool:
        """Whether somebody is at school, as far as anybody knows."""
        return day in self._open

    def open_on_or_after(self, day: date) -> date:
        """The day itself, or the first open one after it."""
        return day if day in self._open else self._open.nth_after(day, 1)

    def open_after(self, day: date, n: int) -> date:
        """The n-th open day after a day; the day itself for 0."""
        return self._open.nth_after(day, n)

    def open_since(self, after: date, until: date) -> int:
        """How many open days lie after one day, up to and with another."""
        return self._open.count(after, until)


def _beyond(free: Sequence[date], longest: int) -> set[date]:
    """Of days that are free, those that more than so many in a row go before."""
    found, row, before = set(), 0, None
    for day in free:
        row = row + 1 if before is not None and day - before == _DAY else 1
        before = day
        if row > longest:
            found.add(day)
    return found


# ----------------------------------------------------------------------------------------------------------------- due
@dataclass(frozen=True, slots=True)
class Contact:
    """A contact that stands (no later one corrects it), or an attempt at one. `next_on`: when the next was agreed."""

    on: date
    way: Way
    is_reached: bool
    next_on: date | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a child: since when it is on the register, the levels it was given (the earlier first), and its
    contacts."""

    entered_on: date
    levels: Sequence[tuple[date, Level]] = ()
    contacts: Sequence[Contact] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDays:
    """When contact and visit are due, and from which day each was counted. `visit_due_on` None: none is asked for."""

    rule: ClockRule
    level: Level
    due_on: date
    counted_from: date
    visit_due_on: date | None
    visit_counted_from: date

    @property
    def first(self) -> date:
        """Whichever comes first."""
        return min(self.due_on, self.visit_due_on or self.due_on)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for from a day on; None: nothing."""

    since: date
    rule: ClockRule | None
    level: Level


def due_days(history: History, rules: Sequence[ClockRule], days: ContactDays, today: date) -> DueDays | None:
    """As of a day, by the rule and the level in force on it; None without a rule.

    What a stricter rule or a higher level asks for is never due before it was asked: on that day at the earliest.
    """
    asked = _asked(history, rules, today)
    now = asked[-1]
    if now.rule is None:
        return None
    beat = now.rule.cadence[now.level]
    contacts = [each for each in history.contacts if each.on <= today]
    reached = [each for each in contacts if each.is_reached]
    base = max([history.entered_on, *(each.on for each in reached)])
    visited = max([history.entered_on, *(each.on for each in reached if each.way is Way.VISIT)])
    asked_on = _asked_since(asked, [_contact_days(each) for each in asked])
    due_on = _due(days, base, beat.contact_days, asked_on)
    agreed = [each.next_on for each in contacts if each.next_on and each.on >= base and each.next_on > base]
    visit_due_on = None
    if beat.visit_days is not None:
        visit_asked_on = _asked_since(asked, [_visit_days(each) for each in asked])
        visit_due_on = _due(days, visited, beat.visit_days, visit_asked_on)
    return DueDays(
        rule=now.rule,
        level=now.level,
        # What was agreed brings it forward, and never puts it off.
        due_on=min([due_on, *(days.open_on_or_after(day) for day in agreed)]),
        counted_from=base,
        visit_due_on=visit_due_on,
        visit_counted_from=visited,
    )


def _due(days: ContactDays, base: date, n: int, asked_on: date) -> date:
    return max(days.open_on_or_after(days.counted_after(base, n)), days.open_on_or_after(asked_on))


def _asked(history: History, rules: Sequence[ClockRule], today: date) -> list[_Asked]:
    """What was asked for since the child was entered, the earlier first."""
    rules = sorted(rules, key=lambda rule: rule.since)
    changes = {history.entered_on, *(rule.since for rule in rules), *(day for day, _ in history.levels)}
    changes |= {rule.until + _DAY for rule in rules if rule.until is not None}
    spans = sorted(day for day in changes if history.entered_on <= day <= today) or [history.entered_on]
    return [_Asked(day, _rule_on(rules, day), _level_on(history, day)) for day in spans]


def _rule_on(rules: Sequence[ClockRule], day: date) -> ClockRule | None:
    rule = next((rule for rule in reversed(rules) if rule.since <= day), None)
    return None if rule is not None and rule.until is not None and rule.until < day else rule


def _level_on(history: History, day: date) -> Level:
    """Of several on one day the last; before any was given the one that asks for least."""
    return next((level for since, level in reversed(history.levels) if since <= day), Level.GREEN)


def _asked_since(asked: Sequence[_Asked], lengths: Sequence[int | None]) -> date:
    """Since when at least as much as now was asked for without a break."""
    now, since = lengths[-1], asked[-1].since
    for each, length in zip(reversed(asked), reversed(lengths), strict=True):
        if length is None or now is None or length > now:
            break
        since = each.since
    return since


def _contact_days(asked: _Asked) -> int | None:
    return asked.rule.cadence[asked.level].contact_days if asked.rule else None


def _visit_days(asked: _Asked) -> int | None:
    return asked.rule.cadence[asked.level].visit_days if asked.rule else None
