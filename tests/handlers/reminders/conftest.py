"""The stage every test of reminders plays on."""

from __future__ import annotations

import pytest

from bot.clock import FrozenClock
from bot.storage.database import Database
from tests.handlers.reminders.stage import Stage


@pytest.fixture
def stage(database: Database, clock: FrozenClock) -> Stage:
    """Planners over the open database."""
    return Stage(clock)
