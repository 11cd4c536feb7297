"""Writing grown-ups, and what writing children shares with it. In the caller's transaction; `writing.Writer` is the
door."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from bot.errors import Conflict, NotFound
from bot.storage.base import blind_index
from handlers.accounts.domain import NameInvalid, normalise_id_number, normalise_name, normalise_phone
from handlers.accounts.service.bulk_rows import aside
from handlers.accounts.service.rows import Edits, RowChange, Stored, insert, read
from handlers.accounts.service.values import PersonValues, Put, given

Columns: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, ...]


class SamePersonTwice(Conflict):
    """Numbers of one item belong to two rows that are kept apart, or two items of children have the same number."""

    code = "same_person_twice"
    default_message = "这些号码分属两个人，或者重复出现，请核对后再试。"


class Known:
    """The rows that a batch may be about, found by id or by what is theirs alone."""

    def __init__(self, rows: Iterable[Stored], keys_of: Callable[[Mapping[str, Any]], list[Key]]) -> None:
        self.rows: dict[UUID, Stored] = {row.id: row for row in rows}
        self._by_key = {key: row for row in self.rows.values() for key in keys_of(vars(row))}

    def find(self, row_id: UUID | None, keys: Sequence[Key]) -> Stored | None:
        """The row, None for somebody new. Raises NotFound for an unknown id, SamePersonTwice."""
        if row_id is not None and row_id not in self.rows:
            raise NotFound
        found = {row.id: row for key in keys if (row := self._by_key.get(key))}
        if row_id is not None:
            # Several grown-ups may share phone and name: with an id it is clear who is meant.
            return self.rows[row_id]
        if len(found) > 1:
            raise SamePersonTwice
        return next(iter(found.values()), None)


async def rows_about(table: str, wanted: Mapping[str, Iterable[Any]]) -> list[Stored]:
    """The rows with one of the values in one of the columns, locked where the engine can."""
    rows: dict[UUID, Stored] = {}
    for column, values in wanted.items():
        for row in await read(table, column, sorted({value for value in values if value is not None}), lock=True):
            rows.setdefault(row.id, row)
    return list(rows.values())


def number_columns(name: str, text: str | None, normalise: Callable[[str], str]) -> Columns:
    """The column of a number and that of its fingerprint; {} for None."""
    if text is None:
        return {}
    number = normalise(text)
    return {name: number, f"{name}_index": blind_index(name, number)}


def cleared_columns(names: Iterable[str]) -> Columns:
    """Numbers taken away, with their fingerprints."""
    return {column: None for name in names for column in (name, f"{name}_index")}


def named(columns: Columns) -> Columns:
    """The same, of somebody new. Raises NameInvalid without a name."""
    if "name" not in columns:
        raise NameInvalid
    return columns


def filled(puts: Sequence[Put | int], made: Sequence[RowChange]) -> list[Put]:
    """The answers in order: those that stand for a row to be made get its id."""
    return [put if isinstance(put, Put) else Put(made[put].row_id, (made[put],)) for put in puts]


async def put_persons(persons: Sequence[PersonValues], now: datetime) -> list[Put]:
    """As `Writer.put_persons`."""
    count = len(persons)
    wanted = await aside(count, lambda: [(item.id, _columns(item)) for item in persons])
    about = {name: [columns.get(name) for _, columns in wanted] for name in ("id_number_index", "phone_index")}
    rows = await rows_about("person", {"id": [row_id for row_id, _ in wanted], **about})
    edits = Edits("person", now)
    puts, made = await aside(count, _told_apart, wanted, Known(rows, _keys), edits)
    await edits.write()
    return filled(puts, await insert("person", made, now))


def _told_apart(
    wanted: Sequence[tuple[UUID | None, Columns]], known: Known, edits: Edits
) -> tuple[list[Put | int], list[Columns]]:
    """Who is known, with what changes, and who is to be made."""
    puts: list[Put | int] = []
    fresh: dict[Key, int] = {}
    made: list[Columns] = []
    for row_id, columns in wanted:
        keys = _keys(columns)
        row = known.find(row_id, keys)
        if row is not None:
            puts.append(Put(row.id, tuple(edits.add(row, columns))))
            continue
        place = next((fresh[key] for key in keys if key in fresh), len(made))
        if place == len(made):
            made.append(named(columns))
        fresh |= dict.fromkeys(keys, place)
        puts.append(place)
    return puts, made


def _columns(item: PersonValues) -> Columns:
    columns = given(name=None if item.name is None else normalise_name(item.name))
    columns |= number_columns("phone", item.phone, normalise_phone)
    columns |= number_columns("id_number", item.id_number, normalise_id_number)
    return columns | cleared_columns(item.cleared & {"phone", "id_number"})


def _keys(columns: Mapping[str, Any]) -> list[Key]:
    """By identity number, and by phone and name: families share a phone."""
    keys: list[Key] = []
    if columns.get("id_number_index"):
        keys.append(("id_number", columns["id_number_index"]))
    if columns.get("phone_index") and columns.get("name"):
        keys.append(("phone", columns["phone_index"], columns["name"]))
    return keys
