"""The tables as a backup sees them: their order, their columns, and every value as the same JSON on both engines."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

from tortoise import Tortoise
from tortoise.fields import Field, JSONField
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model

from bot.storage.fields import EncryptedText


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `refers_home`: it names another row of the same table."""

    name: str
    field: Field[Any]
    model: type[Model]
    refers_home: bool = False

    def plain(self, stored: Any) -> Any:
        """What JSON holds for what the database gave."""
        if stored is None:
            return None
        if isinstance(self.field, EncryptedText):
            return base64.b64encode(stored).decode("ascii")
        if isinstance(self.field, JSONField):
            return stored if isinstance(stored, str) else json.dumps(stored)
        value = self.field.to_python_value(stored)
        if isinstance(value, date):  # a moment is one too
            return value.isoformat()
        if isinstance(value, Enum):
            return value.value
        return str(value) if isinstance(value, UUID) else value

    def stored(self, plain: Any) -> Any:
        """What the database in use takes for it. Raises ValueError."""
        if plain is None or isinstance(self.field, JSONField):
            return plain
        if isinstance(self.field, EncryptedText):
            return base64.b64decode(plain, validate=True)
        return self.field.to_db_value(self.field.to_python_value(plain), self.model)


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `counter`: the column that is counted up, None for ids of another kind."""

    name: str
    key: str
    columns: tuple[Column, ...]
    counter: str | None

    def select(self) -> str:
        """SQL: all rows, in the order of the columns and of the key."""
        names = ", ".join(f'"{column.name}"' for column in self.columns)
        return f'SELECT {names} FROM "{self.name}" ORDER BY "{self.key}"'  # noqa: S608 - names of our own

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)


def tables() -> list[Table]:
    """All tables of the open database, each after those it refers to."""
    apps = Tortoise.apps
    assert apps is not None, "needs an open database"
    models = {model._meta.db_table: model for models in apps.values() for model in models.values()}
    order = TopologicalSorter({name: _referred(model) - {name} for name, model in sorted(models.items())})
    return [_table(models[name]) for name in order.static_order()]


def _referred(model: type[Model]) -> set[str]:
    return {key.related_model._meta.db_table for key in _foreign_keys(model)}


def _foreign_keys(model: type[Model]) -> Sequence[ForeignKeyFieldInstance[Any]]:
    found = (model._meta.fields_map[name] for name in sorted(model._meta.fk_fields | model._meta.o2o_fields))
    return [field for field in found if isinstance(field, ForeignKeyFieldInstance)]


def _table(model: type[Model]) -> Table:
    meta = model._meta
    home = {key.source_field for key in _foreign_keys(model) if key.related_model is model}
    columns = tuple(
        Column(column, meta.fields_map[name], model, refers_home=name in home)
        for name, column in sorted(meta.fields_db_projection.items())
    )
    return Table(meta.db_table, meta.db_pk_column, columns, meta.db_pk_column if meta.pk.generated else None)
