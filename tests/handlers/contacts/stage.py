"""The contact with families over all capabilities: a school with a teaching point, its staff, and another school."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from bot.audit.models import AuditRow
from bot.chat import Assembly
from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.identity import Actor, Door, Hat
from bot.storage.redis import RedisStore
from handlers.accounts.domain import AppointmentKind, SchoolKind
from handlers.accounts.models import Appointment, Pupil, School, SchoolClass, Township
from handlers.accounts.service.identity import AccountsIdentity
from handlers.calendar.domain import Term
from handlers.calendar.service.founding import put_calendar
from handlers.catalogue import CAPABILITIES
from handlers.contacts.domain.records import Contact, ContactOutcome, Met, Topic, Way
from handlers.contacts.domain.register import Group, Level, Reason
from handlers.contacts.service.cards.cards import CardService
from handlers.contacts.service.cards.fitness import FitnessService
from handlers.contacts.service.exports.exporting import ExportService
from handlers.contacts.service.exports.printing import PrintService
from handlers.contacts.service.glass.opening import GlassService
from handlers.contacts.service.glass.telling import GlassTelling
from handlers.contacts.service.glass.watching import GlassWatching
from handlers.contacts.service.keeping.planning import KeepingPlan
from handlers.contacts.service.keeping.records import ContactsKeeping
from handlers.contacts.service.pairing.pairing import PairingService
from handlers.contacts.service.reach import Reaching
from handlers.contacts.service.records.drafts import DraftService
from handlers.contacts.service.records.records import RecordService
from handlers.contacts.service.register.entering import Entry, RegisterService
from handlers.contacts.service.register.levels import LevelService, NewLevel
from tests import factories
from tests.handlers.console.stage import DrawingWeChat, machinery_of
from tests.settings import make_settings

# A Tuesday in term, at nine in the morning.
NOW = datetime(2026, 9, 8, 9, tzinfo=SHANGHAI)
TODAY = NOW.date()
K = AppointmentKind


def level(value: Level = Level.YELLOW, reason: str = "奶奶年纪大，作业没人管") -> NewLevel:
    return NewLevel(level=value, reason=reason, review_on=TODAY + timedelta(days=90))


def contact(key: str = "k1", **values: Any) -> Contact:
    """A visit that reached the child and whoever looks after it."""
    given: dict[str, Any] = {
        "client_key": key,
        "happened_on": TODAY,
        "way": Way.VISIT,
        "outcome": ContactOutcome.REACHED,
        "met": frozenset({Met.CHILD, Met.CARER}),
        "topics": frozenset({Topic.LIFE, Topic.STUDY}),
        "finding": "作业没人管，奶奶腿脚不好",
        **values,
    }
    return Contact(**given)


@dataclass
class People:
    """The staff, as actors of today."""

    head: Actor
    teacher: Actor
    colleague: Actor
    lead: Actor
    leader: Actor
    admin: Actor
    duty: Actor
    foreign_lead: Actor
    foreign_teacher: Actor


class Contacts:
    """Class 3(1) with as many children as wanted, none of them on the register yet."""

    people: People
    township: Township
    school: School
    point: School
    foreign: School
    room: SchoolClass
    other_room: SchoolClass

    def __init__(self, settings: Settings, store: RedisStore, clock: FrozenClock) -> None:
        url = settings.database.url.get_secret_value()
        self.clock = clock
        self.machinery = machinery_of(make_settings(database={"url": url}), store, clock, DrawingWeChat())
        self.assembly = Assembly(CAPABILITIES, self.machinery)
        get = self.machinery.services.get
        self.reaching, self.register, self.levels = get(Reaching), get(RegisterService), get(LevelService)
        self.pairing, self.cards, self.fitness = get(PairingService), get(CardService), get(FitnessService)
        self.records, self.drafts, self.keeping = get(RecordService), get(DraftService), get(ContactsKeeping)
        self.glass, self.watching, self.telling = get(GlassService), get(GlassWatching), get(GlassTelling)
        self.exports, self.prints, self.plan = get(ExportService), get(PrintService), get(KeepingPlan)
        self.identity = get(AccountsIdentity)
        self.children: list[Pupil] = []

    async def build(self, children: int = 2) -> Contacts:
        """The places, their calendar and their staff."""
        self.clock.set(NOW)
        self.township = await factories.make_township()
        self.school = await factories.make_school(self.township)
        point = {"parent_id": self.school.id, "kind": SchoolKind.TEACHING_POINT}
        self.point = await factories.make_school(self.township, **point)
        self.foreign = await factories.make_school(self.township)
        self.room = await factories.make_class(self.school)
        self.other_room = await factories.make_class(self.school, number=2)
        await put_calendar(self.township.id, [Term(date(2026, 9, 1), date(2027, 1, 22), "秋季学期")], [], NOW)
        far = await factories.make_class(self.foreign)
        self.people = People(
            head=await self.staff(K.HEAD_TEACHER, school_class=self.room),
            teacher=await self.staff(K.SUBJECT_TEACHER, school_class=self.room),
            colleague=await self.staff(K.SUBJECT_TEACHER, school_class=self.other_room),
            lead=await self.staff(K.PROTECTION_LEAD, school=self.school),
            leader=await self.staff(K.SCHOOL_LEADER, school=self.school),
            admin=await self.staff(K.TOWNSHIP_ADMINISTRATOR, township=self.township),
            duty=await self.staff(K.DUTY, school=self.school),
            foreign_lead=await self.staff(K.PROTECTION_LEAD, school=self.foreign),
            foreign_teacher=await self.staff(K.SUBJECT_TEACHER, school_class=far),
        )
        for _ in range(children):
            self.children.append(await factories.make_pupil(self.room))
        return self

    async def staff(self, kind: AppointmentKind, **place: Any) -> Actor:
        """Somebody new with a charge."""
        return await self.actor(str((await factories.make_appointment(kind, **place)).person_id))

    async def actor(self, person_id: str) -> Actor:
        """Who somebody is today."""
        return await self.identity.actor_of_person(person_id, hat=Hat.STAFF, door=Door.CONSOLE)

    async def leave(self, actor: Actor) -> Actor:
        """Somebody's charges ended yesterday; who they are now."""
        yesterday = self.clock.now().astimezone(SHANGHAI).date() - timedelta(days=1)
        await Appointment.filter(person_id=actor.person_id).update(until=yesterday)
        self.identity.forget()
        return await self.actor(str(actor.person_id))

    # ------------------------------------------------------------------------------------------------------------ ways
    def child(self, number: int = 0) -> str:
        return str(self.children[number].id)

    async def entered(self, number: int = 0, group: Group = Group.LEFT_BEHIND, **values: Any) -> str:
        """On the register; gives the id of the file."""
        given: dict[str, Any] = {
            "child_id": self.child(number),
            "group": group,
            "reason": Reason.BOTH_AWAY,
            "since": TODAY,
            "review_on": TODAY + timedelta(days=180),
            "level": level(),
            **values,
        }
        return await self.register.enter(self.people.lead, Entry(**given))

    async def paired(self, number: int = 0, actor: Actor | None = None) -> str:
        """On the register and paired with the teacher; gives the id of the pair."""
        await self.entered(number)
        return await self.pairing.pair(
            self.people.lead, self.child(number), str((actor or self.people.teacher).person_id)
        )

    async def deeds(self, child_id: str | None = None) -> list[AuditRow]:
        """What the audit has of contacts, about a child if wanted, in order."""
        rows = AuditRow.filter(action__startswith="contacts.", outcome="done").order_by("id")
        return list(await (rows.filter(about=child_id) if child_id else rows))

    async def break_audit(self) -> None:
        """Nothing can be written down any more."""
        await AuditRow._meta.db.execute_query("ALTER TABLE audit_entry RENAME TO audit_entry_away")
