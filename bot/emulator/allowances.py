"""How many customer-service messages a person may get, by what that person last did."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.emulator.faults import ApiRefusal
from bot.emulator.rules import Refill


class Act(StrEnum):
    """What a person does that opens a window."""

    MESSAGE = "message"
    TAP = "tap"
    FOLLOW = "follow"
    SCAN = "scan"


# How many messages an act allows, and for how long.
ALLOWED: Final = {
    Act.MESSAGE: (5, timedelta(hours=48)),
    Act.TAP: (3, timedelta(minutes=1)),
    Act.FOLLOW: (3, timedelta(minutes=1)),
    Act.SCAN: (3, timedelta(minutes=1)),
}
WINDOW_CLOSED: Final = 45015
COUNT_EXCEEDED: Final = 45047


@dataclass(slots=True)
class _Window:
    left: int
    closes_at: datetime


class Allowance:
    """The windows of one person."""

    def __init__(self) -> None:
        self._windows: dict[Act, _Window] = {}

    def grant(self, act: Act, now: datetime, refill: Refill) -> None:
        """The person did `act`."""
        count, length = ALLOWED[act]
        window = self._windows.get(act)
        if window is not None and window.closes_at > now and refill is Refill.ADD:
            count += window.left
        self._windows[act] = _Window(count, now + length)

    def spend(self, now: datetime) -> None:
        """Takes one message from the window that closes first. Raises ApiRefusal 45015 or 45047."""
        is_open = [window for window in self._windows.values() if window.closes_at > now]
        if not is_open:
            raise ApiRefusal(WINDOW_CLOSED)
        usable = [window for window in is_open if window.left > 0]
        if not usable:
            raise ApiRefusal(COUNT_EXCEEDED)
        min(usable, key=lambda window: window.closes_at).left -= 1

    def left(self, now: datetime) -> int:
        """How many messages could be sent now."""
        return sum(window.left for window in self._windows.values() if window.closes_at > now)

    def close(self) -> None:
        """The person unfollowed."""
        self._windows.clear()
