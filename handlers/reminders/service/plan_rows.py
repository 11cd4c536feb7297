"""What is planned of one occurrence, as its row keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from handlers.reminders.domain import Window
from handlers.reminders.models import Planned

_CORRECTION = "c"


@dataclass(slots=True)
class Promised:
    """One lead that was promised: under which revision, and the time it was given. A revision that has been told, or
    taken back, is not used again: the next promise of the lead has a key of its own."""

    revision: int = 0
    begins: datetime | None = None
    ends: datetime | None = None

    @property
    def is_promised(self) -> bool:
        """Whether it is promised at all, under its revision."""
        return self.begins is not None

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The time it was given; None: it is not promised."""
        return None if self.begins is None or self.ends is None else (self.begins, self.ends)

    def window_in_place_of(self, window: Window) -> Window:
        """The time it was given, as a window; the one given here when it is not promised yet."""
        if self.begins is None or self.ends is None:
            return window
        return replace(window, not_before=self.begins, expires_at=self.ends)

    def give_up(self) -> None:
        """Its promise is gone: the next one is another."""
        if self.is_promised:
            self.revision, self.begins, self.ends = self.revision + 1, None, None


class Plan:
    """The row, read and written as values."""

    def __init__(self, row: Planned) -> None:
        self.row = row
        self.leads = {lead: _read(values) for lead, values in row.leads.items()}
        self.said: dict[str, date] = {key: date.fromisoformat(day) for key, day in row.said}

    def key(self, lead: str) -> str:
        """What the promise of a lead is called at the outbox."""
        return key_of(self.row.occurrence, lead, self.leads.setdefault(lead, Promised()).revision)

    def promised(self) -> Iterator[tuple[str, Promised]]:
        """The leads that are promised."""
        return ((lead, each) for lead, each in self.leads.items() if each.is_promised)

    async def save(self, now: datetime) -> None:
        """Writes the row, in the caller's transaction."""
        self.row.leads = {lead: _written(each) for lead, each in self.leads.items()}
        self.row.said = [[key, day.isoformat()] for key, day in self.said.items()]
        self.row.updated_at = now
        await self.row.save()


def key_of(occurrence: str, lead: str, revision: int) -> str:
    """The occurrence of a lead's pushes."""
    return f"{occurrence}|{lead}.{revision}" if revision else f"{occurrence}|{lead}"


def correction_key(occurrence: str, told: date, day: date) -> str:
    """The occurrence of the pushes that correct a day."""
    return f"{occurrence}|{_CORRECTION}{told:%y%m%d}{day:%y%m%d}"


@dataclass(frozen=True, slots=True)
class Key:
    """What a push is about. `lead` "" for a correction, which names both days."""

    occurrence: str
    lead: str
    revision: int = 0
    told: date | None = None
    day: date | None = None


def read_key(text: str) -> Key:
    """What `key_of` or `correction_key` made. Raises ValueError for anything else."""
    occurrence, _, tail = text.rpartition("|")
    if tail.startswith(_CORRECTION):
        told, day = (date(2000 + int(part[:2]), int(part[2:4]), int(part[4:6])) for part in (tail[1:7], tail[7:13]))
        return Key(occurrence, "", told=told, day=day)
    lead, _, revision = tail.partition(".")
    return Key(occurrence, lead, int(revision or 0))


def _read(values: list[Any]) -> Promised:
    revision, begins, ends = values
    return Promised(
        revision,
        datetime.fromisoformat(begins) if begins else None,
        datetime.fromisoformat(ends) if ends else None,
    )


def _written(each: Promised) -> list[Any]:
    return [
        each.revision,
        each.begins.isoformat() if each.begins else None,
        each.ends.isoformat() if each.ends else None,
    ]
