"""A township at the beginning of a term: schools whose classes were promoted, with everybody's last term on record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bot.chat import Assembly
from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.delivery.models import OutboxPush
from bot.identity import Actor, Door
from bot.storage.redis import RedisStore
from handlers.accounts.domain import AppointmentKind, PlacementReason, PupilStatus
from handlers.accounts.models import Person, Placement, Pupil, School, SchoolClass, Township
from handlers.accounts.service.identity import AccountsIdentity
from handlers.calendar.domain import Term
from handlers.calendar.service.founding import put_calendar
from handlers.catalogue import CAPABILITIES
from handlers.term_check.domain.rules import Ladder, Limits
from handlers.term_check.models import TermCheckAbsence
from handlers.term_check.service.board import Board
from handlers.term_check.service.cases import CaseService
from handlers.term_check.service.ladder import Climbing
from handlers.term_check.service.returns import Handed, Reported, ReturnService
from handlers.term_check.service.rounds import RoundKeeper
from handlers.term_check.service.rules import CheckRules, NewRule
from tests import factories
from tests.handlers.console.stage import DrawingWeChat, machinery_of
from tests.settings import make_settings

# A Tuesday.
FIRST = date(2026, 9, 1)
SPRING = Term(date(2026, 2, 23), date(2026, 7, 3), "2025—2026学年第二学期")
AUTUMN = Term(FIRST, date(2027, 1, 22), "2026—2027学年第一学期")
NEXT_SPRING = Term(date(2027, 2, 22), date(2027, 7, 2), "2026—2027学年第二学期")
LADDER, LIMITS = Ladder(1, 3, 5), Limits(20, 30)
_SINCE, _UNTIL = date(2025, 9, 1), date(2026, 8, 31)


def at(day: date, hour: int = 9) -> datetime:
    """A moment in China."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)


@dataclass
class Room:
    """A class of this year, who leads it, and the children of last term, by name."""

    row: SchoolClass
    old: SchoolClass | None
    head: Person
    children: list[Pupil] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Of the class."""
        return str(self.row.id)


@dataclass
class Campus:
    """A school with its leader."""

    row: School
    leader: Person
    rooms: list[Room] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Of the school."""
        return str(self.row.id)


class Stage:
    """The township and the services."""

    def __init__(self, settings: Settings, store: RedisStore, clock: FrozenClock) -> None:
        url = settings.database.url.get_secret_value()
        self.clock = clock
        self.machinery = machinery_of(make_settings(database={"url": url}), store, clock, DrawingWeChat())
        self.assembly = Assembly(CAPABILITIES, self.machinery)
        get = self.machinery.services.get
        self.keeper, self.returns, self.cases = get(RoundKeeper), get(ReturnService), get(CaseService)
        self.rules, self.board, self.climbing = get(CheckRules), get(Board), get(Climbing)
        self.schools: list[Campus] = []
        self.town: Township
        self.admin: Person

    async def build(self, *schools: tuple[int, ...], children: int = 3) -> Stage:
        """Each school by the grades of its classes this year; with so many children a class from last term."""
        self.clock.set(at(FIRST))
        self.town = await factories.make_township()
        await put_calendar(self.town.id, [SPRING, AUTUMN, NEXT_SPRING], [], at(SPRING.first_day))
        self.admin = await self._staff(AppointmentKind.TOWNSHIP_ADMINISTRATOR, township=self.town)
        for grades in schools or ((3,),):
            await self.school(*grades, children=children)
        return self

    async def school(self, *grades: int, children: int = 3, **values: Any) -> Campus:
        """One more school."""
        row = await factories.make_school(self.town, **values)
        campus = Campus(row, await self._staff(AppointmentKind.SCHOOL_LEADER, school=row))
        for grade in grades:
            campus.rooms.append(await self.room(campus, grade, children=children))
        self.schools.append(campus)
        return campus

    async def room(self, campus: Campus, grade: int, *, children: int = 3, number: int = 1) -> Room:
        """A class that was promoted; of the first grade only new children."""
        old = None
        if grade > 1:
            old = await factories.make_class(campus.row, school_year=2025, grade=grade - 1, number=number)
        new = await factories.make_class(
            campus.row, grade=grade, number=number, promoted_from_id=old.id if old else None
        )
        room = Room(new, old, await self._staff(AppointmentKind.HEAD_TEACHER, school_class=new))
        for _ in range(children):
            room.children.append(await self.child(room))
        return room

    async def child(self, room: Room, *, new: bool = False, **values: Any) -> Pupil:
        """A child of the class, which sat in its class of last year too unless it is new."""
        child = await factories.make_pupil(room.row, **values)
        if room.old is not None and not new:
            await place(child, room.old, _SINCE, _UNTIL)
        return child

    async def remove(self, child: Pupil, status: PupilStatus = PupilStatus.LEFT) -> None:
        """Off the roster in the summer: its place in this year's class was never taken."""
        await Placement.filter(pupil_id=child.id, since=FIRST).delete()
        await Pupil.filter(id=child.id).update(status=status, school_class_id=None, left_on=_UNTIL)

    async def _staff(self, kind: AppointmentKind, **where: Any) -> Person:
        person = await factories.make_person()
        await factories.make_appointment(kind, person, **where)
        return person

    async def actor(self, person: Person, door: Door = Door.CONSOLE) -> Actor:
        """Somebody as the product sees them."""
        return await AccountsIdentity(self.clock).actor_of_person(person.id, door=door)

    async def begin(self) -> None:
        """The job of the first morning."""
        await self.keeper.keep()

    async def report(self, room: Room, *absent: Pupil, by: Person | None = None, contacts: bool = False) -> Reported:
        """The head teacher signs."""
        who = await self.actor(by or room.head)
        return await self.returns.report(who, Handed(room.id, frozenset(str(each.id) for each in absent), contacts))

    async def case_of(self, child: Pupil) -> TermCheckAbsence:
        """The last one."""
        found = await TermCheckAbsence.filter(pupil_id=child.id).order_by("-created_at").first()
        assert found is not None
        return found

    async def rule(self, centre: Campus | None = None, **values: Any) -> None:
        """The township's, from today on."""
        new: dict[str, Any] = {
            "since": self.clock.now().astimezone(SHANGHAI).date(), "ladder": LADDER, "limits": LIMITS,
            "clause": "演示：本镇2026年1号文件第三条", "centre_school_id": centre.id if centre else None,
        }  # fmt: skip
        await self.rules.set(await self.actor(self.admin), str(self.town.id), NewRule(**(new | values)))

    async def go_to(self, day: date, hour: int = 9) -> None:
        """Day by day, with the job after every midnight and every morning."""
        today = self.clock.now().astimezone(SHANGHAI).date()
        while today < day:
            today += timedelta(days=1)
            for own in (1, 8):
                self.clock.set(at(today, own))
                await self.run()
        self.clock.set(at(day, hour))

    async def run(self) -> None:
        """The job."""
        await self.keeper.keep()
        await self.climbing.climb()
        await self.climbing.ask()

    async def told(self, person: Person, word: str) -> list[str]:
        """On which days somebody was promised to be told something."""
        rows = OutboxPush.filter(person_id=person.id, reason=f"term_check:{word}")
        return sorted(row.occurrence.partition(":")[2] for row in await rows)


async def place(child: Pupil, room: SchoolClass, since: date, until: date | None) -> None:
    """A time in a class."""
    await Placement.create(
        pupil_id=child.id, school_class_id=room.id, since=since, until=until, reason=PlacementReason.ENROLLED,
        created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
    )  # fmt: skip


async def opened(stage: Stage) -> tuple[Actor, str]:
    """A township with a case: its head teacher, and its id."""
    await stage.build()
    await stage.begin()
    room = stage.schools[0].rooms[0]
    await stage.report(room, room.children[0])
    return await stage.actor(room.head), str((await stage.case_of(room.children[0])).id)
