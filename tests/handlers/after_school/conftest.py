"""What the tests of the after-school service share."""

from __future__ import annotations

import pytest

from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from tests.handlers.after_school.stage import Stage


@pytest.fixture
def stage(database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock) -> Stage:
    return Stage(settings, redis, clock)
