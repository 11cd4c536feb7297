"""A roster of 20,000 children: how long, how much memory, and how long everybody else waits meanwhile.

Beside it, in the same run, the same rows into the same tables of an empty database, through nothing but the driver.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg
import pytest

from bot.audit.log import Audit
from bot.clock import SHANGHAI, FrozenClock
from bot.identity import Actor
from bot.storage.database import Database, open_database, sqlite_path
from bot.storage.migration import migrate
from handlers.accounts.models import Guardianship, Person, Placement, Pupil, School, SchoolClass, Township
from handlers.rosters.domain import ExportPurpose, ImportState, RosterKind, RowState
from handlers.rosters.service.exports import ExportRequest, ExportService
from tests.bench.figures import Board, at_most, percentile, require
from tests.bench.machine import spent
from tests.handlers.rosters.made_up import pupils, workbook
from tests.handlers.rosters.stage import Stage, digest_of_people, make_stage
from tests.servers import PostgresServer
from tests.settings import make_settings, sqlite_url

pytestmark = pytest.mark.bench

ROWS = 20_000
_NEEDED = (Township, School, SchoolClass)
_TABLES = (Person, Pupil, Placement, Guardianship)
Rows: TypeAlias = dict[str, list[tuple[Any, ...]]]
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
        """For the time of a block."""
        self._is_over = False
        task = asyncio.create_task(self._look())
        yield
        self._is_over = True
        await task


def resident_of_self() -> float:
    """MiB this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True, slots=True)
class Spent:
    """What a piece of work took: seconds by the clock, and of processor, the database server's included."""

    clock_s: float
    cpu_s: float


class Meter:
    """Measures work of this process and of its database server, if that is another one."""

    def __init__(self, server: int | None) -> None:
        self._server = server

    def _cpu(self) -> float:
        return time.process_time() + (spent(self._server).ran_s if self._server else 0)

    async def of(self, work: Awaitable[Any]) -> tuple[Spent, Any]:
        """What it took, and what it gave."""
        start, cpu = time.perf_counter(), self._cpu()
        result = await work
        return Spent(time.perf_counter() - start, self._cpu() - cpu), result


@pytest.mark.usefixtures("as_in_service")
@pytest.mark.parametrize("engine_name", ["postgres", "sqlite"])
async def test_twenty_thousand_rows(board: Board, engine_name: str, postgres: PostgresServer, tmp_path: Path) -> None:
    """Read, looked at, applied, and taken back."""
    content = await asyncio.to_thread(lambda: workbook(pupils(ROWS, seed=5)))
    is_postgres = engine_name == "postgres"
    names = [f"bench_import_{uuid4().hex}" for _ in range(2)]
    urls = [await postgres.create(name) if is_postgres else sqlite_url(tmp_path / f"{name}.db") for name in names]
    meter = Meter(postgres.process.pid if is_postgres and postgres.process else None)
    settings = [make_settings(database={"url": url}) for url in urls]
    for each in settings:
        await migrate(each)
    async with open_database(settings[0]) as database:
        stage = await make_stage(FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI)))
        took = await _work(meter, Watch(), (database, stage), content)
    if is_postgres:
        connection = await asyncpg.connect(urls[1])
        alone, _ = await meter.of(_executemany(connection, took.rows))
        await connection.close()
        for name in names:
            await postgres.drop(name)
    else:
        alone, _ = await meter.of(_sqlite_many(sqlite_path(settings[1]), took.rows))
    _report(board, engine_name, took, alone)


@dataclass(frozen=True, slots=True)
class Took:
    """What the whole way of a roster took, step by step, and the rows it made (the first are those it needs)."""

    steps: dict[str, Spent]
    rows: Rows
    watch: Watch


async def _work(meter: Meter, watch: Watch, where: tuple[Database, Stage], content: bytes) -> Took:
    database, stage = where
    before = await digest_of_people()
    steps: dict[str, Spent] = {}
    async with watch.looking():
        steps["dry run"], view = await meter.of(stage.read(content))
        assert view.state is ImportState.READY, await stage.rows(view, RowState.FAULTY)
        steps["applied"], done = await meter.of(stage.apply(view))
        assert done.state is ImportState.APPLIED, done.failure
        steps["exported"], _ = await meter.of(ExportService(stage.clock, Audit(stage.clock)).export(*_wanted(stage)))
        steps["dry run of the same again, all unchanged"], again = await meter.of(stage.read(content))
        assert again.counts.by_state == {"unchanged": ROWS}
    rows = await _raw_rows(database)
    async with watch.looking():
        steps["taken back"], undone = await meter.of(stage.undo(done))
    assert undone.state is ImportState.UNDONE, undone.failure
    assert await digest_of_people() == before
    return Took(steps, rows, watch)


def _report(board: Board, engine: str, took: Took, alone: Spent) -> None:
    made = sum(len(took.rows[model._meta.db_table]) for model in _TABLES)
    head = f"roster of {ROWS:,} rows, {engine}: the driver alone"
    board.add(head, alone.clock_s, "s", note=f"{_cpu(alone)}, {made:,} rows of people by executemany")
    ratios, figures = {"applied": 4, "taken back": 4}, []
    for name, step in took.steps.items():
        board.add(f"  {name}", step.clock_s, "s", note=_cpu(step))
        if name in ratios:
            # SQLite's driver does in the process what else a server does: there the ratio is only shown.
            share, goal = step.cpu_s / alone.cpu_s, at_most(ratios[name]) if engine == "postgres" else None
            figures.append(board.add(f"  {name} ÷ driver alone, processor", share, "×", goal=goal))
        else:
            figures.append(board.add(f"  {name}, processor", step.cpu_s, "s", goal=at_most(10)))
    board.add("  memory at most, above the start", took.watch.peak_mib - took.watch.start_mib, "MiB")
    board.add("  the event loop was held at most", max(took.watch.waits), "ms")
    held = percentile(took.watch.waits, 0.99)
    figures.append(board.add("  and in 99 of 100 cases", held, "ms", goal=at_most(50)))
    require(*figures)


def _cpu(step: Spent) -> str:
    return f"{step.cpu_s:.1f} s of processor, with the server's"


def _wanted(stage: Stage) -> tuple[Actor, ExportRequest]:
    return stage.leader, ExportRequest(RosterKind.PUPILS, ExportPurpose.CHECK)


# ------------------------------------------------------------------------------------------------- by the driver alone
async def _raw_rows(database: Database) -> Rows:
    """What is in the tables, as the driver gives it."""
    found = {}
    for model in (*_NEEDED, *_TABLES):
        table = model._meta.db_table
        _, rows = await database.connection.execute_query(f"SELECT * FROM {table}")
        found[table] = [tuple(row) for row in rows]
    return found


async def _executemany(connection: Any, rows: Rows) -> None:
    """The same rows into the same tables of an empty database, with their keys and indexes: asyncpg's `executemany`,
    one transaction."""
    async with connection.transaction():
        for table, records in rows.items():
            marks = ", ".join(f"${place}" for place in range(1, len(records[0]) + 1))
            await connection.executemany(f"INSERT INTO {table} VALUES ({marks})", records)


async def _sqlite_many(path: Path, rows: Rows) -> None:
    """The same with SQLite's own `executemany`."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for table, records in rows.items():
            marks = ", ".join("?" * len(records[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", records)
