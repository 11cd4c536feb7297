"""The village, where a test needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.clock import FrozenClock
from tests.miniprogram.village import Village, running_village


@pytest.fixture
async def village(database_url: str, clock: FrozenClock) -> AsyncIterator[Village]:
    """One person's worth of everything."""
    async with running_village(database_url, clock) as running:
        yield running
