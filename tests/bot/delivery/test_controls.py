"""Negative controls: without the lease of a claim two workers send the same thing; without the unique key two planners
promise it. What the other tests show is worth something only because of these.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextvars import Context
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from tortoise.exceptions import IntegrityError

from bot.delivery.claims import PUSH_COLUMNS, Claimed, Claims, Departing, Settled, push_of
from bot.delivery.credits import Credits
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.push_worker import PushLimits, PushWorker
from bot.delivery.pushes import ChannelName
from bot.delivery.tables import Statement, by_index, of_pushes
from bot.storage.database import transaction
from bot.wechat.client import STABLE_TOKEN
from bot.wechat.errors import SystemBusy
from tests.bot.delivery.push_stage import Phone, PostOffice

S = DeliveryStatus


class Careless(Claims):
    """Reads what is due and marks it afterwards, as a loop over a query does. `meeting`: where the first look of each
    worker ends, before any of them marks what it saw."""

    def __init__(self, credits: Credits, meeting: asyncio.Barrier) -> None:
        super().__init__(credits)
        self._meeting: asyncio.Barrier | None = meeting

    async def take_usual(self, number: int, now: datetime, lease: timedelta) -> list[Claimed]:
        statement = Statement(of_pushes())
        rows = await statement.fetch(
            f"SELECT {PUSH_COLUMNS} FROM outbox_push WHERE status = 'planned' ORDER BY not_before LIMIT {number}"
        )
        if self._meeting is not None:
            meeting, self._meeting = self._meeting, None
            await meeting.wait()
        claim = uuid4()
        ids = [row["id"] for row in rows]
        await OutboxPush.filter(id__in=ids).update(status=S.SENDING, claim=claim, lease_until=now + lease)
        return [Claimed(push_of(row), claim, now + lease, 0, frozenset()) for row in rows]

    async def begin(self, departing, now, spare):  # type: ignore[no-untyped-def] # as the other, without asking
        return {each.row.push.id for each in departing}


async def work(post: PostOffice, *, careless: bool) -> Counter[str]:
    """What two workers send of thirty promises."""
    await post.promise(*(post.push(f"{number}", who=number) for number in range(30)))
    phone = Phone()
    workers: list[PushWorker] = [post.worker(phone, limits=PushLimits(batch=10)) for _ in range(2)]
    if careless:
        meeting = asyncio.Barrier(len(workers))
        for worker in workers:
            worker._claims = Careless(post.credits, meeting)
    await asyncio.gather(*(post.drain(worker) for worker in workers))
    return Counter(phone.lines)


async def test_without_a_lease_two_workers_send_the_same(post: PostOffice) -> None:
    assert max((await work(post, careless=True)).values()) == 2


async def test_with_it_they_do_not(post: PostOffice) -> None:
    assert await work(post, careless=False) == Counter(str(number) for number in range(30))


@pytest.mark.engine("postgres")
async def test_without_skipping_what_is_locked_a_worker_waits_for_the_other(post: PostOffice) -> None:
    """Negative control for SKIP LOCKED: the rows of a worker that stands still hold up nobody."""
    await post.promise(*(post.push(f"{number}", who=number) for number in range(10)))
    async with transaction() as connection:
        await connection.execute_query("SELECT id FROM outbox_push ORDER BY id LIMIT 4 FOR UPDATE")
        other = asyncio.get_running_loop().create_task(_take_all(post), context=Context())
        async with asyncio.timeout(60):
            assert len(await other) == 6
        waiting = asyncio.get_running_loop().create_task(_lock_all(), context=Context())
        done, _ = await asyncio.wait((waiting,), timeout=0.3)
        assert not done
    await waiting


async def _take_all(post: PostOffice) -> list[Claimed]:
    return await Claims(post.credits).take(100, post.clock.now(), timedelta(minutes=3))


async def _lock_all() -> None:
    async with transaction() as connection:
        await connection.execute_query("SELECT id FROM outbox_push FOR UPDATE")


async def careless_promise(post: PostOffice, meeting: asyncio.Barrier) -> None:
    """Looks first and writes then. `meeting`: where looking ends, before any of them writes."""
    push = post.push("a")
    if not await OutboxPush.filter(reason=push.reason, occurrence=push.occurrence).exists():
        await meeting.wait()
        now = post.clock.now()
        await OutboxPush.create(
            reason=push.reason, occurrence=push.occurrence, person_id=push.person_id, rule=push.rule, lane=2,
            purpose=push.purpose, push_class=push.push_class, not_before=now, expires_at=push.expires_at,
            created_at=now, updated_at=now,
        )  # fmt: skip


async def drop_the_key() -> None:
    async with transaction() as connection:
        if connection.capabilities.dialect != "postgres":
            await connection.execute_query("ALTER TABLE outbox_push RENAME TO kept")
            await connection.execute_query("CREATE TABLE outbox_push AS SELECT * FROM kept")
            return
        rows = await connection.execute_query_dict(
            "SELECT conname AS name FROM pg_constraint WHERE conrelid = 'outbox_push'::regclass AND contype = 'u'"
        )
        for row in rows:
            await connection.execute_query(f'ALTER TABLE outbox_push DROP CONSTRAINT "{row["name"]}"')


async def test_with_the_unique_key_two_planners_promise_once(post: PostOffice) -> None:
    meeting = asyncio.Barrier(2)
    results = await asyncio.gather(*(careless_promise(post, meeting) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(result, IntegrityError) for result in results) == 1
    assert await OutboxPush.all().count() == 1
    assert sum(await asyncio.gather(*(post.promise(post.push("a")) for _ in range(2)))) == 0


async def test_without_the_unique_key_two_planners_promise_twice(post: PostOffice) -> None:
    await drop_the_key()
    meeting = asyncio.Barrier(2)
    await asyncio.gather(*(careless_promise(post, meeting) for _ in range(2)))
    assert await OutboxPush.all().count() == 2


@pytest.mark.parametrize("late", [False, True])
async def test_a_worker_whose_lease_ran_out_neither_sends_nor_settles(post: PostOffice, late: bool) -> None:
    await post.promise(post.push())
    first = Claims(post.credits)
    [row] = await first.take(1, post.clock.now(), timedelta(minutes=3))
    if late:
        post.clock.advance(timedelta(minutes=3))
        await post.drain(post.worker(Phone()))

    departing = [Departing(row, ChannelName.TEMPLATE, "i", row.push.id)]
    begun = await first.begin(departing, post.clock.now(), timedelta(seconds=30))
    ours = await first.settle([(row, Settled(status=S.FAILED))], post.clock.now())
    assert (len(begun), len(ours)) == ((0, 0) if late else (1, 1))


async def test_tries_are_counted_when_they_begin_and_given_up_at_last(post: PostOffice) -> None:
    phone = Phone(*[SystemBusy(STABLE_TOKEN, errcode=-1)] * 20)
    await post.promise(post.push())
    worker = post.worker(phone)
    for _ in range(40):
        await post.drain(worker)
        post.clock.advance(timedelta(minutes=40))
    assert await post.statuses() == {"a": S.FAILED}
    assert len(phone.keys) == 8


@pytest.mark.engine("postgres")
async def test_what_claiming_sets_and_locks_ends_with_it(post: PostOffice) -> None:
    """A connection is given back as it is."""
    await post.promise(post.push("1"))
    assert len(await Claims(Credits(post.clock)).take_usual(1, post.clock.now(), timedelta(minutes=3))) == 1
    _, (row,) = await of_pushes().execute_query(
        "SELECT current_setting('enable_seqscan') AS scan, (SELECT count(*) FROM pg_locks"
        " WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks"
    )
    assert (row["scan"], row["locks"]) == ("on", 0)


@pytest.mark.engine("postgres")
@pytest.mark.parametrize("is_told", [True, False])
async def test_what_becomes_of_a_few_is_written_without_reading_all(post: PostOffice, is_told: bool) -> None:
    """Of a table that has just been filled, or has grown since a plan was made. Without a word of it all is read."""
    await post.promise(*(post.push(f"{number}", who=number) for number in range(400)))
    rows = await Claims(post.credits).take(20, post.clock.now(), timedelta(minutes=3))
    async with transaction() as connection:
        if is_told:
            await by_index()
        statement = Statement(connection)
        given = statement.rows(
            "given", {"push_id": "id", "own_claim": "id"}, [(each.push.id, each.claim) for each in rows]
        )
        sql = f"UPDATE outbox_push SET credit = 'c' FROM {given} WHERE id = push_id AND claim = own_claim"
        assert await statement.run(sql) == 20
        _, (seen,) = await connection.execute_query(
            "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'outbox_push'"
        )
    assert (seen["seq_scan"] == 0) is is_told
