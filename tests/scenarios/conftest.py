"""The town every story plays in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.clock import FrozenClock
from tests.town import Town, running_town


@pytest.fixture
async def town(database_url: str, clock: FrozenClock) -> AsyncIterator[Town]:
    """Safe mode, one person on duty."""
    async with running_town(database_url, clock) as running:
        yield running
