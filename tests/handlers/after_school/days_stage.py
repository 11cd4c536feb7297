"""A school with an after-school service that goes on, and the services of its days over a real database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import SHANGHAI, Clock, FrozenClock, local_date
from bot.delivery.outbox import Outbox
from bot.identity import Actor, Door
from bot.metrics import Metrics
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, Pupil, School, SchoolClass, Township
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.places import PlaceService
from handlers.after_school.domain.days import Presence
from handlers.after_school.domain.fees import FeeBasis
from handlers.after_school.domain.plans import FeePayer, PlanState, Selection, SettleBy
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import (
    AfterSchoolEnrolment,
    AfterSchoolEnrolmentEvent,
    AfterSchoolPlan,
    AfterSchoolPool,
    AfterSchoolProgramme,
)
from handlers.after_school.service.days.collecting import CollectionService
from handlers.after_school.service.days.leave import LeaveService
from handlers.after_school.service.days.missing import MissingChildren
from handlers.after_school.service.days.reading import DayReading
from handlers.after_school.service.days.rosters import RosterService
from handlers.after_school.service.days.taking import AttendanceService, Handed
from handlers.alarms.service.alarms import AlarmService
from handlers.alarms.service.climbing import Climbing
from handlers.alarms.service.ladder import Ladder
from handlers.calendar.models import SchoolTerm
from handlers.calendar.service.calendars import CalendarService
from tests import factories

FIRST, LAST = date(2026, 9, 7), date(2027, 1, 15)
# The first lesson of everybody: a Tuesday of the second week.
TUESDAY = date(2026, 9, 8)
MOMENTS: dict[str, Any] = {"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO}


def at(day: date, hour: int = 17, minute: int = 0) -> datetime:
    """A moment in China."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


@dataclass
class Replica:
    """The services of one process."""

    rosters: RosterService
    taking: AttendanceService
    leave: LeaveService
    collecting: CollectionService
    alarms: AlarmService
    climbing: Climbing
    reading: DayReading


def replica(clock: Clock, metrics: Metrics) -> Replica:
    """As the product builds them."""
    offices, audit, audiences = Offices(clock), Audit(clock), AccountsAudiences()
    outbox = Outbox(clock, metrics)
    climbing = Climbing(Ladder(offices), offices, outbox, clock, patience=timedelta(minutes=10))
    alarms = AlarmService(climbing, offices, outbox, audit=audit, clock=clock, kept_days=1095)
    missing = MissingChildren(alarms)
    reading = DayReading(audiences, CalendarService(PlaceService()), clock)
    rosters = RosterService(reading, offices, audit, clock)
    leave = LeaveService(audiences, missing, audit, clock)
    return Replica(
        rosters,
        AttendanceService(rosters, missing, audit, clock),
        leave,
        CollectionService(leave, offices, audit, clock),
        alarms,
        climbing,
        reading,
    )


@dataclass
class Service:
    """The school: a class of grade 3, its head teacher, a course of drawing, and care until half past five."""

    clock: FrozenClock
    town: Township
    school: School
    room: SchoolClass
    other_room: SchoolClass
    head: Person
    drawer: Person
    duty: Person
    leader: Person
    admin: Person
    plan: AfterSchoolPlan
    course: AfterSchoolProgramme
    care: AfterSchoolProgramme
    children: list[Pupil] = field(default_factory=list)
    mothers: list[Person] = field(default_factory=list)

    async def actor(self, person: Person, door: Door = Door.CONSOLE) -> Actor:
        """Somebody as the product sees them."""
        return await AccountsIdentity(self.clock).actor_of_person(person.id, door=door)

    def all_here(self, **others: Presence) -> dict[str, Presence]:
        """Everybody of the first class is there, but for those named by their number: `child_1`."""
        said = {str(child.id): Presence.HERE for child in self.children[:3]}
        said.update({str(self.children[int(name[-1])].id): each for name, each in others.items()})
        return said

    def handed(self, day: date = TUESDAY) -> Handed:
        """The roster of the drawing course, of those of the first class."""
        return Handed(programme_id=str(self.course.id), day=day, presences=self.all_here())

    def of_class(self, day: date = TUESDAY, **others: Presence) -> Handed:
        """The roster of the class in care."""
        said = self.all_here(**others)
        return Handed(programme_id=str(self.care.id), day=day, class_id=str(self.room.id), presences=said)


async def make_service(clock: FrozenClock, **plan: Any) -> Service:
    """Three children of class 1 and one of class 2, all in both programmes since the term began."""
    town = await factories.make_township()
    school = await factories.make_school(town)
    rooms = [await factories.make_class(school, number=number) for number in (1, 2)]
    head, drawer, duty, leader, admin = [await factories.make_person() for _ in range(5)]
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=rooms[0])
    await factories.make_appointment(AppointmentKind.SUBJECT_TEACHER, drawer, school_class=rooms[1])
    await factories.make_appointment(AppointmentKind.DUTY, duty, school=school)
    await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=school)
    await factories.make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR, admin, township=town)
    await SchoolTerm.create(
        township_id=town.id, name="秋季学期", first_day=factories.FIRST_DAY, last_day=date(2027, 1, 22), **MOMENTS
    )
    row = await make_plan(town, school, **plan)
    course = await make_programme(row, title="画画", weekdays="24", teacher_id=drawer.id)
    care = await make_programme(row, title="看护", weekdays="12345", starts_at="16:00", ends_at="17:30")
    service = Service(clock, town, school, rooms[0], rooms[1], head, drawer, duty, leader, admin, row, course, care)
    for room in (rooms[0], rooms[0], rooms[0], rooms[1]):
        await add_child(service, room)
    return service


async def make_plan(town: Township, school: School | None, **values: Any) -> AfterSchoolPlan:
    """A published plan of the term."""
    return await AfterSchoolPlan.create(
        **{
            "township_id": town.id,
            "school_id": school.id if school else None,
            "term": "2026-1",
            "title": "秋季课后服务",
            "first_day": FIRST,
            "last_day": LAST,
            "opens_at": factories.LONG_AGO,
            "closes_at": at(FIRST),
            "state": PlanState.PUBLISHED,
            "pick_up_point": "东门",
            "settle_by": SettleBy.ATTENDED,
            **MOMENTS,
            **values,
        }
    )


async def make_programme(plan: AfterSchoolPlan, **values: Any) -> AfterSchoolProgramme:
    """For grades 1 to 6, three yuan a lesson."""
    pool = await AfterSchoolPool.create(plan_id=plan.id, title="名额", **MOMENTS)
    return await AfterSchoolProgramme.create(
        **{
            "plan_id": plan.id,
            "pool_id": pool.id,
            "title": "看护",
            "lowest_grade": 1,
            "highest_grade": 6,
            "weekdays": "12345",
            "starts_at": "15:30",
            "ends_at": "16:30",
            "selection": Selection.FIRST_COME,
            "fee_basis": FeeBasis.PER_LESSON,
            "fee_fen": 300,
            "fee_payer": FeePayer.FAMILY,
            "fee_clause": "某县课后服务收费通知第二条",
            **MOMENTS,
            **values,
        }
    )


async def add_child(service: Service, room: SchoolClass) -> Pupil:
    """A child with a mother, in both programmes."""
    child, mother = await factories.make_pupil(room), await factories.make_person()
    await factories.make_guardianship(child, mother, is_acting=True)
    service.children.append(child)
    service.mothers.append(mother)
    for programme in (service.course, service.care):
        await enrol(programme, child, at(FIRST, 7))
    return child


async def enrol(programme: AfterSchoolProgramme, child: Pupil, since: datetime) -> AfterSchoolEnrolment:
    """The child has a place from a moment on, and its history says so."""
    own = uuid4()
    row = await AfterSchoolEnrolment.create(
        id=own, plan_id=programme.plan_id, programme_id=programme.id, pool_id=programme.pool_id, pupil_id=child.id,
        party_id=own, state=EnrolmentState.ENROLLED, turn=1, source=Source.CHAT,
        active_key=f"{programme.id}:{child.id}", created_at=since, updated_at=since,
    )  # fmt: skip
    await happened(own, None, EnrolmentState.ENROLLED, since)
    return row


async def withdraw(row: AfterSchoolEnrolment, moment: datetime) -> None:
    """The child gives its place up."""
    await AfterSchoolEnrolment.filter(id=row.id).update(state=EnrolmentState.WITHDRAWN, active_key=None)
    await happened(row.id, EnrolmentState.ENROLLED, EnrolmentState.WITHDRAWN, moment)


async def happened(own: UUID, before: EnrolmentState | None, after: EnrolmentState, moment: datetime) -> None:
    """A line of the history."""
    await AfterSchoolEnrolmentEvent.create(
        enrolment_id=own, at=moment, from_state=before, to_state=after, via=Source.CHAT, created_at=moment,
        updated_at=moment,
    )  # fmt: skip


def school_days(first: date, last: date) -> Sequence[date]:
    """Weekdays of a span, for what a test counts itself."""
    span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in span if day.isoweekday() < 6]


def today(clock: Clock) -> date:
    """In China."""
    return local_date(clock.now())
