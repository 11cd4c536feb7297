"""One access token for all replicas: kept in the shared store, fetched by one of them at a time.

The platform's stable_token gives everybody the same token while it lives, so a replica that cannot reach the store
may fetch for itself without harm; the lock only saves calls. The forced mode is never used: it kills the token the
other replicas hold.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.clock import Clock
from bot.errors import Unavailable
from bot.logs import get_logger

# In its last five minutes a token and its successor are both valid; leaving it then, nobody meets a dead one.
EARLY: Final = timedelta(minutes=5)
SHORTEST_LIFE: Final = timedelta(minutes=1)
# Many calls may learn at once that the token is dead; when the platform insists on it, one enquiry answers them all.
INSISTENCE: Final = timedelta(seconds=5)
FOLLOWER_WAIT_S: Final = 3.0
FOLLOWER_POLL_S: Final = 0.1

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and the moment from which it is no longer used, which lies before its end."""

    value: str = field(repr=False)
    use_until: datetime


class TokenStore(Protocol):
    """What the replicas share for one account. Every method raises Unavailable when the store is away."""

    async def read(self) -> AccessToken | None:
        """The token last written, None when it ran out or was dropped."""
        ...

    async def write(self, token: AccessToken, life: timedelta) -> None:
        """Keeps a token for `life`."""
        ...

    async def drop(self, value: str) -> None:
        """Forgets the token if it still is `value`; a newer one stays."""
        ...

    def refresher(self) -> AbstractAsyncContextManager[bool]:
        """True inside for the one replica that should fetch, False for all others meanwhile."""
        ...


Fetch = Callable[[], Awaitable[tuple[str, timedelta]]]
Pause = Callable[[float], Awaitable[None]]


class AccessTokens:
    """Hands out the account's token."""

    def __init__(self, fetch: Fetch, store: TokenStore, clock: Clock, *, pause: Pause = asyncio.sleep) -> None:
        """`fetch` asks the platform for a token and its remaining life; `pause` waits for another refresher."""
        self._fetch = fetch
        self._store = store
        self._clock = clock
        self._pause = pause
        self._held: AccessToken | None = None
        self._fetched_at: datetime | None = None
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> str:
        """A token believed alive. Raises WeChatError when the platform gives none."""
        if (held := self._usable()) is not None:
            return held
        async with self._one_at_a_time:
            return self._usable() or await self._obtain(dead=None)

    async def after(self, dead: str) -> str:
        """The token to use now that the platform has refused `dead`. Asks the platform at most once.

        It may be `dead` again when the platform insists on it: the caller tries once more, then gives up.
        """
        async with self._one_at_a_time:
            held = self._held
            if held is not None and held.value == dead:
                if self._fetched_at is not None and self._clock.now() - self._fetched_at < INSISTENCE:
                    return dead
                self._held = None
            elif (usable := self._usable()) is not None:
                return usable
            try:
                await self._store.drop(dead)
            except Unavailable:
                _log.warning("access_token_not_dropped")
            return await self._obtain(dead)

    def _usable(self) -> str | None:
        held = self._held
        return held.value if held is not None and self._clock.now() < held.use_until else None

    async def _obtain(self, dead: str | None) -> str:
        try:
            return (await self._shared_or_fetched(dead)).value
        except Unavailable:
            _log.warning("access_token_store_away")
            # What was fetched before the store failed is as good as any.
            return self._usable() or (await self._fetched())[0].value

    async def _shared_or_fetched(self, dead: str | None) -> AccessToken:
        async with self._store.refresher() as is_refresher:
            shared = await (self._shared(dead) if is_refresher else self._shared_soon(dead))
            if shared is not None:
                self._held = shared
                return shared
            token, life = await self._fetched()
            await self._store.write(token, life)
            return token

    async def _shared(self, dead: str | None) -> AccessToken | None:
        shared = await self._store.read()
        if shared is None or shared.value == dead or shared.use_until <= self._clock.now():
            return None
        return shared

    async def _shared_soon(self, dead: str | None) -> AccessToken | None:
        """What the refresher writes, if it does so before long."""
        for _ in range(round(FOLLOWER_WAIT_S / FOLLOWER_POLL_S)):
            if (shared := await self._shared(dead)) is not None:
                return shared
            await self._pause(FOLLOWER_POLL_S)
        return None

    async def _fetched(self) -> tuple[AccessToken, timedelta]:
        value, remaining = await self._fetch()
        life = max(remaining - EARLY, SHORTEST_LIFE)
        self._fetched_at = self._clock.now()
        self._held = token = AccessToken(value, self._fetched_at + life)
        return token, life
