"""Choosing the guardians of a large school, beside a bare count of their ties. There is no goal for it: the count asks
nothing about bars, acting guardians or how somebody is reached."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

import pytest

from bot.storage.database import Database, open_database
from bot.storage.migration import migrate
from bot.storage.rows import insert_rows
from handlers.accounts.domain import PupilStatus, Relation
from handlers.accounts.models import Guardianship, Person, Pupil, School, WeChatIdentity
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences
from tests.bench.figures import Board
from tests.factories import LONG_AGO, make_class, make_school
from tests.servers import PostgresServer, free_port
from tests.settings import make_settings

PUPILS: Final = 12_000
GUARDIANS: Final = 20_000
ROOMS: Final = 270
REPEATS: Final = 5
TODAY: Final = date(2026, 9, 10)
_ANCHOR: Final = """
SELECT COUNT(*) AS number FROM accounts_guardianship g JOIN accounts_pupil p ON p.id = g.pupil_id
 WHERE p.school_id = $1 AND g.bound_at IS NOT NULL
"""

pytestmark = pytest.mark.bench


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    name = f"bench_{free_port()}"
    settings = make_settings(database={"url": await postgres.create(name)})
    await migrate(settings)
    async with open_database(settings) as opened:
        yield opened
    await postgres.drop(name)


async def large_school() -> School:
    """With its children, guardians (two of three reached by WeChat) and classes."""
    school = await make_school()
    rooms = [await make_class(school, grade=grade, number=number) for grade in range(1, 10) for number in range(1, 31)]
    stamp = {"created_at": LONG_AGO, "updated_at": LONG_AGO}
    pupils: list[dict[str, Any]] = [
        {"id": uuid4(), "school_id": school.id, "school_class_id": rooms[n % ROOMS].id, "name": "某", **stamp,
         "status": PupilStatus.ENROLLED}
        for n in range(PUPILS)
    ]  # fmt: skip
    people: list[dict[str, Any]] = [{"id": uuid4(), "name": f"某{n}", **stamp} for n in range(GUARDIANS)]
    ties = [
        {"pupil_id": pupils[n % PUPILS]["id"], "person_id": people[n]["id"], "relation": Relation.MOTHER,
         "bound_at": LONG_AGO if n % 3 else None, **stamp}
        for n in range(GUARDIANS)
    ]  # fmt: skip
    phones = [
        {"person_id": people[n]["id"], "account": "service", "openid": f"o{n}", "openid_index": f"{n:032d}", **stamp}
        for n in range(GUARDIANS)
        if n % 3
    ]
    tables: list[tuple[Any, Any]] = [
        (Pupil, pupils), (Person, people), (Guardianship, ties), (WeChatIdentity, phones),
    ]  # fmt: skip
    for model, rows in tables:
        await insert_rows(model, rows)
    return school


async def test_choosing_costs_little_more_than_counting(database: Database, board: Board) -> None:
    school = await large_school()
    wanted = Audience(roles=frozenset({AudienceRole.GUARDIANS}), schools=frozenset({str(school.id)}))
    audiences, ratios, takes = AccountsAudiences(), [], []
    for _ in range(REPEATS):
        begins = perf_counter()
        await database.connection.execute_query_dict(_ANCHOR, [school.id])
        anchor, begins = perf_counter() - begins, perf_counter()
        assert await audiences.count(wanted, TODAY) > 13_000
        takes.append(perf_counter() - begins)
        ratios.append(takes[-1] / anchor)
    board.add_median("choosing 13,000 of 20,000 guardians / counting ties", ratios, "×")
    board.add_median("choosing 13,000 of 20,000 guardians", takes, "s")
