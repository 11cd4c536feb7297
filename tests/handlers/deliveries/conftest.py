"""A school with a class, families some of whom nobody reaches, and messages about something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.audit.log import Audit
from bot.capability import EntryPoints, Machinery
from bot.clock import FrozenClock
from bot.config import Settings
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, PushClass, Slot
from bot.identity import Actor, Door, Grant, Role
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, Pupil, School, SchoolClass, Township
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.structure import StructureService
from handlers.deliveries.capability import build
from tests import factories
from tests.handlers.console.stage import DrawingWeChat, console_part, machinery_of

REASON = "notice:7"
OCCURRENCE = "first"


@dataclass
class Notices:
    """A `PushSource`: says the same to everybody, unless it is told that it is over, or that it knows nothing."""

    answers: dict[str, Composed | NotNeeded | NotYet] = field(default_factory=dict)
    is_over: bool = False
    asked: list[Push] = field(default_factory=list)

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        self.asked += pushes
        if self.is_over:
            return {push.id: NotNeeded("over") for push in pushes}
        words = Composed(text="明天开家长会，请下午三点到校。", line="明天开家长会。", slots={Slot.SUBJECT: "家长会"})
        return {push.id: self.answers.get(push.person_id, words) for push in pushes}


@dataclass
class Place:
    """Who is there. `machinery` has the capability built in it."""

    machinery: Machinery
    notices: Notices
    part: EntryPoints
    clock: FrozenClock
    town: Township
    school: School
    room: SchoolClass
    head: Person
    leader: Person
    admin: Person

    @property
    def outbox(self) -> Outbox:
        """Where promises are."""
        return self.machinery.outbox

    async def child(self, *guardians: Person, room: SchoolClass | None = None, bound: bool = True) -> Pupil:
        """A pupil with guardians."""
        pupil = await factories.make_pupil(room or self.room)
        for person in guardians:
            options: dict[str, Any] = {} if bound else {"bound_at": None}
            await factories.make_guardianship(pupil, person, **options)
        return pupil

    async def promise(self, person: Person, *children: Pupil, status: DeliveryStatus, **changes: Any) -> Push:
        """A promise, and what became of it."""
        push = new_push(person, *children, now=self.clock.now(), **changes.pop("push", {}))
        await self.outbox.promise([push])
        rows = OutboxPush.filter(reason=push.reason, occurrence=push.occurrence, person_id=person.id)
        await rows.update(status=status, updated_at=self.clock.now(), **changes)
        row = await rows.get()
        return as_push(row)

    def actor(self, person: Person, role: Role) -> Actor:
        """Somebody on the staff."""
        place = {
            Role.HEAD_TEACHER: {"classes": frozenset({str(self.room.id)})},
            Role.SCHOOL_LEADER: {"schools": frozenset({str(self.school.id)})},
            Role.ADMINISTRATOR: {"townships": frozenset({str(self.town.id)})},
        }[role]
        grants = (Grant(role, **place),)
        return Actor(person_id=str(person.id), roles=frozenset({role}), grants=grants, door=Door.CONSOLE)


def new_push(person: Person, *children: Pupil, now: datetime, **values: Any) -> NewPush:
    """A notice to somebody."""
    usual: dict[str, Any] = {
        "reason": REASON,
        "occurrence": OCCURRENCE,
        "rule": "notice",
        "purpose": Purpose.NOTICE,
        "not_before": now,
        "expires_at": now + timedelta(days=1),
        "push_class": PushClass.NORMAL,
    }
    return NewPush(person_id=str(person.id), child_ids=tuple(str(each.id) for each in children), **{**usual, **values})


def as_push(row: OutboxPush) -> Push:
    """As the worker hands it to those who listen."""
    return Push(
        id=str(row.id),
        reason=row.reason,
        occurrence=row.occurrence,
        person_id=str(row.person_id),
        rule=row.rule,
        purpose=row.purpose,
        push_class=row.push_class,
        child_ids=tuple(row.child_ids.split("+")) if row.child_ids else (),
        not_before=row.not_before,
        expires_at=row.expires_at,
    )


@pytest.fixture
async def place(database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock) -> Place:
    machinery = machinery_of(settings, redis, clock, DrawingWeChat())
    audit = Audit(clock)
    machinery.services.add(AccountsAudiences(), PeopleService(clock, audit), StructureService(clock, audit))
    console_part(machinery)
    notices = Notices()
    part = build(machinery)
    machinery.parts.extend([part, EntryPoints(pushes={"notice": notices})])
    town = await factories.make_township()
    school = await factories.make_school(town, name="柳庄小学")
    room = await factories.make_class(school)
    head, leader, admin = [await factories.make_person(name=name) for name in ("李班主任", "周校长", "孙管理")]
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=room)
    await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=school)
    await factories.make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR, admin, township=town)
    return Place(machinery, notices, part, clock, town, school, room, head, leader, admin)
