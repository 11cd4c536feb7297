"""The customer-service window of each person: whether WeChat would still take a message for them.

A message from a person opens it for 48 hours and five messages; a menu tap, a follow or a scan for one minute and
three. A further message begins anew. Kept in Redis, because the platform is the one that knows for certain: what is
lost here is found out by trying.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from bot.errors import Unavailable
from bot.storage import redis_keys
from bot.storage.redis import RedisStore
from bot.wechat.messages import Event, Inbound, TextMessage

# Longer than any window, so that a closed one can be told from one nobody knows of.
_REMEMBERED = timedelta(days=7)
_MOMENTS_S = 5
_MOST_NOTED = 20_000
_TAPS = frozenset({"click", "scancode_push", "scancode_waitmsg", "subscribe", "scan"})


class Window(Enum):
    """How many messages an act allows, and for how long; the value begins with the act's name."""

    TAP = ("tap", 3, timedelta(minutes=1))
    MESSAGE = ("message", 5, timedelta(hours=48))


@dataclass(frozen=True, slots=True)
class WindowState:
    """What is known of a person's windows. `is_open` is None when nothing is: then trying is the way to find out.

    `window` is the one a message would be taken from, opened at `opened_at` (seconds since 1970), having taken `used`.
    """

    is_open: bool | None
    window: Window | None = None
    opened_at: int = 0
    used: int = 0


UNKNOWN = WindowState(None)
CLOSED = WindowState(False)


class WindowLedger:
    """Who may be written to. Reading fails soft: without Redis every window is unknown.

    Two workers that count at the same moment may count one message too few; the platform then has the last word.
    """

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        # When this process last wrote down what a person did: within moments it need not be written again.
        self._noted: dict[tuple[str, Window], int] = {}

    def note(self, openid_index: str, inbound: Inbound) -> None:
        """The person did something. Costs no round trip: written with others a moment later."""
        window = _opened_by(inbound)
        if window is None:
            return
        moment = int(inbound.created_at.timestamp())
        if moment - self._noted.get((openid_index, window), 0) < _MOMENTS_S:
            return
        if len(self._noted) >= _MOST_NOTED:
            self._noted.clear()
        self._noted[openid_index, window] = moment
        self._store.write_behind(redis_keys.window_opened(openid_index, window.value[0]), b"%d" % moment, _REMEMBERED)

    async def state(self, openid_index: str, now: datetime) -> WindowState:
        """Whether a message would be taken now."""
        try:
            values = await self._store.read_many(self.keys(openid_index))
        except Unavailable:
            return UNKNOWN
        closed, *acts = values
        if not any(values):
            return UNKNOWN
        closed_at = int(closed or 0)
        for window, opened, used in zip(Window, acts[::2], acts[1::2], strict=True):
            if opened is None or int(opened) <= closed_at:
                continue
            state = _state_of(window, int(opened), used)
            if now.timestamp() < state.opened_at + window.value[2].total_seconds() and state.used < window.value[1]:
                return state
        return CLOSED

    async def spend(self, openid_index: str, state: WindowState) -> None:
        """A message was taken from the window of that state."""
        if state.window is None:
            return
        key = redis_keys.window_used(openid_index, state.window.value[0])
        with suppress(Unavailable):
            await self._store.set(key, b"%d:%d" % (state.opened_at, state.used + 1), _REMEMBERED)

    async def close(self, openid_index: str, now: datetime) -> None:
        """The platform said that it takes no more until the person does something."""
        with suppress(Unavailable):
            await self._store.set(redis_keys.window_closed(openid_index), b"%d" % int(now.timestamp()), _REMEMBERED)

    async def forget(self, openid_index: str) -> None:
        """The person has left. Raises Unavailable."""
        for window in Window:
            self._noted.pop((openid_index, window), None)
        await self._store.delete(*self.keys(openid_index))

    @staticmethod
    def keys(openid_index: str) -> tuple[str, ...]:
        """Everything that is kept about a person, and has to go with them."""
        acts = [window.value[0] for window in Window]
        return (
            redis_keys.window_closed(openid_index),
            *(key(openid_index, act) for act in acts for key in (redis_keys.window_opened, redis_keys.window_used)),
        )


def _opened_by(inbound: Inbound) -> Window | None:
    if isinstance(inbound, Event):
        return Window.TAP if inbound.name in _TAPS else None
    # A tap on a line of a menu message comes as text.
    is_tap = isinstance(inbound, TextMessage) and inbound.menu_item_id is not None
    return Window.TAP if is_tap else Window.MESSAGE


def _state_of(window: Window, opened_at: int, used: bytes | None) -> WindowState:
    """The window since it was last opened: what was counted for an earlier opening does not count."""
    since, _, count = (used or b"").partition(b":")
    return WindowState(True, window, opened_at, int(count) if since == b"%d" % opened_at else 0)
