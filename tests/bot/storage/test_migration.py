"""Migrations: they fit the models, run on a filled database, and are safe when several processes run them at once."""

from __future__ import annotations

import ast
import asyncio
import importlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

from bot.clock import FrozenClock
from bot.config import Settings
from bot.delivery.models import DeliveryAttempt, OutboxMessage
from bot.storage.base import blind_index
from bot.storage.context import DatabaseContext
from bot.storage.database import open_database, sqlite_path, tortoise_config
from bot.storage.encryption import KeyRing
from bot.storage.errors import DatabaseAway
from bot.storage.migration import BrokenReferences, migrate, migrate_unlocked, planned_changes
from bot.storage.models import ProcessedMessage, ProcessingState
from bot.storage.schema import APP_LABEL, CONNECTION, migration_names, pending_migrations
from tests.bot.storage.schema_reader import Table, read_schema
from tests.programs import PIPE, running
from tests.servers import PostgresServer, free_port
from tests.settings import make_settings, sqlite_url

MIGRATIONS = Path(__file__).parents[3] / "migrations"
EXPECTED = Path(__file__).with_name("expected_schema.json")

# What rebuilds a table on SQLite: it would lose indexes, and with foreign keys on, the rows that refer to it.
REBUILDING = {
    "AlterField",
    "RemoveField",
    "AddConstraint",
    "RemoveConstraint",
    "RenameField",
    "RenameModel",
    "DeleteModel",
}


@pytest.fixture
async def empty(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Settings]:
    """Settings over a database without any table."""
    if engine == "sqlite":
        yield make_settings(database={"url": sqlite_url(tmp_path / "empty.db")})
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"empty_{uuid4().hex}"
    yield make_settings(database={"url": await server.create(name)})
    await server.drop(name)


both_engines = pytest.mark.usefixtures("database_url")


@asynccontextmanager
async def raw_context(settings: Settings) -> AsyncIterator[TortoiseContext]:
    async with DatabaseContext(KeyRing.from_settings(settings)) as context:
        await context.init(config=tortoise_config(settings, foreign_keys="OFF"))
        yield context


async def migrate_to(settings: Settings, name: str) -> None:
    """As an older release would have: up to one migration."""
    async with raw_context(settings) as context:
        executor = MigrationExecutor(context.db(CONNECTION), tortoise_config(settings)["apps"])
        await executor.migrate([MigrationTarget(APP_LABEL, name)])


# --------------------------------------------------------------------------------------------------------- the files
async def test_the_migrations_lead_to_the_models() -> None:
    changes = [operation.describe() for writer in await planned_changes() for operation in writer.operations]
    assert changes == [], "the models have changed: make migration NAME=…"


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [name[:4] for name in migration_names()] == [f"{n:04d}" for n in range(1, len(migration_names()) + 1)]


@pytest.mark.parametrize("path", sorted(MIGRATIONS.glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_migrations_only_add(path: Path) -> None:
    for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        assert name not in REBUILDING, f"{name} rebuilds the table on SQLite; add a column beside it, move with RunSQL"
        if name == "AddField":
            words = {keyword.arg for node in ast.walk(call) if isinstance(node, ast.Call) for keyword in node.keywords}
            assert words & {"null", "db_default"}, "a column added to a filled table needs null=True or a db_default"
        if name == "CreateModel":
            assert "'constraints'" not in ast.unparse(call), "recorded but never made (Tortoise 1.1): use RunSQL"


# ------------------------------------------------------------------------------------------------------------ one run
@both_engines
async def test_a_fresh_database_is_brought_up_to_date_once(empty: Settings) -> None:
    assert await migrate(empty) == migration_names()
    assert await migrate(empty) == []
    async with open_database(empty) as database:
        await database.check()


@both_engines
async def test_what_is_pending_is_known_without_a_single_table(empty: Settings) -> None:
    async with open_database(empty) as database:
        assert await pending_migrations(database.connection) == migration_names()


@both_engines
async def test_a_migration_that_fails_leaves_nothing(empty: Settings) -> None:
    """Here: a table in the way of the last one made. Neither the others nor a record may stay."""
    async with raw_context(empty) as context:
        await context.db(CONNECTION).execute_query("CREATE TABLE processed_message (x INT)")
    with pytest.raises(Exception, match="processed_message"):
        await migrate(empty)
    async with raw_context(empty) as context:
        assert set(await read_schema(context.db(CONNECTION))) == {"processed_message"}
        await context.db(CONNECTION).execute_query("DROP TABLE processed_message")
    assert await migrate(empty) == migration_names()


@both_engines
async def test_a_filled_database_keeps_its_rows_indexes_and_constraints(empty: Settings, clock: FrozenClock) -> None:
    """Policy: from the first migration on, nothing is lost, on either engine."""
    await migrate_to(empty, migration_names()[0])
    async with raw_context(empty) as context:
        await fill(clock)
        before = await row_counts(context)
        early = await read_schema(context.db(CONNECTION))
    await migrate(empty)
    async with raw_context(empty) as context:
        after = await read_schema(context.db(CONNECTION))
        counts = await row_counts(context)
        assert {table: counts[table] for table in before} == before
        assert (await OutboxMessage.get()).payload == "您好"
    for table, shape in early.items():
        assert shape.columns <= after[table].columns
        assert shape.indexes <= after[table].indexes
        assert shape.uniques <= after[table].uniques


async def fill(clock: FrozenClock) -> None:
    now = clock.now()
    stamps: dict[str, Any] = {"created_at": now, "updated_at": now}
    whom = blind_index("openid", "o1")
    message = await OutboxMessage.create(
        kind="customer_service",
        reason="hand_over",
        occurrence="1",
        recipient="o1",
        openid_index=whom,
        payload="您好",
        not_before=now,
        expires_at=now + timedelta(hours=1),
        **stamps,
    )
    for number in (1, 2):
        await DeliveryAttempt.create(message=message, number=number, **stamps)
    for key in "abc":
        await ProcessedMessage.create(
            dedupe_key=blind_index("message", key), openid_index=whom, state=ProcessingState.DONE, **stamps
        )


async def row_counts(context: TortoiseContext) -> dict[str, int]:
    counts = {}
    for table in await read_schema(context.db(CONNECTION)):
        [row] = await context.db(CONNECTION).execute_query_dict(f'SELECT count(*) AS n FROM "{table}"')
        counts[table] = row["n"]
    return counts


@both_engines
async def test_tables_indexes_and_uniques_are_the_expected_ones_on_both_engines(empty: Settings) -> None:
    """One list for both engines; a change of the models changes it knowingly (the failure shows what to write)."""
    await migrate(empty)
    async with raw_context(empty) as context:
        found = await read_schema(context.db(CONNECTION))
    shown = Table.dump(found)
    assert shown == EXPECTED.read_text("utf-8"), f"write this into {EXPECTED.name} if it is meant:\n{shown}"


# ----------------------------------------------------------------------------------------------------- several at once
async def run_at_once(url: str, function: str, count: int) -> list[tuple[int, str]]:
    """Real processes, let go at the same moment: exit code and what each applied."""
    children = [
        await running("tests.bot.storage.migrating", url, function, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        for _ in range(count)
    ]
    outputs = await asyncio.gather(*(child.communicate(b"g") for child in children))
    return [(child.returncode or 0, out.decode().strip()) for child, (out, _) in zip(children, outputs, strict=True)]


@pytest.mark.slow
@both_engines
async def test_processes_that_migrate_at_once_all_succeed_and_one_does_the_work(empty: Settings) -> None:
    results = await run_at_once(empty.database.url.get_secret_value(), "migrate", 4)
    assert [code for code, _ in results] == [0] * 4
    assert sorted(said for _, said in results) == sorted([",".join(migration_names()), *["nothing"] * 3])


@pytest.mark.slow
@pytest.mark.engine("postgres")
async def test_without_the_lock_they_fail(postgres: PostgresServer) -> None:
    """The control: the same processes without the lock. Given a few rounds, some of them collide."""
    for _ in range(6):
        url = await postgres.create(f"unlocked_{uuid4().hex}")
        results = await run_at_once(url, "migrate_unlocked", 4)
        if any(code != 0 for code, _ in results):
            return
    pytest.fail("the control found no collision: the test beside it proves nothing")


# ---------------------------------------------------------------------------------------------------------------- away
@pytest.mark.engine("postgres")
async def test_a_database_that_is_away_has_a_name() -> None:
    settings = make_settings(database={"url": f"postgres://nobody@127.0.0.1:{free_port()}/nothing"})
    with pytest.raises(DatabaseAway):
        await migrate(settings)


@pytest.mark.engine("sqlite")
async def test_rows_that_refer_to_nothing_stop_a_migration(empty: Settings) -> None:
    with sqlite3.connect(sqlite_path(empty)) as connection:
        connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE child (parent_id INT REFERENCES parent (id))")
        connection.execute("INSERT INTO child VALUES (1)")
    with pytest.raises(BrokenReferences):
        await migrate(empty)
    async with raw_context(empty) as context:
        assert set(await read_schema(context.db(CONNECTION))) == {"parent", "child"}


async def test_migrate_unlocked_is_what_migrate_runs(tmp_path: Path) -> None:
    settings = make_settings(database={"url": sqlite_url(tmp_path / "x.db")})
    sqlite_path(settings).touch()
    assert await migrate_unlocked(settings) == migration_names()


def test_migrations_follow_one_another_in_one_line() -> None:
    """Two made beside each other would both come after the same one."""
    names = migration_names()
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for before, name in pairwise(names):
        own = importlib.import_module(f"migrations.{name}").Migration
        assert own.dependencies == [(APP_LABEL, before)]
