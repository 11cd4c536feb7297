"""A consistent, encrypted copy of the whole database, taken while others write, without outside tools.

All tables are read in one snapshot: a repeatable-read transaction on PostgreSQL, a read transaction on SQLite, which
with the write-ahead log holds no writer up. Beside a backup lies the list of erasures, `erasures.xxb` of its folder,
renewed with every backup: it lets an older backup forget what was erased after it was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import aiosqlite
import asyncpg

from bot.clock import Clock
from bot.config import Settings
from bot.storage.backup_file import BackupWriter, read_lines
from bot.storage.backup_tables import Table, tables
from bot.storage.database import Database, is_sqlite, sqlite_path, tortoise_config
from bot.storage.encryption import KeyRing
from bot.storage.erasures import ERASURES
from bot.storage.errors import DatabaseAway
from bot.storage.schema import CONNECTION, migration_names

CHUNK: Final = 500
CONNECT_TIMEOUT_S: Final = 5.0
ERASURES_FILE: Final = "erasures.xxb"
BACKUP: Final = "backup"
ERASURE_LIST: Final = "erasures"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What a backup holds: rows by table."""

    path: Path
    rows: Counter[str]


class Snapshot(Protocol):
    """The database at one moment."""

    def rows(self, table: Table) -> AsyncIterator[Sequence[Sequence[Any]]]:
        """All rows of a table, by chunks, as the driver gives them."""
        ...

    async def value(self, query: str) -> int | None:
        """One number."""
        ...

    async def counter(self, table: Table) -> int | None:
        """The last number given to a row of a table that counts them, None when there was none."""
        ...


async def backup(
    settings: Settings, database: Database, path: Path, *, clock: Clock, progress: Progress | None = None
) -> Written:
    """Writes the file, and the list of erasures beside it. Raises FileInTheWay, DatabaseAway, OSError."""
    written = await _write(settings, database, path, clock, kind=BACKUP, progress=progress)
    await write_erasures(settings, database, path.with_name(ERASURES_FILE), clock=clock)
    return written


async def write_erasures(settings: Settings, database: Database, path: Path, *, clock: Clock) -> Written:
    """Writes the list of what was erased, in place of an older list, of which nothing is forgotten. Small: it may be
    taken every few minutes, and kept somewhere else. Raises as `backup`, and BackupDamaged for the older list."""
    return await _write(settings, database, path, clock, kind=ERASURE_LIST)


async def _write(
    settings: Settings,
    database: Database,
    path: Path,
    clock: Clock,
    *,
    kind: str,
    progress: Progress | None = None,
) -> Written:
    older = _older(path, database.keys) if kind == ERASURE_LIST else []
    writer = BackupWriter(path, database.keys, clock.now(), replaces=kind == ERASURE_LIST)
    try:
        async with open_snapshot(settings) as snapshot:
            wanted = [table for table in tables() if kind == BACKUP or table.name == ERASURES]
            copy = _Copy(writer, wanted, older, progress)
            rows = await copy.run(snapshot, {"kind": kind, "blind_index": index_mark(database)})
        writer.commit()
    except BaseException:
        writer.discard()
        raise
    return Written(path, rows)


def _older(path: Path, keys: KeyRing) -> list[dict[str, Any]]:
    return read_erasures(path, keys) if path.exists() else []


class _Copy:
    """Writes tables to a file. `older`: erasures of an older list, which the new one holds too."""

    def __init__(
        self,
        writer: BackupWriter,
        wanted: Sequence[Table],
        older: Sequence[Mapping[str, Any]],
        progress: Progress | None,
    ) -> None:
        self._writer = writer
        self._wanted = wanted
        self._older = older
        self._progress = progress
        self._rows: Counter[str] = Counter()

    async def run(self, snapshot: Snapshot, about: Mapping[str, Any]) -> Counter[str]:
        """Everything, from the first line to the last; how many rows of which table."""
        count = 'SELECT COUNT(*) FROM "{}"'
        total = sum([await snapshot.value(count.format(table.name)) or 0 for table in self._wanted])
        self._writer.line({**about, "migrations": migration_names()})
        for table in self._wanted:
            names = [column.name for column in table.columns]
            self._writer.line({"table": table.name, "columns": names, "counter": await snapshot.counter(table)})
            await self._rows_of(snapshot, table, total)
        self._writer.line({"rows": dict(self._rows)})
        return self._rows

    async def _rows_of(self, snapshot: Snapshot, table: Table, total: int) -> None:
        place = [column.name for column in table.columns].index(table.key)
        seen: set[Any] = set()
        async for chunk in snapshot.rows(table):
            for stored in chunk:
                row = [column.plain(value) for column, value in zip(table.columns, stored, strict=True)]
                self._writer.line(row)
                if self._older:
                    seen.add(row[place])
            self._rows[table.name] += len(chunk)
            if self._progress is not None:
                self._progress(self._rows.total(), total)
        for older in self._older:
            if older[table.key] not in seen:
                self._writer.line([older.get(column.name) for column in table.columns])
                self._rows[table.name] += 1


def read_erasures(path: Path, keys: KeyRing) -> list[dict[str, Any]]:
    """What a list of erasures, or a backup, says was erased: each by column, in plain values.

    Raises BackupDamaged, BackupKeyMissing.
    """
    found: list[dict[str, Any]] = []
    table, names = "", list[str]()
    for line in read_lines(path, keys):
        if isinstance(line, dict) and "table" in line:
            table, names = line["table"], line["columns"]
        elif isinstance(line, list) and table == ERASURES:
            found.append(dict(zip(names, line, strict=True)))
    return found


def index_mark(database: Database) -> str:
    """Tells whether the blind indexes of two databases are made with the same key."""
    return database.keys.blind_index("backup", "mark")


# ------------------------------------------------------------------------------------------------------------ snapshots
def open_snapshot(settings: Settings) -> AbstractAsyncContextManager[Snapshot]:
    """A snapshot on a connection of its own, for the time of a block."""
    return _sqlite_snapshot(settings) if is_sqlite(settings) else _postgres_snapshot(settings)


@asynccontextmanager
async def _postgres_snapshot(settings: Settings) -> AsyncIterator[Snapshot]:
    credentials = tortoise_config(settings)["connections"][CONNECTION]["credentials"]
    wanted = credentials.keys() & {"host", "port", "user", "password", "database", "ssl"}
    try:
        connection = await asyncpg.connect(**{key: credentials[key] for key in wanted}, timeout=CONNECT_TIMEOUT_S)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise DatabaseAway(details={"cause": str(error)}) from error
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield _PostgresSnapshot(connection)
    except (OSError, asyncpg.PostgresConnectionError) as error:
        raise DatabaseAway(details={"cause": str(error)}) from error
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_S)


class _PostgresSnapshot:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def rows(self, table: Table) -> AsyncIterator[Sequence[Sequence[Any]]]:
        cursor = await self._connection.cursor(table.select())
        while chunk := await cursor.fetch(CHUNK):
            yield [tuple(record.values()) for record in chunk]

    async def value(self, query: str) -> int | None:
        return await self._connection.fetchval(query)  # type: ignore[no-any-return] # untyped driver

    async def counter(self, table: Table) -> int | None:
        if table.counter is None:
            return None
        # Counters stand outside transactions, so this may be ahead of the rows, which does no harm.
        sequence = await self._connection.fetchval(
            "SELECT pg_get_serial_sequence($1, $2)", f'"{table.name}"', table.counter
        )
        if sequence is None:
            return None
        return await self.value(f"SELECT CASE WHEN is_called THEN last_value END FROM {sequence}")  # noqa: S608


@asynccontextmanager
async def _sqlite_snapshot(settings: Settings) -> AsyncIterator[Snapshot]:
    async with aiosqlite.connect(sqlite_path(settings), isolation_level=None, timeout=CONNECT_TIMEOUT_S) as connection:
        await connection.execute("BEGIN")
        # A read transaction begins with its first read, not before.
        await connection.execute_fetchall("SELECT COUNT(*) FROM sqlite_master")
        yield _SqliteSnapshot(connection)
        await connection.rollback()


class _SqliteSnapshot:
    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def rows(self, table: Table) -> AsyncIterator[Sequence[Sequence[Any]]]:
        async with self._connection.execute(table.select()) as cursor:
            while chunk := await cursor.fetchmany(CHUNK):
                yield [tuple(row) for row in chunk]

    async def value(self, query: str) -> int | None:
        rows = list(await self._connection.execute_fetchall(query))
        return rows[0][0] if rows else None

    async def counter(self, table: Table) -> int | None:
        if table.counter is None or not await self.value("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
            return None
        return await self.value(f"SELECT seq FROM sqlite_sequence WHERE name = '{table.name}'")  # noqa: S608
