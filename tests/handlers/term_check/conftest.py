"""What the tests of the check share."""

from __future__ import annotations

import pytest

from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from tests.handlers.term_check.stage import Stage


@pytest.fixture
def stage(database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock) -> Stage:
    return Stage(settings, redis, clock)
