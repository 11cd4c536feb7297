"""Many rows at once, without an object for each: for logs, where the objects would cost more than the writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tortoise.fields import Field

from bot.storage.base import Record


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
