"""Many rows in one statement, on both engines: what the ORM has no words for.

PostgreSQL takes a list for each column, SQLite all rows as one JSON value. Moments and ids are given as Python has
them and come back as Python has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.clock import to_utc
from bot.delivery.models import OutboxPush
from bot.storage.sets import mark

POSTGRES: Final = "postgres"
# A kind of column → its type in PostgreSQL.
_TYPES: Final[Mapping[str, str]] = {
    "id": "uuid",
    "text": "text",
    "moment": "timestamptz",
    "number": "integer",
}

_PLAIN: Final = frozenset({str, int, type(None)})
# Kinds whose values the client of PostgreSQL takes as Python has them: ids as text too, members of a StrEnum as text.
_AS_THEY_ARE: Final = frozenset({"id", "text"})


class Statement:
    """Values of one statement, numbered as they are added."""

    def __init__(self, connection: BaseDBAsyncClient, values: Sequence[Any] = ()) -> None:
        """`values`: those which the statement has already."""
        self.connection = connection
        self.engine = connection.capabilities.dialect
        self.values: list[Any] = list(values)

    @property
    def is_postgres(self) -> bool:
        """Whether rows can be locked, skipped and given as lists."""
        return self.engine == POSTGRES

    def add(self, value: Any, kind: str = "text") -> str:
        """Adds a value; gives the words that stand for it."""
        self.values.append(_stored(value, self.is_postgres))
        place = mark(self.engine, len(self.values))
        return f"{place}::{_TYPES[kind]}" if self.is_postgres else place

    def rows(self, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> str:
        """Adds rows, columns by name and kind; gives the words for them as a table called `name`."""
        if not self.is_postgres:
            whole = json.dumps([[_stored(value, False) for value in row] for row in rows])
            place = self.add(whole)
            words = ", ".join(f"json_extract(value, '$[{at}]') AS {column}" for at, column in enumerate(columns))
            return f"(SELECT {words} FROM json_each({place})) AS {name}"  # noqa: S608 - names of our own
        return self._columns(name, columns, list(zip(*rows, strict=True)) if rows else [()] * len(columns))

    def _columns(self, name: str, columns: Mapping[str, str], lists: Sequence[Sequence[Any]]) -> str:
        shared, places, listed = [], [], list[str]()
        for (column, kind), each in zip(columns.items(), lists, strict=True):
            # What is the same in all rows is given once: most of a broadcast is, and each value of a list costs time.
            if listed and each and each.count(each[0]) == len(each):
                shared.append(f"{self.add(each[0], kind)} AS {column}")
                continue
            self.values.append(list(each) if kind in _AS_THEY_ARE else [_stored(value, True) for value in each])
            places.append(f"{mark(self.engine, len(self.values))}::{_TYPES[kind]}[]")
            listed.append(column)
        own = f"unnest({', '.join(places)}) AS own ({', '.join(listed)})"
        return f"(SELECT {', '.join([*listed, *shared])} FROM {own}) AS {name}"  # noqa: S608 - names of our own

    def ids(self, ids: Sequence[Any]) -> str:
        """Adds ids; gives the words for "one of them"."""
        if self.is_postgres:
            self.values.append([_uuid(each) for each in ids])
            return f"= ANY({mark(self.engine, len(self.values))}::uuid[])"
        place = self.add(json.dumps([str(_uuid(each)) for each in ids]))
        return f"IN (SELECT value FROM json_each({place}))"  # noqa: S608 - a place

    async def run(self, query: str) -> int:
        """A statement that changes rows; gives how many. Not for INSERT, which PostgreSQL counts otherwise."""
        changed, _ = await self.connection.execute_query(query, self.values)
        return changed

    async def fetch(self, query: str) -> list[Mapping[str, Any]]:
        """A SELECT, or a change that returns rows."""
        if self.is_postgres and not query.startswith(("SELECT", "WITH")):
            # Else the client throws away what a change returns.
            query = f"WITH changed AS ({query}) SELECT * FROM changed"  # noqa: S608 - statements of our own
        _, rows = await self.connection.execute_query(query, self.values)
        return list(rows)

    async def insert(self, query: str) -> int:
        """An INSERT; gives how many rows are new."""
        if not self.is_postgres:
            return await self.run(query)
        head, chosen, insert = query.rpartition("INSERT INTO")
        head = f"{head.strip()}, " if head else "WITH "
        whole = f"{head}made AS ({chosen}{insert} RETURNING 1) SELECT count(*) AS number FROM made"  # noqa: S608
        _, rows = await self.connection.execute_query(whole, self.values)
        return int(rows[0]["number"])

    @property
    def new_id(self) -> str:
        """The words for an id made by the database."""
        if self.is_postgres:
            return "gen_random_uuid()"
        parts = [f"hex(randomblob({size}))" for size in (4, 2, 2, 2, 6)]
        return f"lower({' || '.join([parts[0], *(chr(39) + '-' + chr(39) + ' || ' + part for part in parts[1:])])})"


def of_pushes() -> BaseDBAsyncClient:
    """The connection for changes of the tables of delivery: the caller's transaction, if there is one."""
    return OutboxPush._choose_db(True)


async def by_index() -> None:
    """From here to the end of the caller's transaction rows that are given are looked up one by one.

    PostgreSQL keeps its plan of a statement, and one made while the table was nearly empty reads all of it for every
    fifty rows ever after; and of a table that has just been filled it knows nothing.
    """
    connection = of_pushes()
    if connection.capabilities.dialect == POSTGRES:
        await connection.execute_script("SET LOCAL enable_seqscan = off")


def moment_of(value: Any) -> datetime:
    """A moment as the database gave it."""
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _stored(value: Any, is_postgres: bool) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        value = to_utc(value)
        return value if is_postgres else value.isoformat(" ")
    if isinstance(value, UUID) and not is_postgres:
        return str(value)
    return value


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))
