"""What every test of rosters uses."""

from __future__ import annotations

import pytest

from bot.clock import FrozenClock
from bot.storage.database import Database
from tests.handlers.rosters.stage import Stage, make_stage


@pytest.fixture
async def stage(database: Database, clock: FrozenClock) -> Stage:
    """A township with one school and nobody in it."""
    return await make_stage(clock)
