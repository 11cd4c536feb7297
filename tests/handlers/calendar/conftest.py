"""A township with two schools, and the services over a real database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pytest

from bot.audit.log import Audit
from bot.clock import FrozenClock
from bot.config import Calendar
from bot.identity import Actor, Door, Grant, Hat, Role
from bot.metrics import Metrics
from bot.storage.database import Database
from handlers.accounts.models import School, Township
from handlers.accounts.service.places import PlaceService
from handlers.calendar.domain import Effect, LocalDay, LocalKind, Term, YearTable
from handlers.calendar.service.calendars import CalendarChange, CalendarService, Moved
from handlers.calendar.service.desk import CalendarDesk
from handlers.calendar.service.editing import CalendarEditing
from handlers.calendar.service.town import Change, Owner, PutTerm
from handlers.calendar.service.watch import CalendarWatch
from tests import factories

AUTUMN = Term(date(2026, 9, 1), date(2027, 1, 22), "2026年秋季学期")
SPRING = Term(date(2027, 3, 1), date(2027, 7, 9), "2027年春季学期")
HARVEST = LocalDay(date(2026, 10, 12), date(2026, 10, 14), LocalKind.HARVEST, Effect.OFF, "农忙假")


@dataclass
class Planner:
    """Plans by the calendar, and remembers what it was asked."""

    moves: int = 7
    named: Sequence[str] = ()
    asked: list[Sequence[CalendarChange]] = field(default_factory=list)

    async def would_move(self, changes: Sequence[CalendarChange]) -> Moved:
        """Always as many."""
        self.asked.append(changes)
        return Moved(self.moves, self.named)


@dataclass
class Stage:
    """The services over one database."""

    clock: FrozenClock
    metrics: Metrics
    town: Township
    school: School
    other: School
    admin: Actor
    leader: Actor
    tables: Mapping[int, YearTable] | None = None

    def __post_init__(self) -> None:
        places = PlaceService()
        self.calendars = CalendarService(places, self.tables)
        self.desk = CalendarDesk(self.calendars, places)
        self.editing = CalendarEditing(self.calendars, places, Audit(self.clock), self.clock)
        self.watch = CalendarWatch(self.calendars, places, Calendar(), clock=self.clock, metrics=self.metrics)

    @property
    def everywhere(self) -> Owner:
        """The township."""
        return Owner(str(self.town.id))

    @property
    def own(self) -> Owner:
        """The school of the leader."""
        return Owner(str(self.town.id), str(self.school.id))

    async def do(self, change: Change, actor: Actor | None = None) -> None:
        """Looks and saves."""
        actor = actor or self.admin
        seen = (await self.editing.preview(actor, change)).changes
        await self.editing.save(actor, change, seen)

    def again(self, tables: Mapping[int, YearTable] | None = None) -> Stage:
        """The same in another process, of a release with other tables."""
        return Stage(self.clock, Metrics(), self.town, self.school, self.other, self.admin, self.leader, tables)


def staff(role: Role, **grant: frozenset[str]) -> Actor:
    """As the identity provider would give them."""
    return Actor(
        roles=frozenset({role}),
        person_id="7f000000-0000-4000-8000-000000000001",
        grants=(Grant(role, **grant),),
        hat=Hat.STAFF,
        door=Door.CONSOLE,
    )


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Stage:
    """The services; the autumn term is stated."""
    town = await factories.make_township()
    school, other = (
        await factories.make_school(town, name="柳庄小学"),
        await factories.make_school(town, name="河口小学"),
    )
    admin = staff(Role.ADMINISTRATOR, townships=frozenset({str(town.id)}))
    leader = staff(Role.SCHOOL_LEADER, schools=frozenset({str(school.id)}))
    made = Stage(clock, metrics, town, school, other, admin, leader)
    await made.do(PutTerm(made.everywhere, AUTUMN))
    return made
