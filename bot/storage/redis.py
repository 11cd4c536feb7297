"""Redis, or its in-process stand-in: for state that can be rebuilt. What must not be lost is in the database.

Every operation raises `RedisAway` soon when Redis does not answer; after a failure the next ones fail at once for a
moment, so a dead server costs one caller the timeout, not all. Key names are in `bot.storage.redis_keys`.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TypeVar

from aiohttp import web
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError, ResponseError

from bot.config import Settings
from bot.metrics import Metrics
from bot.storage.errors import LockBusy, RedisAway
from bot.storage.redis_batches import CombinedReads, DeferredWrites
from bot.storage.redis_commands import Commands, ServerCommands, Write
from bot.storage.redis_stand_in import StandIn

CONNECT_TIMEOUT_S = 0.5
ANSWER_TIMEOUT_S = 1.0
REST_AFTER_FAILURE_S = 0.5
LARGEST_POOL = 64

T = TypeVar("T")


class RedisStore:
    """The one owner of the client. Values are bytes; lives are timedeltas."""

    def __init__(self, client: Redis | StandIn, metrics: Metrics) -> None:
        self._client = client
        self._stand_in = client if isinstance(client, StandIn) else None
        self._commands: Commands = client if isinstance(client, StandIn) else ServerCommands(client)
        self._metrics = metrics
        self._away_until = 0.0
        self._reads = CombinedReads(self._read_all, metrics)
        self._writes = DeferredWrites(self._write_all, metrics)
        self._queues: dict[str, _Queue] = {}

    async def get(self, key: str) -> bytes | None:
        """The value, None when there is none (any more)."""
        return (await self.read_many([key]))[0]

    async def read_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values in the order of the keys. All reads of one tick of the event loop share one round trip."""
        if self._stand_in is not None:
            return self._stand_in.at_once(keys)
        return self._writes.overlay(keys, await self._reads.read(keys))

    async def set(self, key: str, value: bytes, ttl: timedelta, *, if_absent: bool = False) -> bool:
        """Writes for `ttl`. With `if_absent`: False, and nothing written, when the key has a value."""
        await self._writes.forget([key])
        life = _milliseconds(ttl)
        return await self._do(lambda: self._commands.write(key, value, life, if_absent=if_absent))

    async def set_many(self, writes: Sequence[tuple[str, bytes, timedelta]]) -> None:
        """Writes all of key, value, life, or none."""
        await self._writes.forget([key for key, _, _ in writes])
        await self._write_all([(key, value, _milliseconds(life)) for key, value, life in writes])

    def write_behind(self, key: str, value: bytes, ttl: timedelta) -> None:
        """Writes within 50 ms, in a batch with others. Never fails; a value is lost when Redis is away then."""
        if self._stand_in is not None:
            self._stand_in.put(key, value, _milliseconds(ttl))
        else:
            self._writes.put(key, value, _milliseconds(ttl))

    async def delete(self, *keys: str) -> None:
        """Forgets the keys, writes still waiting included."""
        await self._writes.forget(keys)
        await self._do(lambda: self._commands.delete(*keys))

    async def delete_if(self, key: str, value: bytes) -> bool:
        """Forgets the key if it still has this value; True when it had."""
        await self._writes.forget([key])
        return await self._do(lambda: self._commands.delete_if(key, value))

    async def increment(self, key: str, ttl: timedelta) -> int:
        """Counts one up and gives the new count; the count starts anew `ttl` after its first."""
        return await self._do(lambda: self._commands.increment(key, _milliseconds(ttl)))

    async def take_turns(self, key: str, number: int, spacing_s: float, *, rest_s: float) -> float:
        """Takes the next `number` turns of all processes, `spacing_s` apart; gives how many seconds the first is away.
        When the store knows of no earlier turns, it is `rest_s` away."""
        spacing, rest = round(spacing_s * 1_000_000), round(rest_s * 1_000_000)
        return await self._do(lambda: self._commands.take_turns(key, number, spacing, rest)) / 1_000_000

    @asynccontextmanager
    async def lock(self, key: str, ttl: timedelta, *, wait: timedelta = timedelta(seconds=3)) -> AsyncIterator[None]:
        """Held inside the block, by one holder among all processes, at most for `ttl`; `wait` zero: try once.

        Inside a process the waiters are served in the order they came. Raises LockBusy when waiting took too long. A
        saving and an ordering, never the boundary of correctness: that is a unique key in the database.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait.total_seconds()
        queue = self._queues.setdefault(key, _Queue())
        queue.members += 1
        try:
            await queue.enter(deadline)
            token = os.urandom(12).hex().encode()
            try:
                await self._take(key, token, _milliseconds(ttl), deadline)
                yield
            finally:
                # also when taking it was cancelled: the server may have granted what nobody waited for any more
                try:
                    with suppress(RedisAway):  # then it ends with its time
                        await self._do(lambda: self._commands.delete_if(key, token))
                finally:
                    queue.lock.release()
        finally:
            queue.members -= 1
            if queue.members == 0:
                del self._queues[key]

    async def _take(self, key: str, token: bytes, life_ms: int, deadline: float) -> None:
        while not await self._do(lambda: self._commands.write(key, token, life_ms, if_absent=True)):
            if asyncio.get_running_loop().time() >= deadline:
                raise LockBusy
            await asyncio.sleep(random.uniform(0.01, 0.03))  # noqa: S311 - spreads the waiters, hides nothing

    async def ping(self) -> None:
        """Returns when Redis answers, even if it was away a moment ago. Raises RedisAway."""
        self._away_until = 0.0
        await self._do(self._commands.ping)

    async def flush(self) -> None:
        """Returns when all writes put behind have been sent."""
        await self._writes.flush()

    async def close(self) -> None:
        """Sends what was put behind and closes the connections."""
        await self.flush()
        await self._reads.close()
        await self._commands.close()

    async def _read_all(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return await self._do(lambda: self._commands.read_all(keys))

    async def _write_all(self, writes: Sequence[Write]) -> None:
        await self._do(lambda: self._commands.write_all(writes))

    async def _do(self, command: Callable[[], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        if loop.time() < self._away_until:
            self._metrics.redis_away_total.inc()
            raise RedisAway
        try:
            return await command()
        except (RedisError, OSError, TimeoutError) as error:
            if isinstance(error, ResponseError) and not isinstance(error, ReadOnlyError | OutOfMemoryError):
                raise  # Redis is there and says that we asked for nonsense
            self._away_until = loop.time() + REST_AFTER_FAILURE_S
            self._metrics.redis_away_total.inc()
            raise RedisAway(details={"cause": type(error).__name__}) from error


class _Queue:
    """Those in this process who want the same lock, in order."""

    __slots__ = ("lock", "members")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.members = 0

    async def enter(self, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline if self.lock.locked() else None):
                await self.lock.acquire()
        except TimeoutError:
            raise LockBusy from None


REDIS = web.AppKey("redis", RedisStore)


def redis_client(url: str) -> Redis | StandIn:
    """A client for `[redis] url`. Connects with the first command, not here."""
    return StandIn() if url.startswith("memory:") else server_client(url)


def server_client(url: str) -> Redis:
    """A client of a real server."""
    pool = BlockingConnectionPool.from_url(
        url,
        protocol=2,  # the newer protocol has nothing that is needed here
        max_connections=LARGEST_POOL,
        timeout=ANSWER_TIMEOUT_S,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


def redis_ctx(settings: Settings, metrics: Metrics) -> Callable[[web.Application], AsyncIterator[None]]:
    """The store for the lifetime of the application; what was put behind is sent before it ends."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        store = RedisStore(redis_client(settings.redis.url.get_secret_value()), metrics)
        app[REDIS] = store
        yield
        await store.close()

    return context


def _milliseconds(span: timedelta) -> int:
    return max(1, int(span.total_seconds() * 1000))
