"""Rows of people as plain values: written many at a time, remembered as they were and as they became, taken back.

Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from types import SimpleNamespace
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError
from tortoise.models import Model

from bot.errors import Conflict
from bot.storage.base import Record
from bot.storage.rows import insert_rows
from handlers.accounts.models import (
    Appointment,
    Bar,
    BindingRequest,
    ClassHandOver,
    Guardianship,
    Invitation,
    Person,
    Placement,
    Pupil,
    School,
    SchoolClass,
    Session,
    Township,
    WeChatIdentity,
)
from handlers.accounts.service.bulk_rows import (
    Convert,
    aside,
    converted,
    insert_many,
    plain_values_of,
    select,
    stored_of,
    update_many,
    values_of,
)

# Both engines take so many values in one `IN`, and SQLite not many more.
CHUNK: Final = 500
# Parents before children: the order rows are made in; they go the other way round.
TABLES: Final[Mapping[str, type[Record]]] = {
    "township": Township,
    "school": School,
    "class": SchoolClass,
    "person": Person,
    "pupil": Pupil,
    "placement": Placement,
    "guardianship": Guardianship,
    "appointment": Appointment,
}
_LEAVES: Final = ("appointment", "guardianship", "placement")
# Where a row may be spoken of, by foreign key or by its id alone.
_USES: Final[Mapping[str, Sequence[tuple[type[Model], str]]]] = {
    "township": ((School, "township_id"), (Appointment, "township_id")),
    "school": ((SchoolClass, "school_id"), (Pupil, "school_id"), (Appointment, "school_id"), (School, "parent_id")),
    "class": (
        (Pupil, "school_class_id"),
        (Placement, "school_class_id"),
        (Appointment, "school_class_id"),
        (ClassHandOver, "school_class_id"),
        (SchoolClass, "promoted_from_id"),
        (BindingRequest, "class_id"),
    ),
    "person": (
        (Guardianship, "person_id"),
        (Appointment, "person_id"),
        (WeChatIdentity, "person_id"),
        (Session, "person_id"),
        (Bar, "person_id"),
        (Invitation, "person_id"),
        (ClassHandOver, "to_person_id"),
        (ClassHandOver, "from_person_id"),
    ),
    "pupil": (
        (Placement, "pupil_id"),
        (Guardianship, "pupil_id"),
        (Bar, "pupil_id"),
        (Invitation, "pupil_id"),
        (BindingRequest, "pupil_id"),
    ),
}

Values = Mapping[str, Any]
Item = TypeVar("Item")


class ChangedSince(Conflict):
    """A row is not any more as the change left it; `details` names its table and id."""

    code = "changed_since"
    default_message = "这些资料后来又改动过，不能整批撤回，请逐条更正。"


class ChangedMeanwhile(Conflict):
    """Somebody else has changed the row since it was looked at."""

    code = "changed_meanwhile"
    default_message = "这条资料刚被别人改过，请刷新后再改。"


class StillUsed(Conflict):
    """Something depends on a row that was to go; `details` names the table."""

    code = "still_used"
    default_message = "已经有别的资料用到它，不能删除，请先处理相关资料。"


class AlreadyThere(Conflict):
    """Another row has the same name or number, which must be the only one."""

    code = "already_there"
    default_message = "同样的名称或号码已经有了，请核对后再试。"


@dataclass(frozen=True, slots=True)
class RowChange:
    """What happened to one row. `table` is a key of `TABLES`; `before` None: it was made; `after` None: it is gone.

    Both hold every column as JSON can keep it, numbers that are encrypted in the database in clear: whoever keeps a
    change encrypts it.
    """

    table: str
    row_id: UUID
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """The items in lists that fit one statement."""
    whole = list(items)
    return (whole[start : start + size] for start in range(0, len(whole), size))


class Stored(SimpleNamespace):
    """A row as it was read, its columns as attributes: what the ORM's objects are, for a fraction of their cost."""

    id: UUID


def snapshot(row: Record) -> dict[str, Any]:
    """All columns of a row, as JSON can keep them."""
    return {name: _plain(getattr(row, name)) for name in columns_of(type(row))}


async def read(
    table: str, column: str, values: Iterable[Any], *, lock: bool = False, size: int = CHUNK
) -> list[Stored]:
    """The rows whose column has one of the values; locked in the order of their ids, where the engine can."""
    model = TABLES[table]
    names = columns_of(model)
    found: list[Stored] = []
    for some in chunks(values, size):
        rows = await select(model, names, (column, some), lock=lock)
        found += await aside(len(rows), _as_stored, names, rows, values_of(model, names))
    return found


def _as_stored(names: Sequence[str], rows: Iterable[Sequence[Any]], converts: Sequence[Any]) -> list[Stored]:
    return [Stored(**dict(zip(names, converted(row, converts), strict=True))) for row in rows]


async def current(table: str, ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """The rows as they are now; what is not there is left out."""
    names = columns_of(TABLES[table])
    converts = plain_values_of(TABLES[table], names)
    rows = await read(table, "id", set(ids))
    return {row.id: _as_plain(names, vars(row), converts) for row in rows}


async def insert(table: str, rows: Sequence[Values], now: datetime) -> list[RowChange]:
    """Makes rows. Raises AlreadyThere when one of them may not be there twice."""
    changes: list[RowChange] = []
    for some in chunks(rows):
        made, stored = await aside(len(some), _prepared, table, some, now)
        try:
            await insert_many(TABLES[table], columns_of(TABLES[table]), stored)
        except IntegrityError as error:
            raise AlreadyThere(details={"table": table}) from error
        changes += made
    return changes


def _prepared(table: str, rows: Sequence[Values], now: datetime) -> tuple[list[RowChange], list[Sequence[Any]]]:
    """What is to be said about new rows, and what the driver takes of them."""
    model = TABLES[table]
    names = columns_of(model)
    ids = [row.get("id") or uuid4() for row in rows]
    defaults = _defaults(model) | {"created_at": now, "updated_at": now}
    told = set().union(*rows)
    plain: list[Sequence[Any]] = []
    stored: list[Sequence[Any]] = []
    # Column by column: most are the same in all rows.
    for name, *converts in zip(names, plain_values_of(model, names), stored_of(model, names), strict=True):
        default = defaults.get(name)
        is_same = name != "id" and name not in told
        values = [default] if is_same else ids if name == "id" else [row.get(name, default) for row in rows]
        for columns, convert in zip((plain, stored), converts, strict=True):
            column = _column(values, convert)
            columns.append(column * len(rows) if is_same else column)
    changes = [
        RowChange(table, row_id, None, dict(zip(names, row, strict=True)))
        for row_id, row in zip(ids, zip(*plain, strict=True), strict=True)
    ]
    return changes, list(zip(*stored, strict=True))


def _column(values: list[Any], convert: Convert | None) -> list[Any]:
    return values if convert is None else [value if value is None else convert(value) for value in values]


class Edits:
    """Changes to rows of one table, thought over one by one and written together."""

    def __init__(self, table: str, now: datetime) -> None:
        self._table = table
        self._model = TABLES[table]
        self._names = columns_of(self._model)
        self._to_plain = plain_values_of(self._model, self._names)
        self._now = now
        self._pending: dict[UUID, dict[str, Any]] = {}

    def add(self, row: Record | Stored, values: Values) -> list[RowChange]:
        """Changes a row where it differs; nothing happens, and nothing is returned, when it does not."""
        changed = {name: value for name, value in values.items() if getattr(row, name) != value}
        if not changed:
            return []
        before = self._plain(row)
        changed["updated_at"] = self._now
        if "version" in before:
            changed["version"] = before["version"] + 1
        for name, value in changed.items():
            setattr(row, name, value)
        self._pending.setdefault(row.id, {}).update(changed)
        return [RowChange(self._table, row.id, before, self._plain(row))]

    def _plain(self, row: Record | Stored) -> dict[str, Any]:
        return _as_plain(self._names, {name: getattr(row, name) for name in self._names}, self._to_plain)

    async def write(self) -> None:
        """Writes what is pending. Raises AlreadyThere."""
        alike: dict[tuple[str, ...], list[UUID]] = {}
        for row_id, changed in self._pending.items():
            alike.setdefault(tuple(sorted(changed)), []).append(row_id)
        try:
            for names, ids in alike.items():
                for some in chunks(ids):
                    await update_many(self._model, names, await aside(len(some), self._stored, names, some))
        except IntegrityError as error:
            raise AlreadyThere(details={"table": self._table}) from error
        self._pending.clear()

    def _stored(self, names: Sequence[str], ids: Sequence[UUID]) -> list[Sequence[Any]]:
        converts = stored_of(self._model, (*names, "id"))
        return [converted((*map(self._pending[row_id].get, names), row_id), converts) for row_id in ids]


async def update(table: str, row: Record | Stored, values: Values, now: datetime) -> list[RowChange]:
    """One row, as `Edits.add`, written at once."""
    edits = Edits(table, now)
    changes = edits.add(row, values)
    await edits.write()
    return changes


async def delete(table: str, ids: Iterable[UUID]) -> list[RowChange]:
    """Takes rows away that nothing depends on. Raises StillUsed."""
    before = await current(table, ids)
    await _remove(table, before)
    return [RowChange(table, row_id, row, None) for row_id, row in before.items()]


async def _remove(table: str, ids: Iterable[UUID]) -> None:
    for some in chunks(ids):
        for model, column in _USES.get(table, ()):
            if await model.filter(**{f"{column}__in": some}).exists():
                raise StillUsed(details={"table": table})
        await TABLES[table].filter(id__in=some).delete()


async def undo(changes: Sequence[RowChange]) -> None:
    """Takes changes back, the last first. Raises ChangedSince when a row is not as they left it, StillUsed when
    something new depends on one; then nothing has happened once the transaction is rolled back."""
    wanted: dict[str, dict[UUID, dict[str, Any] | None]] = {}
    for table in TABLES:
        mine = [change for change in changes if change.table == table]
        now = await current(table, [change.row_id for change in mine])
        wanted[table] = _unwound(mine, now)
    for table in _LEAVES:
        await _remove(table, [row_id for row_id, row in wanted[table].items() if row is None])
    for table, rows in wanted.items():
        # First who stops looking after a child, then who does again: there is never more than one.
        for row_id, row in sorted(rows.items(), key=lambda each: bool(each[1] and each[1].get("is_acting"))):
            if row is not None:
                await _put_back(table, row_id, row)
    for table in reversed(list(TABLES)):
        if table not in _LEAVES:
            await _remove(table, [row_id for row_id, row in wanted[table].items() if row is None])


def _unwound(changes: Sequence[RowChange], now: dict[UUID, dict[str, Any]]) -> dict[UUID, dict[str, Any] | None]:
    """What the rows were before all the changes."""
    states: dict[UUID, dict[str, Any] | None] = {change.row_id: now.get(change.row_id) for change in changes}
    for change in reversed(changes):
        if states[change.row_id] != change.after:
            raise ChangedSince(details={"table": change.table, "id": str(change.row_id)})
        states[change.row_id] = change.before
    return states


async def _put_back(table: str, row_id: UUID, row: Values) -> None:
    model = TABLES[table]
    values = {name: model._meta.fields_map[name].to_python_value(value) for name, value in row.items() if name != "id"}
    try:
        if not await model.filter(id=row_id).update(**values):
            await insert_rows(model, [{"id": row_id, **values}])
    except IntegrityError as error:
        raise ChangedSince(details={"table": table, "id": str(row_id)}) from error


def columns_of(model: type[Model]) -> list[str]:
    """The names of all columns."""
    return list(model._meta.fields_db_projection)


def _as_plain(names: Sequence[str], row: Values, converts: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(names, converted([row.get(name) for name in names], converts), strict=True))


def _defaults(model: type[Model]) -> dict[str, Any]:
    fields = model._meta.fields_map
    return {name: fields[name].default for name in columns_of(model) if not callable(fields[name].default)}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):  # a moment too
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
