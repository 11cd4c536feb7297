"""The after-school service over all capabilities: a school with a plan, families with consent, and their staff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.chat import Assembly
from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.identity import Actor, Door, Grant, Hat, Role
from bot.storage.redis import RedisStore
from handlers.accounts.models import Pupil, School, SchoolClass, Township
from handlers.after_school.domain.offers import Grades, Hours, Window
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import ACTIVE, OCCUPYING, TRANSITIONS, EnrolmentState
from handlers.after_school.models import (
    AfterSchoolEnrolment,
    AfterSchoolEnrolmentEvent,
    AfterSchoolPool,
    AfterSchoolProgramme,
)
from handlers.after_school.service.leaving import LeavingService
from handlers.after_school.service.offers import OffersService, PlanDraft, PoolDraft, ProgrammeDraft
from handlers.after_school.service.reading import hours_of
from handlers.after_school.service.showing import ShowingService
from handlers.after_school.service.sign_up import SignUp, SignUpService, Wanted
from handlers.after_school.service.views import EnrolmentView
from handlers.calendar.domain import Term
from handlers.calendar.service.founding import put_calendar
from handlers.catalogue import CAPABILITIES
from handlers.consent.domain.decisions import Decision
from handlers.consent.service.consents import ConsentService
from handlers.consent.service.founding import MadeDecision, put_decisions
from tests import factories
from tests.handlers.console.stage import DrawingWeChat, machinery_of
from tests.settings import make_settings

# A Tuesday in term, at nine in the morning.
NOW = datetime(2026, 9, 8, 9, tzinfo=SHANGHAI)
FIRST, LAST = date(2026, 9, 14), date(2026, 12, 18)
S = EnrolmentState


def hours(days: str = "12345", start: str = "16:00", end: str = "17:20") -> Hours:
    return Hours(frozenset(map(int, days)), time.fromisoformat(start), time.fromisoformat(end))


def course(title: str, **values: Any) -> ProgrammeDraft:
    return ProgrammeDraft(**{"title": title, "grades": Grades(1, 9), "hours": hours(), **values})


def pool(title: str, places: int | None, **values: Any) -> PoolDraft:
    """One programme with places of its own."""
    return PoolDraft(title=title, places=places, programmes=(course(title, **values),))


class Stage:
    """One school; class 3(1) with as many families as wanted, each with one child and its own guardian."""

    def __init__(self, settings: Settings, store: RedisStore, clock: FrozenClock) -> None:
        url = settings.database.url.get_secret_value()
        self.clock = clock
        self.machinery = machinery_of(make_settings(database={"url": url}), store, clock, DrawingWeChat())
        self.assembly = Assembly(CAPABILITIES, self.machinery)
        get = self.machinery.services.get
        self.offers, self.signing = get(OffersService), get(SignUpService)
        self.leaving, self.showing, self.consents = get(LeavingService), get(ShowingService), get(ConsentService)
        self.guardians: list[Actor] = []
        self.children: list[Pupil] = []
        self.programmes: dict[str, str] = {}
        self.pools: dict[str, str] = {}
        self.plan_id, self.version = "", 0
        self.township: Township
        self.school: School
        self.room: SchoolClass
        self.head: Actor
        self.admin: Actor

    async def build(self, families: int = 0, **room: Any) -> Stage:
        """The place, its calendar and its staff."""
        self.clock.set(NOW)
        self.township = await factories.make_township()
        self.school = await factories.make_school(self.township)
        self.room = await factories.make_class(self.school, **room)
        await put_calendar(self.township.id, [Term(date(2026, 9, 1), date(2027, 1, 22), "秋季学期")], [], NOW)
        self.head = await self._staff(Grant(Role.HEAD_TEACHER, classes=frozenset({str(self.room.id)})))
        self.admin = await self._staff(Grant(Role.ADMINISTRATOR, townships=frozenset({str(self.township.id)})))
        for _ in range(families):
            await self.family()
        return self

    async def _staff(self, grant: Grant) -> Actor:
        person = await factories.make_person()
        roles, own = frozenset({grant.role}), str(person.id)
        return Actor(roles=roles, person_id=own, grants=(grant,), hat=Hat.STAFF, door=Door.CONSOLE)

    async def family(self, *others: Pupil, agreed: bool = True, room: SchoolClass | None = None) -> Actor:
        """A guardian of a new child, and of these others."""
        child, person = await factories.make_pupil(room or self.room), await factories.make_person()
        for each in (child, *others):
            await factories.make_guardianship(each, person)
        if agreed:
            decided = [MadeDecision(each.id, person.id, Decision.GIVEN) for each in (child, *others)]
            await put_decisions(decided, version=self.consents.notice.version, channel="chat", now=self.clock.now())
        wards = frozenset(str(each.id) for each in (child, *others))
        grant = Grant(Role.GUARDIAN, children=wards)
        actor = Actor(
            roles=frozenset({Role.GUARDIAN}),
            person_id=str(person.id),
            grants=(grant,),
            hat=Hat.GUARDIAN,
            door=Door.API,
            has_agreed=True,
        )
        self.guardians.append(actor)
        self.children.append(child)
        return actor

    # ------------------------------------------------------------------------------------------------------------ plans
    def draft(self, *pools: PoolDraft, **values: Any) -> PlanDraft:
        """Open since an hour ago, for two days."""
        fixed: dict[str, Any] = {
            "township_id": str(self.township.id),
            "school_id": str(self.school.id),
            "term": "2026年秋季学期",
            "title": "课后服务",
            "first_day": FIRST,
            "last_day": LAST,
            "window": Window(NOW - timedelta(hours=1), NOW + timedelta(days=2)),
            "pools": pools,
            "complaint_phone": "0527-12345",
        }
        return PlanDraft(**(fixed | values))

    async def publish(self, *pools: PoolDraft, **values: Any) -> None:
        """A plan that families see."""
        view = await self.offers.write(self.admin, self.draft(*pools, **values))
        view = await self.offers.publish(self.admin, view.id, view.version)
        self.plan_id, self.version = view.id, view.version
        for each in view.pools:
            self.pools[each.title] = each.id
            self.programmes |= {title: own for own, title in each.programmes}

    # --------------------------------------------------------------------------------------------------------- families
    def asked(self, number: int, title: str, **values: Any) -> SignUp:
        """What family `number` asks for."""
        wanted = (Wanted(str(self.children[number].id), self.programmes[title]),)
        return SignUp(**{"actor": self.guardians[number], "wanted": wanted, "source": Source.MINIPROGRAM, **values})

    async def sign_up(self, number: int, title: str, **values: Any) -> EnrolmentView:
        """One child."""
        return (await self.signing.sign_up(self.asked(number, title, **values)))[0]

    async def all_at_once(self, title: str, numbers: Collection[int]) -> Sequence[Any]:
        """In one transaction."""
        return await self.signing.sign_up_all([self.asked(number, title) for number in numbers])

    async def states(self, title: str) -> Mapping[str, int]:
        """How many there are in each state."""
        rows = await AfterSchoolEnrolment.filter(programme_id=self.programmes[title])
        return Counter(row.state.value for row in rows)

    async def state_of(self, view: EnrolmentView) -> EnrolmentState:
        """As it is in the database."""
        return (await AfterSchoolEnrolment.get(id=view.id)).state

    async def later(self, **values: Any) -> None:
        """Time passes, and the job runs."""
        self.clock.advance(timedelta(**values))
        await self.leaving.expire()


async def check(may_exceed: Collection[str] = (), plan_id: str | None = None) -> None:
    """What is true at any moment, of all plans or of one. `may_exceed`: pools whose places were cut."""
    among = {} if plan_id is None else {"plan_id": plan_id}
    rows = await AfterSchoolEnrolment.filter(**among)
    for one in await AfterSchoolPool.filter(**among):
        own = [row for row in rows if row.pool_id == one.id]
        assert one.taken == sum(row.state in OCCUPYING for row in own)
        assert one.waiting == sum(row.state is S.WAITLISTED for row in own)
        assert one.places is None or one.taken <= one.places or str(one.id) in may_exceed
        turns: dict[int, set[object]] = {}
        for row in own:
            turns.setdefault(row.turn, set()).add(row.party_id)
        assert all(len(parties) == 1 for parties in turns.values()), "two parties with one turn"
        assert all(row.turn < one.next_turn for row in own)
    alive = [(row.programme_id, row.pupil_id) for row in rows if row.state in ACTIVE]
    assert len(alive) == len(set(alive)), "a child twice"
    assert all((row.active_key is not None) == (row.state in ACTIVE) for row in rows)
    assert all((row.offered_until is not None) == (row.state is S.OFFERED) for row in rows)
    await _check_history(rows)
    await _check_clashes(rows)


async def _check_history(rows: Sequence[AfterSchoolEnrolment]) -> None:
    events: dict[object, list[AfterSchoolEnrolmentEvent]] = {}
    for event in await AfterSchoolEnrolmentEvent.filter(enrolment_id__in=[row.id for row in rows]):
        events.setdefault(event.enrolment_id, []).append(event)
    for row in rows:
        state: EnrolmentState | None = None
        left = list(events.get(row.id, ()))
        while left:
            event = next(each for each in left if each.from_state == state)
            left.remove(event)
            assert state is None or event.to_state in TRANSITIONS[state]
            state = event.to_state
        assert state is row.state, "the history does not end where the enrolment is"


async def _check_clashes(rows: Sequence[AfterSchoolEnrolment]) -> None:
    ids = list({row.programme_id for row in rows})
    programmes = {each.id: each for each in await AfterSchoolProgramme.filter(id__in=ids)}
    by_child: dict[object, list[Hours]] = {}
    for row in rows:
        if row.state is S.ENROLLED:
            by_child.setdefault(row.pupil_id, []).append(hours_of(programmes[row.programme_id]))
    for own in by_child.values():
        assert not any(one.clashes_with(other) for n, one in enumerate(own) for other in own[:n])
