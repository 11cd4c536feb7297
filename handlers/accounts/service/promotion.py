"""The yearly promotion of a school: each class becomes the next grade's, the highest grades graduate.

What will happen is a plan, made from the classes alone; applying it is one transaction with the plan made anew.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from tortoise.expressions import Q

from bot.errors import Conflict
from handlers.accounts.domain import (
    AppointmentKind,
    PlacementReason,
    PupilStatus,
    SchoolKind,
    class_name,
)
from handlers.accounts.models import Appointment, Pupil, School, SchoolClass
from handlers.accounts.service.values import AppointmentValues, ClassValues, PupilValues
from handlers.accounts.service.writing import Writer

# A month before the school year begins its classes may be made.
_EARLIEST_MONTH: Final = 8
_LAST_OF_STAGE: Final = {SchoolKind.KINDERGARTEN: 0, SchoolKind.SCHOOL: 6, SchoolKind.TEACHING_POINT: 6}
_LAST_OF_JUNIOR: Final = 9


class NothingToPromote(Conflict):
    """There is no class of the year before that has not been promoted."""

    code = "nothing_to_promote"
    default_message = "没有可以升级的班级，可能已经办过，请查看班级列表。"


class TooEarlyToPromote(Conflict):
    """The year to promote into is too far away."""

    code = "too_early_to_promote"
    default_message = "还没到办理升级的时候，请在八月以后再办。"


class PlanOutdated(Conflict):
    """The classes have changed since the plan was looked at."""

    code = "plan_outdated"
    default_message = "班级情况已经变了，请重新查看升级预览再确认。"


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one class. `to_name` "": it graduates."""

    class_id: str
    name: str
    to_grade: int | None
    number: int
    to_name: str
    pupils: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A charge that ends with the old class, and whether it is proposed to go on with the new one."""

    appointment_id: str
    person_id: str
    person: str
    kind: AppointmentKind
    class_id: str
    class_name: str
    is_proposed: bool


@dataclass(frozen=True, slots=True)
class PromotionPlan:
    """What a promotion would do. `fingerprint` names the plan: applying one that was looked at demands the same."""

    school_id: str
    to_year: int
    steps: Sequence[Step]
    proposals: Sequence[Proposal]
    promoted: int
    graduating: int
    fingerprint: str


def leaving_grade(kind: SchoolKind, grades: Collection[int]) -> int:
    """The grade after which pupils leave a school: the last of its stage; where there is a junior stage, the ninth."""
    has_junior = kind is SchoolKind.SCHOOL and any(grade > _LAST_OF_STAGE[kind] for grade in grades)
    return _LAST_OF_JUNIOR if has_junior else _LAST_OF_STAGE[kind]


def earliest_day(to_year: int) -> date:
    """The first day on which the classes of a school year may be made."""
    return date(to_year, _EARLIEST_MONTH, 1)


async def plan_of(school: School, to_year: int, today: date) -> PromotionPlan:
    """Raises NothingToPromote."""
    done = SchoolClass.filter(school_id=school.id, school_year=to_year, promoted_from_id__isnull=False)
    already = set(await done.values_list("promoted_from_id", flat=True))
    every = await SchoolClass.filter(school_id=school.id, school_year=to_year - 1).order_by("grade", "number")
    counts = await pupil_counts([row.id for row in every])
    last = leaving_grade(school.kind, {row.grade for row in every})
    left = [row for row in every if row.id not in already and (row.grade < last or counts[row.id])]
    if not left:
        raise NothingToPromote
    steps = [_step(row, last, counts[row.id]) for row in left]
    proposals = await _proposals(left, last, today)
    graduating = sum(step.pupils for step in steps if step.to_grade is None)
    told = repr((to_year, steps, [(each.appointment_id, each.is_proposed) for each in proposals]))
    return PromotionPlan(
        school_id=str(school.id),
        to_year=to_year,
        steps=steps,
        proposals=proposals,
        promoted=sum(step.pupils for step in steps) - graduating,
        graduating=graduating,
        fingerprint=hashlib.sha256(told.encode()).hexdigest()[:16],
    )


async def apply(writer: Writer, plan: PromotionPlan, today: date, keep: Collection[str]) -> None:
    """Does it, in the caller's transaction, from today on: the last day of what was is yesterday. `keep`: the charges
    that go on with the new class."""
    yesterday = today - timedelta(days=1)
    # Charges first: those of the new classes must not meet the old ones.
    await writer.end_appointments([UUID(each.appointment_id) for each in plan.proposals], yesterday)
    for step in plan.steps:
        pupils = await Pupil.filter(school_class_id=step.class_id, status=PupilStatus.ENROLLED).order_by("id")
        if step.to_grade is None:
            await writer.let_go([row.id for row in pupils], PupilStatus.GRADUATED, yesterday)
            continue
        put = await writer.put_class(
            ClassValues(
                school_id=UUID(plan.school_id),
                school_year=plan.to_year,
                grade=step.to_grade,
                number=step.number,
                promoted_from_id=UUID(step.class_id),
            )
        )
        moves = [PupilValues(id=row.id, class_id=put.id, on=today) for row in pupils]
        await writer.put_pupils(moves, PlacementReason.PROMOTED)
        going_on = [each for each in plan.proposals if each.class_id == step.class_id and each.appointment_id in keep]
        await _go_on(writer, going_on, put.id, today)


async def _go_on(writer: Writer, charges: Sequence[Proposal], class_id: UUID, today: date) -> None:
    subjects = dict(
        await Appointment.filter(id__in=[each.appointment_id for each in charges]).values_list("id", "subject")
    )
    await writer.put_appointments(
        [
            AppointmentValues(
                person_id=UUID(each.person_id),
                kind=each.kind,
                since=today,
                class_id=class_id,
                subject=subjects.get(UUID(each.appointment_id), ""),
            )
            for each in charges
        ]
    )


def _step(row: SchoolClass, last: int, pupils: int) -> Step:
    goes_on = row.grade < last
    return Step(
        class_id=str(row.id),
        name=class_name(row.grade, row.number),
        to_grade=row.grade + 1 if goes_on else None,
        number=row.number,
        to_name=class_name(row.grade + 1, row.number) if goes_on else "",
        pupils=pupils,
    )


async def _proposals(classes: Sequence[SchoolClass], last: int, today: date) -> list[Proposal]:
    """Head teachers are proposed to go on with their class; who teaches what is decided anew each year."""
    known = {row.id: row for row in classes}
    rows = Appointment.filter(Q(until__isnull=True) | Q(until__gte=today), school_class_id__in=list(known))
    return [
        Proposal(
            appointment_id=str(row.id),
            person_id=str(row.person_id),
            person=row.person.name,
            kind=row.kind,
            class_id=str(row.school_class_id),
            class_name=class_name(known[class_id].grade, known[class_id].number),
            is_proposed=row.kind is AppointmentKind.HEAD_TEACHER and known[class_id].grade < last,
        )
        for row in await rows.select_related("person").order_by("id")
        if (class_id := row.school_class_id)
    ]


async def pupil_counts(classes: Sequence[UUID]) -> Counter[UUID]:
    """How many are in each class."""
    enrolled = Pupil.filter(school_class_id__in=list(classes), status=PupilStatus.ENROLLED)
    return Counter(row[0] for row in await enrolled.values_list("school_class_id"))
