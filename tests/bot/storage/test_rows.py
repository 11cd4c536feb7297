"""Many rows in one statement are the rows that were given, however much they have in common."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from bot.audit.models import AuditRow, AuditSeal
from bot.clock import FrozenClock
from bot.storage.database import Database, joined, transaction
from bot.storage.models import IdempotentAnswer
from bot.storage.rows import insert_new, insert_together, row_of, selected


def answer(clock: FrozenClock, key: str, **columns: Any) -> dict[str, Any]:
    moments = {"created_at": clock.now(), "updated_at": clock.now()}
    return {"scope": "s", "key": key, "route": "r", "body_digest": "d", **moments, **columns}


async def test_what_all_rows_share_stands_in_each(database: Database, clock: FrozenClock) -> None:
    bodies = {"1": "同", "2": "同", "3": None}
    await insert_together(IdempotentAnswer, [answer(clock, key, body=body) for key, body in bodies.items()])
    rows = await IdempotentAnswer.all()
    assert {row.key: row.body for row in rows} == bodies
    assert {(row.scope, row.status, row.created_at) for row in rows} == {("s", None, clock.now())}


async def test_ends_that_agree_hide_nobody_between_them(database: Database, clock: FrozenClock) -> None:
    rows = [answer(clock, str(number), status=status) for number, status in enumerate((200, 409, 200))]
    await insert_together(IdempotentAnswer, rows)
    assert [row.status for row in await IdempotentAnswer.all().order_by("key")] == [200, 409, 200]


async def test_rows_that_are_all_the_same_stay_as_many(database: Database, clock: FrozenClock) -> None:
    row = {"at": clock.now(), "roles": "system", "door": "system", "action": "a", "outcome": "done", "fields_seen": []}
    await insert_together(AuditRow, [row, row, row])
    assert await AuditRow.all().count() == 3


async def test_a_number_is_kept_where_it_is_given(database: Database, clock: FrozenClock) -> None:
    seals = [{"number": own, "entry_id": own, "digest": "0" * 64, "sealed_at": clock.now()} for own in (7, 9)]
    await insert_together(AuditSeal, seals)
    numbers: list[Any] = await AuditSeal.all().order_by("number").values_list("number", flat=True)
    assert numbers == [7, 9]


async def test_only_rows_that_collide_with_none_are_new(database: Database, clock: FrozenClock) -> None:
    first, second, third = (uuid4() for _ in range(3))
    assert await insert_new(IdempotentAnswer, [answer(clock, "1", id=first)]) == {first}
    rows = [answer(clock, "1", id=second), answer(clock, "2", id=third)]
    assert await insert_new(IdempotentAnswer, rows) == {third}
    assert await insert_new(IdempotentAnswer, []) == frozenset()


async def test_a_row_read_by_hand_is_as_the_orm_reads_it(database: Database, clock: FrozenClock) -> None:
    await insert_together(IdempotentAnswer, [answer(clock, "1", status=201, body="好")])
    query = f"SELECT {selected(IdempotentAnswer, 'a')} FROM idempotent_answer a"
    _, rows = await database.connection.execute_query(query)
    (usual,) = await IdempotentAnswer.all()
    read: Any = row_of(IdempotentAnswer, "a", rows[0])
    expected: Any = usual
    assert dict(read) == dict(expected)


async def test_who_joins_a_transaction_goes_with_it(database: Database, clock: FrozenClock) -> None:
    async with joined():
        await insert_together(IdempotentAnswer, [answer(clock, "own")])

    async def joining() -> None:
        async with transaction():
            async with joined():
                await insert_together(IdempotentAnswer, [answer(clock, "joined")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await joining()
    kept: list[Any] = await IdempotentAnswer.all().values_list("key", flat=True)
    assert kept == ["own"]
