"""Writing children and their places in classes, many at a time. In the caller's transaction; `writing.Writer` is the
door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from bot.errors import Conflict, InvalidInput
from bot.storage.base import blind_index
from handlers.accounts.domain import (
    PlacementReason,
    PupilStatus,
    match_text,
    normalise_id_number,
    normalise_name,
    normalise_roster_number,
)
from handlers.accounts.models import SchoolClass
from handlers.accounts.service.bulk_rows import aside
from handlers.accounts.service.records import (
    Columns,
    Key,
    Known,
    SamePersonTwice,
    cleared_columns,
    filled,
    named,
    number_columns,
    rows_about,
)
from handlers.accounts.service.rows import Edits, RowChange, Stored, chunks, delete, insert, read
from handlers.accounts.service.values import PupilValues, Put, given


class ClassMissing(InvalidInput):
    """Named by an id that is no class, or a new pupil with neither class nor school."""

    code = "class_missing"
    default_message = "没有找到这个班级，请先建好班级再试。"


class MoveTooEarly(Conflict):
    """A pupil cannot leave a class before they came into it."""

    code = "move_too_early"
    default_message = "日期早于进入现在班级的那一天，请改正后再试。"


async def put_pupils(pupils: Sequence[PupilValues], now: datetime, reason: PlacementReason | None = None) -> list[Put]:
    """As `Writer.put_pupils`. `reason` says why they come into a class where it cannot be told."""
    classes = await _classes({item.class_id for item in pupils if item.class_id})
    wanted = await aside(len(pupils), lambda: [_columns(item, classes) for item in pupils])
    about = {name: [columns.get(name) for columns in wanted] for name in ("id_number_index", "roster_number_index")}
    known = Known(await rows_about("pupil", {"id": [item.id for item in pupils], **about}), _keys)
    batch = _Batch(await _open_places(known.rows), reason, now)
    puts = await aside(len(pupils), batch.sort_out, pupils, wanted, known)
    moved = await batch.write_moves()
    changes = await insert("pupil", batch.made, now)
    placed = await _enrol(changes, batch.made, batch.starts, now)
    done = filled(puts, changes)
    return [
        Put(put.id, (*moved.get(place, ()), *put.changes, *placed.get(put.id, ()))) for place, put in enumerate(done)
    ]


async def let_go(ids: Iterable[UUID], status: PupilStatus, last_day: date, now: datetime) -> list[RowChange]:
    """As `Writer.let_go`."""
    rows = await rows_about("pupil", {"id": ids})
    places = await _open_places([row.id for row in rows])
    ends, leavers = Edits("placement", now), Edits("pupil", now)
    changes: list[RowChange] = []
    empty: list[UUID] = []
    for row in rows:
        place = places.get(row.id)
        if place is not None and last_day == place.since - timedelta(days=1):
            empty.append(place.id)
        elif place is not None:
            changes += _end_place(place, last_day, ends)
        changes += leavers.add(row, {"status": status, "left_on": last_day, "school_class_id": None})
    await ends.write()
    changes += await delete("placement", empty)
    await leavers.write()
    return changes


class _Batch:
    """Who is known of those to be put, where they move, and who is to be made; written together afterwards."""

    def __init__(self, places: Mapping[UUID, Stored], reason: PlacementReason | None, now: datetime) -> None:
        self._places = places
        self._reason = reason
        self._now = now
        self._pupils = Edits("pupil", now)
        self._ends = Edits("placement", now)
        self._before: dict[int, list[RowChange]] = {}
        self._moves: dict[int, Columns] = {}
        self.made: list[Columns] = []
        self.starts: list[date] = []

    def sort_out(self, items: Sequence[PupilValues], wanted: Sequence[Columns], known: Known) -> list[Put | int]:
        """For each item what changes, or its place among those to be made. Raises SamePersonTwice, MoveTooEarly."""
        puts: list[Put | int] = []
        for item, columns in zip(items, wanted, strict=True):
            row = known.find(item.id, _keys(columns))
            if row is not None:
                puts.append(Put(row.id, tuple(self._put_known(len(puts), row, columns, item.on))))
                continue
            puts.append(len(self.made))
            self.made.append(_new(columns))
            self.starts.append(item.on)
        _refuse_twice(self.made)
        return puts

    def _put_known(self, place: int, row: Stored, columns: Columns, on: date) -> list[RowChange]:
        class_id = columns.get("school_class_id")
        if class_id is not None:
            columns = columns | {"status": PupilStatus.ENROLLED, "left_on": None, "sealed_at": None}
        columns = columns | _match_columns(columns.get("name", row.name), columns.get("birth_date", row.birth_date))
        sits = self._places.get(row.id)
        if class_id is not None and (sits is None or sits.school_class_id != class_id):
            self._before[place] = self._move(place, row, columns, on)
        return self._pupils.add(row, columns)

    def _move(self, place: int, row: Stored, columns: Columns, on: date) -> list[RowChange]:
        class_id, sits = columns["school_class_id"], self._places.get(row.id)
        if sits is not None and sits.since == on:
            # It lasted no day: another class in its stead.
            return self._ends.add(sits, {"school_class_id": class_id})
        changes = [] if sits is None else _end_place(sits, on - timedelta(days=1), self._ends)
        came_back = row.status is not PupilStatus.ENROLLED or sits is None
        guessed = PlacementReason.MOVED if columns["school_id"] == row.school_id else PlacementReason.TRANSFERRED
        reason = self._reason or (PlacementReason.ENROLLED if came_back else guessed)
        self._moves[place] = {"pupil_id": row.id, "school_class_id": class_id, "since": on, "reason": reason}
        return changes

    async def write_moves(self) -> dict[int, list[RowChange]]:
        """Writes what changes for those who are known; what happened to their places, by item."""
        await self._ends.write()
        begun = await insert("placement", list(self._moves.values()), self._now)
        for place, change in zip(self._moves, begun, strict=True):
            self._before[place].append(change)
        await self._pupils.write()
        return self._before


def _end_place(place: Stored, last_day: date, ends: Edits) -> list[RowChange]:
    if last_day < place.since:
        raise MoveTooEarly
    return ends.add(place, {"until": last_day})


async def _enrol(
    changes: Sequence[RowChange], rows: Sequence[Columns], starts: Sequence[date], now: datetime
) -> dict[UUID, tuple[RowChange, ...]]:
    places = [
        {
            "pupil_id": change.row_id,
            "school_class_id": row["school_class_id"],
            "since": on,
            "reason": PlacementReason.ENROLLED,
        }
        for change, row, on in zip(changes, rows, starts, strict=True)
        if row.get("school_class_id")
    ]
    made = await insert("placement", places, now)
    return {place["pupil_id"]: (change,) for place, change in zip(places, made, strict=True)}


async def _classes(ids: Iterable[UUID]) -> dict[UUID, SchoolClass]:
    wanted = set(ids)
    found: dict[UUID, SchoolClass] = {}
    for some in chunks(wanted):
        found |= {row.id: row for row in await SchoolClass.filter(id__in=some)}
    if wanted - found.keys():
        raise ClassMissing
    return found


async def _open_places(pupils: Iterable[UUID]) -> dict[UUID, Stored]:
    return {row.pupil_id: row for row in await read("placement", "pupil_id", pupils) if row.until is None}


def _columns(item: PupilValues, classes: Mapping[UUID, SchoolClass]) -> Columns:
    columns = given(
        name=None if item.name is None else normalise_name(item.name), school_id=item.school_id, sex=item.sex
    )
    if item.birth_date is not None:
        columns["birth_date"] = item.birth_date.isoformat()
    columns |= number_columns("roster_number", item.roster_number, normalise_roster_number)
    columns |= number_columns("id_number", item.id_number, normalise_id_number)
    columns |= cleared_columns(item.cleared & {"roster_number", "id_number"})
    columns |= dict.fromkeys(item.cleared & {"birth_date"})
    if item.class_id is not None:
        columns |= {"school_id": classes[item.class_id].school_id, "school_class_id": item.class_id}
    return columns


def _new(columns: Columns) -> Columns:
    if "school_id" not in columns:
        raise ClassMissing
    matched = _match_columns(named(columns)["name"], columns.get("birth_date"))
    return {"status": PupilStatus.ENROLLED, **columns, **matched}


def _match_columns(name: str, birth_date: str | None) -> Columns:
    known = birth_date and blind_index("match", match_text(name, date.fromisoformat(birth_date)))
    return {"match_index": known or None}


def _keys(columns: Mapping[str, Any]) -> list[Key]:
    names = ("roster_number_index", "id_number_index")
    return [(name, columns[name]) for name in names if columns.get(name)]


def _refuse_twice(rows: Sequence[Columns]) -> None:
    keys = [key for row in rows for key in _keys(row)]
    if len(keys) != len(set(keys)):
        raise SamePersonTwice
