"""Messages to people: against a client that does nothing but send, and statements that do nothing but mark rows."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from time import perf_counter
from typing import NamedTuple
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from bot.clock import SystemClock
from bot.delivery.claims import Claims, Departing, Settled
from bot.delivery.credits import Credits
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.outbox import Outbox, Selected
from bot.delivery.pushes import ChannelName, Purpose, PushClass
from bot.delivery.tables import Statement, of_pushes
from bot.metrics import Metrics
from bot.storage.database import open_database, transaction
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from bot.wechat.client import TEMPLATE_SEND
from tests.bench.figures import Board, at_least, at_most, require
from tests.bench.machine import spent
from tests.bench.sending import worker_of
from tests.programs import PIPE, Running, running
from tests.servers import PostgresServer, RedisServer
from tests.settings import make_settings

pytestmark = [pytest.mark.bench, pytest.mark.usefixtures("as_in_service")]

AT_ONCE = 200
PAUSE_MS = 30
MESSAGES = 12_000
ROUNDS = 3
BATCH = 500
ROWS = 20_000
RATE = 200.0
DAY = timedelta(days=1)


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
async def database_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """Of a migrated database, which is open here too."""
    name = f"bench_{uuid4().hex}"
    url = await postgres.create(name)
    settings = make_settings(database={"url": url})
    await migrate(settings)
    async with open_database(settings):
        yield url
    await postgres.drop(name)


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore(redis_client(redis_server.url), Metrics())
    yield store
    await store.close()


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
    # By the index of what is undone: to count what is done would read the whole table twenty times a second.
    left = "SELECT EXISTS (SELECT 1 FROM outbox_push WHERE queue = 0 AND lane = 2) AS any"
    while (await Statement(of_pushes()).fetch(left))[0]["any"]:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.05)
    assert await OutboxPush.filter(status=DeliveryStatus.SENT).count() == number


async def taken(platform: str) -> dict[str, object]:
    """What the platform took since the last look."""
    async with aiohttp.ClientSession() as session, session.get(f"{platform}/taken") as response:
        told: dict[str, object] = json.loads(await response.read())
        return told


# -------------------------------------------------------------------------------------------------------------- sending
class Pace(NamedTuple):
    """Messages a second, and microseconds of the processor for each."""

    a_second: float
    micros: float


class Lap:
    """What processes have spent since it was made."""

    def __init__(self, *processes: int) -> None:
        self._processes = processes
        self._clock_s, self._spent = perf_counter(), spent(*processes)

    def pace(self, number: int) -> Pace:
        """For so many messages."""
        clock_s, cpu_s = perf_counter() - self._clock_s, (spent(*self._processes) - self._spent).ran_s
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

        began = Lap(os.getpid())
        await asyncio.gather(*(send() for _ in range(AT_ONCE)))
        return began.pace(number)


async def ours(workers: Sequence[Running], number: int) -> Pace:
    """From the promise in the table to the outcome in the table, by workers that wait for something to do."""
    await promised(number)
    began = Lap(*(worker.pid for worker in workers))
    await all_sent(number)
    pace = began.pace(number)
    await OutboxPush.all().delete()
    return pace


@asynccontextmanager
async def workers_of(database_url: str, redis_url: str, platform: str, number: int) -> AsyncIterator[Sequence[Running]]:
    """Processes of their own that have so many calls on their way together."""
    arguments = (database_url, redis_url, platform, str(AT_ONCE // number))
    started = [await running("tests.bench.sending", *arguments, stdin=PIPE, stdout=PIPE) for _ in range(number)]
    for each in started:
        assert each.stdout is not None
        assert await each.stdout.readline() == b"works\n"
    yield started
    for each in started:
        await each.communicate()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_broadcast_is_sent_nearly_as_fast_as_by_a_bare_client(
    database_url: str, redis_server: RedisServer, platform: str, board: Board, workers: int
) -> None:
    """One worker uses a core and a half at most; a machine of two has two."""
    pairs = []
    async with workers_of(database_url, redis_server.url, platform, workers) as started:
        await bare(platform, 1_000)
        await ours(started, 500)
        for _ in range(ROUNDS):
            await taken(platform)
            baseline = await bare(platform, MESSAGES)
            await taken(platform)
            pairs.append((await ours(started, MESSAGES), baseline))
            told = await taken(platform)
            assert (told["recipients"], told["most_to_one"]) == (MESSAGES, 1)
    board.add_median("bare client, 200 in flight", [each.a_second for _, each in pairs], "/s")
    board.add_median("from promise to outcome, 200 in flight", [each.a_second for each, _ in pairs], "/s")
    board.add_median("  processor a message, bare client", [each.micros for _, each in pairs], "us")
    board.add_median("  processor a message, from promise to outcome", [each.micros for each, _ in pairs], "us")
    # What neighbours on the machine do to the clock they do to both, but not at the same moment.
    board.add_median("  processor of the bare client, of ours", [each.micros / own.micros for own, each in pairs])
    ratios = [own.a_second / baseline.a_second for own, baseline in pairs]
    is_asked_for = workers > 1
    figure = board.add_median(
        f"sending by {workers}, of the bare client", ratios, goal=at_least(0.8) if is_asked_for else None
    )
    if is_asked_for:
        require(figure)


async def test_a_rate_is_kept_in_every_second(
    database_url: str, store: RedisStore, platform: str, board: Board
) -> None:
    """Two workers share the rate."""
    number = int(RATE * 6)
    await taken(platform)
    await promised(number)
    async with (
        worker_of(platform, store, at_once=AT_ONCE, a_second=RATE) as first,
        worker_of(platform, store, at_once=AT_ONCE, a_second=RATE) as second,
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
    database_url: str, postgres: PostgresServer, board: Board
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


async def test_promising_to_many_is_one_insert(database_url: str, postgres: PostgresServer, board: Board) -> None:
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
