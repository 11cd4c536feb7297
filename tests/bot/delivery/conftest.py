"""An office over a fresh database."""

from __future__ import annotations

import pytest

from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.database import Database
from tests.bot.delivery.stage import Office


@pytest.fixture
def office(database: Database, clock: FrozenClock, metrics: Metrics) -> Office:
    return Office(clock, metrics)
