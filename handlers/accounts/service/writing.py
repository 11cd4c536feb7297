"""Writing people: the one place where names are normalised, numbers fingerprinted, and histories kept.

Low-level: whoever calls has checked the rights, opened the transaction and writes the audit. What a roster has
thousands of comes in the plural; `one` takes the single answer out. Faults of values are those of
`handlers.accounts.domain`, those of the state are Conflicts named beside the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from bot.clock import Clock
from bot.storage.base import Record
from handlers.accounts.domain import ClassNameInvalid, NameInvalid, PlacementReason, PupilStatus, SchoolKind, grade_name
from handlers.accounts.models import School, SchoolClass, Township
from handlers.accounts.service import enrolment, records, relations, rows
from handlers.accounts.service.rows import RowChange
from handlers.accounts.service.values import (
    AppointmentValues,
    ClassValues,
    GuardianshipValues,
    PersonValues,
    PupilValues,
    Put,
    SchoolValues,
    given,
)


def one(puts: Sequence[Put]) -> Put:
    """The answer for a single item."""
    (put,) = puts
    return put


class Writer:
    """Writes people in the caller's transaction."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def put_township(
        self, name: str, county: str | None = None, province: str | None = None, *, id: UUID | None = None
    ) -> Put:
        """A township, known by `id` or by its name. Raises AlreadyThere when the name is another one's."""
        values = given(name=_title(name), county=county, province=province)
        known = {"id": id} if id else {"name": values["name"]}
        return await self._put("township", await Township.filter(**known).first(), values)

    async def put_school(self, school: SchoolValues) -> Put:
        """A school. Raises AlreadyThere when the name is another one's."""
        values = given(name=_title(school.name), kind=school.kind, parent_id=school.parent_id, place=school.place)
        values |= dict.fromkeys({"parent_id"} & school.cleared)
        known = {"id": school.id} if school.id else {"township_id": school.township_id, "name": values["name"]}
        row = await School.filter(**known).select_for_update().first()
        if row is None:
            values = {"kind": SchoolKind.SCHOOL, "township_id": school.township_id, **values}
        return await self._put("school", row, values)

    async def put_class(self, wanted: ClassValues) -> Put:
        """A class, known by school, year, grade and number. Raises AlreadyThere, ClassNameInvalid."""
        grade_name(wanted.grade)
        if wanted.number < 1:
            raise ClassNameInvalid
        values = given(
            school_id=wanted.school_id,
            school_year=wanted.school_year,
            grade=wanted.grade,
            number=wanted.number,
        )
        known = {"id": wanted.id} if wanted.id else values
        row = await SchoolClass.filter(**known).select_for_update().first()
        return await self._put("class", row, values | given(promoted_from_id=wanted.promoted_from_id))

    async def put_persons(self, persons: Sequence[PersonValues]) -> list[Put]:
        """Grown-ups. Two items that are the same person give the same id. Raises SamePersonTwice."""
        return await records.put_persons(persons, self._clock.now())

    async def put_pupils(self, pupils: Sequence[PupilValues], reason: PlacementReason | None = None) -> list[Put]:
        """Children and their places in classes. `reason` says why they come into a class where it cannot be told.
        Raises ClassMissing, MoveTooEarly, SamePersonTwice."""
        return await enrolment.put_pupils(pupils, self._clock.now(), reason)

    async def let_go(self, pupils: Iterable[UUID], status: PupilStatus, last_day: date) -> list[RowChange]:
        """Pupils leave or graduate: their time in the class ends with that day."""
        return await enrolment.let_go(pupils, status, last_day, self._clock.now())

    async def put_guardianships(self, guardianships: Sequence[GuardianshipValues]) -> list[Put]:
        """Who looks after whom."""
        return await relations.put_guardianships(guardianships, self._clock.now())

    async def end_guardianships(self, ids: Iterable[UUID], last_day: date) -> list[RowChange]:
        """They see nothing any more, and do not act."""
        return await relations.end_guardianships(ids, last_day, self._clock.now())

    async def put_appointments(self, appointments: Sequence[AppointmentValues]) -> list[Put]:
        """Who is charged with what. Raises PlaceMissing, DaysReversed, HeadTeacherTaken."""
        return await relations.put_appointments(appointments, self._clock.now())

    async def end_appointments(self, ids: Iterable[UUID], last_day: date) -> list[RowChange]:
        """The charge ends with that day. What was to begin later is taken away: it never was."""
        return await relations.end_appointments(ids, last_day, self._clock.now())

    async def delete(self, table: str, ids: Iterable[UUID]) -> list[RowChange]:
        """Takes rows away that nothing depends on. Raises StillUsed."""
        return await rows.delete(table, ids)

    async def undo(self, changes: Sequence[RowChange]) -> None:
        """Takes changes back, the last first. Raises ChangedSince, StillUsed."""
        await rows.undo(changes)

    async def _put(self, table: str, row: Record | None, values: dict[str, Any]) -> Put:
        if row is not None:
            return Put(row.id, tuple(await rows.update(table, row, values, self._clock.now())))
        (change,) = await rows.insert(table, [values], self._clock.now())
        return Put(change.row_id, (change,))


def _title(name: str) -> str:
    title = "".join(name.split())
    if not 0 < len(title) <= 64:
        raise NameInvalid
    return title
