"""A replica in a process of its own: a tick ten minutes later, and how many alarms went a step further."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from bot.clock import SHANGHAI, FrozenClock
from bot.metrics import Metrics
from bot.storage.database import open_database
from tests.handlers.alarms.stage import PATIENCE, alarm_stage
from tests.settings import make_settings


async def main(database_url: str) -> None:
    clock = FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI) + PATIENCE)
    async with open_database(make_settings(database={"url": database_url})):
        sys.stdout.write(str(await alarm_stage(clock, Metrics()).climbing.climb_due()))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
