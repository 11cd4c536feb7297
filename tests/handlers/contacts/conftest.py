"""What the tests of the contact with families share."""

from __future__ import annotations

import pytest

from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from tests.handlers.contacts.stage import Contacts


@pytest.fixture
async def contacts(database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock) -> Contacts:
    return await Contacts(settings, redis, clock).build()
