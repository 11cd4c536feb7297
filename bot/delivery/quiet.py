"""Quiet hours: when no phone should ring."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Protocol

from bot.clock import to_local, to_utc


class Hours(Protocol):
    """From when to when, local time; may span midnight."""

    @property
    def start(self) -> time:
        """The first quiet minute."""
        ...

    @property
    def end(self) -> time:
        """The first minute that is not quiet any more."""
        ...


class QuietHours:
    """What is to go out in them waits until they end. Alarms and urgent messages do not ask."""

    def __init__(self, settings: Hours) -> None:
        """`settings`: `[quiet_hours]`. Start and end alike: there are none."""
        self._start = settings.start
        self._end = settings.end

    def is_quiet(self, moment: datetime) -> bool:
        """Whether nothing should go out then."""
        at = to_local(moment).time()
        if self._start <= self._end:
            return self._start <= at < self._end
        return at >= self._start or at < self._end

    def next_allowed(self, moment: datetime) -> datetime:
        """The moment itself, or the end of the quiet hours it lies in."""
        if not self.is_quiet(moment):
            return moment
        local = to_local(moment)
        day = local.date() if local.time() < self._end else local.date() + timedelta(days=1)
        return to_utc(datetime.combine(day, self._end, local.tzinfo))

    def next_morning(self, moment: datetime) -> datetime:
        """The first allowed moment of the next local day."""
        local = to_local(moment)
        morning = datetime.combine(local.date() + timedelta(days=1), self._end, local.tzinfo)
        return self.next_allowed(to_utc(morning))
