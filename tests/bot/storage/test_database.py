"""The database: transactions, moments, and what happens when it is away."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tortoise.exceptions import OperationalError

from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.storage.base import blind_index
from bot.storage.database import (
    DATABASE,
    Database,
    database_ctx,
    init_database,
    open_database,
    sqlite_path,
    transaction,
)
from bot.storage.errors import DatabaseAway, NotMigrated
from bot.storage.models import ProcessedMessage, ProcessingState
from tests.servers import PostgresServer, free_port
from tests.settings import make_settings, sqlite_url


async def remember(clock: FrozenClock, key: str, **values: Any) -> ProcessedMessage:
    now = clock.now()
    fields: dict[str, Any] = {
        "dedupe_key": blind_index("message", key),
        "openid_index": blind_index("openid", "o1"),
        "state": ProcessingState.RUNNING,
        "created_at": now,
        "updated_at": now,
    }
    return await ProcessedMessage.create(**fields | values)


# ---------------------------------------------------------------------------------------------------- transactions
async def test_a_transaction_commits_as_a_whole(database: Database, clock: FrozenClock) -> None:
    async with transaction():
        await remember(clock, "1")
        await remember(clock, "2")
    assert await ProcessedMessage.all().count() == 2


async def test_a_transaction_that_raises_leaves_nothing(database: Database, clock: FrozenClock) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await remember(clock, "1")
            raise ZeroDivisionError
    assert await ProcessedMessage.all().count() == 0


async def test_an_inner_transaction_rolls_back_alone(database: Database, clock: FrozenClock) -> None:
    async with transaction():
        await remember(clock, "outer")
        with pytest.raises(ZeroDivisionError):
            async with transaction():
                await remember(clock, "inner")
                raise ZeroDivisionError
    assert [row.dedupe_key for row in await ProcessedMessage.all()] == [blind_index("message", "outer")]


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(database: Database, clock: FrozenClock) -> None:
    inside, never = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        async with transaction():
            await remember(clock, "cancelled")
            inside.set()
            await never.wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with transaction():
        await remember(clock, "next")
    assert await ProcessedMessage.all().count() == 1


async def test_transactions_cancelled_while_they_begin_block_nobody(database: Database, clock: FrozenClock) -> None:
    """Cancelled at every point of their beginning: a lock or a connection kept by one would stop the last."""

    async def begin() -> None:
        async with transaction():
            await remember(clock, "never")
            raise ZeroDivisionError

    for steps in range(40):
        task = asyncio.create_task(begin())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(60), transaction():
        await remember(clock, "last")
    assert await ProcessedMessage.all().count() == 1


async def test_tasks_started_before_the_database_opened_see_it(settings: Settings, clock: FrozenClock) -> None:
    opened = asyncio.Event()

    async def count() -> int:
        await opened.wait()
        return await ProcessedMessage.all().count()

    early = asyncio.create_task(count())
    async with open_database(settings):
        opened.set()
        assert await early == 0


# ---------------------------------------------------------------------------------------------------------- moments
@pytest.mark.parametrize("zone", [UTC, SHANGHAI, timezone(-timedelta(hours=5))])
async def test_moments_compare_right_whatever_zone_they_came_in(
    database: Database, clock: FrozenClock, zone: timezone
) -> None:
    stored = datetime(2026, 9, 1, 0, 30, tzinfo=UTC)
    await remember(clock, "1", finished_at=stored.astimezone(zone))
    second = timedelta(seconds=1)
    for asked_in in (UTC, SHANGHAI):
        asked = stored.astimezone(asked_in)
        assert await ProcessedMessage.filter(finished_at=asked).count() == 1
        assert await ProcessedMessage.filter(finished_at__lte=asked).count() == 1
        assert await ProcessedMessage.filter(finished_at__lt=asked).count() == 0
        assert await ProcessedMessage.filter(finished_at__gt=asked - second).count() == 1
    read = await ProcessedMessage.get()
    assert read.finished_at == stored
    assert read.finished_at is not None
    assert read.finished_at.utcoffset() == timedelta(0)


async def test_moments_order_with_and_without_fractions(database: Database, clock: FrozenClock) -> None:
    whole = datetime(2026, 9, 1, 0, 30, tzinfo=UTC)
    moments = [
        whole,
        whole + timedelta(microseconds=1),
        whole + timedelta(milliseconds=500),
        whole + timedelta(seconds=1),
    ]
    for number, moment in enumerate(reversed(moments)):
        await remember(clock, str(number), finished_at=moment)
    assert await ProcessedMessage.all().order_by("finished_at").values_list("finished_at", flat=True) == moments


async def test_naive_moments_are_refused(database: Database, clock: FrozenClock) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        await remember(clock, "1", finished_at=datetime(2026, 9, 1))  # noqa: DTZ001 - that is the point


# ------------------------------------------------------------------------------------------------- SQLite in detail
@pytest.mark.engine("sqlite")
async def test_two_processes_may_read_and_write_the_same_file(
    database: Database, settings: Settings, clock: FrozenClock
) -> None:
    """Another writer between our read and our write: a transaction begun late would fail, ours made it wait."""
    async with transaction():
        assert await ProcessedMessage.all().count() == 0
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await asyncio.to_thread(_write_from_outside, sqlite_path(settings))
        await remember(clock, "ours")
    await asyncio.to_thread(_write_from_outside, sqlite_path(settings))


@pytest.mark.engine("sqlite")
async def test_a_deferred_transaction_would_fail_there(settings: Settings) -> None:
    """The control of the test above, on bare connections as Tortoise begins its own."""

    def attempt() -> None:
        with sqlite3.connect(sqlite_path(settings), isolation_level=None, timeout=5) as ours:
            ours.execute("BEGIN")
            ours.execute("SELECT count(*) FROM processed_message").fetchall()
            _write_from_outside(sqlite_path(settings))
            ours.execute("DELETE FROM processed_message")

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await asyncio.to_thread(attempt)


def _write_from_outside(path: Path) -> None:
    with sqlite3.connect(path, timeout=0.05) as other:
        other.execute("CREATE TABLE IF NOT EXISTS elsewhere (x)")
        other.execute("INSERT INTO elsewhere VALUES (1)")


@pytest.mark.engine("sqlite")
async def test_a_transaction_that_cannot_begin_gives_the_lock_back(
    database: Database, settings: Settings, clock: FrozenClock
) -> None:
    await database.connection.execute_query("PRAGMA busy_timeout=50")
    other = sqlite3.connect(sqlite_path(settings), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseAway):
        async with transaction():
            pytest.fail("the other writer has the lock")
    other.execute("ROLLBACK")
    other.close()
    async with asyncio.timeout(60), transaction():
        await remember(clock, "after")
    assert await ProcessedMessage.all().count() == 1


@pytest.mark.engine("sqlite")
async def test_a_script_inside_a_transaction_does_not_commit_it(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction() as connection:
            await connection.execute_script("CREATE TABLE one (x TEXT DEFAULT ';'); CREATE TABLE two (x);\n")
            raise ZeroDivisionError
    with pytest.raises(OperationalError, match="no such table"):
        await database.connection.execute_query("SELECT * FROM one")


@pytest.mark.engine("sqlite")
async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    settings = make_settings(database={"url": sqlite_url(tmp_path / "new" / "x.db")})
    async with open_database(settings):
        assert (tmp_path / "new").stat().st_mode & 0o077 == 0
        assert (tmp_path / "new" / "x.db").stat().st_mode & 0o077 == 0


@pytest.mark.engine("postgres")
async def test_the_engine_opened_last_is_spoken_to_in_its_own_words(
    settings: Settings, tmp_path: Path, clock: FrozenClock
) -> None:
    other = make_settings(database={"url": sqlite_url(tmp_path / "other.db")})
    for times in (1, 2):
        async with open_database(other):
            assert "?" in ProcessedMessage.filter(dedupe_key=b"key").sql()
            with pytest.raises(OperationalError, match="no such table"):
                await remember(clock, f"{times}")
        async with open_database(settings):
            await remember(clock, f"{times}")
            assert await ProcessedMessage.filter(dedupe_key=blind_index("message", f"{times}")).count() == 1


# -------------------------------------------------------------------------------------------------------------- away
@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[web.Application]:
    app = web.Application()
    app.cleanup_ctx.append(database_ctx(settings))
    runner = web.AppRunner(app)
    try:
        await runner.setup()
        yield app
    finally:
        await runner.cleanup()


async def test_an_application_does_not_start_on_an_older_database(settings: Settings) -> None:
    async with open_database(settings) as database:
        await database.connection.execute_query("DELETE FROM tortoise_migrations")
    with pytest.raises(NotMigrated, match="xiangxiao migrate"):
        async with started(settings):
            pytest.fail("must not start")


async def test_an_application_starts_on_a_database_that_fits(settings: Settings) -> None:
    async with started(settings) as app:
        await app[DATABASE].check()


@pytest.mark.engine("postgres")
async def test_an_application_starts_without_its_database_and_says_so() -> None:
    settings = make_settings(database={"url": f"postgres://nobody@127.0.0.1:{free_port()}/nothing"})
    async with started(settings) as app:
        with pytest.raises(DatabaseAway):
            await app[DATABASE].check()


@pytest.mark.engine("postgres")
async def test_a_database_that_is_away_has_one_name_and_costs_no_wait() -> None:
    settings = make_settings(database={"url": f"postgres://nobody@127.0.0.1:{free_port()}/nothing"})
    database = await init_database(settings)
    started_at = asyncio.get_running_loop().time()
    for _ in range(50):
        with pytest.raises(DatabaseAway):
            await ProcessedMessage.all().count()
        with pytest.raises(DatabaseAway):
            async with transaction():
                pytest.fail("there is no database")
    assert asyncio.get_running_loop().time() - started_at < 30
    await database.close()


@pytest.mark.engine("postgres")
async def test_a_connection_lost_in_a_transaction_has_a_name_and_the_next_one_works(
    database: Database, settings: Settings, clock: FrozenClock, postgres: PostgresServer
) -> None:
    name = settings.database.url.get_secret_value().rpartition("/")[2]
    with pytest.raises(DatabaseAway):
        async with transaction():
            await remember(clock, "lost")
            await postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            await remember(clock, "never arrives")
    async with transaction():
        await remember(clock, "next")
    assert await ProcessedMessage.all().count() == 1


@pytest.mark.engine("postgres")
async def test_a_commit_that_is_lost_has_a_name(
    database: Database, settings: Settings, clock: FrozenClock, postgres: PostgresServer
) -> None:
    name = settings.database.url.get_secret_value().rpartition("/")[2]
    with pytest.raises(DatabaseAway):
        async with transaction():
            await remember(clock, "lost")
            await postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    assert await ProcessedMessage.all().count() == 0
