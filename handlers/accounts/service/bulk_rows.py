"""Rows by the thousand without an object or a composed query for each: columns as plain Python values."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Final, ParamSpec, TypeVar
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from bot.storage.base import EncryptedText, UtcDatetimeField

Convert = Callable[[Any], Any]
Given = ParamSpec("Given")
Made = TypeVar("Made")
# From so many rows on, thinking about them takes longer than the way to a thread and back.
_MANY: Final = 40
# Collections of the youngest objects, after which those they left are looked at. The service sets 20,000 for each.
_YOUNG: Final = 4


async def aside(count: int, work: Callable[Given, Made], *args: Given.args, **options: Given.kwargs) -> Made:
    """What the work over `count` rows gives: of many it is done in a thread, so that nobody else waits for it."""
    if count < _MANY:
        return work(*args, **options)
    made = await asyncio.to_thread(work, *args, **options)
    collect_young()
    return made


def collect_young() -> None:
    """Between slices of work that makes many objects which stay: the collector looks at them while they are few.
    Left alone it waits for hundreds of thousands, and holds everybody up while it goes through them."""
    if gc.get_count()[1] >= _YOUNG:
        gc.collect(1)


async def select(
    model: type[Model],
    columns: Sequence[str],
    where: tuple[str, Sequence[Any]],
    *,
    after: UUID | None = None,
    limit: int = 0,
    lock: bool = False,
) -> list[Sequence[Any]]:
    """The columns, raw, of rows whose `where` column has one of the values, in the order of their ids; with `limit`,
    that many from `after` on. With `lock` they are locked in that order, where the engine can."""
    if not where[1]:
        return []
    connection = model._choose_db()
    is_postgres = _is_postgres(connection)
    wanted = ",".join(f'"{column}"' for column in columns)
    inside, values = _one_of(where[1], is_postgres=is_postgres)
    query = f'SELECT {wanted} FROM "{model._meta.db_table}" WHERE "{where[0]}" {inside}'  # noqa: S608 - own names
    if after is not None:
        query += f' AND "id" > {"$2" if is_postgres else "?"}'
        values.append(after if is_postgres else str(after))
    query += ' ORDER BY "id"' + (f" LIMIT {limit}" if limit else "") + (" FOR UPDATE" if lock and is_postgres else "")
    _, rows = await connection.execute_query(query, values)
    return [tuple(row) for row in rows]


async def insert_many(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Makes rows of values as the driver takes them (`stored_of`)."""
    connection = model._choose_db(True)
    marks = ",".join(_marks(connection, len(columns)))
    names = ",".join(f'"{column}"' for column in columns)
    query = f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks})'  # noqa: S608 - own names
    await connection.execute_many(query, [list(row) for row in rows])


async def update_many(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Changes rows: of each the new values in the order of the columns, as the driver takes them, and its id last."""
    connection = model._choose_db(True)
    marks = _marks(connection, len(columns) + 1)
    pairs = ",".join(f'"{column}"={mark}' for column, mark in zip(columns, marks, strict=False))
    query = f'UPDATE "{model._meta.db_table}" SET {pairs} WHERE "id"={marks[-1]}'  # noqa: S608 - own names
    await connection.execute_many(query, [list(row) for row in rows])


async def delete_many(model: type[Model], ids: Sequence[UUID]) -> None:
    """Takes rows away."""
    connection = model._choose_db(True)
    inside, values = _one_of(ids, is_postgres=_is_postgres(connection))
    query = f'DELETE FROM "{model._meta.db_table}" WHERE "id" {inside}'  # noqa: S608 - own names
    await connection.execute_query(query, values)


def _is_postgres(connection: Any) -> bool:
    return bool(connection.capabilities.dialect == "postgres")


def _marks(connection: Any, count: int) -> list[str]:
    return [f"${place}" for place in range(1, count + 1)] if _is_postgres(connection) else ["?"] * count


def _one_of(values: Sequence[Any], *, is_postgres: bool) -> tuple[str, list[Any]]:
    """The condition that a column has one of the values, and what the driver is given for it."""
    if not is_postgres:
        texts = [str(value) if isinstance(value, UUID) else value for value in values]
        return f"IN ({','.join('?' * len(texts))})", texts
    kind = "uuid" if isinstance(values[0], UUID) else "text"
    # As a table to be joined: `= ANY` in a plan that is kept compares every row with every value.
    return f"IN (SELECT unnest($1::{kind}[]))", [list(values)]


# --------------------------------------------------------------------------------------------------------- conversions
def values_of(model: type[Model], columns: Sequence[str]) -> Sequence[Convert | None]:
    """For each column what makes its raw value the one the model would have; None for nothing."""
    return [_to_value(model._meta.fields_map[column]) for column in columns]


def plain_of(model: type[Model], columns: Sequence[str]) -> Sequence[Convert | None]:
    """For each column what makes its raw value the one JSON can keep, as `rows.snapshot` does."""
    return [_to_plain(model._meta.fields_map[column]) for column in columns]


def plain_values_of(model: type[Model], columns: Sequence[str]) -> Sequence[Convert | None]:
    """For each column what makes the value the model would have the one JSON can keep. Remembers: for one batch."""
    return [_value_to_plain(model._meta.fields_map[column]) for column in columns]


def stored_of(model: type[Model], columns: Sequence[str]) -> Sequence[Convert | None]:
    """For each column what makes the value the model would have the one the driver takes. Remembers: for one batch."""
    is_postgres = _is_postgres(model._choose_db(True))
    return [_to_stored(model, model._meta.fields_map[column], is_postgres=is_postgres) for column in columns]


def converted(row: Sequence[Any], converts: Sequence[Convert | None]) -> tuple[Any, ...]:
    """The row after its conversions; None stays None."""
    return tuple(
        [
            value if value is None or convert is None else convert(value)
            for value, convert in zip(row, converts, strict=True)
        ]
    )


class _Remembered(dict[Any, Any]):
    """What a conversion gave for the few values a column has in one batch: a moment, a day, a kind."""

    def __init__(self, convert: Convert) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        result = self[value] = self._convert(value)
        return result


def _to_value(field: fields.Field[Any]) -> Convert | None:
    if isinstance(field, fields.UUIDField):
        return _as_uuid
    if isinstance(field, fields.DateField):
        return _as_date
    enum = getattr(field, "enum_type", None)
    if enum is not None:
        return {member.value: member for member in enum}.__getitem__
    if isinstance(field, UtcDatetimeField):
        return _Remembered(field.to_python_value).__getitem__
    if isinstance(field, EncryptedText | fields.BooleanField):
        return field.to_python_value
    return None


def _to_plain(field: fields.Field[Any]) -> Convert | None:
    if isinstance(field, fields.UUIDField):
        return str
    if isinstance(field, UtcDatetimeField):
        return _Remembered(_as_moment).__getitem__
    if isinstance(field, fields.DateField):
        return str  # a date says itself as ISO text does
    if isinstance(field, EncryptedText | fields.BooleanField):
        return field.to_python_value
    return None


def _value_to_plain(field: fields.Field[Any]) -> Convert | None:
    if isinstance(field, fields.UUIDField):
        return str
    if isinstance(field, fields.DateField | UtcDatetimeField):
        return _Remembered(_as_iso).__getitem__
    return _Remembered(_as_member_value).__getitem__ if getattr(field, "enum_type", None) is not None else None


def _to_stored(model: type[Model], field: fields.Field[Any], *, is_postgres: bool) -> Convert | None:
    def convert(value: Any) -> Any:
        return field.to_db_value(value, model)

    if isinstance(field, fields.UUIDField):
        return None if is_postgres else str
    if isinstance(field, fields.DateField | UtcDatetimeField | fields.BooleanField) or hasattr(field, "enum_type"):
        return _Remembered(convert).__getitem__
    return convert


def _as_uuid(value: Any) -> UUID:
    """asyncpg gives a UUID of its own, which is one."""
    return value if isinstance(value, UUID) else UUID(value)


def _as_date(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _as_moment(value: Any) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC).isoformat()


def _as_iso(value: date) -> str:
    return value.isoformat()


def _as_member_value(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
