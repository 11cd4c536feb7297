"""A roster of 20,000 children: how long, how much memory, and how long everybody else waits meanwhile.

Beside it, in the same run, the same rows of the same tables through nothing but the driver.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from bot.audit.log import Audit
from bot.clock import SHANGHAI, FrozenClock
from bot.storage.database import Database, open_database
from bot.storage.migration import migrate
from handlers.accounts.models import Guardianship, Person, Placement, Pupil
from handlers.rosters.domain import ExportPurpose, ImportState, RosterKind, RowState
from handlers.rosters.service.exports import ExportRequest, ExportService
from tests.bench.figures import Board, at_most, require
from tests.handlers.rosters.made_up import pupils, workbook
from tests.handlers.rosters.stage import Stage, digest_of_people, make_stage
from tests.servers import PostgresServer
from tests.settings import make_settings, sqlite_url

pytestmark = pytest.mark.bench

ROWS = 20_000
_TABLES = (Person, Pupil, Placement, Guardianship)
_WATCH_S = 0.005


class Watch:
    """What the event loop and the memory go through meanwhile. Waits are in milliseconds, memory in MiB."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.start_mib = resident_of_self()
        self.peak_mib = self.start_mib
        self._is_over = False

    async def _look(self) -> None:
        while not self._is_over:
            due = time.perf_counter() + _WATCH_S
            await asyncio.sleep(_WATCH_S)
            self.waits.append((time.perf_counter() - due) * 1000)
            if len(self.waits) % 10 == 0:
                self.peak_mib = max(self.peak_mib, resident_of_self())

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._look())
        yield
        self._is_over = True
        await task


def resident_of_self() -> float:
    """MiB this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.parametrize("engine_name", ["postgres", "sqlite"])
async def test_twenty_thousand_rows(board: Board, engine_name: str, postgres: PostgresServer, tmp_path: Path) -> None:
    """Read, looked at, applied, and taken back."""
    content = workbook(pupils(ROWS, seed=5))
    name = f"bench_import_{uuid4().hex}"
    url = await postgres.create(name) if engine_name == "postgres" else sqlite_url(tmp_path / "bench.db")
    settings = make_settings(database={"url": url})
    await migrate(settings)
    async with open_database(settings) as database:
        stage = await make_stage(FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI)))
        await _measure(board, engine_name, (database, stage), content)
    if engine_name == "postgres":
        await postgres.drop(name)


async def _measure(board: Board, engine: str, where: tuple[Database, Stage], content: bytes) -> None:
    database, stage = where
    before = await digest_of_people()
    watch = Watch()
    async with watch.looking():
        read_s, view = await _timed(stage.read(content))
        assert view.state is ImportState.READY, await stage.rows(view, RowState.FAULTY)
        apply_s, done = await _timed(stage.apply(view))
        assert done.state is ImportState.APPLIED, done.failure
        export_s, _ = await _timed(ExportService(stage.clock, Audit(stage.clock)).export(stage.leader, _wanted()))
        again_s, again = await _timed(stage.read(content))
        assert again.counts.by_state == {"unchanged": ROWS}
    rows = await _raw_rows(database)
    raw_s = await _raw(database, rows)
    undo_watch = Watch()
    async with undo_watch.looking():
        undo_s, undone = await _timed(stage.undo(done))
    assert undone.state is ImportState.UNDONE, undone.failure
    assert await digest_of_people() == before
    count = sum(len(each) for each in rows.values())
    board.add(f"import of {ROWS:,} rows, {engine}: dry run", read_s, "s")
    board.add("  applied", apply_s, "s", note=f"{count:,} rows of people")
    board.add("  the same rows through the driver alone", raw_s, "s")
    ratio = board.add("  applied ÷ driver alone", apply_s / raw_s, "×")
    board.add("  dry run of the same again: all unchanged", again_s, "s")
    board.add("  exported", export_s, "s")
    board.add("  taken back", undo_s, "s", note="people as before, by digest")
    board.add("  memory at most, above the start", watch.peak_mib - watch.start_mib, "MiB")
    longest = max(watch.waits + undo_watch.waits)
    held = sorted(watch.waits)[int(len(watch.waits) * 0.99)]
    board.add("  the event loop was held at most", longest, "ms")
    figure = board.add("  and in 99 of 100 cases", held, "ms", goal=at_most(50))
    assert ratio.value > 0
    require(figure)


def _wanted() -> ExportRequest:
    return ExportRequest(RosterKind.PUPILS, ExportPurpose.CHECK)


async def _timed(work: Awaitable[Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = await work
    return time.perf_counter() - start, result


async def _raw_rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """What is in the tables, as the driver gives it."""
    found = {}
    for model in _TABLES:
        table = model._meta.db_table
        _, rows = await database.connection.execute_query(f"SELECT * FROM {table}")
        found[table] = [tuple(row) for row in rows]
    return found


async def _raw(database: Database, rows: dict[str, list[tuple[Any, ...]]]) -> float:
    """Seconds for the same rows into tables of the same form, indexes and keys, in one transaction."""
    took = 0.0
    async with database.connection.acquire_connection() as raw:
        if isinstance(raw, asyncpg.Connection) or hasattr(raw, "copy_records_to_table"):
            took = await _copy(raw, rows)
        else:
            took = await _many(raw, rows)
    return took


async def _copy(raw: Any, rows: dict[str, list[tuple[Any, ...]]]) -> float:
    start = time.perf_counter()
    async with raw.transaction():
        for table, records in rows.items():
            await raw.execute(f"CREATE TEMP TABLE raw_{table} (LIKE {table} INCLUDING ALL) ON COMMIT DROP")
            marks = ", ".join(f"${place}" for place in range(1, len(records[0]) + 1))
            await raw.executemany(f"INSERT INTO raw_{table} VALUES ({marks})", records)
    return time.perf_counter() - start


async def _many(raw: Any, rows: dict[str, list[tuple[Any, ...]]]) -> float:
    start = time.perf_counter()
    await raw.execute("BEGIN")
    for table, records in rows.items():
        await raw.execute(f"CREATE TABLE raw_{table} AS SELECT * FROM {table} WHERE 0")
        marks = ", ".join("?" * len(records[0]))
        await raw.executemany(f"INSERT INTO raw_{table} VALUES ({marks})", records)
    await raw.rollback()
    return time.perf_counter() - start
