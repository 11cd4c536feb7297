"""Many rows at once, without an object for each: for logs, where the objects would cost more than the writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

from tortoise.fields import Field, UUIDField
from tortoise.models import Model

from bot.storage.base import Record

# SQLite takes so many values in one statement; with twenty columns that is five hundred rows and more.
_MOST_VALUES: Final = 30_000
_NOTHING: Final = object()


async def insert_rows(model: type[Record], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows given by column, all or none. Columns left out get their default, `id` too."""
    if not rows:
        return
    connection = model._choose_db(True)
    executor = connection.executor_class(model=model, db=connection)
    fields = [(name, model._meta.fields_map[name]) for name in executor.regular_columns_all]
    values = [
        [field.to_db_value(row[name] if name in row else _default(field), model) for name, field in fields]
        for row in rows
    ]
    await connection.execute_many(executor.insert_query_all, values)


def _default(field: Field[Any]) -> Any:
    return field.default() if callable(field.default) else field.default


async def insert_together(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """As `insert_rows`, in one statement: for those who hold a lock meanwhile. An id that counts itself is left out."""
    for part, query, values in _statements(model, rows):
        if part:
            await model._choose_db(True).execute_query(query, values)


async def insert_new(model: type[Record], rows: Sequence[Mapping[str, Any]]) -> frozenset[UUID]:
    """Inserts, in the order given, those that collide with no row that is there; gives their ids, which `rows` name.
    One that collides with a row of a transaction under way waits for what becomes of it."""
    found: set[UUID] = set()
    for part, query, values in _statements(model, rows):
        if part:
            returned = await model._choose_db(True).execute_query_dict(
                f"{query} ON CONFLICT DO NOTHING RETURNING id", values
            )
            found.update(UUID(str(row["id"])) for row in returned)
    return frozenset(found)


def _statements(
    model: type[Model], rows: Sequence[Mapping[str, Any]]
) -> list[tuple[Sequence[Mapping[str, Any]], str, list[Any]]]:
    """Statements and their values; several only where one could not take all."""
    engine = model._choose_db(True).capabilities.dialect
    names = _columns(model)
    fields = [(name, model._meta.fields_map[name]) for name in names]
    columns = [
        _converted(model, field, [row[name] if name in row else _default(field) for row in rows], engine)
        for name, field in fields
    ]
    if engine == "postgres":
        return [(rows, _head(model) + _unnest(model), columns)]
    most = _MOST_VALUES // len(names)
    tuples = list(zip(*columns, strict=True))
    marks = f"({', '.join('?' * len(names))})"
    parts = [tuples[start : start + most] for start in range(0, len(tuples), most)]
    return [
        (rows, f"{_head(model)} VALUES {', '.join([marks] * len(part))}", [value for row in part for value in row])
        for part in parts
    ]


def _converted(model: type[Model], field: Field[Any], values: Sequence[Any], engine: str) -> list[Any]:
    """A column as the engine takes it. Rows of one moment share most of their values, which are converted once."""
    if engine == "postgres" and isinstance(field, UUIDField):
        return list(values)  # as its driver takes them
    found: list[Any] = []
    last: Any = _NOTHING
    for value in values:
        if value is not last:
            last, converted = value, field.to_db_value(value, model)
        found.append(converted)
    return found


@cache
def _columns(model: type[Model]) -> tuple[str, ...]:
    generated = set(model._meta.generated_db_fields or ())
    return tuple(name for name, column in model._meta.fields_db_projection.items() if column not in generated)


@cache
def _head(model: type[Model]) -> str:
    names = ", ".join(f'"{model._meta.fields_db_projection[name]}"' for name in _columns(model))
    return f'INSERT INTO "{model._meta.db_table}" ({names})'


@cache
def _unnest(model: type[Model]) -> str:
    kinds = [model._meta.fields_map[name].get_for_dialect("postgres", "SQL_TYPE") for name in _columns(model)]
    marks = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(kinds, 1))
    return f" SELECT * FROM unnest({marks})"  # noqa: S608 - marks and types of columns
