"""A backup back into an empty database, on either engine, whichever the backup was made on.

The file is read twice: wholly before anything is written, to know that it is whole, fits the program and can be opened
with the keys at hand; then again to write it, in one transaction with the erasures that were recorded since. A failure
at any point leaves the database as empty as it was.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.errors import Conflict
from bot.storage.backup import BACKUP, Progress, index_mark, read_erasures
from bot.storage.backup_file import BackupDamaged, BackupKeyMissing, read_head, read_lines
from bot.storage.backup_tables import Column, Table, tables
from bot.storage.database import Database, transaction
from bot.storage.encryption import KeyRing
from bot.storage.erasures import ERASURES, ErasureNote, Replay
from bot.storage.fields import EncryptedText
from bot.storage.schema import migration_names

CHUNK: Final = 500


class DatabaseNotEmpty(Conflict):
    """Somebody works with it: a restore would mix two histories."""

    code = "database_not_empty"
    default_message = "这个数据库里已经有数据，不会恢复到它上面。请在配置里换一个空的数据库再试。"


class BackupTooNew(Conflict):
    """It was made by a newer program."""

    code = "backup_too_new"
    default_message = "这份备份是更新版本的程序做的，请先升级程序，再恢复。"


class OtherIndexKey(Conflict):
    """The blind indexes were made with another key: nobody would be found by phone number or WeChat id."""

    code = "other_index_key"
    default_message = "blind_index_key 和做备份时不一样，恢复后会认不出人。请把它改成当时的，再试。"


@dataclass(slots=True)
class Content:
    """What is inside a backup: rows by table, the migrations it had seen, the ids of the keys of its values."""

    made_at: datetime
    kind: str = ""
    migrations: Sequence[str] = ()
    blind_index: str = ""
    rows: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done."""

    content: Content
    erasures: int


@dataclass(frozen=True, slots=True)
class _Section:
    """A table as the file has it, and where its columns belong here."""

    table: Table
    columns: tuple[Column, ...]
    counter: int | None


def inspect(path: Path, keys: KeyRing) -> Content:
    """Reads all of it, writes nothing. Raises BackupDamaged, BackupKeyMissing, BackupTooNew; needs an open database."""
    content = Content(read_head(path).made_at)
    known = {table.name: table for table in tables()}
    section: _Section | None = None
    said: Mapping[str, int] | None = None
    for line in read_lines(path, keys):
        if isinstance(line, list):
            if section is None:
                raise BackupDamaged
            content.rows[section.table.name] += 1
            content.keys |= _keys_of(section, line)
        elif "table" in line:
            section = _section(line, known)
        elif "rows" in line:
            said = line["rows"]
        else:
            content.kind, content.migrations = line["kind"], line["migrations"]
            content.blind_index = line["blind_index"]
            if not set(content.migrations) <= set(migration_names()):
                raise BackupTooNew
    if said is None or +Counter(said) != content.rows:
        raise BackupDamaged
    return content


def _section(line: Mapping[str, Any], known: Mapping[str, Table]) -> _Section:
    table = known.get(line["table"])
    columns = tuple(column for name in line["columns"] if table and (column := table.column(name)))
    if table is None or len(columns) != len(line["columns"]):
        raise BackupDamaged
    return _Section(table, columns, line["counter"])


def _keys_of(section: _Section, line: Sequence[Any]) -> set[str]:
    stored = zip(section.columns, line, strict=True)
    values = [value for column, value in stored if value and isinstance(column.field, EncryptedText)]
    return {KeyRing.key_of(base64.b64decode(value)) for value in values}


async def restore(
    database: Database,
    path: Path,
    replay: Replay,
    *,
    erasure_lists: Iterable[Path] = (),
    erased_elsewhere: Iterable[Mapping[str, Any]] = (),
    progress: Progress | None = None,
) -> Restored:
    """All of it, or nothing. `erasure_lists` are lists or newer backups, `erased_elsewhere` rows of the same shape,
    from an old database that can still be read.

    Raises BackupDamaged, BackupKeyMissing, BackupTooNew, OtherIndexKey, DatabaseNotEmpty, DatabaseAway.
    """
    content = inspect(path, database.keys)
    if content.kind != BACKUP:
        raise BackupDamaged(details={"kind": content.kind})
    if content.blind_index != index_mark(database):
        raise OtherIndexKey
    if missing := content.keys - set(database.keys.names):
        raise BackupKeyMissing(details={"keys": sorted(missing)})
    erased = [row for file in erasure_lists for row in read_erasures(file, database.keys)]
    async with transaction() as connection:
        work = _Restoring(connection, path, database.keys, progress)
        await work.claim()
        await work.write(content)
        notes = await work.erased_since([*erased, *erased_elsewhere])
        if notes:
            await replay(notes)
    return Restored(content, len(notes))


async def erased_in(database: Database) -> list[dict[str, Any]]:
    """What a database that can still be read says was erased: as `restore` takes it."""
    table = next(table for table in tables() if table.name == ERASURES)
    rows = await database.connection.execute_query_dict(table.select())
    return [{column.name: column.plain(row[column.name]) for column in table.columns} for row in rows]


class _Restoring:
    """One restore, inside its transaction."""

    def __init__(self, connection: BaseDBAsyncClient, path: Path, keys: KeyRing, progress: Progress | None) -> None:
        self._connection = connection
        self._path = path
        self._keys = keys
        self._progress = progress
        self._tables = {table.name: table for table in tables()}
        self._is_sqlite = connection.capabilities.dialect == "sqlite"

    def _mark(self, number: int) -> str:
        return f"?{number}" if self._is_sqlite else f"${number}"

    async def claim(self) -> None:
        """Nobody else may write until it is done. Raises DatabaseNotEmpty."""
        names = [f'"{name}"' for name in self._tables]
        if not self._is_sqlite:  # there the transaction is the only writer anyway
            await self._connection.execute_query("SET LOCAL idle_in_transaction_session_timeout = 0")
            await self._connection.execute_query(f"LOCK TABLE {', '.join(names)} IN SHARE ROW EXCLUSIVE MODE")
        for name in names:
            if await self._connection.execute_query_dict(f"SELECT 1 AS one FROM {name} LIMIT 1"):  # noqa: S608
                raise DatabaseNotEmpty(details={"table": name.strip('"')})

    async def write(self, content: Content) -> None:
        """All rows, in the order of the file; then the counters."""
        sections: list[_Section] = []
        done, total = 0, content.rows.total()
        later: list[tuple[Any, ...]] = []
        for section, rows in self._chunks():
            if section not in sections:
                if sections:
                    await self._refer(sections[-1], later)
                sections.append(section)
                later = []
            await self._insert(section, rows, later)
            done += len(rows)
            if self._progress is not None:
                self._progress(done, total)
        if sections:
            await self._refer(sections[-1], later)
        for section in sections:
            await self._count_on(section)

    def _chunks(self) -> Iterator[tuple[_Section, list[list[Any]]]]:
        section: _Section | None = None
        rows: list[list[Any]] = []
        for line in read_lines(self._path, self._keys):
            if isinstance(line, list):
                rows.append(line)
            if section is not None and (isinstance(line, dict) or len(rows) >= CHUNK):
                yield section, rows
                rows = []
            if isinstance(line, dict) and "table" in line:
                section = _section(line, self._tables)

    async def _insert(self, section: _Section, rows: Sequence[Sequence[Any]], later: list[tuple[Any, ...]]) -> None:
        """Rows without what refers to other rows of the same table: those may come after them."""
        if not rows:
            return
        key = [column.name for column in section.columns].index(section.table.key)
        values = []
        for row in rows:
            stored = [column.stored(value) for column, value in zip(section.columns, row, strict=True)]
            for place, column in enumerate(section.columns):
                if column.refers_home and stored[place] is not None:
                    later.append((column.name, stored[place], stored[key]))
                    stored[place] = None
            values.append(stored)
        names = ", ".join(f'"{column.name}"' for column in section.columns)
        marks = ", ".join(self._mark(number) for number in range(1, len(section.columns) + 1))
        query = f'INSERT INTO "{section.table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - names of our own
        await self._connection.execute_many(query, values)

    async def _refer(self, section: _Section, later: Sequence[tuple[Any, ...]]) -> None:
        """What refers to other rows of the same table, now that all are there."""
        for name in {name for name, _, _ in later}:
            query = (
                f'UPDATE "{section.table.name}" SET "{name}" = {self._mark(1)}'  # noqa: S608 - names of our own
                f' WHERE "{section.table.key}" = {self._mark(2)}'
            )
            await self._connection.execute_many(query, [[to, own] for column, to, own in later if column == name])

    async def _count_on(self, section: _Section) -> None:
        """The next number given is beyond all that were ever given."""
        table = section.table
        if table.counter is None:
            return
        query = f'SELECT MAX("{table.counter}") AS highest FROM "{table.name}"'  # noqa: S608 - names of our own
        highest = (await self._connection.execute_query_dict(query))[0]["highest"]
        last = max(highest or 0, section.counter or 0)
        if last < 1:
            return
        if self._is_sqlite:
            name = table.name
            await self._connection.execute_query(f"DELETE FROM sqlite_sequence WHERE name = '{name}'")  # noqa: S608
            await self._connection.execute_query(f"INSERT INTO sqlite_sequence VALUES ('{name}', {last})")  # noqa: S608
            return
        sequence = f"pg_get_serial_sequence('\"{table.name}\"', '{table.counter}')"
        await self._connection.execute_query(f"SELECT setval({sequence}, {last})")

    async def erased_since(self, erased: Sequence[Mapping[str, Any]]) -> list[ErasureNote]:
        """What was erased and the backup does not know of, the earliest first."""
        table = self._tables.get(ERASURES)
        if table is None:
            return []
        known = await self._connection.execute_query_dict(table.select())
        seen = {_mark_of({column.name: column.plain(row[column.name]) for column in table.columns}) for row in known}
        fresh = {mark: row for row in erased if (mark := _mark_of(row)) not in seen}
        notes = [ErasureNote(kind, subject, datetime.fromisoformat(at)) for kind, subject, at in fresh]
        return sorted(notes, key=lambda note: note.done_at)


def _mark_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["kind"], row["subject_id"], row["done_at"]
