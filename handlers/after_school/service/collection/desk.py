"""Which plans, classes and children somebody may collect for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from tortoise.expressions import Q

from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, require
from handlers.accounts.domain import school_year_of
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.rolls import ClassRolls, Room, Seat
from handlers.accounts.service.scope import as_id, missing
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.models import AfterSchoolPlan, AfterSchoolProgramme
from handlers.after_school.service.collection.views import CourseAt, PlanAt

_SHOWN_FOR: Final = timedelta(days=200)
"""A plan is looked at for so long after its last day."""


class CollectionDesk:
    """The one way to a plan, a class or a child here."""

    def __init__(self, rolls: ClassRolls, people: PeopleService, clock: Clock) -> None:
        self._rolls = rolls
        self._people = people
        self._clock = clock

    @property
    def today(self) -> date:
        """In China."""
        return local_date(self._clock.now())

    async def plans(self, actor: Actor) -> list[PlanAt]:
        """Plans families have read, of the places within reach, the latest first."""
        return await self.plans_within(require(actor, Action.TALLY_VIEW))

    async def plans_within(self, reach: Reach) -> list[PlanAt]:
        """Of a reach."""
        rooms = await self._rolls.rooms(reach, school_year_of(self.today), self.today)
        schools = {UUID(room.school_id) for room in rooms}
        towns = {UUID(room.township_id) for room in rooms}
        if not rooms:
            return []
        theirs = Q(school_id__in=list(schools)) | Q(school_id=None, township_id__in=list(towns))
        rows = AfterSchoolPlan.filter(theirs, last_day__gte=self.today - _SHOWN_FOR)
        found = await rows.exclude(state=PlanState.DRAFT).order_by("-first_day", "title", "id")
        courses = await _courses([row.id for row in found])
        plans = [_plan(row, courses.get(row.id, ())) for row in found]
        return [plan for plan in plans if any(is_for(plan, room) for room in rooms)]

    async def plan(self, actor: Actor, action: Action, plan_id: str) -> tuple[PlanAt, list[Room]]:
        """A plan, and the classes within reach that it is for. Raises NotFound."""
        reach = require(actor, action)
        plan = await plan_at(as_id(plan_id))
        rooms = await self.rooms_of(plan, reach) if plan else []
        if plan is None or not rooms:
            raise missing(actor, action)
        return plan, rooms

    async def rooms_of(self, plan: PlanAt, reach: Reach, class_id: str | None = None) -> list[Room]:
        """The classes of a reach that a plan is for."""
        year = school_year_of(plan.first_day)
        rooms = await self._rolls.rooms(reach, year, self.today, school_id=plan.school_id, class_id=class_id)
        return [room for room in rooms if is_for(plan, room)]

    async def room(self, actor: Actor, action: Action, plan_id: str, class_id: str) -> tuple[PlanAt, Room]:
        """A plan and a class it is for. Raises NotFound."""
        reach = require(actor, action)
        plan = await plan_at(as_id(plan_id))
        rooms = await self.rooms_of(plan, reach, class_id) if plan else []
        if plan is None or not rooms:
            raise missing(actor, action, Subject(class_id=str(as_id(class_id))))
        return plan, rooms[0]

    async def child(self, actor: Actor, action: Action, plan_id: str, child_id: str) -> tuple[PlanAt, Room, Seat]:
        """A plan, a child it is for, and the child's class today. Raises NotFound."""
        require(actor, action)
        subject = await self._people.subject_of_child(child_id)
        require(actor, action, subject)
        if subject.class_id is None:
            raise missing(actor, action, subject)
        plan, room = await self.room(actor, action, plan_id, subject.class_id)
        for seat in await self.seats(room, None):
            if seat.child_id == subject.child_id:
                return plan, room, seat
        raise missing(actor, action, subject)

    async def seats(self, room: Room, day: date | None) -> Sequence[Seat]:
        """The children of a class on a day, None: today."""
        return (await self._rolls.seats([room.id], day or self.today)).get(room.id, ())

    async def seats_of(self, rooms: Sequence[Room], day: date | None) -> Mapping[str, Sequence[Seat]]:
        """The same of several classes."""
        return await self._rolls.seats([room.id for room in rooms], day or self.today)


def is_for(plan: PlanAt, room: Room) -> bool:
    """Whether a class can be in any of a plan's programmes."""
    is_there = plan.school_id == room.school_id if plan.school_id else plan.township_id == room.township_id
    return is_there and bool(plan.courses_for(room.grade))


async def plan_at(plan_id: UUID) -> PlanAt | None:
    """A plan, None for one that is not there or that families have not read yet."""
    row = await AfterSchoolPlan.get_or_none(id=plan_id)
    if row is None or row.state is PlanState.DRAFT:
        return None
    return _plan(row, (await _courses([row.id])).get(row.id, ()))


async def _courses(plan_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[CourseAt]]:
    found: dict[UUID, list[CourseAt]] = {}
    for row in await AfterSchoolProgramme.filter(plan_id__in=list(plan_ids)).order_by("title", "id"):
        course = CourseAt(
            id=str(row.id),
            title=row.title,
            lowest_grade=row.lowest_grade,
            highest_grade=row.highest_grade,
            weekdays=tuple(int(day) for day in row.weekdays),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
        found.setdefault(row.plan_id, []).append(course)
    return found


def _plan(row: AfterSchoolPlan, courses: Sequence[CourseAt]) -> PlanAt:
    return PlanAt(
        id=str(row.id),
        title=row.title,
        term=row.term,
        state=row.state,
        township_id=str(row.township_id),
        school_id=str(row.school_id) if row.school_id else None,
        first_day=row.first_day,
        last_day=row.last_day,
        closes_at=row.closes_at,
        complaint_phone=row.complaint_phone,
        courses={course.id: course for course in courses},
    )
