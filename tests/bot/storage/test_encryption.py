"""Encrypted columns and blind indexes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.exceptions import IntegrityError

from bot.clock import FrozenClock
from bot.delivery.models import OutboxMessage
from bot.storage.base import BLIND_INDEX_LENGTH, blind_index
from bot.storage.context import current_keys
from bot.storage.database import Database
from bot.storage.encryption import KeyRing, Undecipherable

OLD, NEW, INDEX = bytes(32), bytes([1]) * 32, bytes([2]) * 32
RING = KeyRing({"k1": OLD}, INDEX)


@given(st.text())
def test_what_is_encrypted_can_be_read_back(text: str) -> None:
    assert RING.decrypt(RING.encrypt(text, "t.c"), "t.c") == text


def test_equal_texts_look_different() -> None:
    assert RING.encrypt("同样的话", "t.c") != RING.encrypt("同样的话", "t.c")


def test_a_value_moved_to_another_column_does_not_open() -> None:
    with pytest.raises(Undecipherable):
        RING.decrypt(RING.encrypt("秘密", "person.phone"), "person.note")


@pytest.mark.parametrize("damage", [lambda v: v[:-1] + bytes([v[-1] ^ 1]), lambda v: v[:8], lambda v: b"v2" + v[2:]])
def test_a_changed_value_does_not_open(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(Undecipherable):
        RING.decrypt(damage(RING.encrypt("秘密", "t.c")), "t.c")


def test_after_a_rotation_the_new_key_encrypts_and_both_decrypt() -> None:
    rotated = KeyRing({"k2": NEW, "k1": OLD}, INDEX)
    old, new = RING.encrypt("旧", "t.c"), rotated.encrypt("新", "t.c")
    assert (rotated.decrypt(old, "t.c"), rotated.decrypt(new, "t.c")) == ("旧", "新")
    assert (KeyRing.key_of(old), KeyRing.key_of(new)) == ("k1", "k2")
    with pytest.raises(Undecipherable):
        RING.decrypt(new, "t.c")


def test_a_blind_index_depends_on_value_purpose_and_key() -> None:
    index = RING.blind_index("openid", "o1")
    assert index == RING.blind_index("openid", "o1")
    assert len(index) == BLIND_INDEX_LENGTH
    others = [
        RING.blind_index("openid", "o2"),
        RING.blind_index("phone", "o1"),
        KeyRing({"a": OLD}, NEW).blind_index("openid", "o1"),
    ]
    assert len({index, *others}) == 4


def test_without_a_database_there_are_no_keys() -> None:
    with pytest.raises(RuntimeError, match="init_database"):
        current_keys()


async def make_message(clock: FrozenClock, **values: Any) -> OutboxMessage:
    now = clock.now()
    fields: dict[str, Any] = {
        "kind": "customer_service",
        "reason": "hand_over",
        "occurrence": "1",
        "recipient": "oRECIPIENT",
        "openid_index": blind_index("openid", "oRECIPIENT"),
        "payload": "您好",
        "not_before": now,
        "expires_at": now + timedelta(hours=1),
        "created_at": now,
        "updated_at": now,
    }
    return await OutboxMessage.create(**fields | values)


async def test_encrypted_columns_hold_no_clear_text(database: Database, clock: FrozenClock) -> None:
    await make_message(clock, payload="王小明的电话是多少")
    [row] = await database.connection.execute_query_dict("SELECT * FROM outbox_message")
    assert isinstance(row["payload"], bytes)
    assert row["payload"].startswith(b"v1:k1:")
    stored = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    assert "王小明".encode() not in stored
    assert b"oRECIPIENT" not in stored


async def test_encrypted_columns_read_back_however_they_are_asked_for(database: Database, clock: FrozenClock) -> None:
    made = await make_message(clock, payload="你好")
    assert made.payload == "你好"
    assert (await OutboxMessage.get(id=made.id)).payload == "你好"
    assert await OutboxMessage.filter(id=made.id).values("payload") == [{"payload": "你好"}]
    assert list(await OutboxMessage.filter(id=made.id).values_list("payload")) == [("你好",)]
    await OutboxMessage.filter(id=made.id).update(payload="再见")
    await made.refresh_from_db()
    assert made.payload == "再见"


@pytest.mark.parametrize("text", ["v1:k1:看起来像密文", "", "\x00零", "'; DROP TABLE outbox_message; --", "👨‍👩‍👧"])
async def test_any_text_survives_an_encrypted_column(database: Database, clock: FrozenClock, text: str) -> None:
    made = await make_message(clock, payload=text)
    assert (await OutboxMessage.get(id=made.id)).payload == text


async def test_rows_are_found_by_their_blind_index(database: Database, clock: FrozenClock) -> None:
    made = await make_message(clock)
    found = await OutboxMessage.get(openid_index=blind_index("openid", "oRECIPIENT"))
    assert found.id == made.id
    assert not await OutboxMessage.filter(openid_index=blind_index("openid", "oOTHER"))


async def test_a_promise_is_made_once(database: Database, clock: FrozenClock) -> None:
    await make_message(clock)
    with pytest.raises(IntegrityError):
        await make_message(clock)
    await make_message(clock, occurrence="2")
