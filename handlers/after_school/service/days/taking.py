"""Taking a roster: once or ten times, by one teacher or by two at once, it comes to the same. A missing child is looked
for at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, refusal
from bot.storage.database import transaction
from handlers.after_school.domain.days import LessonAhead, Move, Presence, moves
from handlers.after_school.domain.months import band_of, month_text
from handlers.after_school.models import AfterSchoolAttendance, AfterSchoolAttendanceEvent, AfterSchoolSession
from handlers.after_school.service.days.missing import MissingChildren
from handlers.after_school.service.days.reading import Expected, Group
from handlers.after_school.service.days.rosters import RosterService, has_leave, on_leave
from handlers.after_school.service.days.views import Alarmed, Taken
from handlers.after_school.service.filing import check_not_filed


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A roster as it is handed in. `i_gave`: the actor gave the lesson, whoever was planned."""

    programme_id: str
    day: date
    class_id: str | None = None
    presences: Mapping[str, Presence] = field(default_factory=dict)
    i_gave: bool = False


class AttendanceService:
    """The writing side of rosters."""

    def __init__(self, rosters: RosterService, missing: MissingChildren, audit: Audit, clock: Clock) -> None:
        self._rosters = rosters
        self._missing = missing
        self._audit = audit
        self._clock = clock

    async def take(self, actor: Actor, handed: Handed) -> Taken:
        """Who was there. Raises NotFound, NoLessonThen, LessonAhead, MarksUnclear, MonthFiled for a lesson that would
        be new in a month that is filed."""
        group, children = await self._group(actor, handed)
        now = self._clock.now()
        async with transaction():
            row = await self._session(actor, group, handed, now)
            known = {str(each.pupil_id): each for each in await AfterSchoolAttendance.filter(session_id=row.id)}
            expected = {child.ward.id: child for child in children}
            leave = await on_leave(list(expected), handed.day)
            excused = {child for child in expected if has_leave(leave, child, group.programme.id)}
            changes = moves(
                {child: each.presence for child, each in known.items()}, handed.presences, excused, list(expected)
            )
            await self._write(actor, row, changes, (known, expected), now)
            about = f"roster:{group.programme.id}:{row.day}"
            await self._audit.record(actor, Action.SERVICE_ATTEND, about, whose=group.place)
            alarmed = await self._look_for(actor, row, changes, group)
        return Taken(len(changes), alarmed)

    async def call_off(self, actor: Actor, handed: Handed, why: str) -> None:
        """The lesson does not take place: nobody is looked for, and nobody pays for it. Raises as `take` does."""
        group, _ = await self._group(actor, handed, is_ahead_allowed=True)
        async with transaction():
            row = await self._session(actor, group, handed, self._clock.now())
            await check_not_filed(group.plan.id, month_text(handed.day), _band(group))
            await AfterSchoolSession.filter(id=row.id).update(is_held=False, why_not=why.strip()[:64])
            about = f"roster:{group.programme.id}:{row.day}"
            await self._audit.record(actor, Action.SERVICE_ATTEND, about, whose=group.place, purpose="call_off")

    # -------------------------------------------------------------------------------------------------------- inside
    async def _group(
        self, actor: Actor, handed: Handed, *, is_ahead_allowed: bool = False
    ) -> tuple[Group, Sequence[Expected]]:
        found = await self._rosters.group(
            actor, Action.SERVICE_ATTEND, handed.programme_id, handed.day, handed.class_id
        )
        if handed.day > local_date(self._clock.now()) and not is_ahead_allowed:
            raise LessonAhead
        return found[0], found[1]

    async def _session(self, actor: Actor, group: Group, handed: Handed, now: datetime) -> AfterSchoolSession:
        """The lesson's row, locked until the transaction ends: the second of two at once waits for the first."""
        own = UUID(actor.person_id) if actor.person_id else None
        planned = group.programme.teacher_id
        teacher = own if handed.i_gave or planned is None else planned
        row, is_new = await AfterSchoolSession.get_or_create(
            programme_id=group.programme.id,
            group_key=group.key(handed.day),
            defaults={
                "id": uuid4(),
                "plan_id": group.plan.id,
                "class_id": UUID(group.class_id) if group.class_id else None,
                "day": handed.day,
                "teacher_id": teacher,
                "is_substitute": planned is not None and teacher != planned,
                "taken_by": own,
                "taken_at": now,
                "created_at": now,
                "updated_at": now,
            },
        )
        locked = await AfterSchoolSession.filter(id=row.id).select_for_update().first()
        if locked is None:
            raise refusal(NotFound(), actor, Action.SERVICE_ATTEND, None)
        is_given_otherwise = handed.i_gave and locked.teacher_id != own
        if is_new or is_given_otherwise or not locked.is_held:
            await check_not_filed(group.plan.id, month_text(handed.day), _band(group))
        if is_given_otherwise or not locked.is_held:
            await AfterSchoolSession.filter(id=row.id).update(
                is_held=True, why_not="", teacher_id=teacher, updated_at=now,
                is_substitute=planned is not None and teacher != planned,
            )  # fmt: skip
        return locked

    async def _write(
        self,
        actor: Actor,
        row: AfterSchoolSession,
        changes: Sequence[Move],
        rows: tuple[Mapping[str, AfterSchoolAttendance], Mapping[str, Expected]],
        now: datetime,
    ) -> None:
        known, expected = rows
        own = UUID(actor.person_id) if actor.person_id else None
        created, events = [], []
        for change in changes:
            there = known.get(change.child)
            if there is None:
                there = AfterSchoolAttendance(
                    id=uuid4(), session_id=row.id, pupil_id=UUID(change.child), presence=change.after,
                    enrolment_id=expected[change.child].enrolment_id, created_at=now, updated_at=now,
                )  # fmt: skip
                created.append(there)
            else:
                there.presence, there.updated_at = change.after, now
            events.append(
                AfterSchoolAttendanceEvent(
                    id=uuid4(),
                    attendance_id=there.id,
                    at=now,
                    before=change.before,
                    after=change.after,
                    by_person=own,
                    created_at=now,
                    updated_at=now,
                )
            )
        changed = [known[change.child] for change in changes if change.before is not None]
        if created:
            await AfterSchoolAttendance.bulk_create(created)
        if changed:
            await AfterSchoolAttendance.bulk_update(changed, fields=["presence", "updated_at"])
        if events:
            await AfterSchoolAttendanceEvent.bulk_create(events)

    async def _look_for(
        self, actor: Actor, row: AfterSchoolSession, changes: Sequence[Move], group: Group
    ) -> list[Alarmed]:
        rows = {str(each.pupil_id): each for each in await AfterSchoolAttendance.filter(session_id=row.id)}
        found = []
        for change in changes:
            if change.is_missing_now:
                found.append(await self._missing.look_for(actor, rows[change.child].id, change.child, group, row.day))
            elif change.is_found:
                await self._missing.is_found(rows[change.child].id)
        return found


def _band(group: Group) -> str:
    return band_of(group.programme.lowest_grade, group.programme.highest_grade)
