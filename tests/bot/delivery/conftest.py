"""An office over a fresh database, for letters and for pushes."""

from __future__ import annotations

import pytest

from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from tests.bot.delivery.push_stage import PostOffice
from tests.bot.delivery.stage import Office


@pytest.fixture
def office(database: Database, clock: FrozenClock, metrics: Metrics) -> Office:
    return Office(clock, metrics)


@pytest.fixture
async def post(database: Database, clock: FrozenClock, metrics: Metrics, redis: RedisStore) -> PostOffice:
    return PostOffice(clock, metrics, redis)
