"""A worker in a process of its own, over a real database, a real Redis and an emulated WeChat: until it is killed."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import timedelta

import aiohttp
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
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.redis import RedisStore, redis_client
from bot.wechat.calls import Account
from bot.wechat.client import WeChatClient
from bot.wechat.token_store import RedisTokenStore
from bot.wechat.window import WindowLedger
from tests.bot.delivery.push_stage import SLOTS, Night, Source
from tests.settings import MINIMAL, make_settings

LEASE = timedelta(seconds=1.5)


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


async def main(given: Mapping[str, str]) -> None:
    clock, metrics = SystemClock(), Metrics()
    template = Template(Purpose.REMINDER, ChannelName.TEMPLATE, template_id("reminder"), SLOTS)
    assert set(slots("reminder").values()) == set(SLOTS.values())
    keys = MINIMAL["wechat"]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with open_database(make_settings(database={"url": given["database"]})), aiohttp.ClientSession() as session:
        store = RedisStore(redis_client(given["redis"]), metrics)
        credits = Credits(clock)
        limiter = Limiter(lambda: store, credits, clock, a_second=float(given["a_second"]), a_day=1_000_000)
        planner = ChannelPlanner(MemberBook, credits, lambda: WindowLedger(store), [template], clock)
        preparation = Preparation(
            {"test": Source()}, planner, credits, limiter,
            Rules(quiet=QuietHours(Night(Night().end)), a_family_a_day=9),
            templates=[template], clock=clock, metrics=metrics,
        )  # fmt: skip
        account = Account(given["wechat"], keys["app_id"], SecretStr(keys["app_secret"]))
        client = WeChatClient(session, account, RedisTokenStore(store, keys["app_id"]), clock, metrics=metrics)
        senders = {ChannelName.TEMPLATE: TemplateSender(client, Pages("http://127.0.0.1", ""), clock)}
        limits = PushLimits(
            batch=40, at_once=10, lines=2, lease=LEASE, send_s=0.9, idle_s=0.05, trouble_s=0.2, grace_s=5
        )
        worker = PushWorker(senders, preparation, credits, limiter, clock=clock, metrics=metrics, limits=limits)
        worker.start()
        sys.stdout.write("at work\n")
        sys.stdout.flush()
        await stop.wait()
        await worker.stop()
        await store.close()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(json.loads(sys.argv[1])))
