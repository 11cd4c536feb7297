"""A replica in a process of its own: says when it stands ready, and when told to, does at once what is due."""

from __future__ import annotations

import asyncio
import sys

from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.redis import RedisStore
from bot.storage.redis_stand_in import StandIn
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.reminders.service.classes import ClassReason
from handlers.reminders.service.planner import ReminderPlanner
from tests.handlers.notices.stage import Stage
from tests.handlers.reminders.stage import at
from tests.settings import make_settings

TICK = at(9, 1, 18, 30)


async def main(database_url: str) -> None:
    settings = make_settings(database={"url": database_url})
    async with open_database(settings) as database:
        stage = Stage(settings, RedisStore(StandIn(), Metrics()), FrozenClock(TICK))
        await database.check()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        planner = stage.machinery.services.get(ReminderPlanner)
        made, _ = await asyncio.gather(planner.plan(ClassReason(AccountsAudiences())), stage.sender.tick())
        print(made, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
