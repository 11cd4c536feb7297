"""Messages to people: against a client that does nothing but send, and statements that do nothing but mark rows."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from time import perf_counter, process_time
from typing import NamedTuple
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
from pydantic import SecretStr

from bot.clock import SystemClock
from bot.delivery.claims import Claims, Departing, Settled
from bot.delivery.credits import Credits
from bot.delivery.limiter import Limiter
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.outbox import Outbox, Selected
from bot.delivery.planner import ChannelPlanner, Template
from bot.delivery.preparation import Preparation, Rules
from bot.delivery.push_worker import PushLimits, PushWorker
from bot.delivery.pushes import Address, ChannelName, Composed, Purpose, Push, PushClass, Slot
from bot.delivery.quiet import QuietHours
from bot.delivery.senders import Pages, TemplateSender
from bot.metrics import Metrics
from bot.storage.database import Database, open_database, transaction
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from bot.wechat.calls import Account
from bot.wechat.client import TEMPLATE_SEND, WeChatClient
from bot.wechat.token_store import RedisTokenStore
from bot.wechat.transport import open_transport
from bot.wechat.window import WindowLedger
from tests.bench.figures import Board, at_least, at_most, require
from tests.bot.delivery.push_stage import Night
from tests.servers import PostgresServer, RedisServer
from tests.settings import make_settings

pytestmark = [pytest.mark.bench, pytest.mark.usefixtures("as_in_service")]

AT_ONCE = 200
PAUSE_MS = 30
MESSAGES = 6_000
ROUNDS = 3
BATCH = 500
ROWS = 20_000
RATE = 200.0
DAY = timedelta(days=1)
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


# --------------------------------------------------------------------------------------------------------------- stages
@pytest.fixture(scope="module")
def platform() -> Iterator[str]:
    """The address of a platform in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.platform", str(PAUSE_MS)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    name = f"bench_{uuid4().hex}"
    settings = make_settings(database={"url": await postgres.create(name)})
    await migrate(settings)
    async with open_database(settings) as opened:
        yield opened
    await postgres.drop(name)


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore(redis_client(redis_server.url), Metrics())
    yield store
    await store.close()


@asynccontextmanager
async def worker_of(platform: str, store: RedisStore, *, a_second: float = 0.0) -> AsyncIterator[PushWorker]:
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
        limits = PushLimits(at_once=AT_ONCE, idle_s=0.5).paced(a_second)
        yield PushWorker(senders, preparation, credits, limiter, clock=clock, metrics=metrics, limits=limits)


async def promised(number: int) -> None:
    """So many promises, each to somebody else, due at once."""
    clock = SystemClock()
    now = clock.now()
    wanted = Selected(
        sql="SELECT gen_random_uuid() AS person_id, NULL::text AS child_ids FROM generate_series(1, $1::integer)",
        parameters=[number], reason="bench", occurrence=uuid4().hex, rule="bench", purpose=Purpose.REMINDER,
        not_before=now - timedelta(seconds=1), expires_at=now + DAY, push_class=PushClass.NORMAL,
    )  # fmt: skip
    assert await Outbox(clock, Metrics()).promise_selected(wanted) == number


async def all_sent(number: int) -> None:
    """Returns when the table says so."""
    while await OutboxPush.filter(status=DeliveryStatus.SENT).count() < number:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.05)


async def taken(platform: str) -> dict[str, object]:
    """What the platform took since the last look."""
    async with aiohttp.ClientSession() as session, session.get(f"{platform}/taken") as response:
        told: dict[str, object] = json.loads(await response.read())
        return told


# -------------------------------------------------------------------------------------------------------------- sending
class Pace(NamedTuple):
    """Messages a second, and microseconds of this process's processor for each."""

    a_second: float
    micros: float


class Lap:
    """What has been spent since it was made."""

    def __init__(self) -> None:
        self._clock_s, self._cpu_s = perf_counter(), process_time()

    def pace(self, number: int) -> Pace:
        """For so many messages."""
        clock_s, cpu_s = perf_counter() - self._clock_s, process_time() - self._cpu_s
        return Pace(number / clock_s, cpu_s / number * 1e6)


async def bare(platform: str, number: int) -> Pace:
    """A client that does nothing but send."""
    left = itertools.count()
    body = {"touser": "", "template_id": "template", "url": "http://127.0.0.1/n/abc", "client_msg_id": uuid4().hex,
            "data": {"thing1": {"value": "课后服务报名提醒"}, "time2": {"value": "2026年9月1日 20:00"},
                     "thing3": {"value": "请今天二十点前确认"}}}  # fmt: skip
    ready = [json.dumps(body | {"touser": f"o{each:027d}"}, ensure_ascii=False).encode() for each in range(number)]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def send() -> None:
            while (own := next(left)) < number:
                async with session.post(f"{platform}{TEMPLATE_SEND}?access_token=t", data=ready[own]) as response:
                    assert json.loads(await response.read())["errcode"] == 0

        began = Lap()
        await asyncio.gather(*(send() for _ in range(AT_ONCE)))
        return began.pace(number)


async def ours(platform: str, store: RedisStore, number: int) -> Pace:
    """From the promise in the table to the outcome in the table."""
    await promised(number)
    async with worker_of(platform, store) as worker:
        began = Lap()
        worker.start()
        await all_sent(number)
        pace = began.pace(number)
        await worker.stop()
    await OutboxPush.all().delete()
    return pace


async def test_a_broadcast_is_sent_nearly_as_fast_as_by_a_bare_client(
    database: Database, store: RedisStore, platform: str, board: Board
) -> None:
    await bare(platform, 1_000)
    await ours(platform, store, 500)
    pairs = []
    for _ in range(ROUNDS):
        await taken(platform)
        baseline = await bare(platform, MESSAGES)
        await taken(platform)
        pairs.append((await ours(platform, store, MESSAGES), baseline))
        told = await taken(platform)
        assert (told["recipients"], told["most_to_one"]) == (MESSAGES, 1)
    board.add_median("bare client, 200 in flight", [each.a_second for _, each in pairs], "/s")
    board.add_median("from promise to outcome, 200 in flight", [each.a_second for each, _ in pairs], "/s")
    board.add_median("  processor a message, bare client", [each.micros for _, each in pairs], "us")
    board.add_median("  processor a message, from promise to outcome", [each.micros for each, _ in pairs], "us")
    # What neighbours on the machine do to the clock they do to both, but not at the same moment.
    board.add_median("  processor of the bare client, of ours", [each.micros / own.micros for own, each in pairs])
    ratios = [own.a_second / baseline.a_second for own, baseline in pairs]
    require(board.add_median("sending, of the bare client", ratios, goal=at_least(0.8)))


async def test_a_rate_is_kept_in_every_second(
    database: Database, store: RedisStore, platform: str, board: Board
) -> None:
    """Two workers share the rate."""
    number = int(RATE * 6)
    await taken(platform)
    await promised(number)
    async with (
        worker_of(platform, store, a_second=RATE) as first,
        worker_of(platform, store, a_second=RATE) as second,
    ):
        first.start()
        second.start()
        await all_sent(number)
        await asyncio.gather(first.stop(), second.stop())
    told = await taken(platform)
    at = sorted(told["at"])  # type: ignore[call-overload] # JSON
    most, start = 0, 0
    for end, moment in enumerate(at):
        while moment - at[start] >= 1.0:
            start += 1
        most = max(most, end - start + 1)
    board.add("most messages in any second, of the rate", most / RATE, goal=at_most(1.0))
    figure = board.add("messages a second, of the rate", (number - 1) / (at[-1] - at[0]) / RATE, goal=at_least(0.9))
    assert most <= RATE
    require(figure)


# ------------------------------------------------------------------------------------------------------------ the table
async def plain_statements(url: str, rows: int) -> float:
    """Rows a second of two statements over a table that has what they need and nothing else."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "CREATE TABLE anchor (id bigint PRIMARY KEY, status smallint NOT NULL, due timestamptz NOT NULL,"
        " recipient text NOT NULL, payload text NOT NULL, lease timestamptz, msgid text)"
    )
    await connection.execute("CREATE INDEX anchor_due ON anchor (due) WHERE status = 0")
    await connection.execute(
        "INSERT INTO anchor SELECT n, 0, now() - interval '1 minute', 'o' || n, repeat('x', 200), NULL, NULL"
        " FROM generate_series(1, $1::integer) AS n", rows,
    )  # fmt: skip
    await connection.execute("ANALYZE anchor")
    began = perf_counter()
    while claimed := await connection.fetch(
        "UPDATE anchor SET status = 1, lease = now() + interval '1 minute' FROM (SELECT id AS own FROM anchor"
        " WHERE status = 0 AND due <= now() ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED) AS found"
        " WHERE anchor.id = found.own RETURNING id, recipient, payload", BATCH,
    ):  # fmt: skip
        ids = [row["id"] for row in claimed]
        await connection.execute(
            "UPDATE anchor SET status = 2, msgid = given.msgid FROM unnest($1::bigint[], $2::text[])"
            " AS given (own, msgid) WHERE anchor.id = given.own", ids, [str(each) for each in ids],
        )  # fmt: skip
    took = perf_counter() - began
    await connection.execute("DROP TABLE anchor")
    await connection.close()
    return rows / took


async def our_statements(rows: int) -> float:
    """Rows a second of the claim and the settlement."""
    await promised(rows)
    async with transaction() as connection:
        await connection.execute_query("SELECT 1")
    claims, clock = Claims(Credits(SystemClock())), SystemClock()
    began = perf_counter()
    while claimed := await claims.take_usual(BATCH, clock.now(), timedelta(minutes=3)):
        settled = Settled(
            status=DeliveryStatus.SENT, channel=ChannelName.TEMPLATE, recipient_index="i", platform_id="1"
        )
        async with transaction():
            assert len(await claims.settle([(row, settled) for row in claimed], clock.now())) == len(claimed)
    took = perf_counter() - began
    await OutboxPush.all().delete()
    return rows / took


async def begin_statements(rows: int) -> float:
    """Rows a second of saying that they are on their way."""
    await promised(rows)
    claims, clock = Claims(Credits(SystemClock())), SystemClock()
    claimed = await claims.take_usual(rows, clock.now(), timedelta(minutes=3))
    began = perf_counter()
    for start in range(0, rows, 50):
        departing = [Departing(row, ChannelName.TEMPLATE, "i", row.push.id) for row in claimed[start : start + 50]]
        assert len(await claims.begin(departing, clock.now(), timedelta(seconds=30))) == len(departing)
    took = perf_counter() - began
    await OutboxPush.all().delete()
    return rows / took


async def test_claims_and_marks_keep_up_with_plain_statements(
    database: Database, postgres: PostgresServer, board: Board
) -> None:
    name = f"anchor_{uuid4().hex}"
    url = (await postgres.create(name)).replace("postgres://", "postgresql://")
    pairs = [(await our_statements(ROWS), await plain_statements(url, ROWS)) for _ in range(ROUNDS)]
    await postgres.drop(name)
    board.add_median("plain claim and mark, batches of 500", [each for _, each in pairs], "rows/s")
    board.add_median("claim and settle", [each for each, _ in pairs], "rows/s")
    board.add("say that 50 are on their way", await begin_statements(5_000), "rows/s")
    ratios = [own / anchor for own, anchor in pairs]
    require(board.add_median("claim and settle, of the plain statements", ratios, goal=at_least(0.5)))


# ----------------------------------------------------------------------------------------------------------- promising
async def plain_insert(connection: asyncpg.Connection, rows: int) -> float:
    """Seconds of one INSERT … SELECT over a table with the same unique key."""
    began = perf_counter()
    await connection.execute(
        "INSERT INTO planned (reason, person_id, occurrence, not_before) SELECT 'r', id, $1, now() FROM people"
        " ON CONFLICT DO NOTHING", uuid4().hex,
    )  # fmt: skip
    return perf_counter() - began


async def test_promising_to_many_is_one_insert(database: Database, postgres: PostgresServer, board: Board) -> None:
    rows = 100_000
    outbox, now = Outbox(SystemClock(), Metrics()), SystemClock().now()
    name = f"anchor_{uuid4().hex}"
    connection = await asyncpg.connect((await postgres.create(name)).replace("postgres://", "postgresql://"))
    await connection.execute("CREATE TABLE people (id uuid PRIMARY KEY)")
    await connection.execute(
        "CREATE TABLE planned (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), reason text, person_id uuid,"
        " occurrence text, status text DEFAULT 'planned', not_before timestamptz,"
        " UNIQUE (reason, person_id, occurrence))"
    )
    await connection.execute("CREATE INDEX planned_due ON planned (status, not_before)")
    await connection.execute("INSERT INTO people SELECT gen_random_uuid() FROM generate_series(1, $1::integer)", rows)
    async with transaction() as own:
        await own.execute_query("CREATE TABLE people (id uuid PRIMARY KEY)")
        await own.execute_query(
            "INSERT INTO people SELECT gen_random_uuid() FROM generate_series(1, $1::integer)", [rows]
        )
    ratios, again = [], []
    for number in range(ROUNDS):
        anchor = await plain_insert(connection, rows)
        wanted = Selected(
            sql="SELECT id AS person_id, NULL::text AS child_ids FROM people", parameters=[], reason="bench",
            occurrence=str(number), rule="bench", purpose=Purpose.REMINDER, not_before=now, expires_at=now + DAY,
        )  # fmt: skip
        began = perf_counter()
        assert await outbox.promise_selected(wanted) == rows
        ratios.append((perf_counter() - began) / anchor)
        began = perf_counter()
        assert await outbox.promise_selected(wanted) == 0
        again.append((perf_counter() - began) / anchor)
    await connection.close()
    await postgres.drop(name)
    board.add_median("promising 100,000 again, of INSERT … SELECT", again)
    require(board.add_median("promising 100,000, of INSERT … SELECT", ratios, goal=at_most(3.0)))
