"""A worker as the service makes it, but for the words and the addresses; also as a process of its own.

Takes the addresses of the database, of Redis and of the platform, and how many calls may be on their way at once.
Prints a line when it works, and ends when nobody holds its input open any more.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime

from pydantic import SecretStr

from bot.clock import SystemClock
from bot.delivery.credits import Credits
from bot.delivery.limiter import Limiter
from bot.delivery.planner import ChannelPlanner, Template
from bot.delivery.preparation import Preparation, Rules
from bot.delivery.push_worker import PushLimits, PushWorker
from bot.delivery.pushes import Address, ChannelName, Composed, Purpose, Push, Slot
from bot.delivery.quiet import QuietHours
from bot.delivery.senders import Pages, TemplateSender
from bot.memory import settle_collector
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.redis import RedisStore, redis_client
from bot.wechat.calls import Account
from bot.wechat.client import WeChatClient
from bot.wechat.token_store import RedisTokenStore
from bot.wechat.transport import open_transport
from bot.wechat.window import WindowLedger
from tests.bot.delivery.push_stage import Night
from tests.settings import make_settings

TEMPLATE = Template(
    Purpose.REMINDER,
    ChannelName.TEMPLATE,
    "template",
    {Slot.SUBJECT: "thing1", Slot.WHEN: "time2", Slot.NOTE: "thing3"},
)
NEVER_QUIET = Night(start=Night().end)


class Words:
    """The same for everybody."""

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed]:
        slots: dict[Slot, str | date | datetime] = {Slot.SUBJECT: "课后服务报名提醒", Slot.WHEN: now}
        slots[Slot.NOTE] = "请今天二十点前确认"
        words = Composed(text="课后服务报名明天截止。", line="课后服务报名明天截止", slots=slots, path="/n/abc")
        return {push.id: words for push in pushes}


class Book:
    """Everybody follows, and is a family of their own."""

    async def addresses(self, person_ids: Collection[str]) -> Mapping[str, Address]:
        return {
            each: Address(person_id=each, family=each, openid=f"o{each[:27]}", openid_index=f"i{each[:30]}")
            for each in person_ids
        }


@asynccontextmanager
async def worker_of(
    platform: str, store: RedisStore, *, at_once: int, a_second: float = 0.0
) -> AsyncIterator[PushWorker]:
    """A worker as the service makes it, but for the words and the addresses."""
    clock, metrics = SystemClock(), Metrics()
    credits = Credits(clock)
    limiter = Limiter(lambda: store, credits, clock, a_second=a_second, a_day=10_000_000)
    planner = ChannelPlanner(Book, credits, lambda: WindowLedger(store), [TEMPLATE], clock)
    rules = Rules(quiet=QuietHours(NEVER_QUIET), a_family_a_day=100)
    preparation = Preparation(
        {"bench": Words()}, planner, credits, limiter, rules, templates=[TEMPLATE], clock=clock, metrics=metrics
    )
    async with open_transport() as transport:
        account = Account(platform, "wx1", SecretStr("s"))
        client = WeChatClient(transport, account, RedisTokenStore(store, "wx1"), clock, metrics=metrics)
        senders = {ChannelName.TEMPLATE: TemplateSender(client, Pages("http://127.0.0.1", ""), clock)}
        limits = PushLimits(at_once=at_once, idle_s=0.05).paced(a_second)
        yield PushWorker(senders, preparation, credits, limiter, clock=clock, metrics=metrics, limits=limits)


async def main(database_url: str, redis_url: str, platform: str, at_once: int) -> None:
    """Works until told to stop."""
    settle_collector()
    store = RedisStore(redis_client(redis_url), Metrics())
    async with (
        open_database(make_settings(database={"url": database_url})),
        worker_of(platform, store, at_once=at_once) as worker,
    ):
        worker.start()
        sys.stdout.write("works\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        await worker.stop()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
