"""Deliveries while workers are killed, the database restarts and Redis forgets: none missing, none doubled.

One case nobody can know: a worker that died, or an answer that was lost, after the message was handed over and before
its outcome was written. Such a delivery is `unknown`; whether it arrived is then counted, and never is it sent again.

Nothing here depends on how fast it goes: a worker is killed when so many messages have arrived, and the next day comes
when nothing is left for this one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from tortoise.functions import Count

from bot.clock import SystemClock
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import NewPush, Purpose
from bot.emulator.quotas import Quota
from bot.emulator.rules import Rules
from bot.emulator.server import Emulator
from bot.errors import Unavailable
from bot.metrics import Metrics
from bot.storage.redis import redis_client
from bot.wechat.client import TEMPLATE_SEND
from tests.bot.delivery.postman import Ahead, Orders, openid_of
from tests.bot.delivery.push_stage import person
from tests.bot.delivery.yard import Yard, yard
from tests.servers import PostgresServer, RedisServer
from tests.settings import make_settings
from tests.town import account_keys

S = DeliveryStatus
DAY = timedelta(days=1)
OPEN = {S.PLANNED, S.SENDING}
# A worker that was killed had it in hand, or the database was away for longer than the lease; the answer was lost.
WORKER_LOST, ANSWER_LOST = "worker_lost", "wechat_outcome_unknown"


@dataclass(frozen=True, kw_only=True)
class Course:
    """How many deliveries, kills and workers; how many messages a second are allowed, so that the kills find the
    workers at work; how many the platform takes a day (then 45009); how often database and Redis are disturbed; how
    long a claim stands."""

    deliveries: int
    kills: int
    workers: int
    a_second: float
    a_day: int
    disturbances: int
    lease_s: float
    within_s: float


SHORT = Course(
    deliveries=120, kills=4, workers=2, a_second=100, a_day=90, disturbances=1, lease_s=3.5, within_s=300
)  # fmt: skip
FULL = Course(
    deliveries=10_000, kills=100, workers=3, a_second=100, a_day=6_000, disturbances=3, lease_s=5, within_s=900
)  # fmt: skip


@dataclass
class Trial:
    """One course on its way."""

    course: Course
    emulator: Emulator
    clock: Ahead
    yard: Yard
    log: Path
    began: float = field(default_factory=monotonic)
    days: int = 1

    @property
    def arrived(self) -> int:
        return len(self.emulator.platform.sent)

    async def run(self, postgres: PostgresServer, redis_server: RedisServer) -> None:
        """Kills when so many have arrived; then all the rest."""
        course = self.course
        moments = sorted(self.yard.chance.sample(range(1, course.deliveries * 9 // 10), course.kills))
        disturbed = {course.kills * each // (course.disturbances + 1) for each in range(1, course.disturbances + 1)}
        for number, moment in enumerate(moments):
            while self.arrived < moment:
                await self.go_on()
            await asyncio.sleep(self.yard.chance.uniform(0.0, 0.05))
            await self.yard.kill()
            if number in disturbed:
                await disturb(postgres, redis_server)
        while await self.go_on():
            pass

    async def go_on(self) -> bool:
        """Lets a moment pass, or the night when nothing is left for today; False when everything has its outcome."""
        self.yard.check()
        await asyncio.sleep(0.05)
        with suppress(Unavailable):
            found = await counts()
            assert set(found) <= OPEN | {S.SENT, S.UNKNOWN}, "something became of a delivery that should not"
            if not found.keys() & OPEN:
                return False
            if not found[S.SENDING] and not await self.is_due():
                await self.next_day()
        return True

    async def is_due(self) -> bool:
        return await OutboxPush.filter(
            status__in=OPEN, not_before__lte=self.clock.now() + timedelta(seconds=1)
        ).exists()

    async def next_day(self) -> None:
        """What the platform would not take today, and what it was too busy for, goes now. The tokens have expired."""
        await self.yard.end()
        self.clock.by += DAY
        self.days += 1
        for _ in range(self.course.workers):
            await self.yard.start()

    async def story(self) -> str:
        """Where it stands: for whoever waits in vain."""
        rows = await OutboxPush.annotate(number=Count("id")).group_by("status", "last_error").values_list(
            "status", "last_error", "number"
        )  # fmt: skip
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:]) if self.log.exists() else ""
        return f"{self.yard.kills} kills, {self.arrived} arrived, day {self.days}, {sorted(rows, key=str)}\n{tail}"


@pytest.mark.slow
@pytest.mark.engine("postgres")
@pytest.mark.parametrize("course", [SHORT, pytest.param(FULL, marks=pytest.mark.trial)], ids=["short", "full"])
async def test_killed_at_any_moment_nothing_is_missing_and_nothing_is_doubled(
    database: object,
    database_url: str,
    postgres: PostgresServer,
    redis_server: RedisServer,
    tmp_path: Path,
    course: Course,
) -> None:
    async with trial(course, database_url, redis_server.url, tmp_path / "log") as running:
        try:
            async with asyncio.timeout(course.within_s):
                await running.run(postgres, redis_server)
        except TimeoutError:
            pytest.fail(f"not done within {course.within_s:.0f} s: {await running.story()}")
        except AssertionError as error:
            pytest.fail(f"{error}: {await running.story()}")
        await check(running)


@asynccontextmanager
async def trial(course: Course, database_url: str, redis_url: str, log: Path) -> AsyncIterator[Trial]:
    """Everything promised, and workers at work."""
    clock = Ahead()
    async with Emulator(clock, Rules(members=r"member_[0-9a-f]{12}", job_events=False)) as emulator:
        account = emulator.platform.add_account(account_keys(make_settings()))
        account.quotas.limits[TEMPLATE_SEND] = Quota(course.a_day)
        make_trouble(emulator)
        await promise(course.deliveries)

        def orders() -> Orders:
            return Orders(database_url, redis_url, emulator.url, clock.by, course.a_second, course.lease_s, str(log))

        async with yard(orders, course.workers, 7) as workers:
            yield Trial(course, emulator, clock, workers, log)


async def promise(number: int) -> None:
    now = SystemClock().now()
    pushes = [
        NewPush(
            reason="test", occurrence="a", person_id=person(each), rule="rule", purpose=Purpose.REMINDER,
            not_before=now, expires_at=now + 60 * DAY,
        )
        for each in range(number)
    ]  # fmt: skip
    assert await Outbox(SystemClock(), Metrics()).promise(pushes) == number


def make_trouble(emulator: Emulator) -> None:
    """Expired tokens, a busy platform, broken connections, lost answers; and a platform that takes its time."""
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


async def counts() -> Counter[DeliveryStatus]:
    rows = await OutboxPush.annotate(number=Count("id")).group_by("status").values_list("status", "number")
    return Counter({DeliveryStatus(status): number for status, number in rows})


async def check(running: Trial) -> None:
    """Says what became of everything, and asserts what was promised."""
    course, platform = running.course, running.emulator.platform
    phones = Counter(message.openid for message in platform.sent)
    calls = Counter(call.errcode for call in platform.calls_of(TEMPLATE_SEND))
    rows = await OutboxPush.all().values_list("person_id", "status", "last_error")
    sent = [openid_of(str(who)) for who, status, _ in rows if status is S.SENT]
    unknown = [(openid_of(str(who)), error) for who, status, error in rows if status is S.UNKNOWN]
    causes = Counter(error for _, error in unknown)
    arrived = Counter(error for openid, error in unknown if phones[openid])
    missing = [openid for openid in sent if not phones[openid]]
    doubled = [openid for openid, number in phones.items() if number > 1]
    print(
        f"\n{course.deliveries} deliveries, {running.yard.kills} kills, {course.disturbances} restarts of the database"
        f" and losses of Redis, {running.days} days, {monotonic() - running.began:.0f} s: {len(sent)} sent and arrived"
        f" once, {len(unknown)} unknown, of which {arrived.total()} had arrived once; {len(missing)} missing,"
        f" {len(doubled)} doubled\n  unknown, in hand of a worker that was lost: {causes[WORKER_LOST]}, arrived"
        f" {arrived[WORKER_LOST]}; answer lost: {causes[ANSWER_LOST]}, arrived {arrived[ANSWER_LOST]}\n"
        f"  calls: {calls[0]} taken, {calls[None]} broken off, {calls[-1]} busy, {calls[42001]} token expired,"
        f" {calls[45009]} over the day's number, {calls[40241]} taken before"
    )
    assert (missing, doubled) == ([], [])
    # Nor was one kept from being doubled only by the platform, which knows a message it has taken a moment ago.
    assert not calls[40241]
    # Only what was on its way when a worker was lost, or whose answer was lost, may be unknown.
    assert set(causes) <= {WORKER_LOST, ANSWER_LOST}
    assert len(sent) + len(unknown) == course.deliveries == len(rows)
    assert running.yard.kills == course.kills
    assert calls[45009]
