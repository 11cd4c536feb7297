"""Writing who looks after whom and who is charged with what. In the caller's transaction; `writing.Writer` is the
door."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from bot.errors import Conflict
from handlers.accounts.domain import (
    PLACE_OF_APPOINTMENT,
    AppointmentKind,
    DaysReversed,
    PlaceKind,
    PlaceMissing,
    Relation,
)
from handlers.accounts.models import Appointment, Pupil, School, SchoolClass
from handlers.accounts.service.bulk_rows import aside, select
from handlers.accounts.service.records import filled, rows_about
from handlers.accounts.service.rows import Edits, RowChange, Stored, chunks, delete, insert, read, update
from handlers.accounts.service.values import AppointmentValues, GuardianshipValues, Put, given


class HeadTeacherTaken(Conflict):
    """Somebody else is head teacher of the class in that time: a class has one."""

    code = "head_teacher_taken"
    default_message = "这个班已经有班主任，请先办理交接。"


class OneGuardianTwice(Conflict):
    """The same person is named twice for the same child."""

    code = "one_guardian_twice"
    default_message = "同一位监护人重复登记了，请删去一条再试。"


# ------------------------------------------------------------------------------------------------------- guardianships
async def put_guardianships(items: Sequence[GuardianshipValues], now: datetime) -> list[Put]:
    """As `Writer.put_guardianships`. The pupils' rows are locked: who acts is decided one after the other."""
    pairs = [(item.pupil_id, item.person_id) for item in items]
    if len(set(pairs)) != len(pairs):
        raise OneGuardianTwice
    pupils = sorted({item.pupil_id for item in items}, key=str)
    # In the order of their ids, so that two who lock several do not wait for each other.
    for some in chunks(pupils):
        await select(Pupil, ("id",), ("id", some), lock=True)
    rows = await read("guardianship", "pupil_id", pupils)
    releases, edits = Edits("guardianship", now), Edits("guardianship", now)
    released = _release(items, rows, releases)
    puts, made = await aside(len(items), _sorted_out, items, rows, edits)
    # Only one may act for a child: first those go who did.
    await releases.write()
    await edits.write()
    done = filled(puts, await insert("guardianship", made, now))
    # What was taken from somebody else belongs to the item that took it.
    return [
        Put(put.id, (*(released.pop(item.pupil_id, ()) if item.is_acting else ()), *put.changes))
        for item, put in zip(items, done, strict=True)
    ]


def _sorted_out(
    items: Sequence[GuardianshipValues], rows: Iterable[Stored], edits: Edits
) -> tuple[list[Put | int], list[dict[str, Any]]]:
    """What changes, and what is to be made."""
    known = {(row.pupil_id, row.person_id): row for row in rows}
    puts: list[Put | int] = []
    made: list[dict[str, Any]] = []
    for item in items:
        pair = item.pupil_id, item.person_id
        row, columns = known.get(pair), _columns(item)
        if row is None:
            puts.append(len(made))
            made.append({"pupil_id": item.pupil_id, "person_id": item.person_id, "relation": Relation.OTHER, **columns})
            continue
        if row.ended_on is not None:
            columns = {"ended_on": None, "bound_at": None, "bound_by": None, **columns}
        puts.append(Put(row.id, tuple(edits.add(row, columns))))
    return puts, made


def _release(
    items: Sequence[GuardianshipValues], known: Iterable[Stored], releases: Edits
) -> dict[UUID, list[RowChange]]:
    """Who acted until now for the children somebody else is to act for. The last item that claims it is right."""
    claims = {item.pupil_id: item.person_id for item in items if item.is_acting}
    released: dict[UUID, list[RowChange]] = {}
    for row in known:
        if row.is_acting and claims.get(row.pupil_id, row.person_id) != row.person_id:
            released[row.pupil_id] = releases.add(row, {"is_acting": False})
    return released


def _columns(item: GuardianshipValues) -> dict[str, Any]:
    return given(relation=item.relation, is_acting=item.is_acting, bound_at=item.bound_at, bound_by=item.bound_by)


async def end_guardianships(ids: Iterable[UUID], last_day: date, now: datetime) -> list[RowChange]:
    """As `Writer.end_guardianships`."""
    ended = {"ended_on": last_day, "is_acting": False}
    edits = Edits("guardianship", now)
    rows = await rows_about("guardianship", {"id": ids})
    changes = [change for row in rows if row.ended_on is None for change in edits.add(row, ended)]
    await edits.write()
    return changes


# -------------------------------------------------------------------------------------------------------- appointments
async def put_appointments(items: Sequence[AppointmentValues], now: datetime) -> list[Put]:
    """As `Writer.put_appointments`. A class's row is locked before its head teacher is decided on."""
    puts: list[Put] = []
    for item in items:
        if item.until is not None and item.until < item.since:
            raise DaysReversed
        place = await _place(item)
        charge = {"person_id": item.person_id, "kind": item.kind, "subject": item.subject.strip(), **place}
        overlapping = Q(until__isnull=True) | Q(until__gte=item.since)
        row = await Appointment.filter(overlapping, **charge).order_by("since").first()
        if item.kind is AppointmentKind.HEAD_TEACHER:
            await _refuse_second_head(item, place["school_class_id"])
        if row is None:
            (change,) = await insert("appointment", [{**charge, "since": item.since, "until": item.until}], now)
            puts.append(Put(change.row_id, (change,)))
            continue
        values = {"since": min(row.since, item.since), "until": item.until}
        puts.append(Put(row.id, tuple(await update("appointment", row, values, now))))
    return puts


async def _place(item: AppointmentValues) -> dict[str, UUID | None]:
    """The place of a charge and what lies above it. Raises PlaceMissing."""
    kind = PLACE_OF_APPOINTMENT[item.kind]
    township_id, school_id, class_id = item.township_id, item.school_id, item.class_id
    if kind is PlaceKind.CLASS:
        row = await SchoolClass.filter(id=class_id).select_for_update().first() if class_id else None
        school_id = row.school_id if row else None
    elif class_id is not None:
        raise PlaceMissing
    if kind is not PlaceKind.TOWNSHIP:
        school = await School.filter(id=school_id).first() if school_id else None
        township_id = school.township_id if school else None
    elif school_id is not None:
        raise PlaceMissing
    if township_id is None:
        raise PlaceMissing
    return {"township_id": township_id, "school_id": school_id, "school_class_id": class_id}


async def _refuse_second_head(item: AppointmentValues, class_id: UUID | None) -> None:
    others = Appointment.filter(kind=AppointmentKind.HEAD_TEACHER, school_class_id=class_id)
    others = others.exclude(person_id=item.person_id).filter(Q(until__isnull=True) | Q(until__gte=item.since))
    if item.until is not None:
        others = others.filter(since__lte=item.until)
    if await others.exists():
        raise HeadTeacherTaken


async def end_appointments(ids: Iterable[UUID], last_day: date, now: datetime) -> list[RowChange]:
    """As `Writer.end_appointments`."""
    changes: list[RowChange] = []
    for row in await rows_about("appointment", {"id": ids}):
        if row.since > last_day:
            changes += await delete("appointment", [row.id])
        elif row.until is None or row.until > last_day:
            changes += await update("appointment", row, {"until": last_day}, now)
    return changes
