"""A worker in a process of its own, over a real database, a real Redis and an emulated WeChat: until it is killed."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from bot.clock import SystemClock
from bot.delivery.credits import Credits
from bot.delivery.limiter import Limiter
from bot.delivery.planner import ChannelPlanner, Template
from bot.delivery.preparation import Preparation, Rules
from bot.delivery.push_worker import PushLimits, PushWorker
from bot.delivery.pushes import Address, ChannelName, Purpose
from bot.delivery.quiet import QuietHours
from bot.delivery.senders import Pages, TemplateSender
from bot.emulator.templates import slots, template_id
from bot.logs import JsonFormatter
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.redis import RedisStore, redis_client
from bot.wechat.calls import Account
from bot.wechat.client import WeChatClient
from bot.wechat.token_store import RedisTokenStore
from bot.wechat.transport import TimeLimits, open_transport
from bot.wechat.window import WindowLedger
from tests.bot.delivery.push_stage import SLOTS, Night, Source
from tests.settings import MINIMAL, make_settings

GRACE_S = 5.0
TEMPLATE = Template(Purpose.REMINDER, ChannelName.TEMPLATE, template_id("reminder"), SLOTS)


@dataclass
class Ahead:
    """A clock that runs as the machine's does, ahead of it."""

    by: timedelta = timedelta()

    def now(self) -> datetime:
        """As `Clock`."""
        return SystemClock().now() + self.by


@dataclass(frozen=True)
class Orders:
    """Where a worker finds its database, Redis and WeChat, how far its clock is ahead, and where it writes its log.
    What a dead worker had in hand is taken back after the lease, half of which a call may take."""

    database: str
    redis: str
    wechat: str
    ahead: timedelta
    a_second: float
    lease_s: float
    log: str


def openid_of(person_id: str) -> str:
    """What the emulated WeChat calls a person."""
    return f"member_{person_id[-12:]}"


class MemberBook:
    """Everybody follows, and is a family of their own."""

    async def addresses(self, person_ids: Collection[str]) -> Mapping[str, Address]:
        return {
            each: Address(person_id=each, family=each, openid=openid_of(each), openid_index=f"i{each[-12:]}")
            for each in person_ids
        }


def work(orders: Orders) -> None:
    """The life of a worker: until it is told to stop, or killed."""
    log = logging.FileHandler(orders.log)
    log.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[log], level=logging.WARNING)
    asyncio.run(deliver(orders))


async def deliver(orders: Orders) -> None:
    clock, metrics, keys = Ahead(orders.ahead), Metrics(), MINIMAL["wechat"]
    assert set(slots("reminder").values()) == set(SLOTS.values())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    calls = TimeLimits(total_s=0.4 * orders.lease_s)
    async with open_database(make_settings(database={"url": orders.database})), open_transport(calls) as transport:
        store = RedisStore(redis_client(orders.redis), metrics)
        account = Account(orders.wechat, keys["app_id"], SecretStr(keys["app_secret"]))
        tokens = RedisTokenStore(store, keys["app_id"])
        client = WeChatClient(transport, account, tokens, clock, metrics=metrics)
        worker = worker_of(client, store, orders, clock, metrics)
        worker.start()
        await stop.wait()
        await worker.stop()
        await store.close()


def worker_of(client: WeChatClient, store: RedisStore, orders: Orders, clock: Ahead, metrics: Metrics) -> PushWorker:
    """As the application builds it. One message a day and family: a count that a dead worker kept would show."""
    credits = Credits(clock)
    limiter = Limiter(lambda: store, credits, clock, a_second=orders.a_second, a_day=1_000_000)
    planner = ChannelPlanner(MemberBook, credits, lambda: WindowLedger(store), [TEMPLATE], clock)
    preparation = Preparation(
        {"test": Source()}, planner, credits, limiter, Rules(quiet=QuietHours(Night(Night().end)), a_family_a_day=1),
        templates=[TEMPLATE], clock=clock, metrics=metrics,
    )  # fmt: skip
    senders = {ChannelName.TEMPLATE: TemplateSender(client, Pages("http://127.0.0.1", ""), clock)}
    limits = PushLimits(
        batch=20, at_once=5, lines=2, lease=timedelta(seconds=orders.lease_s), send_s=orders.lease_s / 2,
        idle_s=0.05, trouble_s=0.2, grace_s=GRACE_S,
    )  # fmt: skip
    return PushWorker(senders, preparation, credits, limiter, clock=clock, metrics=metrics, limits=limits)
