"""What capabilities and reminders agree on: why somebody is to be reminded, when, and whether it is still wanted.

A capability lists its reasons; the planner of the reminders turns their occurrences into promises, counts the days by
the calendar of the schools concerned, and asks again for the words when a promise is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final, Protocol

from bot.delivery.pushes import Composed, NotNeeded, NotYet, Push

SOURCE: Final = "reminder"
"""The source of all reminders: the reason of their pushes is `reminder:` and the name of the reason here."""

LONGEST_NAME: Final = 48
LONGEST_OCCURRENCE: Final = 112


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When reminders of a reason go out. `leads`: how many school days before the day, largest first; 0 is the day
    itself. `at`: the time of day in China (of a lead of 0: `at_day`); quiet hours move it. After `until` on the day
    itself nothing is said any more. `eve`: where holidays put the last lead more than a week before the day, one more
    goes out on the day before, school day or not.
    """

    leads: tuple[int, ...] = (3, 1)
    at: time = time(18, 0)
    at_day: time = time(7, 30)
    until: time = time(20, 0)
    eve: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Something of which people are to be reminded. `id` (at most 112 characters, without `|`) names it for ever, also
    when its day is corrected. `schools`: by whose calendars the school days count; none: by the common one. `leads`
    take the place of the rule's."""

    id: str
    day: date
    schools: tuple[str, ...] = ()
    leads: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reminded:
    """One recipient, and the children it is about."""

    person_id: str
    child_ids: tuple[str, ...] = ()


class Choice(Protocol):
    """Recipients as a query with the columns `person_id` and `child_ids` (ids joined by `+`, or NULL)."""

    @property
    def sql(self) -> str:
        """The SELECT, with the marks of the engine in use."""
        ...

    @property
    def parameters(self) -> Sequence[Any]:
        """Its values, in the order of the marks."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReminder:
    """A reminder that is about to be sent. `lead`: `3`, `1`, `0`, `eve`, or `correction`; then `told` is the day people
    were told before."""

    push: Push
    occurrence: str
    lead: str
    day: date
    told: date | None = None


class ReminderReason(Protocol):
    """Why people are reminded of something. Listed in `EntryPoints.reminder_reasons`."""

    @property
    def name(self) -> str:
        """Names the reason for ever: at most 48 characters, without a colon."""
        ...

    @property
    def rule(self) -> Rule:
        """When its reminders go out."""
        ...

    async def occurrences(self, first: date, last: date) -> Sequence[Occurrence]:
        """All whose day lies in the span (both included) and that are to be reminded of: what was there before and is
        missing now sends nothing any more. Raises Unavailable when that cannot be told now."""
        ...

    async def recipients(
        self, occurrence: Occurrence, schools: Collection[str], today: date
    ) -> Sequence[Choice | Reminded]:
        """Whom it concerns at those of its schools (none: at all). Somebody named twice is reminded once."""
        ...

    async def compose(
        self, reminders: Sequence[DueReminder], now: datetime
    ) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """By the id of the push: the words, or that nobody wants to hear it any more. What is left out is not
        needed."""
        ...
