"""Stages: a database, stores, and dispatchers over them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.database import Database
from bot.storage.redis import RedisStore, redis_client, server_client
from tests.bot.dialogue.stage import Stage
from tests.servers import RedisServer

OpenStore = Callable[[], Awaitable[RedisStore]]


@pytest.fixture
def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Stage:
    """Over a fresh database."""
    return Stage(clock, metrics)


@pytest.fixture
async def replica_store(redis_server: RedisServer, metrics: Metrics) -> AsyncIterator[OpenStore]:
    """Opens stores on one real Redis, emptied: one for each replica."""
    async with AsyncExitStack() as stack:
        client = server_client(redis_server.url)
        await client.flushall()
        await client.aclose()

        async def open_store() -> RedisStore:
            store = RedisStore(redis_client(redis_server.url), metrics)
            stack.push_async_callback(store.close)
            return store

        yield open_store


@pytest.fixture
async def lone_store(metrics: Metrics) -> AsyncIterator[OpenStore]:
    """Opens stores that share nothing: replicas after Redis was lost, whose locks hold nobody."""
    async with AsyncExitStack() as stack:

        async def open_store() -> RedisStore:
            store = RedisStore(redis_client("memory://"), metrics)
            stack.push_async_callback(store.close)
            return store

        yield open_store
