"""What the made-up township offers after school: a programme for everybody, and courses at each of its schools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import SHANGHAI, Clock
from bot.demo_township.plan import SchoolPlan, TownshipPlan
from bot.identity import SYSTEM
from handlers.accounts.domain import LOWEST_GRADE, SchoolKind
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.marks import FamilyMarks
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.places import PlaceService
from handlers.after_school.domain.offers import Grades, Hours, Window
from handlers.after_school.domain.plans import Selection
from handlers.after_school.service.offers import OffersService, PlanDraft, PoolDraft, ProgrammeDraft
from handlers.after_school.service.waivers.rules import NewRule, WaiverRules
from handlers.calendar.service.calendars import CalendarService

_OPEN_SINCE: Final = timedelta(days=1)
_OPEN_FOR: Final = timedelta(days=60)
_GOES_ON: Final = timedelta(days=120)
_HIGHEST_GRADE: Final = 9
_PHONE: Final = "0550-0000000"
# After everything the schools have: whoever signs up for it has nothing else at that hour.
_LATE: Final = Hours(frozenset({5}), time(17, 40), time(18, 20))
_TUESDAY: Final = Hours(frozenset({2}), time(16), time(17, 20))
_THURSDAY: Final = Hours(frozenset({4}), time(16), time(17, 20))
_OTHER_DAYS: Final = Hours(frozenset({1, 3, 5}), time(16), time(17, 20))

# By the codes of the kinds of hardship that are shipped.
_WAIVED: Final = {"03": 100, "05": 100, "07": 100, "10": 50}
_SAMPLE: Final = "演示用的样例，不是任何县的文件"


async def put_plans(plan: TownshipPlan, ids: Mapping[str, UUID], clock: Clock) -> None:
    """Published and open, in the caller's transaction. The calendar of the township is there."""
    places = PlaceService()
    offers = OffersService(places, CalendarService(places), Audit(clock), clock)
    for draft in _drafts(plan, ids):
        written = await offers.write(SYSTEM, draft)
        await offers.publish(SYSTEM, written.id, written.version)


async def put_waiver_rules(plan: TownshipPlan, ids: Mapping[str, UUID], clock: Clock) -> None:
    """Samples, in the caller's transaction: no county's rules, and they say so."""
    rules = WaiverRules(Offices(clock), AccountsAudiences(), FamilyMarks(clock), audit=Audit(clock), clock=clock)
    for code, percent in _WAIVED.items():
        rule = NewRule(code=code, percent=percent, since=plan.today - _OPEN_FOR, clause=_SAMPLE)
        await rules.set(SYSTEM, str(ids[""]), rule)


def _drafts(plan: TownshipPlan, ids: Mapping[str, UUID]) -> Iterator[PlanDraft]:
    everybody = Grades(LOWEST_GRADE, _HIGHEST_GRADE)
    pools = tuple(
        PoolDraft(
            title=each.title,
            places=each.places,
            programmes=(ProgrammeDraft(title=each.title, grades=everybody, hours=_LATE),),
        )
        for each in plan.programmes
    )
    yield _draft(plan.today, str(ids[""]), None, f"{plan.name}课后服务", pools)
    for school in plan.schools:
        if school.kind is SchoolKind.SCHOOL:
            yield _draft(plan.today, str(ids[""]), str(ids[school.key]), f"{school.name}课后服务", _courses(school))


def _draft(today: date, township_id: str, school_id: str | None, title: str, pools: tuple[PoolDraft, ...]) -> PlanDraft:
    now = datetime.combine(today, time(), SHANGHAI)
    return PlanDraft(
        township_id=township_id,
        school_id=school_id,
        term=f"{today.year}年",
        title=title,
        first_day=today,
        last_day=today + _GOES_ON,
        window=Window(now - _OPEN_SINCE, now + _OPEN_FOR),
        pools=pools,
        complaint_phone=_PHONE,
        pick_up_point="校门口",
    )


def _courses(school: SchoolPlan) -> tuple[PoolDraft, ...]:
    grades = Grades(max(1, school.grades[0]), max(1, school.grades[1]))

    def course(title: str, hours: Hours, room: str, selection: Selection = Selection.FIRST_COME) -> ProgrammeDraft:
        return ProgrammeDraft(title=title, grades=grades, hours=hours, room=room, selection=selection)

    return (
        PoolDraft(title="作业辅导", places=None, programmes=(course("作业辅导", _OTHER_DAYS, "各班教室"),)),
        PoolDraft(title="围棋", places=20, programmes=(course("围棋", _TUESDAY, "活动室"),)),
        PoolDraft(title="书法", places=24, programmes=(course("书法", _TUESDAY, "书法教室", Selection.DRAW),)),
        PoolDraft(
            title="操场",
            places=30,
            programmes=(course("篮球", _THURSDAY, "操场"), course("跳绳", _THURSDAY, "操场")),
        ),
    )
