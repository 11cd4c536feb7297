"""The only "now" of the program. Times are aware and in UTC inside; Asia/Shanghai appears at the edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Whoever needs the time is handed one of these."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


class FrozenClock:
    """A clock that moves only when told to: for tests, rehearsals and simulated years."""

    def __init__(self, at: datetime) -> None:
        self._at = to_utc(at)

    def now(self) -> datetime:
        """The moment the clock was last set to, aware, in UTC."""
        return self._at

    def set(self, at: datetime) -> None:
        """Jumps to a moment, backwards too."""
        self._at = to_utc(at)

    def advance(self, by: timedelta) -> None:
        """Moves on by a span."""
        self._at += by


def to_utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for a naive time, which names no moment."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone names no moment: {moment!r}")
    return moment.astimezone(UTC)


def to_local(moment: datetime) -> datetime:
    """The same moment as a clock on a wall in China shows it."""
    return to_utc(moment).astimezone(SHANGHAI)


def local_day(moment: datetime) -> tuple[datetime, datetime]:
    """When the calendar day in China that holds the moment begins, and when the next one does."""
    begins = to_local(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    return to_utc(begins), to_utc(begins + timedelta(days=1))


def local_date(moment: datetime) -> date:
    """The calendar day in China at that moment."""
    return to_local(moment).date()
