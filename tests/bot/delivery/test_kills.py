"""Deliveries while workers are killed, the database restarts and Redis forgets: none missing, none doubled.

One case nobody can know: a worker that died, or an answer that was lost, after the message was handed over and before
its outcome was written. Such a delivery is `unknown`; whether it arrived is then counted, and never is it sent again.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from tortoise.expressions import RawSQL

from bot.clock import SystemClock
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import NewPush, Purpose
from bot.emulator.rules import Rules
from bot.emulator.server import Emulator
from bot.errors import Unavailable
from bot.metrics import Metrics
from bot.storage.redis import redis_client
from bot.wechat.client import TEMPLATE_SEND
from tests.bot.delivery.postman import openid_of
from tests.bot.delivery.push_stage import person
from tests.servers import PostgresServer, RedisServer
from tests.settings import make_settings
from tests.town import account_keys

S = DeliveryStatus
SETTLED = {S.SENT, S.UNKNOWN}


@dataclass
class Yard:
    """Workers over one database, one Redis and one emulated WeChat."""

    given: dict[str, str]
    chance: random.Random
    kills: int = 0
    processes: list[Process] = field(default_factory=list)

    async def start(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bot.delivery.postman", json.dumps(self.given), stdout=PIPE, stderr=DEVNULL,
            env=dict(os.environ),
        )  # fmt: skip
        assert process.stdout is not None
        assert await process.stdout.readline() == b"at work\n"
        self.processes.append(process)

    async def kill(self) -> None:
        """One of them, whatever it is doing; another takes its place."""
        victim = self.processes.pop(self.chance.randrange(len(self.processes)))
        victim.kill()
        await victim.communicate()
        self.kills += 1
        await self.start()

    async def end(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            await process.communicate()


@asynccontextmanager
async def yard(given: dict[str, str], workers: int, seed: int) -> AsyncIterator[Yard]:
    made = Yard(given, random.Random(seed))
    try:
        await asyncio.gather(*(made.start() for _ in range(workers)))
        yield made
    finally:
        await made.end()


async def promise(number: int) -> None:
    now = SystemClock().now()
    pushes = [
        NewPush(
            reason="test", occurrence="a", person_id=person(each), rule="rule", purpose=Purpose.REMINDER,
            not_before=now, expires_at=now + timedelta(days=2),
        )
        for each in range(number)
    ]  # fmt: skip
    assert await Outbox(SystemClock(), Metrics()).promise(pushes) == number


async def counts() -> Counter[DeliveryStatus]:
    rows = await OutboxPush.all().values_list("status")
    return Counter(DeliveryStatus(status) for (status,) in rows)


def shown(emulator: Emulator, number: int) -> dict[str, int]:
    """How many messages each person's phone shows."""
    account = emulator.platform.account(make_settings().wechat.app_id)
    return {person(each): len(account.person(openid_of(person(each))).screen) for each in range(number)}


@dataclass(frozen=True)
class Course:
    """How many deliveries, kills and workers; how long between two kills at most; how many messages a second, so that
    the kills find the workers at work."""

    deliveries: int
    kills: int
    workers: int
    between_s: float
    a_second: float


SHORT = Course(300, 5, 2, 0.3, 80)
FULL = Course(10_000, 100, 3, 0.5, 80)


@pytest.mark.slow
@pytest.mark.engine("postgres")
@pytest.mark.parametrize("course", [SHORT, pytest.param(FULL, marks=pytest.mark.trial)], ids=["short", "full"])
async def test_killed_at_any_moment_nothing_is_missing_and_nothing_is_doubled(
    database: object, database_url: str, postgres: PostgresServer, redis_server: RedisServer, course: Course
) -> None:
    rules = Rules(members=r"member_[0-9a-f]{12}", job_events=False)
    async with Emulator(SystemClock(), rules) as emulator:
        emulator.platform.add_account(account_keys(make_settings()))
        make_trouble(emulator)
        await promise(course.deliveries)
        given = {
            "database": database_url,
            "redis": redis_server.url,
            "wechat": emulator.url,
            "a_second": str(course.a_second),
        }
        async with yard(given, course.workers, 7) as workers:
            for number in range(course.kills):
                await asyncio.sleep(workers.chance.uniform(0.0, course.between_s))
                await workers.kill()
                if course is FULL and number in (30, 60):
                    await disturb(postgres, redis_server)
            await until_settled(course.deliveries)
        check(emulator, await counts(), await states(), course)


def make_trouble(emulator: Emulator) -> None:
    """Expired tokens, limits, broken connections, lost answers; and a platform that takes its time."""
    troubles = emulator.platform.troubles
    troubles.delay(TEMPLATE_SEND, 0.02, times=None)
    troubles.fail(TEMPLATE_SEND, 42001, times=None, share=0.005)
    troubles.fail(TEMPLATE_SEND, -1, times=None, share=0.01)
    troubles.drop(TEMPLATE_SEND, times=None, share=0.005)
    troubles.lose(TEMPLATE_SEND, times=None, share=0.01)


async def disturb(postgres: PostgresServer, redis_server: RedisServer) -> None:
    """The database restarts; Redis forgets all."""
    if postgres.process is not None:
        await asyncio.to_thread(postgres.restart)
    client = redis_client(redis_server.url)
    await client.flushall()  # type: ignore[union-attr] # a real one
    await client.aclose()  # type: ignore[union-attr]


async def until_settled(number: int) -> None:
    """Everything has its outcome. What the platform was too busy for is tried again in seconds: not waited for here."""
    while True:
        with suppress(Unavailable):
            found = await counts()
            assert not found[S.FAILED]
            if sum(found[status] for status in SETTLED) == number:
                return
            later = OutboxPush.filter(status=S.PLANNED, not_before__gt=SystemClock().now())
            await later.update(not_before=RawSQL("created_at"))
        await asyncio.sleep(0.1)


async def states() -> dict[str, DeliveryStatus]:
    return {
        str(who): DeliveryStatus(status) for who, status in await OutboxPush.all().values_list("person_id", "status")
    }


def check(
    emulator: Emulator, found: Counter[DeliveryStatus], outcome: dict[str, DeliveryStatus], course: Course
) -> None:
    phones = shown(emulator, course.deliveries)
    unknown = [who for who, status in outcome.items() if status is S.UNKNOWN]
    arrived = sum(phones[who] for who in unknown)
    missing = [who for who, status in outcome.items() if status is S.SENT and phones[who] == 0]
    doubled = [who for who, number in phones.items() if number > 1]
    print(
        f"\n{course.deliveries} deliveries, {course.kills} kills: {found[S.SENT]} sent, {len(unknown)} unknown,"
        f" of which {arrived} had arrived; {len(missing)} missing, {len(doubled)} doubled"
    )
    assert (missing, doubled) == ([], [])
    # Nor was one kept from being doubled only by the platform, which knows a message it has taken a moment ago.
    assert not [call for call in emulator.platform.calls_of(TEMPLATE_SEND) if call.errcode == 40241]
    # Only what was on its way when a worker died, or whose answer was lost, may be unknown.
    assert len(unknown) <= course.kills * 2 * 16 + course.deliveries * 0.05
