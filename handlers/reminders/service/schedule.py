"""When the reminders of an occurrence go out, school by school: those whose calendars agree together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bot.delivery.reminding import Occurrence, Rule
from handlers.calendar.domain import SchoolCalendar
from handlers.reminders.domain import Window, windows


class Calendars(Protocol):
    """Gives the calendar of a school."""

    async def of(self, school_id: str | None) -> SchoolCalendar:
        """Of a school; None: the common one. Raises NotFound."""
        ...


class LiveCalendars(Calendars, Protocol):
    """Gives them as they are at one moment, too: cheaper for many."""

    async def as_of_now(self) -> Calendars:
        """All of them by the version in force."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """The time of one lead at some of the schools."""

    window: Window
    schools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """All leads of an occurrence. `shares` by lead, the earliest first; `is_split`: the schools do not agree."""

    day: date
    shares: Mapping[str, Sequence[Share]]
    version: int
    is_provisional: bool
    is_split: bool

    def span(self, lead: str) -> tuple[datetime, datetime] | None:
        """From when until when it goes out anywhere; None: nowhere."""
        found = self.shares.get(lead)
        if not found:
            return None
        return found[0].window.not_before, max(share.window.expires_at for share in found)

    def due(self, lead: str, schools: Sequence[str]) -> Window | None:
        """Its time for somebody at these schools: the earliest."""
        found = [share.window for share in self.shares.get(lead, ()) if not set(share.schools).isdisjoint(schools)]
        return found[0] if found else None


async def schedule_of(calendars: Calendars, rule: Rule, occurrence: Occurrence) -> Schedule:
    """The leads as of the calendars in force."""
    groups: dict[tuple[Window, ...], list[str]] = defaultdict(list)
    version = 0
    for school in occurrence.schools or (None,):
        calendar = await calendars.of(school)
        version = calendar.version
        found = tuple(windows(rule, occurrence.day, calendar, occurrence.leads))
        groups[found].extend([school] if school else [])
    shares: dict[str, list[Share]] = defaultdict(list)
    for times, schools in groups.items():
        for window in times:
            shares[window.lead].append(Share(window, tuple(schools)))
    for found_shares in shares.values():
        found_shares.sort(key=lambda share: share.window.not_before)
    is_provisional = any(window.is_provisional for times in groups for window in times)
    return Schedule(occurrence.day, dict(shares), version, is_provisional, len(groups) > 1)
