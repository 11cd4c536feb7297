"""An after-school service that has gone on for some weeks in one class of the demo: rosters, leave, lessons of a month,
bills of which some are paid. Done through the services, at the moments at which people would have done it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.capability import Services
from bot.clock import SHANGHAI, FrozenClock
from bot.errors import AppError
from bot.identity import SYSTEM, Actor
from handlers.after_school.domain.days import Presence
from handlers.after_school.domain.fees import Fee, FeeBasis
from handlers.after_school.domain.offers import Grades, Hours, Window
from handlers.after_school.domain.plans import SettleBy
from handlers.after_school.domain.statements import ConsentHow, Source
from handlers.after_school.service.days.leave import LeaveService, NewLeave
from handlers.after_school.service.days.taking import AttendanceService, Handed
from handlers.after_school.service.months.bills import BillService
from handlers.after_school.service.months.sheets import MonthService
from handlers.after_school.service.offers import OffersService, PlanDraft, PoolDraft, ProgrammeDraft
from handlers.after_school.service.sign_up import SignUp, SignUpService, Wanted
from handlers.calendar.domain import SchoolCalendar
from handlers.calendar.service.calendars import CalendarService

_BEFORE: Final = timedelta(days=40)
_AHEAD: Final = timedelta(days=40)
# Over before any other course begins: whoever has it can sign up for everything else.
_HOURS: Final = Hours(frozenset({1, 2, 3, 4, 5}), time(15, 20), time(15, 55))
_TAKEN_AT: Final = time(15, 30)
_TITLE: Final = "放学看护"
_FEE: Final = Fee(FeeBasis.PER_LESSON, 200, "演示用的样例，不是任何县的文件")
_PREPAID: Final = 60_00
_FEW: Final = 3
"""Of so many one has not paid; so many children are on leave today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """Where it goes on: who runs it, and whose children it is for."""

    township_id: str
    school_id: str
    class_id: str
    grade: int
    head: Actor
    office: Actor
    children: Sequence[str]


async def evenings(get: Services, room: Class, clock: FrozenClock, begin: datetime, now: datetime) -> None:
    """Writes it down; `begin`: before this nobody had a charge. The clock is moved on until now."""
    today = now.astimezone(SHANGHAI).date()
    first = max(begin.astimezone(SHANGHAI).date(), today - _BEFORE)
    clock.set(max(begin, _at(first, time(7))))
    calendar = await get.get(CalendarService).of(room.school_id)
    plan_id, programme_id = await _offered(get, room, first, today)
    own = await _signed_up(get, room, programme_id)
    taking = get.get(AttendanceService)
    for number, day in enumerate(_lessons(calendar, first, today)):
        clock.set(_at(day, _TAKEN_AT))
        seen = {child: _seen(number, place) for place, child in enumerate(room.children)}
        await taking.take(room.head, Handed(programme_id=programme_id, day=day, class_id=room.class_id, presences=seen))
    clock.set(now)
    for child in room.children[:_FEW]:
        new = NewLeave(child_id=child, first_day=today, last_day=today, reason="去外婆家")
        await get.get(LeaveService).enter(room.head, new)
    for number, enrolment in enumerate(own):
        if number % _FEW:
            await get.get(BillService).pay(room.office, enrolment, _PREPAID, f"演示{number + 1:03}")
    await _shown(get, room, plan_id, first, today)


async def _offered(get: Services, room: Class, first: date, today: date) -> tuple[str, str]:
    offers, opens = get.get(OffersService), _at(first, time()) - timedelta(days=7)
    course = ProgrammeDraft(title=_TITLE, grades=Grades(room.grade, room.grade), hours=_HOURS, fee=_FEE)
    draft = PlanDraft(
        township_id=room.township_id,
        school_id=room.school_id,
        term=f"{today.year}年",
        title=_TITLE,
        first_day=first,
        last_day=today + _AHEAD,
        window=Window(opens, opens + timedelta(days=6)),
        pools=(PoolDraft(title=_TITLE, places=None, programmes=(course,)),),
        complaint_phone="0550-0000000",
        pick_up_point="校门口",
        settle_by=SettleBy.ATTENDED,
    )
    written = await offers.write(SYSTEM, draft)
    published = await offers.publish(SYSTEM, written.id, written.version)
    return published.id, published.pools[0].programmes[0][0]


async def _signed_up(get: Services, room: Class, programme_id: str) -> list[str]:
    """On paper, by the head teacher."""
    asked = [
        SignUp(
            actor=room.head,
            wanted=(Wanted(child, programme_id),),
            source=Source.PAPER,
            consent_how=ConsentHow.SIGNED_PAPER,
        )
        for child in room.children
    ]
    found = await get.get(SignUpService).sign_up_all(asked)
    return [each[0].id for each in found if not isinstance(each, AppError)]


async def _shown(get: Services, room: Class, plan_id: str, first: date, today: date) -> None:
    """The last whole month of it, to be filed."""
    last = today.replace(day=1) - timedelta(days=1)
    if first <= last:
        await get.get(MonthService).show(room.office, plan_id, f"{last.year:04}-{last.month:02}")


def _lessons(calendar: SchoolCalendar, first: date, today: date) -> list[date]:
    days = calendar.school_days(first, today - timedelta(days=1))
    return [day for day in days if day.isoweekday() in _HOURS.weekdays]


def _seen(number: int, place: int) -> Presence:
    """Somebody is away now and then, as at any school."""
    if (number + place) % 11 == 0:
        return Presence.LEAVE
    return Presence.LEFT_EARLY if (number * 3 + place) % 13 == 0 else Presence.HERE


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, SHANGHAI)
