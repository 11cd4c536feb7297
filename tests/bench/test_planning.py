"""Planning 100,000 reminders, against a plain INSERT … SELECT of as many rows in the same run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import date
from time import perf_counter
from typing import Final

import pytest

from bot.clock import FrozenClock
from bot.delivery.outbox import Outbox
from bot.delivery.reminding import Choice, Occurrence, Reminded
from bot.metrics import Metrics
from bot.storage.database import Database, open_database
from bot.storage.migration import migrate
from handlers.reminders.service.planner import ReminderPlanner
from tests.bench.figures import Board, at_most, require
from tests.handlers.reminders.stage import Calendars, Matters, at
from tests.servers import PostgresServer, free_port
from tests.settings import make_settings

PEOPLE: Final = 100_000
REPEATS: Final = 3
MOST_TIMES: Final = 3.0
# The same rows into a table of the same form, by nothing but the statement.
_ANCHOR: Final = """
INSERT INTO bench_anchor (id, reason, occurrence, person_id, rule, purpose, push_class, lane, status, not_before,
                          expires_at, attempts, created_at, updated_at)
SELECT gen_random_uuid(), 'reminder:matter', '报名|3', p.id, 'matter.3', 'reminder', 'normal', 2, 'planned', now(),
       now(), 0, now(), now()
  FROM accounts_person p
"""

pytestmark = pytest.mark.bench


class Everybody:
    """All people of the records."""

    sql: Final = "SELECT p.id AS person_id, NULL::text AS child_ids FROM accounts_person p"
    parameters: Final[tuple[object, ...]] = ()


class ForEverybody(Matters):
    """A reason for all of them."""

    async def recipients(
        self, occurrence: Occurrence, schools: Collection[str], today: date
    ) -> Sequence[Choice | Reminded]:
        """As `ReminderReason`."""
        return [Everybody()]


@pytest.fixture
async def crowd(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A database with so many people."""
    settings = make_settings(database={"url": await postgres.create(f"planning_{free_port()}")})
    await migrate(settings)
    async with open_database(settings, {"command_timeout": 120.0}) as database:
        await database.connection.execute_script(
            "INSERT INTO accounts_person (id, name, is_erased, version, created_at, updated_at)"
            f" SELECT gen_random_uuid(), '人' || n, false, 1, now(), now() FROM generate_series(1, {PEOPLE}) n;"
            " ANALYZE accounts_person"
        )
        yield database


async def anchor(database: Database) -> float:
    """The plain INSERT … SELECT, in seconds."""
    await database.connection.execute_script(
        "DROP TABLE IF EXISTS bench_anchor; CREATE TABLE bench_anchor (LIKE outbox_push INCLUDING ALL)"
    )
    begins = perf_counter()
    await database.connection.execute_script(_ANCHOR)
    return perf_counter() - begins


async def test_planning_a_hundred_thousand_reminders(crowd: Database, board: Board) -> None:
    """At most three times the plain statement; a second planner adds nothing."""
    clock = FrozenClock(at(9, 14))
    matters = ForEverybody()
    planner = ReminderPlanner(lambda: [matters], Calendars(), Outbox(clock, Metrics()), clock)
    anchors, plans, agains = [], [], []
    for number in range(REPEATS):
        anchors.append(await anchor(crowd))
        await crowd.connection.execute_script("TRUNCATE outbox_push CASCADE")
        matters.days.clear()
        matters.put(f"报名{number}", date(2026, 9, 17))
        begins = perf_counter()
        assert await planner.tick() == PEOPLE
        plans.append(perf_counter() - begins)
        begins = perf_counter()
        assert await planner.tick() == 0
        agains.append(perf_counter() - begins)
    ratios = [planned / plain for planned, plain in zip(plans, anchors, strict=True)]
    goal = at_most(MOST_TIMES)
    require(board.add_median("planning 100,000 reminders / INSERT … SELECT", ratios, "×", goal=goal))
    board.add_median("planning 100,000 reminders", plans, "s")
    board.add_median("a second planner, which adds none", agains, "s")
