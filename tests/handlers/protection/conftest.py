"""The village with everything planted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.clock import FrozenClock
from tests.handlers.protection.planting import plant
from tests.handlers.protection.village import Village, running_village


@pytest.fixture
async def village(database_url: str, clock: FrozenClock) -> AsyncIterator[Village]:
    async with running_village(database_url, clock) as running:
        yield await plant(running)
