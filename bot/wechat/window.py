"""The customer-service window of each person: whether WeChat would still take a message for them.

A message from a person opens it for 48 hours and five messages; a menu tap, a follow or a scan for one minute and
three. A further message begins anew. Kept in Redis, because the platform is the one that knows for certain: what is
lost here is found out by trying.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from bot.errors import Unavailable
from bot.storage import redis_keys
from bot.storage.redis import RedisStore
from bot.wechat.messages import Event, Inbound

# Longer than any window, so that a closed one can be told from one nobody knows of.
_REMEMBERED = timedelta(days=7)
_TAPS = frozenset({"click", "scancode_push", "scancode_waitmsg", "subscribe", "scan"})


class Window(Enum):
    """How many messages an act allows, and for how long."""

    MESSAGE = (5, timedelta(hours=48))
    TAP = (3, timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class WindowState:
    """What is known of a person's windows. `is_open` is None when nothing is: then trying is the way to find out.

    `opened_at` names the open window that closes first (seconds since 1970).
    """

    is_open: bool | None
    opened_at: int | None = None


UNKNOWN = WindowState(None)
CLOSED = WindowState(False)


class WindowLedger:
    """Who may be written to. Reading fails soft: without Redis every window is unknown."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def note(self, openid_index: str, inbound: Inbound) -> None:
        """The person did something. Costs no round trip: written with others a moment later."""
        moment = b"%d" % int(inbound.created_at.timestamp())
        if not isinstance(inbound, Event):
            # A tap on a menu message counts as a tap.
            is_tap = bool(getattr(inbound, "menu_item_id", None))
            key = redis_keys.window_tap if is_tap else redis_keys.window_message
            self._store.write_behind(key(openid_index), moment, _REMEMBERED)
        elif inbound.name in _TAPS:
            self._store.write_behind(redis_keys.window_tap(openid_index), moment, _REMEMBERED)

    async def state(self, openid_index: str, now: datetime) -> WindowState:
        """Whether a message would be taken now."""
        try:
            return await self._state(openid_index, int(now.timestamp()))
        except Unavailable:
            return UNKNOWN

    async def spend(self, openid_index: str, state: WindowState) -> None:
        """A message was taken."""
        if state.opened_at is None:
            return
        try:
            key = redis_keys.window_used(openid_index, state.opened_at)
            await self._store.increment(key, Window.MESSAGE.value[1])
        except Unavailable:
            return

    async def close(self, openid_index: str, now: datetime) -> None:
        """The platform said that it takes no more until the person does something."""
        try:
            moment = b"%d" % int(now.timestamp())
            await self._store.set(redis_keys.window_closed(openid_index), moment, _REMEMBERED)
        except Unavailable:
            return

    @staticmethod
    def keys(openid_index: str) -> tuple[str, ...]:
        """What is kept about a person and has to go with them."""
        return (
            redis_keys.window_message(openid_index),
            redis_keys.window_tap(openid_index),
            redis_keys.window_closed(openid_index),
        )

    async def _state(self, openid_index: str, now: int) -> WindowState:
        message, tap, closed = (
            None if value is None else int(value) for value in await self._store.read_many(self.keys(openid_index))
        )
        if message is None and tap is None and closed is None:
            return UNKNOWN
        candidates = []
        for opened_at, window in ((tap, Window.TAP), (message, Window.MESSAGE)):
            limit, length = window.value
            if opened_at is not None and now < opened_at + length.total_seconds():
                candidates.append((opened_at, limit))
        if closed is not None and all(opened_at <= closed for opened_at, _ in candidates):
            return CLOSED
        used = await self._store.read_many(
            [redis_keys.window_used(openid_index, opened_at) for opened_at, _ in candidates]
        )
        for (opened_at, limit), count in zip(candidates, used, strict=True):
            if int(count or 0) < limit:
                return WindowState(True, opened_at)
        return CLOSED
