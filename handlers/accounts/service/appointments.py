"""Dated appointments, and the hand-over of a class with its open duties and a receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.capability import DutySource
from bot.clock import Clock, local_date
from bot.errors import Conflict, InvalidInput
from bot.identity import Actor
from bot.rights import Action, Subject, require
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Appointment, ClassHandOver, Guardianship, Person, SchoolClass
from handlers.accounts.service.people import count_duties
from handlers.accounts.service.scope import (
    as_id,
    missing,
    subject_of_class,
    subject_of_school,
    visible_appointments,
    visible_classes,
)
from handlers.accounts.service.values import AppointmentValues, PersonValues
from handlers.accounts.service.views import HandOverView, StaffView, name_of, staff_view
from handlers.accounts.service.writing import Writer, one

# Whom the township appoints, not the school.
LEADING: Final = frozenset(
    {
        AppointmentKind.SCHOOL_LEADER,
        AppointmentKind.PROTECTION_LEAD,
        AppointmentKind.TOWNSHIP_ADMINISTRATOR,
        AppointmentKind.EDITOR,
        AppointmentKind.REVIEWER,
    }
)


class HandOverPending(Conflict):
    """Another hand-over of the class, for that day or a later one, waits for its receipt."""

    code = "hand_over_pending"
    default_message = "这个班刚办过交接，还没有签收，请刷新后查看。"


class AlreadyHeadTeacher(Conflict):
    """The class is theirs already."""

    code = "already_head_teacher"
    default_message = "这位老师已经是这个班的班主任，不用再交接。"


class HeadTeacherComing(Conflict):
    """Somebody is appointed to the class from a later day on."""

    code = "head_teacher_coming"
    default_message = "这个班已经安排了后任班主任，请先结束那项任职。"


class HandOverInThePast(InvalidInput):
    """What somebody was charged with yesterday is history."""

    code = "hand_over_in_the_past"
    default_message = "交接日期不能早于今天，请改为今天或以后。"


class AppointmentService:
    """Who is charged with what, from when to when."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        duties: Callable[[], Sequence[DutySource]] = tuple,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        """`duties` gives the sources of open duties once the application runs. `forget` is told when charges have
        changed: what is remembered of people is not true any more."""
        self._clock = clock
        self._audit = audit
        self._duties = duties
        self._forget = forget
        self._writer = Writer(clock)

    # -------------------------------------------------------------------------------------------------- appointments
    async def appoint(self, actor: Actor, values: AppointmentValues, person: PersonValues | None = None) -> str:
        """Charges somebody: who is known by `values.person_id`, or `person`, who is made if new (the id is then of no
        account). Returns the id of the appointment. Raises NotFound for a place out of reach or a person of another
        township, HeadTeacherTaken, PlaceMissing, DaysReversed."""
        action = Action.LEADER_APPOINT if values.kind in LEADING else Action.STAFF_EDIT
        reach = require(actor, action)
        async with transaction():
            whose = await _place_of(values)
            if not reach.covers(whose):
                raise missing(actor, action, whose)
            if person is not None:
                values = replace(values, person_id=one(await self._writer.put_persons([person])).id)
            elif not (reach.is_any or await _is_of(values.person_id, whose)):
                raise missing(actor, action, whose)
            put = one(await self._writer.put_appointments([values]))
            await self._audit.record(
                actor,
                action,
                f"appointment:{put.id}",
                whose=whose,
                fields=["since", "until"],
                purpose=values.kind.value,
            )
        self._forget()
        return str(put.id)

    async def end(self, actor: Actor, appointment_id: str, last_day: date | None = None) -> None:
        """The charge ends with that day; without one it is over at once. Raises NotFound."""
        async with transaction():
            row = await Appointment.get_or_none(id=as_id(appointment_id))
            action = Action.LEADER_APPOINT if row and row.kind in LEADING else Action.STAFF_EDIT
            reach = require(actor, action)
            if row is None or not await visible_appointments(reach).filter(id=row.id).exists():
                raise missing(actor, action)
            await self._writer.end_appointments([row.id], last_day or self._today() - timedelta(days=1))
            await self._audit.record(
                actor, action, f"appointment:{row.id}", whose=_subject(row), fields=["until"], purpose=row.kind.value
            )
        self._forget()

    async def charges(self, actor: Actor, person_id: str) -> list[StaffView]:
        """All charges of a person within reach, past and coming ones too, the last first. Raises NotFound."""
        reach = require(actor, Action.STAFF_VIEW)
        rows = visible_appointments(reach).filter(person_id=as_id(person_id))
        found = await rows.select_related("person", "school", "school_class").order_by("-since", "id")
        if not found:
            raise missing(actor, Action.STAFF_VIEW)
        return [staff_view(row) for row in found]

    # ----------------------------------------------------------------------------------------------------- hand-over
    async def hand_over(self, actor: Actor, class_id: str, to_person_id: str, on: date | None = None) -> HandOverView:
        """The class passes to another head teacher from a day on (None: today), with what is open. The new one signs
        for it (`accept`). Raises NotFound, AlreadyHeadTeacher, HandOverPending, HeadTeacherComing,
        HandOverInThePast."""
        on = on or self._today()
        reach = require(actor, Action.CLASS_HANDOVER)
        if on < self._today():
            raise HandOverInThePast
        async with transaction():
            # One after the other: whoever comes second sees what the first has done.
            row = await visible_classes(reach).filter(id=as_id(class_id)).first()
            if row is None:
                raise missing(actor, Action.CLASS_HANDOVER)
            await self._lock(row.id)
            whose = await subject_of_class(row.id)
            new = as_id(to_person_id)
            if not await _is_of(new, whose):
                raise missing(actor, Action.CLASS_HANDOVER, whose)
            old = await self._end_present(row.id, new, on)
            charge = AppointmentValues(
                person_id=new, kind=AppointmentKind.HEAD_TEACHER, class_id=row.id, since=on, until=None
            )
            await self._writer.put_appointments([charge])
            receipt = await self._receipt(row.id, old, new, on)
            await self._audit.record(
                actor, Action.CLASS_HANDOVER, f"class_hand_over:{receipt.id}", whose=whose, purpose="hand_over"
            )
        self._forget()
        return (await _viewed([receipt]))[0]

    async def _lock(self, class_id: UUID) -> None:
        await SchoolClass.filter(id=class_id).select_for_update().first()

    async def _end_present(self, class_id: UUID, new: UUID, on: date) -> UUID | None:
        if await ClassHandOver.exists(school_class_id=class_id, accepted_at__isnull=True, on_day__gte=on):
            raise HandOverPending
        rows = await Appointment.filter(
            Q(until__isnull=True) | Q(until__gte=on), school_class_id=class_id, kind=AppointmentKind.HEAD_TEACHER
        ).order_by("since")
        if any(row.since > on for row in rows):
            raise HeadTeacherComing
        if any(row.person_id == new for row in rows):
            raise AlreadyHeadTeacher
        await self._writer.end_appointments([row.id for row in rows], on - timedelta(days=1))
        return rows[0].person_id if rows else None

    async def _receipt(self, class_id: UUID, old: UUID | None, new: UUID, on: date) -> ClassHandOver:
        sources, now = self._duties(), self._clock.now()
        counts = await count_duties(sources, str(class_id))
        if on <= self._today():
            await self._pass_duties(class_id, new)
        return await ClassHandOver.create(
            school_class_id=class_id,
            from_person_id=old,
            to_person_id=new,
            on_day=on,
            duties=counts,
            created_at=now,
            updated_at=now,
        )

    async def _pass_duties(self, class_id: UUID, to_person_id: UUID) -> None:
        for source in self._duties():
            await source.pass_duties(str(class_id), str(to_person_id))

    async def accept(self, actor: Actor, hand_over_id: str) -> HandOverView:
        """The new head teacher signs for the class, from the day of the hand-over on; twice equals once. Raises
        NotFound for anybody else."""
        reach = require(actor, Action.CLASS_HANDOVER)
        async with transaction():
            row = await ClassHandOver.filter(id=as_id(hand_over_id)).select_for_update().first()
            whose = await subject_of_class(row.school_class_id) if row else Subject()
            if row is None or str(row.to_person_id) != actor.person_id or not reach.covers(whose):
                raise missing(actor, Action.CLASS_HANDOVER, whose)
            signed: datetime | None = row.accepted_at
            if signed is None:
                # What was agreed on before its day passes now.
                await self._pass_duties(row.school_class_id, row.to_person_id)
                row.accepted_at = row.updated_at = self._clock.now()
                await row.save(update_fields=["accepted_at", "updated_at"])
                await self._audit.record(
                    actor, Action.CLASS_HANDOVER, f"class_hand_over:{row.id}", whose=whose, purpose="accept"
                )
        return (await _viewed([row]))[0]

    async def waiting(self, actor: Actor) -> list[HandOverView]:
        """The classes the actor has yet to sign for."""
        require(actor, Action.CLASS_HANDOVER)
        if actor.person_id is None:
            return []
        rows = ClassHandOver.filter(to_person_id=actor.person_id, accepted_at__isnull=True, on_day__lte=self._today())
        return await _viewed(await rows.order_by("on_day", "id"))

    async def history(self, actor: Actor, class_id: str) -> list[HandOverView]:
        """The hand-overs of a class, the last first. Raises NotFound."""
        reach = require(actor, Action.CLASS_HANDOVER)
        if not await visible_classes(reach).filter(id=as_id(class_id)).exists():
            raise missing(actor, Action.CLASS_HANDOVER)
        rows = ClassHandOver.filter(school_class_id=as_id(class_id))
        return await _viewed(await rows.order_by("-on_day", "-created_at", "id"))

    def _today(self) -> date:
        return local_date(self._clock.now())


async def _place_of(values: AppointmentValues) -> Subject:
    """Whose affair the charge is. Raises NotFound for a place that is not there."""
    if values.class_id is not None:
        return await subject_of_class(values.class_id)
    if values.school_id is not None:
        return await subject_of_school(values.school_id)
    return Subject(township_id=str(values.township_id) if values.township_id else None)


async def _is_of(person_id: UUID, place: Subject) -> bool:
    """Whether the person ever had to do with the township: nobody gets hold of people of others by appointing them."""
    if not await Person.exists(id=person_id, is_erased=False):
        return False
    held = await Appointment.exists(person_id=person_id, township_id=place.township_id)
    return held or await Guardianship.exists(person_id=person_id, pupil__school__township_id=place.township_id)


def _subject(row: Appointment) -> Subject:
    return Subject(
        class_id=str(row.school_class_id) if row.school_class_id else None,
        school_id=str(row.school_id) if row.school_id else None,
        township_id=str(row.township_id),
    )


async def _viewed(rows: Sequence[ClassHandOver]) -> list[HandOverView]:
    classes = {
        each.id: each
        for each in await SchoolClass.filter(id__in=[row.school_class_id for row in rows]).select_related("school")
    }
    persons = {row.to_person_id for row in rows} | {row.from_person_id for row in rows if row.from_person_id}
    names = {person.id: person.name for person in await Person.filter(id__in=persons).only("id", "name")}
    return [
        HandOverView(
            id=str(row.id),
            class_id=str(row.school_class_id),
            class_name=name_of(classes.get(row.school_class_id)),
            school=classes[row.school_class_id].school.name if row.school_class_id in classes else "",
            from_person=names.get(row.from_person_id, "") if row.from_person_id else "",
            to_person=names.get(row.to_person_id, ""),
            to_person_id=str(row.to_person_id),
            on=row.on_day,
            is_accepted=row.accepted_at is not None,
            duties=dict(row.duties),
        )
        for row in rows
    ]
