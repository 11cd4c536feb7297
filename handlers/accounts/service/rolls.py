"""Who sat in which class on a day, for the services of other capabilities: whoever asks has the right to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from bot.rights import Reach, Subject
from handlers.accounts.domain import AppointmentKind, PupilStatus
from handlers.accounts.models import Appointment, Placement, Pupil, SchoolClass
from handlers.accounts.service.scope import as_id, visible_classes
from handlers.accounts.service.views import name_of


@dataclass(frozen=True, slots=True)
class Room:
    """A class, and who leads it today ("" for nobody)."""

    id: str
    name: str
    grade: int
    number: int
    school_id: str
    school: str
    township_id: str
    head_teacher: str = ""

    @property
    def subject(self) -> Subject:
        """Whose affair it is."""
        return Subject(class_id=self.id, school_id=self.school_id, township_id=self.township_id)


@dataclass(frozen=True, slots=True)
class Seat:
    """A child in a class."""

    child_id: str
    name: str
    roster_number: str


@dataclass(frozen=True, slots=True)
class SeatAt:
    """Where a child sat."""

    class_id: str
    school_id: str
    grade: int


class ClassRolls:
    """Lists of classes."""

    async def rooms(
        self, reach: Reach, school_year: int, today: date, *, school_id: str | None = None, class_id: str | None = None
    ) -> list[Room]:
        """The classes of a school year within reach, by school, grade and number."""
        rows = visible_classes(reach).filter(school_year=school_year)
        if school_id is not None:
            rows = rows.filter(school_id=as_id(school_id))
        if class_id is not None:
            rows = rows.filter(id=as_id(class_id))
        found = await rows.select_related("school").order_by("school__name", "grade", "number", "id")
        heads = await _heads([row.id for row in found], today)
        return [
            Room(
                id=str(row.id),
                name=name_of(row),
                grade=row.grade,
                number=row.number,
                school_id=str(row.school_id),
                school=row.school.name,
                township_id=str(row.school.township_id),
                head_teacher=heads.get(str(row.id), ""),
            )
            for row in found
        ]

    async def seats(self, class_ids: Collection[str], day: date) -> Mapping[str, list[Seat]]:
        """Who sat in each class on a day, by name. Who left long ago and is sealed is not there any more."""
        lasting = Q(Q(until__isnull=True) | Q(until__gte=day), since__lte=day, pupil__sealed_at__isnull=True)
        rows = Placement.filter(lasting, school_class_id__in=[UUID(each) for each in class_ids])
        found: dict[str, list[Seat]] = defaultdict(list)
        columns = ("school_class_id", "pupil_id", "pupil__name", "pupil__roster_number")
        for room, child, name, number in await rows.order_by("pupil__name", "pupil_id").values_list(*columns):
            found[str(room)].append(Seat(str(child), name, number or ""))
        return found

    async def sat_in(self, school_id: str, day: date) -> Mapping[str, SeatAt]:
        """The children who sat in any class of a school on a day."""
        return await _sat(Q(school_class__school_id=as_id(school_id)), day)

    async def sat(self, child_ids: Collection[str], day: date) -> Mapping[str, SeatAt]:
        """Where children sat on a day, at whatever school; those who sat nowhere left out."""
        return await _sat(Q(pupil_id__in=[UUID(each) for each in child_ids]), day) if child_ids else {}

    async def heirs(self, class_ids: Collection[str]) -> Mapping[str, str]:
        """Which class each became the year after; those that ended left out."""
        rows = SchoolClass.filter(promoted_from_id__in=[UUID(each) for each in class_ids]) if class_ids else None
        return {str(old): str(own) for old, own in await rows.values_list("promoted_from_id", "id")} if rows else {}

    async def graduated(self, child_ids: Collection[str]) -> frozenset[str]:
        """Those who left after the last grade."""
        rows = Pupil.filter(id__in=[UUID(each) for each in child_ids], status=PupilStatus.GRADUATED)
        return frozenset(str(each) for each in await rows.values_list("id", flat=True)) if child_ids else frozenset()

    async def names(self, child_ids: Collection[str]) -> Mapping[str, str]:
        """What children are called, at school or not; a child that is not on record is left out."""
        rows = Pupil.filter(id__in=[UUID(each) for each in child_ids])
        return {str(own): name for own, name in await rows.values_list("id", "name")} if child_ids else {}


async def _sat(whose: Q, day: date) -> Mapping[str, SeatAt]:
    lasting = Q(Q(until__isnull=True) | Q(until__gte=day), since__lte=day)
    rows = Placement.filter(lasting & whose).order_by("since", "id")
    columns = ("pupil_id", "school_class_id", "school_class__school_id", "school_class__grade")
    return {str(row[0]): SeatAt(str(row[1]), str(row[2]), row[3]) for row in await rows.values_list(*columns)}


async def _heads(class_ids: list[Any], today: date) -> Mapping[str, str]:
    lasting = Q(Q(until__isnull=True) | Q(until__gte=today), since__lte=today)
    rows = Appointment.filter(lasting, school_class_id__in=class_ids, kind=AppointmentKind.HEAD_TEACHER)
    return {str(room): name for room, name in await rows.values_list("school_class_id", "person__name")}
