"""Rows by the thousand without an object or a composed query for each: columns as plain Python values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from bot.storage.base import EncryptedText, UtcDatetimeField

Convert = Callable[[Any], Any]


async def select(
    model: type[Model],
    columns: Sequence[str],
    where: tuple[str, Sequence[Any]],
    *,
    after: UUID | None = None,
    limit: int = 0,
) -> list[tuple[Any, ...]]:
    """The columns, raw, of rows whose `where` column has one of the values; with `limit`, that many in the order of
    their ids from `after` on."""
    if not where[1]:
        return []
    connection = model._choose_db()
    is_postgres = connection.capabilities.dialect == "postgres"
    values = [*where[1], *([after] if after is not None else [])]
    marks = [f"${place}" if is_postgres else "?" for place in range(1, len(values) + 1)]
    inside = ",".join(marks[: len(where[1])])
    wanted = ",".join(f'"{column}"' for column in columns)
    query = f'SELECT {wanted} FROM "{model._meta.db_table}" WHERE "{where[0]}" IN ({inside})'  # noqa: S608 - own names
    if after is not None:
        query += f' AND "id" > {marks[-1]}'
    if limit:
        query += f' ORDER BY "id" LIMIT {limit}'
    if not is_postgres:
        values = [str(value) if isinstance(value, UUID) else value for value in values]
    _, rows = await connection.execute_query(query, values)
    return [tuple(row) for row in rows]


def values_of(model: type[Model], columns: Sequence[str]) -> Sequence[Convert | None]:
    """For each column what makes its raw value the one the model would have; None for nothing."""
    return [_to_value(model._meta.fields_map[column]) for column in columns]


def plain_of(model: type[Model], columns: Sequence[str]) -> Sequence[Convert | None]:
    """For each column what makes its raw value the one JSON can keep, as `rows.snapshot` does."""
    return [_to_plain(model._meta.fields_map[column]) for column in columns]


def converted(row: Sequence[Any], converts: Sequence[Convert | None]) -> tuple[Any, ...]:
    """The row after its conversions; None stays None."""
    pairs = zip(row, converts, strict=True)
    return tuple(value if value is None or convert is None else convert(value) for value, convert in pairs)


def _to_value(field: fields.Field[Any]) -> Convert | None:
    if isinstance(field, fields.UUIDField):
        return _as_uuid
    if isinstance(field, fields.DateField):
        return _as_date
    enum = getattr(field, "enum_type", None)
    if enum is not None:
        return {member.value: member for member in enum}.__getitem__
    if isinstance(field, EncryptedText | UtcDatetimeField | fields.BooleanField):
        return field.to_python_value
    return None


def _to_plain(field: fields.Field[Any]) -> Convert | None:
    if isinstance(field, fields.UUIDField):
        return str
    if isinstance(field, UtcDatetimeField):
        return _as_moment
    if isinstance(field, fields.DateField):
        return str  # a date says itself as ISO text does
    if isinstance(field, EncryptedText | fields.BooleanField):
        return field.to_python_value
    return None


def _as_uuid(value: Any) -> UUID:
    """asyncpg gives a UUID of its own, which is one."""
    return value if isinstance(value, UUID) else UUID(value)


def _as_date(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _as_moment(value: Any) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC).isoformat()
