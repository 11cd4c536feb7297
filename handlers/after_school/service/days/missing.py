"""A child is not there and nobody has asked for leave: who is on duty is told at once, then the ladder climbs."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from bot.identity import Actor
from handlers.after_school.domain.days import Presence
from handlers.after_school.models import AfterSchoolAttendance, AfterSchoolAttendanceEvent, AfterSchoolDutySlot
from handlers.after_school.service.days.reading import Group
from handlers.after_school.service.days.views import Alarmed
from handlers.after_school.texts import days as texts
from handlers.alarms.domain import AlarmKind, AlarmSource, NewAlarm
from handlers.alarms.service.alarms import AlarmService


class MissingChildren:
    """Raises alarms for rosters, in the transaction of the roster."""

    def __init__(self, alarms: AlarmService) -> None:
        self._alarms = alarms

    async def look_for(self, actor: Actor, attendance_id: UUID, child_id: str, group: Group, day: date) -> Alarmed:
        """One alarm each time the child is missed, and no second one for the same."""
        missed = await AfterSchoolAttendanceEvent.filter(attendance_id=attendance_id, after=Presence.MISSING).count()
        ward = next(child.ward for child in group.children if child.ward.id == child_id)
        slots = AfterSchoolDutySlot.filter(school_id=UUID(ward.school_id), day=day).order_by("role", "id")
        on_duty = dict.fromkeys(str(person) for person in await slots.values_list("person_id", flat=True))
        planned = group.programme.teacher_id
        if planned is not None:
            on_duty[str(planned)] = None
        programme = group.programme
        raised = await self._alarms.raise_alarm(
            actor,
            NewAlarm(
                kind=AlarmKind.MISSING_CHILD,
                source=AlarmSource.SERVICE,
                reference=f"{_reference(attendance_id)}:{missed}",
                child_id=child_id,
                said=texts.MISSED.format(title=programme.title, starts=programme.starts_at, ends=programme.ends_at),
                where=programme.room,
                on_duty=tuple(on_duty),
            ),
        )
        return Alarmed(child_id, raised.key, raised.number)

    async def is_found(self, attendance_id: UUID) -> None:
        """The roster says now that the child need not be looked for: it stands in the alarm, which somebody closes."""
        await self._alarms.add(_reference(attendance_id), texts.FOUND)

    async def leave_came(self, child_id: str, first: date, last: date) -> None:
        """The family has asked for leave after the child was missed."""
        rows = AfterSchoolAttendance.filter(
            pupil_id=UUID(child_id), presence=Presence.MISSING, session__day__gte=first, session__day__lte=last
        )
        for row in await rows:
            await self._alarms.add(_reference(row.id), texts.LEAVE_CAME)


def _reference(attendance_id: UUID) -> str:
    return f"attendance:{attendance_id}"
