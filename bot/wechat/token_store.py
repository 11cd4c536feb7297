"""The access token of an account in Redis, shared by all replicas."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from bot.storage import redis_keys
from bot.storage.errors import LockBusy
from bot.storage.redis import RedisStore
from bot.wechat.access_token import AccessToken

# Longer than a call to the platform may take, so that the refresher's place is not taken while it still asks.
REFRESHER_TERM: Final = timedelta(seconds=20)


class RedisTokenStore:
    """A TokenStore (see `bot.wechat.access_token`). Every method raises Unavailable when Redis is away."""

    def __init__(self, store: RedisStore, app_id: str) -> None:
        self._store = store
        self._key = redis_keys.access_token(app_id)
        self._lock_key = redis_keys.access_token_lock(app_id)

    async def read(self) -> AccessToken | None:
        """The token last written, None when it ran out or was dropped."""
        return _read(await self._store.get(self._key))

    async def write(self, token: AccessToken, life: timedelta) -> None:
        """Keeps a token for `life`."""
        kept = {"value": token.value, "use_until": token.use_until.isoformat()}
        await self._store.set(self._key, json.dumps(kept).encode(), life)

    async def drop(self, value: str) -> None:
        """Forgets the token if it still is `value`; a newer one stays."""
        kept = await self._store.get(self._key)
        token = _read(kept)
        if kept is not None and (token is None or token.value == value):
            await self._store.delete_if(self._key, kept)

    @asynccontextmanager
    async def refresher(self) -> AsyncIterator[bool]:
        """True inside for the one replica that should fetch, False for all others meanwhile."""
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._store.lock(self._lock_key, REFRESHER_TERM, wait=timedelta()))
            except LockBusy:
                is_refresher = False
            else:
                is_refresher = True
            yield is_refresher


def _read(kept: bytes | None) -> AccessToken | None:
    """None also for what another version of the program wrote."""
    if kept is None:
        return None
    try:
        fields = json.loads(kept)
        return AccessToken(str(fields["value"]), datetime.fromisoformat(fields["use_until"]))
    except (ValueError, KeyError, TypeError):
        return None
