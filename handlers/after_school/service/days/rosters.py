"""Rosters by day and group: who is expected, who has leave, who was there, who collects whom."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, to_local
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, may, refusal
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.after_school.domain.days import ATTENDED, NoLessonThen, Presence
from handlers.after_school.models import (
    AfterSchoolAttendance,
    AfterSchoolCollection,
    AfterSchoolLeave,
    AfterSchoolProgramme,
    AfterSchoolSession,
)
from handlers.after_school.service.days.reading import DayReading, Expected, Group
from handlers.after_school.service.days.sight import Sight, plans_within, sight_of
from handlers.after_school.service.days.views import GroupLine, Roster, RosterLine
from handlers.after_school.texts import days as texts

PAGE = "/after-school/days"
_READ = ("name", "leave", "presence", "collector", "phone")


class RosterService:
    """The reading side of every day. A `TodoSource`."""

    def __init__(self, reading: DayReading, offices: Offices, audit: Audit, clock: Clock) -> None:
        self._reading = reading
        self._offices = offices
        self._audit = audit
        self._clock = clock

    async def groups(self, actor: Actor, day: date) -> list[GroupLine]:
        """The groups of a day the actor sees, by their hour."""
        sight = await sight_of(actor, Action.SERVICE_ROSTER, day)
        plans = await plans_within(sight, self._offices, day)
        programmes = await self._reading.with_lesson(list(plans.values()), day)
        groups = await self._reading.groups(plans, programmes, day)
        seen = [(group, sight.children(group)) for group in groups]
        kept = [(group, own) for group, own in seen if own or sight.has_all(group.plan, group.programme)]
        return await self._lines(kept, day)

    async def roster(self, actor: Actor, programme_id: str, day: date, class_id: str | None) -> Roster:
        """One list, written down as read in the same transaction. Raises NotFound, NoLessonThen."""
        group, children, _ = await self.group(actor, Action.SERVICE_ROSTER, programme_id, day, class_id)
        async with transaction():
            [line] = await self._lines([(group, children)], day)
            lines = await self._children(group, children, day)
            about = f"roster:{group.programme.id}:{day}"
            await self._audit.record(actor, Action.SERVICE_ROSTER, about, whose=group.place, fields=list(_READ))
        return Roster(line, day, lines, may(actor, Action.SERVICE_ATTEND))

    async def group(
        self, actor: Actor, action: Action, programme_id: str, day: date, class_id: str | None
    ) -> tuple[Group, Sequence[Expected], Sight]:
        """A group and those of it within the actor's sight. Raises NotFound for what is out of it, NoLessonThen."""
        sight = await sight_of(actor, action, day)
        row = await AfterSchoolProgramme.filter(id=programme_id).select_related("plan").first()
        missing = refusal(NotFound(), actor, action, None)
        if row is None:
            raise missing
        plan = row.plan
        groups = await self._reading.groups({plan.id: plan}, [row], day)
        has_all = sight.has_all(plan, row)
        seen = [(group, sight.children(group)) for group in groups]
        if not has_all and not any(own for _, own in seen):
            raise missing
        if row.id not in {each.id for each in await self._reading.with_lesson([plan], day)}:
            raise NoLessonThen
        for group, own in seen:
            if (group.class_id == class_id or (class_id is None and len(groups) == 1)) and (own or has_all):
                return group, own, sight
        raise NoLessonThen

    # -------------------------------------------------------------------------------------------------------- todos
    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Lessons that have begun today and whose roster nobody has taken."""
        if not may(actor, Action.SERVICE_ATTEND) or actor.person_id is None:
            return []
        now = to_local(self._clock.now())
        sight = await sight_of(actor, Action.SERVICE_ATTEND, now.date())
        plans = await plans_within(sight, self._offices, now.date())
        programmes = await self._reading.with_lesson(list(plans.values()), now.date())
        begun = [row for row in programmes if row.starts_at <= now.strftime("%H:%M")]
        groups = await self._reading.groups(plans, begun, now.date())
        taken = await sessions_of([row.id for row in begun], now.date())
        waiting = [g for g in groups if sight.children(g) and (g.programme.id, g.key(now.date())) not in taken]
        return [Todo(texts.TODO_ROSTER, len(waiting), PAGE)]

    # -------------------------------------------------------------------------------------------------------- inside
    async def _lines(self, groups: Sequence[tuple[Group, Sequence[Expected]]], day: date) -> list[GroupLine]:
        sessions = await sessions_of([group.programme.id for group, _ in groups], day)
        counts = await _presences([row.id for row in sessions.values()])
        pupils = {child.ward.id for _, children in groups for child in children}
        leave = await on_leave(pupils, day)
        given = {row.teacher_id for row in sessions.values()} | {group.programme.teacher_id for group, _ in groups}
        people = await self._offices.people([str(each) for each in given if each])
        found = []
        for group, children in groups:
            row = sessions.get((group.programme.id, group.key(day)))
            own = {child.ward.id for child in children}
            there = (
                Counter(kind for child, kind in counts.get(row.id, {}).items() if child in own) if row else Counter()
            )
            teacher = people.get(str((row and row.teacher_id) or group.programme.teacher_id))
            found.append(
                GroupLine(
                    programme_id=str(group.programme.id),
                    class_id=group.class_id,
                    title=group.programme.title,
                    class_name=group.class_name,
                    starts_at=group.programme.starts_at,
                    ends_at=group.programme.ends_at,
                    room=group.programme.room,
                    pick_up_point=group.programme.pick_up_point or group.plan.pick_up_point,
                    teacher=teacher.name if teacher else "",
                    expected=len(children),
                    on_leave=sum(has_leave(leave, each, group.programme.id) for each in own),
                    here=sum(there[kind] for kind in ATTENDED),
                    missing=there[Presence.MISSING],
                    is_held=row is None or row.is_held,
                    taken_at=row.taken_at if row else None,
                )
            )
        return found

    async def _children(self, group: Group, children: Sequence[Expected], day: date) -> list[RosterLine]:
        pupils = [child.ward.id for child in children]
        row = (await sessions_of([group.programme.id], day)).get((group.programme.id, group.key(day)))
        known = (await _presences([row.id])).get(row.id, {}) if row else {}
        leave, collected = await on_leave(pupils, day), await collections_of(pupils, day)
        people = await self._offices.people([str(each.person_id) for each in collected.values() if each.person_id])
        lines = []
        for child in children:
            own = child.ward.id
            said = collected.get(own)
            guardian = people.get(str(said.person_id)) if said and said.person_id else None
            lines.append(
                RosterLine(
                    own,
                    child.ward.name,
                    child.ward.class_name,
                    known.get(own),
                    has_leave(leave, own, group.programme.id),
                    said.how if said else None,
                    guardian.name if guardian else (said.name or "") if said else "",
                    guardian.phone if guardian else (said.phone or "") if said else "",
                )
            )
        return lines


Leaves = Mapping[str, Sequence[UUID | None]]
"""For each child with leave: from which programmes, None for all."""


async def on_leave(pupil_ids: Collection[str], day: date) -> Leaves:
    """The leave that stands for a day."""
    rows = AfterSchoolLeave.filter(
        Q(withdrawn_at__isnull=True, first_day__lte=day, last_day__gte=day), pupil_id__in=[UUID(p) for p in pupil_ids]
    )
    found: dict[str, list[UUID | None]] = defaultdict(list)
    for row in await rows:
        found[str(row.pupil_id)].append(row.programme_id)
    return found


def has_leave(leaves: Leaves, child: str, programme_id: UUID) -> bool:
    """Whether a child has leave from a programme."""
    return bool({None, programme_id} & set(leaves.get(child, ())))


async def sessions_of(programme_ids: Collection[UUID], day: date) -> dict[tuple[UUID, str], AfterSchoolSession]:
    """What was said of the lessons of a day, by programme and group."""
    rows = AfterSchoolSession.filter(programme_id__in=list(programme_ids), day=day)
    return {(row.programme_id, row.group_key): row for row in await rows}


async def collections_of(pupil_ids: Collection[str], day: date) -> dict[str, AfterSchoolCollection]:
    """Who was named last to collect each child."""
    rows = AfterSchoolCollection.filter(pupil_id__in=[UUID(p) for p in pupil_ids], day=day).order_by("said_at", "id")
    return {str(row.pupil_id): row for row in await rows}


async def _presences(session_ids: Collection[UUID]) -> dict[UUID, dict[str, Presence]]:
    rows = AfterSchoolAttendance.filter(session_id__in=list(session_ids))
    found: dict[UUID, dict[str, Presence]] = defaultdict(dict)
    for row in await rows:
        found[row.session_id][str(row.pupil_id)] = row.presence
    return found
