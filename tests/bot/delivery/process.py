"""A worker in a process of its own: delivers all that is due, then tells what it sent."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime

from bot.clock import SHANGHAI, FrozenClock
from bot.delivery.worker import WorkerLimits
from bot.metrics import Metrics
from bot.storage.database import open_database
from tests.bot.delivery.stage import Office, ScriptedChannel
from tests.settings import make_settings


async def main(database_url: str) -> None:
    clock = FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI))
    async with open_database(make_settings(database={"url": database_url})):
        channel = ScriptedChannel()
        worker = Office(clock, Metrics()).worker(channel, limits=WorkerLimits(batch=5))
        while await worker.run_once():
            pass
        sys.stdout.write(json.dumps(channel.sent))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
