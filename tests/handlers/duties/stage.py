"""Duties over an open database: a school with its charges, a calendar, and everything built as in the product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bot.audit.log import Audit
from bot.clock import FrozenClock, local_date
from bot.delivery.models import OutboxPush
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Push
from bot.identity import Actor, Door
from bot.metrics import Metrics
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, School, SchoolClass, Township
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.places import PlaceService
from handlers.calendar.models import SchoolTerm
from handlers.calendar.service.calendars import CalendarService
from handlers.duties.models import DutyTask
from handlers.duties.service.holding import Holding
from handlers.duties.service.planning import DutyPlanner
from handlers.duties.service.pushes import DutyReminders
from handlers.duties.service.rules import RuleService
from handlers.duties.service.tasks import TaskService
from tests import factories


@dataclass(frozen=True, slots=True)
class DutyStage:
    """One replica and the place it plays in; `lead` is the protection lead."""

    planner: DutyPlanner
    reminders: DutyReminders
    tasks: TaskService
    rules: RuleService
    clock: FrozenClock
    town: Township
    school: School
    room: SchoolClass
    head: Person
    lead: Person
    leader: Person
    admin: Person

    async def tick(self) -> None:
        """What the job does."""
        await self.planner.plan()
        await self.reminders.promise_due()

    async def go_to(self, day: date) -> None:
        """A tick in the morning of every day until then."""
        while local_date(self.clock.now()) < day:
            self.clock.advance(timedelta(days=1))
            await self.tick()

    async def actor(self, person: Person, door: Door = Door.CONSOLE) -> Actor:
        """Somebody as the product sees them."""
        return await AccountsIdentity(self.clock).actor_of_person(person.id, door=door)

    async def days(self, shipped: str, **which: object) -> list[date]:
        """The days of the tasks of a rule, in order."""
        rows = await DutyTask.filter(rule__shipped=shipped, **which).order_by("due_on")
        return [row.due_on for row in rows]


async def duty_stage(clock: FrozenClock, metrics: Metrics) -> DutyStage:
    """A school with one class, and the terms of 2026."""
    town = await factories.make_township()
    school = await factories.make_school(town)
    room = await factories.make_class(school)
    head, lead, leader, admin = [await factories.make_person() for _ in range(4)]
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=room)
    await factories.make_appointment(AppointmentKind.PROTECTION_LEAD, lead, school=school)
    await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=school)
    await factories.make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR, admin, township=town)
    await make_term(town, date(2026, 9, 1), date(2027, 1, 22))
    offices, audit = Offices(clock), Audit(clock)
    holding = Holding(offices)
    planner = DutyPlanner(offices, CalendarService(PlaceService()), clock)
    reminders = DutyReminders(Outbox(clock, metrics), holding, offices, clock)
    return DutyStage(
        planner,
        reminders,
        TaskService(holding, offices, reminders, audit=audit, clock=clock),
        RuleService(planner, offices, audit=audit, clock=clock),
        clock,
        town,
        school,
        room,
        head,
        lead,
        leader,
        admin,
    )


async def make_term(town: Township, first: date, last: date, school: School | None = None) -> SchoolTerm:
    """A term of the township, or of one school."""
    return await SchoolTerm.create(
        township_id=town.id,
        school_id=school.id if school else None,
        name="秋季学期",
        first_day=first,
        last_day=last,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )


async def told(reason: str) -> list[tuple[str, date]]:
    """Person and day of every promise of a reason."""
    rows = await OutboxPush.filter(reason=reason).order_by("not_before", "person_id")
    return [(str(row.person_id), local_date(row.not_before)) for row in rows]


def push_of(row: OutboxPush) -> Push:
    """A promise as its source is given it."""
    return Push(
        id=str(row.id), reason=row.reason, occurrence=row.occurrence, person_id=str(row.person_id), rule=row.rule,
        purpose=row.purpose, push_class=row.push_class, child_ids=(), not_before=row.not_before,
        expires_at=row.expires_at,
    )  # fmt: skip
