"""Many rows at once, without an object for each: for logs, where the objects would cost more than the writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from tortoise.fields import CharField, Field, UUIDField
from tortoise.models import Model

from bot.storage.base import Record
from bot.storage.ids import new_ids

# SQLite takes so many values in one statement; with twenty columns that is five hundred rows and more.
_MOST_VALUES: Final = 30_000
_NOTHING: Final = object()

Row = TypeVar("Row", bound=Model)


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
    """As `insert_rows`, in one statement: for those who hold a lock meanwhile. An id that counts itself is left out, or
    given by all rows."""
    for query, values in _statements(model, rows):
        await model._choose_db(True).execute_query(query, values)


async def insert_new(model: type[Record], rows: Sequence[Mapping[str, Any]]) -> frozenset[UUID]:
    """Inserts, in the order given, those that collide with no row that is there; gives their ids, which `rows` name.
    One that collides with a row of a transaction under way waits for what becomes of it."""
    found: set[UUID] = set()
    for query, values in _statements(model, rows):
        returned = await model._choose_db(True).execute_query_dict(
            f"{query} ON CONFLICT DO NOTHING RETURNING id", values
        )
        if len(returned) == len(rows):
            return frozenset(row["id"] for row in rows)
        found.update(UUID(str(row["id"])) for row in returned)
    return frozenset(found)


@cache
def selected(model: type[Model], alias: str) -> str:
    """All columns of a table that a statement calls by an alias, for `row_of`: where composing the statement anew each
    time would take longer than running it."""
    return ", ".join(
        f'"{alias}"."{column}" AS "{alias}_{name}"' for name, column in model._meta.fields_db_projection.items()
    )


def row_of(model: type[Row], alias: str, row: Mapping[str, Any]) -> Row:
    """What `selected` gave, as Tortoise would have read it."""
    return model._init_from_db(**{name: row[f"{alias}_{name}"] for name in model._meta.fields_db_projection})


async def update_together(model: type[Record], rows: Sequence[Record], columns: Sequence[str]) -> None:
    """Writes these columns of rows that are there, in one statement: for those who hold a lock meanwhile."""
    if not rows:
        return
    connection, names = model._choose_db(True), ("id", *columns)
    is_postgres = connection.capabilities.dialect == "postgres"
    given: list[list[Any]] = []
    for name in names:
        column, values = model._meta.fields_map[name], [getattr(row, name) for row in rows]
        # Ids go as the driver takes them.
        given.append(values if is_postgres and isinstance(column, UUIDField) else _converted(model, column, values))
    if is_postgres:
        await connection.execute_query(_update_unnest(model, names), given)
        return
    most, tuples = _MOST_VALUES // len(names), list(zip(*given, strict=True))
    for start in range(0, len(tuples), most):
        part = tuples[start : start + most]
        marks = ", ".join([f"({', '.join('?' * len(names))})"] * len(part))
        source = f"(WITH v({', '.join(names)}) AS (VALUES {marks}) SELECT * FROM v) AS v"  # noqa: S608 - names of columns
        await connection.execute_query(_set_from(model, names, source), [value for row in part for value in row])


@cache
def _update_unnest(model: type[Model], names: tuple[str, ...]) -> str:
    kinds = [model._meta.fields_map[name].get_for_dialect("postgres", "SQL_TYPE") for name in names]
    marks = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(kinds, 1))
    return _set_from(model, names, f"unnest({marks}) AS v({', '.join(names)})")


def _set_from(model: type[Model], names: Sequence[str], source: str) -> str:
    """Names are those of fields and columns alike."""
    columns = ", ".join(f'"{name}" = v.{name}' for name in names[1:])
    own = f'"{model._meta.db_table}"'
    return f'UPDATE {own} SET {columns} FROM {source} WHERE {own}."id" = v.id'  # noqa: S608 - names of columns


def _statements(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Statements and their values; several only where one could not take all."""
    if not rows:
        return []
    names = _columns(model, model._meta.pk_attr in rows[0])
    fields = [(name, model._meta.fields_map[name]) for name in names]
    columns = [_column(name, field, rows) for name, field in fields]
    if model._choose_db(True).capabilities.dialect == "postgres":
        return [_unnested(model, names, columns)]
    most = _MOST_VALUES // len(names)
    converted = [_converted(model, field, column) for (_, field), column in zip(fields, columns, strict=True)]
    tuples = list(zip(*converted, strict=True))
    marks = f"({', '.join('?' * len(names))})"
    parts = [tuples[start : start + most] for start in range(0, len(tuples), most)]
    return [
        (f"{_head(model, names)} VALUES {', '.join([marks] * len(part))}", [value for row in part for value in row])
        for part in parts
    ]


def _column(name: str, field: Field[Any], rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    if name not in rows[0] and field.default is uuid4:
        return [row.get(name, own) for row, own in zip(rows, new_ids(len(rows)), strict=True)]
    return [row[name] if name in row else _default(field) for row in rows]


def _unnested(model: type[Model], names: tuple[str, ...], columns: Sequence[list[Any]]) -> tuple[str, list[Any]]:
    """One statement over arrays. Rows of one moment share most of their values: what all have in common goes over the
    wire once, for the driver looks at every element of an array."""
    is_shared = tuple(_is_shared(column) for column in columns)
    if all(is_shared):
        # One column is an array in any case, or several rows that are all the same would become one.
        is_shared = (False, *is_shared[1:])
    values = []
    for name, column, shared in zip(names, columns, is_shared, strict=True):
        # Ids go as the driver takes them.
        field, wanted = model._meta.fields_map[name], column[:1] if shared else column
        converted = wanted if isinstance(field, UUIDField) else _converted(model, field, wanted)
        values.append(converted[0] if shared else converted)
    return _insert_unnested(model, names, is_shared), values


def _is_shared(column: Sequence[Any]) -> bool:
    first = column[0]
    # Most columns that differ show it at their other end.
    return bool(column[-1] == first) and column.count(first) == len(column)


def _converted(model: type[Model], field: Field[Any], values: Sequence[Any]) -> list[Any]:
    """A column as the engine takes it. Neighbours with the same value are converted once."""
    found: list[Any] = []
    last: Any = _NOTHING
    longest = field.max_length if type(field) is CharField else -1
    for value in values:
        if value is not last:
            is_fit = type(value) is str and len(value) <= longest
            last, converted = value, value if is_fit else field.to_db_value(value, model)
        found.append(converted)
    return found


@cache
def _columns(model: type[Model], is_numbered: bool) -> tuple[str, ...]:
    generated = set() if is_numbered else set(model._meta.generated_db_fields or ())
    return tuple(name for name, column in model._meta.fields_db_projection.items() if column not in generated)


@cache
def _head(model: type[Model], names: tuple[str, ...]) -> str:
    columns = ", ".join(f'"{model._meta.fields_db_projection[name]}"' for name in names)
    return f'INSERT INTO "{model._meta.db_table}" ({columns})'


@cache
def _insert_unnested(model: type[Model], names: tuple[str, ...], is_shared: tuple[bool, ...]) -> str:
    kinds = [model._meta.fields_map[name].get_for_dialect("postgres", "SQL_TYPE") for name in names]
    places = list(zip(kinds, is_shared, strict=True))
    wanted = ", ".join(f"${place}::{kind}" if shared else f"c{place}" for place, (kind, shared) in enumerate(places, 1))
    arrays = ", ".join(f"${place}::{kind}[]" for place, (kind, shared) in enumerate(places, 1) if not shared)
    columns = ", ".join(f"c{place}" for place, shared in enumerate(is_shared, 1) if not shared)
    rows = f" FROM unnest({arrays}) AS n({columns})" if arrays else ""
    return f"{_head(model, names)} SELECT {wanted}{rows}"
