"""Families to be measured with: parents with two children each, logged in; in our tables and in the baseline's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from bot.clock import SystemClock
from bot.config_values import decode_key
from bot.storage.base import blind_index
from bot.storage.database import open_database
from handlers.accounts.domain import PRIVACY_VERSION, SchoolKind
from handlers.accounts.service.sessions import SessionService
from tests.bench.rest import SCHEMA
from tests.settings import TEST_KEY, make_settings

PARENTS = 5_000


@dataclass(frozen=True, slots=True)
class Parent:
    """Their token, the same at both servers, and what the answer is."""

    token: str
    children: Sequence[dict[str, Any]]


async def settle(database_url: str, count: int = PARENTS) -> list[Parent]:
    """Writes them down."""
    connection = await asyncpg.connect(database_url)
    try:
        async with open_database(make_settings(database={"url": database_url})):
            return await _settle(connection, count)
    finally:
        await connection.close()


async def _settle(connection: asyncpg.Connection, count: int) -> list[Parent]:
    now = datetime.now(UTC)
    later = now + timedelta(days=30)
    town, school, school_class = uuid4(), uuid4(), uuid4()
    await connection.execute(SCHEMA)
    rows = _Rows(connection, now)
    await rows.write("accounts_township", ["name", "county", "province"], [(town, "柳溪镇", "", "")])
    await rows.write(
        "accounts_school",
        ["township_id", "name", "kind", "place"],
        [(school, town, "柳溪镇中心小学", SchoolKind.SCHOOL.value, "")],
    )
    await rows.write(
        "accounts_class", ["school_id", "school_year", "grade", "number"], [(school_class, school, 2026, 3, 2)]
    )
    people = [uuid4() for _ in range(count)]
    names = [f"家长{number}" for number in range(count)]
    await rows.write(
        "accounts_person",
        ["name", "is_erased", "version"],
        [(i, n, False, 1) for i, n in zip(people, names, strict=True)],
    )
    pupils = [(uuid4(), f"孩子{number}", person) for person in people for number in (1, 2)]
    await rows.write(
        "accounts_pupil",
        ["school_id", "school_class_id", "name", "sex", "status", "version"],
        [(own, school, school_class, name, "", "enrolled", 1) for own, name, _ in pupils],
    )
    await rows.write(
        "accounts_guardianship",
        ["pupil_id", "person_id", "relation", "is_acting", "bound_at", "bound_by"],
        [(uuid4(), own, person, "mother", True, now, "invitation") for own, _, person in pupils],
    )
    return await _log_in(rows, people, pupils, later=later)


async def _log_in(
    rows: _Rows, people: Sequence[UUID], pupils: Sequence[tuple[UUID, str, UUID]], *, later: datetime
) -> list[Parent]:
    fingerprint = SessionService(SystemClock(), decode_key(TEST_KEY))._fingerprint
    identities = [uuid4() for _ in people]
    tokens = [uuid4().hex + uuid4().hex[:11] for _ in people]
    await rows.write(
        "accounts_identity",
        ["account", "openid", "openid_index", "person_id", "privacy_version", "failed_proofs"],
        [
            (own, "mini_program", b"-", blind_index("openid", str(own)), person, PRIVACY_VERSION, 0)
            for own, person in zip(identities, people, strict=True)
        ],
    )
    await rows.write(
        "accounts_session",
        ["kind", "secret_index", "identity_id", "person_id", "device", "expires_at", "seen_at"],
        [
            (uuid4(), "api", fingerprint(token), identity, person, "", later, rows.now)
            for token, identity, person in zip(tokens, identities, people, strict=True)
        ],
    )
    found: dict[UUID, list[dict[str, Any]]] = {}
    for own, name, person in pupils:
        found.setdefault(person, []).append(
            {"id": str(own), "name": name, "school": "柳溪镇中心小学", "class": "三年级2班", "grade": 3}
        )
    parents = [Parent(token, found[person]) for token, person in zip(tokens, people, strict=True)]
    connection = rows.connection
    await connection.copy_records_to_table(
        "r_token", records=[(parent.token, number, later) for number, parent in enumerate(parents)]
    )
    await connection.copy_records_to_table(
        "r_child",
        records=[
            (child["id"], number, child["name"], child["school"], child["class"], child["grade"])
            for number, parent in enumerate(parents)
            for child in parent.children
        ],
    )
    await connection.execute("ANALYZE")
    return parents


class _Rows:
    """Writes many rows of a table; each begins with its id."""

    def __init__(self, connection: asyncpg.Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now

    async def write(self, table: str, columns: list[str], rows: Sequence[tuple[Any, ...]]) -> None:
        await self.connection.copy_records_to_table(
            table,
            columns=["id", *columns, "created_at", "updated_at"],
            records=[(*row, self.now, self.now) for row in rows],
        )


def is_answer(parent: Parent, body: bytes) -> bool:
    """Whether this is what the parent has to get."""
    return bool(json.loads(body) == {"items": list(parent.children), "next_cursor": None})
