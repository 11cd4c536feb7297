"""What closing, renaming or moving a place would touch: counted before anybody decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tortoise.expressions import Q

from handlers.accounts.domain import PupilStatus, school_year_of
from handlers.accounts.models import Appointment, Placement, Pupil, School, SchoolClass


@dataclass(frozen=True, slots=True)
class Touched:
    """How much hangs on a place today. `points` counts the teaching points under a school; `is_fresh`: nobody ever
    was in the class, so that closing it takes it away altogether."""

    pupils: int
    charges: int
    classes: int = 0
    points: int = 0
    is_fresh: bool = False


async def touched_of_school(school: School, today: date) -> Touched:
    """Of a school."""
    rooms = SchoolClass.filter(school_id=school.id, school_year__gte=school_year_of(today))
    return Touched(
        pupils=await Pupil.filter(school_id=school.id, status=PupilStatus.ENROLLED).count(),
        charges=await Appointment.filter(_going_on(today), school_id=school.id).count(),
        classes=await rooms.count(),
        points=await School.filter(parent_id=school.id, closed_on__isnull=True).count(),
    )


async def touched_of_class(room: SchoolClass, today: date) -> Touched:
    """Of a class."""
    charges = Appointment.filter(school_class_id=room.id)
    ever = await charges.exists() or await Placement.exists(school_class_id=room.id)
    return Touched(
        pupils=await Pupil.filter(school_class_id=room.id, status=PupilStatus.ENROLLED).count(),
        charges=await charges.filter(_going_on(today)).count(),
        is_fresh=not ever,
    )


def _going_on(today: date) -> Q:
    return Q(until__isnull=True) | Q(until__gte=today)
