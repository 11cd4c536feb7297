"""The contact clock over an open database: a school with its charges, children and calendar, and somebody who delivers
what was promised."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import SHANGHAI, FrozenClock, local_date
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NotNeeded, Push
from bot.identity import Actor, Door
from bot.metrics import Metrics
from bot.storage.base import blind_index
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Appointment, Person, Pupil, School, SchoolClass, Township
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.places import PlaceService
from handlers.calendar.models import SchoolTerm
from handlers.calendar.service.calendars import CalendarService
from handlers.contacts.domain.clock import SUGGESTED, SUGGESTED_STAGES, Beat
from handlers.contacts.domain.records import ContactOutcome, Way
from handlers.contacts.domain.register import Group, Level, Reason
from handlers.contacts.models import ContactsDue, ContactsFile, ContactsLevel, ContactsPair, ContactsRecord
from handlers.contacts.service.clock.building import Clockwork, clock_over, counted_by
from handlers.contacts.service.clock.piles import Piles
from handlers.contacts.service.clock.rules import NewClockRule
from handlers.contacts.service.clock.telling import REASON, ContactTelling
from handlers.contacts.service.reach import Reaching
from tests import factories

TERMS = ((date(2026, 9, 1), date(2027, 1, 22)), (date(2027, 2, 22), date(2027, 7, 2)))
_keys = count(1)


@dataclass(slots=True)
class Told:
    """A message that arrived."""

    person_id: str
    day: date
    text: str
    path: str = ""


@dataclass(slots=True)
class ClockStage:
    """One replica and the school it plays in. `away`: persons no message reaches."""

    works: Clockwork
    outbox: Outbox
    clock: FrozenClock
    town: Township
    school: School
    room: SchoolClass
    head: Person
    teacher: Person
    lead: Person
    leader: Person
    admin: Person
    away: set[str] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)

    # ------------------------------------------------------------------------------------------------------------ time
    @property
    def today(self) -> date:
        return local_date(self.clock.now())

    async def morning(self, day: date | None = None) -> None:
        """The ticks of the night and of the early hours, and what was promised goes out."""
        day = day or self.today + timedelta(days=1)
        self.at(day, time(0, 5))
        await self.works.tick()
        self.at(day, time(7, 45))
        await self.works.tick()
        await self.deliver()
        # Whoever is told because another could not be reached.
        await self.works.tick()
        await self.deliver()

    async def go_to(self, day: date) -> None:
        """The mornings until then."""
        while self.today < day:
            await self.morning()

    def at(self, day: date, at: time) -> None:
        self.clock.set(datetime.combine(day, at, SHANGHAI))

    async def deliver(self) -> bool:
        """What a worker does with the promises that are due, without a platform; gives whether there were any."""
        now = self.clock.now()
        rows = await OutboxPush.filter(reason=REASON, status=DeliveryStatus.PLANNED, not_before__lte=now).order_by("id")
        late = [row for row in rows if row.expires_at <= now]
        going = [push_of(row) for row in rows if row.expires_at > now]
        said = await self.works.pushes.compose(going, now)
        lost = [push_of(row) for row in late]
        async with transaction():
            await self._settle([push.id for push in lost], DeliveryStatus.EXPIRED)
            for push in going:
                words, person = said.get(push.id, NotNeeded("gone")), str(UUID(push.person_id))
                if isinstance(words, Composed) and person in self.away:
                    lost.append(push)
                    await self._settle([push.id], DeliveryStatus.UNREACHABLE)
                elif isinstance(words, Composed):
                    self.told.append(Told(person, self.today, words.text, words.path))
                    await self._settle([push.id], DeliveryStatus.SENT)
                else:
                    await self._settle([push.id], DeliveryStatus.NOT_NEEDED)
            await self.works.telling.could_not_reach(lost, "not_bound")
        return bool(rows)

    async def _settle(self, ids: Collection[str], status: DeliveryStatus) -> None:
        await OutboxPush.filter(id__in=list(ids)).update(status=status, updated_at=self.clock.now())

    def heard(self, person: Person, day: date | None = None) -> list[str]:
        """What somebody was told, on a day or ever."""
        mine = [each for each in self.told if each.person_id == str(person.id)]
        return [each.text for each in mine if day is None or each.day == day]

    def days_of(self, person: Person) -> list[date]:
        """The days on which somebody was told something."""
        return [each.day for each in self.told if each.person_id == str(person.id)]

    # ---------------------------------------------------------------------------------------------------------- people
    async def actor(self, person: Person, door: Door = Door.CONSOLE) -> Actor:
        return await AccountsIdentity(self.clock).actor_of_person(person.id, door=door)

    async def enter(
        self,
        level: Level = Level.GREEN,
        keeper: Person | None = None,
        *,
        room: SchoolClass | None = None,
        on: date | None = None,
        **more: Any,
    ) -> Pupil:
        """A child comes onto the register and is given a level and, if somebody is named, whoever keeps contact."""
        pupil = await factories.make_pupil(room or self.room, **more)
        on, now = on or self.today, self.clock.now()
        await ContactsFile.create(
            pupil_id=pupil.id, school_id=pupil.school_id, township_id=self.town.id,
            care_group=Group.LEFT_BEHIND.value, reason=Reason.BOTH_AWAY.value, since=on, decided_by=self.lead.id,
            decided_at=datetime.combine(on, time(9), SHANGHAI), review_on=on + timedelta(days=180),
            active_key=blind_index("contacts_file", f"{pupil.id}"), created_at=now, updated_at=now,
        )  # fmt: skip
        if keeper is not None:
            await self.pair(pupil, keeper, on)
        await self.give(pupil, level, on)
        return pupil

    async def give(self, pupil: Pupil, level: Level, on: date | None = None) -> None:
        now = datetime.combine(on or self.today, time(9), SHANGHAI)
        async with transaction():
            await ContactsLevel.create(
                pupil_id=pupil.id, level=level, reason="说明", set_by=self.lead.id, set_at=now,
                review_on=self.today + timedelta(days=90), created_at=self.clock.now(), updated_at=self.clock.now(),
            )  # fmt: skip
            await self.works.counting.recount([pupil.id])

    async def pair(self, pupil: Pupil, keeper: Person, since: date | None = None) -> None:
        now = self.clock.now()
        await ContactsPair.create(
            pupil_id=pupil.id, person_id=keeper.id, since=since or self.today, begun_by=self.lead.id,
            active_key=f"{pupil.id}:{str(keeper.id)[:8]}", created_at=now, updated_at=now,
        )  # fmt: skip

    async def hand_over(self, pupil: Pupil, keeper: Person) -> None:
        async with transaction():
            await ContactsPair.filter(pupil_id=pupil.id, until__isnull=True).update(until=self.today, active_key=None)
            await self.pair(pupil, keeper)
            await self.works.counting.recount([pupil.id])

    async def record(
        self,
        pupil: Pupil,
        way: Way = Way.CALL,
        *,
        is_reached: bool = True,
        on: date | None = None,
        next_on: date | None = None,
        recount: bool = True,
    ) -> ContactsRecord:
        """A contact, or an attempt at one."""
        now = self.clock.now()
        async with transaction():
            row = await ContactsRecord.create(
                pupil_id=pupil.id, school_id=pupil.school_id, author_id=self.teacher.id, client_key=f"k{next(_keys)}",
                happened_on=on or self.today, entered_at=now, way=way, met=["carer"], topics=["life"],
                outcome=ContactOutcome.REACHED if is_reached else ContactOutcome.FAILED, next_on=next_on,
                created_at=now, updated_at=now,
            )  # fmt: skip
            if recount:
                await self.works.counting.recount([pupil.id])
        return row

    async def due(self, pupil: Pupil) -> ContactsDue:
        return await ContactsDue.get(pupil_id=pupil.id)

    async def rule(self, since: date | None = None, **changes: Any) -> str:
        """The township writes a rule: the suggested one but for the changes."""
        return await self.works.rules.enact(
            await self.actor(self.admin), str(self.town.id), new_rule(since or self.today, **changes)
        )


def new_rule(since: date, **changes: Any) -> NewClockRule:
    values: dict[str, Any] = {
        "cadence": dict(SUGGESTED),
        "steps": SUGGESTED_STAGES,
        "daily_cap": 1,
        "clause": "镇教〔2026〕3号",
    }
    return NewClockRule(since=since, **(values | changes))


def every(contact: int, visit: int | None = None) -> dict[Level, Beat]:
    """The same for all levels."""
    return dict.fromkeys(Level, Beat(contact, visit))


async def clock_stage(clock: FrozenClock, metrics: Metrics) -> ClockStage:
    """A school with one class, a paired teacher, and the terms of the school year."""
    town = await factories.make_township()
    school = await factories.make_school(town)
    room = await factories.make_class(school)
    head, teacher, lead, leader, admin = [await factories.make_person() for _ in range(5)]
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=room)
    await factories.make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school_class=room)
    await factories.make_appointment(AppointmentKind.PROTECTION_LEAD, lead, school=school)
    await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=school)
    await factories.make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR, admin, township=town)
    for first, last in TERMS:
        await SchoolTerm.create(
            id=uuid4(), township_id=town.id, name="学期", first_day=first, last_day=last,
            created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
        )  # fmt: skip
    outbox = Outbox(clock, metrics)
    works = a_clockwork(clock, outbox)
    return ClockStage(works, outbox, clock, town, school, room, head, teacher, lead, leader, admin)


def a_clockwork(clock: FrozenClock, outbox: Outbox) -> Clockwork:
    """One replica's."""
    audiences = AccountsAudiences()
    counted = counted_by(audiences, CalendarService(PlaceService()), clock)
    return clock_over(counted, audiences, Reaching(audiences, Caring(clock)), outbox, audit=Audit(clock), clock=clock)


def telling_of(stage: ClockStage, kind: type[ContactTelling]) -> Clockwork:
    """The same replica, but for how it tells."""
    audiences, offices = AccountsAudiences(), Offices(stage.clock)
    counted = counted_by(audiences, CalendarService(PlaceService()), stage.clock)
    piles = Piles(counted.reading, audiences, Reaching(audiences, Caring(stage.clock)), offices)
    return replace(stage.works, telling=kind(piles, counted.days, offices, stage.outbox, stage.clock))


async def leave_the_staff(person: Person, last_day: date) -> None:
    """Their charges end."""
    await Appointment.filter(person_id=person.id).update(until=last_day)


def push_of(row: OutboxPush) -> Push:
    """A promise as its source is given it."""
    return Push(
        id=str(row.id), reason=row.reason, occurrence=row.occurrence, person_id=str(row.person_id), rule=row.rule,
        purpose=row.purpose, push_class=row.push_class, child_ids=(), not_before=row.not_before,
        expires_at=row.expires_at,
    )  # fmt: skip
