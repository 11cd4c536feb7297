"""Alarms over an open database, and a school with everybody who stands on the ladder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.audit.log import Audit
from bot.clock import Clock
from bot.delivery.models import OutboxPush
from bot.delivery.outbox import Outbox
from bot.identity import Actor, Door
from bot.metrics import Metrics
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, Pupil, School, SchoolClass, Township
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.offices import Offices
from handlers.alarms.domain import LADDER
from handlers.alarms.models import AlarmEntry
from handlers.alarms.service.alarms import AlarmService
from handlers.alarms.service.climbing import Climbing
from handlers.alarms.service.ladder import Ladder
from handlers.alarms.service.pushes import AlarmPushes
from handlers.alarms.service.sheets import SheetService
from tests import factories

PATIENCE = timedelta(minutes=10)
KEPT_DAYS = 1095


@dataclass(frozen=True, slots=True)
class AlarmStage:
    """The services of one replica."""

    alarms: AlarmService
    climbing: Climbing
    sheets: SheetService
    pushes: AlarmPushes
    outbox: Outbox


def alarm_stage(clock: Clock, metrics: Metrics, kind: type[Climbing] = Climbing) -> AlarmStage:
    """A replica; `kind` of climbing: the product's, or a control."""
    offices, audit, outbox = Offices(clock), Audit(clock), Outbox(clock, metrics)
    ladder = Ladder(offices)
    climbing = kind(ladder, offices, outbox, clock, patience=PATIENCE)
    return AlarmStage(
        AlarmService(climbing, offices, outbox, audit=audit, clock=clock, kept_days=KEPT_DAYS),
        climbing,
        SheetService(ladder, offices, audit),
        AlarmPushes(ladder),
        outbox,
    )


@dataclass(frozen=True, slots=True)
class Village:
    """A school, a child there, and the people of the ladder, lowest first; `head` leads the class."""

    town: Township
    school: School
    room: SchoolClass
    child: Pupil
    ladder: tuple[Person, ...]
    head: Person
    mother: Person
    grandmother: Person

    async def actor(self, person: Person, clock: Clock, door: Door = Door.CONSOLE) -> Actor:
        """Somebody as the product sees them."""
        return await AccountsIdentity(clock).actor_of_person(person.id, door=door)


async def make_village() -> Village:
    """Everybody is appointed; the grandmother looks after the child day by day."""
    town = await factories.make_township()
    school = await factories.make_school(town)
    room = await factories.make_class(school)
    child = await factories.make_pupil(room, name="林小满")
    people = [await factories.make_person() for _ in LADDER]
    for kind, person in zip(LADDER, people, strict=True):
        is_town = kind is AppointmentKind.TOWNSHIP_ADMINISTRATOR
        await factories.make_appointment(kind, person, township=town, school=None if is_town else school)
    head, mother, grandmother = [await factories.make_person() for _ in range(3)]
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=room)
    await factories.make_guardianship(child, mother)
    await factories.make_guardianship(child, grandmother, is_acting=True)
    return Village(town, school, room, child, tuple(people), head, mother, grandmother)


async def promised(reason: str = "alarms:staff") -> list[str]:
    """The persons of all promises of a reason, in the order in which they were made."""
    rows = await OutboxPush.filter(reason=reason).order_by("created_at", "not_before")
    return [str(row.person_id) for row in rows]


async def marks(number: int) -> list[str]:
    """The timeline of an alarm, in order, without ids."""
    entries = await AlarmEntry.filter(alarm_id=number).order_by("id")
    return [entry.mark.partition(":")[0] for entry in entries]
