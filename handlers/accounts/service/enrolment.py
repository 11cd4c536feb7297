"""Writing children and their places in classes, many at a time. In the caller's transaction; `writing.Writer` is the
door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from handlers.accounts.models import Placement, Pupil, SchoolClass
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
from handlers.accounts.service.rows import RowChange, chunks, delete, insert, update
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
    wanted = [_columns(item, classes) for item in pupils]
    about = {name: [columns.get(name) for columns in wanted] for name in ("id_number_index", "roster_number_index")}
    known = Known(await rows_about(Pupil, {"id": [item.id for item in pupils], **about}), _keys)
    open_places = await _open_places(known.rows)
    puts: list[Put | int] = []
    made: list[Columns] = []
    starts: list[date] = []
    for item, columns in zip(pupils, wanted, strict=True):
        row = known.find(item.id, _keys(columns))
        if row is not None:
            move = _Move(row, open_places.get(row.id), item.on, reason)
            puts.append(Put(row.id, tuple(await _put_known(move, columns, now))))
            continue
        puts.append(len(made))
        made.append(_new(columns))
        starts.append(item.on)
    _refuse_twice(made)
    changes = await insert("pupil", made, now)
    placed = await _enrol(changes, made, starts, now)
    return [Put(put.id, put.changes + placed.get(put.id, ())) for put in filled(puts, changes)]


async def let_go(ids: Iterable[UUID], status: PupilStatus, last_day: date, now: datetime) -> list[RowChange]:
    """As `Writer.let_go`."""
    rows = await rows_about(Pupil, {"id": ids})
    places = await _open_places([row.id for row in rows])
    changes: list[RowChange] = []
    for row in rows:
        if row.id in places:
            changes += await _end_place(places[row.id], last_day, now)
        changes += await update("pupil", row, {"status": status, "left_on": last_day, "school_class_id": None}, now)
    return changes


@dataclass(frozen=True, slots=True)
class _Move:
    """A pupil who is there, and where they sit."""

    pupil: Pupil
    place: Placement | None
    on: date
    reason: PlacementReason | None


async def _put_known(move: _Move, columns: Columns, now: datetime) -> list[RowChange]:
    row, class_id = move.pupil, columns.get("school_class_id")
    if class_id is not None:
        columns = columns | {"status": PupilStatus.ENROLLED, "left_on": None, "sealed_at": None}
    columns = columns | _match_columns(columns.get("name", row.name), columns.get("birth_date", row.birth_date))
    changes: list[RowChange] = []
    if class_id is not None and (move.place is None or move.place.school_class_id != class_id):
        changes = await _change_place(move, class_id, columns["school_id"], now)
    return changes + await update("pupil", row, columns, now)


async def _change_place(move: _Move, class_id: UUID, school_id: UUID, now: datetime) -> list[RowChange]:
    row, place = move.pupil, move.place
    if place is not None and place.since == move.on:
        # It lasted no day: another class in its stead.
        return await update("placement", place, {"school_class_id": class_id}, now)
    changes = [] if place is None else await _end_place(place, move.on - timedelta(days=1), now)
    came_back = row.status is not PupilStatus.ENROLLED or place is None
    guessed = PlacementReason.MOVED if school_id == row.school_id else PlacementReason.TRANSFERRED
    reason = move.reason or (PlacementReason.ENROLLED if came_back else guessed)
    new = {"pupil_id": row.id, "school_class_id": class_id, "since": move.on, "reason": reason}
    return changes + await insert("placement", [new], now)


async def _end_place(place: Placement, last_day: date, now: datetime) -> list[RowChange]:
    if last_day < place.since - timedelta(days=1):
        raise MoveTooEarly
    if last_day < place.since:
        return await delete("placement", [place.id])
    return await update("placement", place, {"until": last_day}, now)


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


async def _open_places(pupils: Iterable[UUID]) -> dict[UUID, Placement]:
    found: dict[UUID, Placement] = {}
    for some in chunks(pupils):
        found |= {row.pupil_id: row for row in await Placement.filter(pupil_id__in=some, until__isnull=True)}
    return found


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
