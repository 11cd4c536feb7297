"""The platform's clock: another clock, moved on by as much as has been asked for."""

from datetime import datetime, timedelta

from bot.clock import Clock


class EmulatorClock:
    """Runs with `base`; `advance` jumps ahead, over the end of a window or of a month."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """The platform's present, aware, in UTC."""
        return self._base.now() + self._ahead

    def advance(self, by: timedelta) -> None:
        """Moves the platform's present; the base clock stays."""
        self._ahead += by

    def set(self, at: datetime) -> None:
        """Jumps to a moment."""
        self._ahead = at - self._base.now()
