"""What is counted of a month: whose contact was within the days of the rule, and whose never was late. Pure.

A day is missed when it ends without a contact that was due on it. Children are counted, not contacts, so that nobody
who calls often makes the figures better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from handlers.contacts.domain.clock import ClockRule, ContactDays, History, due_days

SHOWN_MONTHS: Final = 12
COUNTED_AFTER: Final = timedelta(days=5)
"""So long after its end a month is counted: what was done on its last days has been written down by then."""
COUNTED_LATE: Final = 2
"""So many months back are counted still when nobody did in time."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Counts:
    """Children of a school in a month. `registered` at its end; `covered`: of them nothing was overdue at its end;
    `asked`: who was contacted in the month or was due; `on_time`: of those who was not late on any day."""

    registered: int = 0
    covered: int = 0
    asked: int = 0
    on_time: int = 0

    @property
    def overdue(self) -> int:
        """The others of those on the register."""
        return self.registered - self.covered

    @property
    def late(self) -> int:
        """The others of those who were asked for."""
        return self.asked - self.on_time

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.registered + other.registered,
            self.covered + other.covered,
            self.asked + other.asked,
            self.on_time + other.on_time,
        )


def first_of_month(day: date) -> date:
    """By which a month is known."""
    return day.replace(day=1)


def last_of_month(month: date) -> date:
    """Its last day."""
    return first_of_month(month + timedelta(days=31)) - _DAY


def month_before(month: date) -> date:
    """The one before."""
    return first_of_month(month - _DAY)


def newest_counted(today: date) -> date:
    """The newest month whose time of counting has come."""
    month = month_before(first_of_month(today))
    return month if today > last_of_month(month) + COUNTED_AFTER else month_before(month)


def months_until(month: date, number: int) -> list[date]:
    """So many months up to and with one, the earliest first."""
    found = [month]
    while len(found) < number:
        found.append(month_before(found[-1]))
    return found[::-1]


def counted(history: History, rules: Sequence[ClockRule], days: ContactDays, month: date) -> Counts | None:
    """One child that was on the register at the end of the month. None: no rule held then."""
    last = last_of_month(month)
    begin = max(month, history.entered_on)
    if due_days(history, rules, days, last) is None:
        return None
    is_late = is_over = False
    for until in _ends(history, rules, begin, last):
        due = due_days(history, rules, days, until)
        is_over = due is not None and due.first <= until
        is_late = is_late or is_over
    reached = any(each.is_reached and month <= each.on <= last for each in history.contacts)
    is_asked = is_late or reached
    return Counts(1, int(not is_over), int(is_asked), int(is_asked and not is_late))


def _ends(history: History, rules: Sequence[ClockRule], begin: date, last: date) -> list[date]:
    """The last day of each stretch on which what is due stays the same."""
    changes = {each.on for each in history.contacts} | {day for day, _ in history.levels}
    changes |= {rule.since for rule in rules} | {rule.until + _DAY for rule in rules if rule.until is not None}
    return [*sorted(day - _DAY for day in changes if begin < day <= last), last]
