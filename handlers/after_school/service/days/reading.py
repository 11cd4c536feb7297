"""Which group has a lesson when, and who is expected: from plans, calendar and sign-ups, without a check of rights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from uuid import UUID

from bot.clock import Clock, local_date
from bot.rights import Subject
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.after_school.domain.bills import Span
from handlers.after_school.domain.offers import Hours, SchoolDays, days_of
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import (
    AfterSchoolDayOff,
    AfterSchoolEnrolment,
    AfterSchoolEnrolmentEvent,
    AfterSchoolPlan,
    AfterSchoolProgramme,
)
from handlers.calendar.service.calendars import CalendarService


@dataclass(frozen=True, slots=True)
class Expected:
    """A child and the sign-up it is expected by."""

    ward: WardMeant
    enrolment_id: UUID


@dataclass(frozen=True, slots=True)
class Group:
    """A programme, or with a class those of the programme who are in it."""

    plan: AfterSchoolPlan
    programme: AfterSchoolProgramme
    class_id: str | None
    class_name: str
    children: Sequence[Expected]

    @property
    def place(self) -> Subject:
        """Whose affair it is."""
        return replace(place_of(self.plan), class_id=self.class_id)

    def key(self, day: date) -> str:
        """Names its lesson of a day within the programme."""
        return group_key(day, self.class_id)


def group_key(day: date, class_id: str | None) -> str:
    """Names a lesson within its programme."""
    return f"{day.isoformat()}:{class_id or ''}"


def hours_of(row: AfterSchoolProgramme) -> Hours:
    """As the rules take them."""
    return Hours(frozenset(map(int, row.weekdays)), time.fromisoformat(row.starts_at), time.fromisoformat(row.ends_at))


def place_of(plan: AfterSchoolPlan) -> Subject:
    """Whose affair a plan is."""
    return Subject(school_id=str(plan.school_id) if plan.school_id else None, township_id=str(plan.township_id))


class DayReading:
    """Over the rows of offers and sign-ups."""

    def __init__(self, audiences: AccountsAudiences, calendars: CalendarService, clock: Clock) -> None:
        self._audiences = audiences
        self._calendars = calendars
        self._clock = clock

    async def calendar(self, plan: AfterSchoolPlan) -> SchoolDays:
        """By whose school days a plan goes."""
        if plan.school_id is not None:
            return await self._calendars.of(str(plan.school_id))
        return await self._calendars.of_township(str(plan.township_id))

    async def lesson_days(self, plan: AfterSchoolPlan, programme: AfterSchoolProgramme) -> list[date]:
        """All days of the term on which the programme has a lesson, as the calendar stands now."""
        rows = AfterSchoolDayOff.filter(plan_id=plan.id)
        off = [row.day for row in await rows if row.programme_id in {None, programme.id}]
        return days_of(hours_of(programme), plan.first_day, plan.last_day, await self.calendar(plan), off)

    async def with_lesson(self, plans: Sequence[AfterSchoolPlan], day: date) -> list[AfterSchoolProgramme]:
        """The programmes of plans that have a lesson on a day, by their hour and title."""
        wanted = [
            plan for plan in plans if plan.state is not PlanState.DRAFT and plan.first_day <= day <= plan.last_day
        ]
        calendars = {plan.id: await self.calendar(plan) for plan in wanted}
        off = await AfterSchoolDayOff.filter(plan_id__in=list(calendars), day=day)
        free = {(row.plan_id, row.programme_id) for row in off}
        rows = AfterSchoolProgramme.filter(plan_id__in=list(calendars)).order_by("ends_at", "title", "id")
        return [
            row
            for row in await rows
            if not {(row.plan_id, None), (row.plan_id, row.id)} & free
            and days_of(hours_of(row), day, day, calendars[row.plan_id])
        ]

    async def groups(
        self, plans: Mapping[UUID, AfterSchoolPlan], programmes: Sequence[AfterSchoolProgramme], day: date
    ) -> list[Group]:
        """The groups of programmes: a course with a teacher is one; a service without goes class by class."""
        enrolled = await self.enrolled([row.id for row in programmes], day)
        wards = await self._audiences.children({child for each in enrolled.values() for child in each})
        found = []
        for programme in programmes:
            own = enrolled.get(programme.id, {})
            children = [Expected(ward, own[ward.id]) for ward in wards.values() if ward.id in own]
            plan = plans[programme.plan_id]
            if programme.teacher_id is not None:
                found.append(Group(plan, programme, None, "", children))
                continue
            rooms: dict[str | None, list[Expected]] = defaultdict(list)
            for child in children:
                rooms[child.ward.class_id].append(child)
            found += [Group(plan, programme, room, each[0].ward.class_name, each) for room, each in rooms.items()]
        return found

    async def enrolled(self, programme_ids: Collection[UUID], day: date) -> dict[UUID, dict[str, UUID]]:
        """The sign-ups with a place on a day, by programme and child: as they stand, for a day in the past as they
        stood then."""
        rows = AfterSchoolEnrolment.filter(programme_id__in=list(programme_ids))
        is_past = day < local_date(self._clock.now())
        if not is_past:
            rows = rows.filter(state=EnrolmentState.ENROLLED)
        known = await rows.values_list("id", "programme_id", "pupil_id")
        spans = await spans_of([row[0] for row in known]) if is_past else {}
        found: dict[UUID, dict[str, UUID]] = defaultdict(dict)
        for own, programme, pupil in known:
            if not is_past or any(day in span for span in spans.get(own, ())):
                found[programme][str(pupil)] = own
        return found


async def spans_of(enrolment_ids: Collection[UUID]) -> dict[UUID, list[Span]]:
    """When each sign-up had its place, from its history. The day on which it lost it is not part of it."""
    rows = AfterSchoolEnrolmentEvent.filter(enrolment_id__in=list(enrolment_ids)).order_by("at", "id")
    found: dict[UUID, list[Span]] = defaultdict(list)
    since: dict[UUID, date] = {}
    for row in await rows:
        if row.to_state is EnrolmentState.ENROLLED:
            since.setdefault(row.enrolment_id, local_date(row.at))
        elif row.enrolment_id in since:
            found[row.enrolment_id].append(Span(since.pop(row.enrolment_id), local_date(row.at)))
    for own, day in since.items():
        found[own].append(Span(day))
    return found
