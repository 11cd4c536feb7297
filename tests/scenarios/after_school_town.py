"""A town whose school offers courses, for the stories of the after-school service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from bot.app import ASSEMBLY
from bot.capability import Machinery
from bot.identity import Actor, Door, Grant, Hat, Role
from handlers.accounts.models import Person, Pupil, School, SchoolClass
from handlers.after_school.domain.fees import Fee, FeeBasis
from handlers.after_school.domain.offers import Grades, Window
from handlers.after_school.domain.plans import Selection
from handlers.after_school.service.leaving import LeavingService
from handlers.after_school.service.offers import OffersService, PlanDraft, PoolDraft
from handlers.calendar.domain import Term
from handlers.calendar.service.founding import put_calendar
from handlers.consent.domain.decisions import Decision
from handlers.consent.service.consents import ConsentService
from handlers.consent.service.founding import MadeDecision, put_decisions
from tests import factories
from tests.handlers.after_school.stage import course, hours, pool
from tests.town import OTHER_PARENT, PARENT, Town

CLAUSE = "县发改〔2026〕1号第3条"


@dataclass
class Place:
    """Class 3(1): 林安 with 林小禾, 周远 with 周小川; a plan with three courses."""

    town: Town
    school: School
    room: SchoolClass
    mother: Person
    child: Pupil
    other: Pupil
    admin: Actor

    @property
    def machinery(self) -> Machinery:
        """What the services of the running application are built from."""
        found: Machinery = vars(self.town.app[ASSEMBLY])["_machinery"]
        return found

    async def agree(self, *pairs: tuple[Pupil, Person]) -> None:
        """The families agree to signing up online."""
        consents = self.machinery.services.get(ConsentService)
        decided = [MadeDecision(child.id, person.id, Decision.GIVEN) for child, person in pairs]
        await put_decisions(decided, version=consents.notice.version, channel="chat", now=self.town.clock.now())

    async def publish(self, *pools: PoolDraft, **values: Any) -> str:
        """A plan that is open since an hour ago, for two days; gives its id."""
        now, offers = self.town.clock.now(), self.machinery.services.get(OffersService)
        fixed: dict[str, Any] = {
            "township_id": str(self.school.township_id),
            "school_id": str(self.school.id),
            "term": "2026年秋季学期",
            "title": "课后服务",
            "first_day": date(2026, 9, 1),
            "last_day": date(2026, 12, 18),
            "complaint_phone": "0555-6210000",
            "window": Window(now - timedelta(hours=1), now + timedelta(days=2)),
            "pools": pools,
        }
        view = await offers.write(self.admin, PlanDraft(**(fixed | values)))
        return (await offers.publish(self.admin, view.id, view.version)).id

    @property
    def leaving(self) -> LeavingService:
        """Of the running application."""
        return self.machinery.services.get(LeavingService)

    async def said(self, word: str, openid: str = PARENT) -> str:
        """What somebody reads after a word."""
        reply = await self.town.person(openid).says(word)
        assert reply is not None
        assert len(reply.encode()) <= 2048
        return reply


def courses() -> tuple[PoolDraft, ...]:
    """Football with a fee, chess with one place, drawing by draw."""
    fee = Fee(FeeBasis.PER_TERM, 30_000, CLAUSE)
    return (
        pool("篮球", 20, fee=fee, hours=hours("13"), room="操场", pick_up_point="南门"),
        pool("围棋", 1, hours=hours("24"), grades=Grades(2, 4)),
        pool("画画", 5, hours=hours("5"), selection=Selection.DRAW),
        PoolDraft(title="初中", places=5, programmes=(course("机器人", grades=Grades(7, 9)),)),
    )


async def place_of(town: Town) -> Place:
    """Without a plan yet; both families have agreed."""
    school = await factories.make_school(name="柳河小学")
    room = await factories.make_class(school, grade=3, number=1)
    mother, father = await factories.make_person(name="林安"), await factories.make_person(name="周远")
    child, other = await factories.make_pupil(room, name="林小禾"), await factories.make_pupil(room, name="周小川")
    await factories.make_guardianship(child, mother)
    await factories.make_guardianship(other, father)
    await factories.make_identity(PARENT, mother)
    await factories.make_identity(OTHER_PARENT, father)
    term = Term(date(2026, 9, 1), date(2027, 1, 22), "秋季学期")
    await put_calendar(school.township_id, [term], [], town.clock.now())
    admin = await factories.make_person(name="何主任")
    grant = Grant(Role.ADMINISTRATOR, townships=frozenset({str(school.township_id)}))
    actor = Actor(
        roles=frozenset({Role.ADMINISTRATOR}),
        person_id=str(admin.id),
        grants=(grant,),
        hat=Hat.STAFF,
        door=Door.CONSOLE,
    )
    place = Place(town, school, room, mother, child, other, actor)
    await place.agree((child, mother), (other, father))
    return place
