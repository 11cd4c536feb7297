"""Month's lists and bills over a real database; a small term in which every figure is worked out a second time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Collection
from datetime import date, timedelta

import pytest
from tortoise.exceptions import IntegrityError

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.metrics import Metrics
from bot.storage.database import Database
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.after_school.domain.bills import NothingToRefund, PaymentKind, TermNotOver
from handlers.after_school.domain.days import Presence
from handlers.after_school.domain.fees import FeeBasis
from handlers.after_school.domain.months import (
    MonthFiled,
    MonthNotOver,
    MonthNotShown,
    MonthState,
    ObjectionsOpen,
)
from handlers.after_school.domain.plans import SettleBy
from handlers.after_school.models import (
    AfterSchoolAttendance,
    AfterSchoolBill,
    AfterSchoolEnrolment,
    AfterSchoolMonth,
    AfterSchoolPayment,
    AfterSchoolPlan,
    AfterSchoolProgramme,
    AfterSchoolSession,
)
from handlers.after_school.service.days.taking import Handed
from handlers.after_school.service.months.bills import BillService, NoWaivers, totals
from handlers.after_school.service.months.sheets import MonthService
from tests.handlers.after_school.days_stage import (
    FIRST,
    LAST,
    TUESDAY,
    Replica,
    Service,
    at,
    make_service,
    replica,
    withdraw,
)

H = Presence.HERE
MONTH = "2026-09"


class Waivers:
    """The second child pays half, the third nothing."""

    def __init__(self, service: Service) -> None:
        self.of = {str(service.children[1].id): 50, str(service.children[2].id): 100}

    async def percent_of(self, pupil_ids: Collection[str], first_day: date, last_day: date) -> dict[str, int]:
        """As the protocol says."""
        return {child: percent for child, percent in self.of.items() if child in pupil_ids}


@pytest.fixture
def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Replica:
    return replica(clock, metrics)


@pytest.fixture
async def service(database: Database, clock: FrozenClock) -> Service:
    return await make_service(clock)


@pytest.fixture
def months(database: Database, clock: FrozenClock) -> MonthService:
    return MonthService(Offices(clock), Audit(clock), clock)


def bills_of(stage: Replica, service: Service, *, waived: bool = False) -> BillService:
    clock, waivers = service.clock, Waivers(service) if waived else NoWaivers()
    return BillService(stage.reading, AccountsAudiences(), waivers, audit=Audit(clock), clock=clock)


async def held(stage: Replica, service: Service, *days: date, **others: Presence) -> None:
    """The drawing course on these days, taken by its teacher."""
    drawer = await service.actor(service.drawer)
    for day in days:
        service.clock.set(at(day, 17))
        said = {**{str(child.id): H for child in service.children}, **service.all_here(**others)}
        await stage.taking.take(drawer, Handed(programme_id=str(service.course.id), day=day, presences=said))


THURSDAY = TUESDAY + timedelta(days=2)


# -------------------------------------------------------------------------------------------------------------- months
async def test_a_month_is_shown_objected_to_answered_and_filed(
    stage: Replica, service: Service, months: MonthService, clock: FrozenClock
) -> None:
    await held(stage, service, TUESDAY, THURSDAY)
    leader, drawer = await service.actor(service.leader), await service.actor(service.drawer)
    plan = str(service.plan.id)
    with pytest.raises(MonthNotOver):
        await months.show(leader, plan, MONTH)
    clock.set(at(date(2026, 9, 30), 18))
    assert await months.show(leader, plan, MONTH) == 1
    assert await months.show(leader, plan, MONTH) == 0, "the same list is not shown twice"
    [sheet] = await months.sheets(drawer, plan, MONTH)
    assert (sheet.state, sheet.band, [(line.teacher, line.lessons) for line in sheet.lines]) == (
        MonthState.SHOWN, "1-6", [(str(service.drawer.id), 2)],
    )  # fmt: skip
    await months.object(drawer, plan, MONTH, "1-6", "9月15日我也上了课")
    with pytest.raises(ObjectionsOpen):
        await months.file(leader, plan, MONTH, "1-6")
    await held(stage, service, date(2026, 9, 15))
    clock.set(at(date(2026, 10, 9), 9))
    [sheet] = await months.sheets(leader, plan, MONTH)
    assert (sheet.state, sheet.is_changed) == (MonthState.OBJECTED, True)
    await months.answer(leader, plan, sheet.objections[0].id, "已补记，谢谢")
    with pytest.raises(MonthNotShown):
        await months.file(leader, plan, MONTH, "1-6")
    assert await months.show(leader, plan, MONTH) == 1
    await months.file(leader, plan, MONTH, "1-6")
    [sheet] = await months.sheets(drawer, plan, MONTH)
    assert (sheet.state, sheet.lines[0].lessons) == (MonthState.FILED, 3)
    assert [row.number for row in await AfterSchoolMonth.all().order_by("number")] == [1, 2, 3]


async def test_after_filing_no_lesson_of_the_month_comes_or_goes_but_attendance_is_corrected(
    stage: Replica, service: Service, months: MonthService, clock: FrozenClock
) -> None:
    await held(stage, service, TUESDAY)
    leader, plan = await service.actor(service.leader), str(service.plan.id)
    clock.set(at(date(2026, 10, 9), 9))
    await months.show(leader, plan, MONTH)
    await months.file(leader, plan, MONTH, "1-6")
    drawer = await service.actor(service.drawer)
    everybody = {str(child.id): H for child in service.children}
    late = Handed(programme_id=str(service.course.id), day=THURSDAY, presences=everybody)
    with pytest.raises(MonthFiled):
        await stage.taking.take(drawer, late)
    with pytest.raises(MonthFiled):
        await stage.taking.call_off(drawer, Handed(programme_id=str(service.course.id), day=TUESDAY), "")
    with pytest.raises(MonthFiled):
        await months.object(drawer, plan, MONTH, "1-6", "还有一节没算")
    early = everybody | {str(service.children[0].id): Presence.LEFT_EARLY}
    corrected = Handed(programme_id=str(service.course.id), day=TUESDAY, presences=early)
    assert (await stage.taking.take(drawer, corrected)).changed == 1
    with pytest.raises(MonthFiled):
        await months.file(leader, plan, MONTH, "1-6")


async def test_lists_are_seen_within_the_band_and_by_the_school(
    stage: Replica, service: Service, months: MonthService, clock: FrozenClock
) -> None:
    await held(stage, service, TUESDAY)
    plan = str(service.plan.id)
    other = await make_service(clock)
    for person in (other.leader, other.drawer, other.admin):
        with pytest.raises(NotFound):
            await months.sheets(await other.actor(person), plan, MONTH)
    with pytest.raises(NotFound):
        await months.sheets(await service.actor(service.head), plan, MONTH)
    with pytest.raises(NotPermitted):
        await months.show(await service.actor(service.drawer), plan, MONTH)
    assert len(await months.sheets(await service.actor(service.admin), plan, MONTH)) == 1


# --------------------------------------------------------------------------------------------------------------- bills
async def test_a_bill_is_settled_once_and_the_surplus_goes_back_once(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    await held(stage, service, TUESDAY, THURSDAY, child_0=Presence.LEAVE)
    bills, leader, plan = bills_of(stage, service), await service.actor(service.leader), str(service.plan.id)
    rows = await AfterSchoolEnrolment.filter(programme_id=service.course.id)
    own = next(str(row.id) for row in rows if row.pupil_id == service.children[1].id)
    assert await bills.pay(leader, own, 10_000, "20260910-1")
    assert not await bills.pay(leader, own, 10_000, "20260910-1"), "entered twice it is one"
    with pytest.raises(TermNotOver):
        await bills.settle(leader, plan)
    with pytest.raises(NothingToRefund):
        await bills.refund(leader, own)
    clock.set(at(LAST + timedelta(days=1), 9))
    assert await bills.settle(leader, plan) == 8
    assert await bills.settle(leader, plan) == 0, "settled twice is settled once"
    assert await bills.refund(leader, own) == 10_000 - 2 * 300
    with pytest.raises(NothingToRefund):
        await bills.refund(leader, own)
    [mine] = [each for each in await bills.own(await service.actor(service.mothers[1])) if each.enrolment_id == own]
    assert (mine.settlement.charge.due_fen, mine.settlement.paid_fen, mine.settlement.refund_fen) == (600, 600, 0)
    absent = [each for each in await bills.bills(leader, plan) if each.child_id == str(service.children[0].id)]
    assert [each.settlement.charge.due_fen for each in absent] == [0, 0]
    assert await AuditRow.filter(action="service.settle", purpose="refunded").count() == 1


async def test_a_correction_after_settling_makes_a_new_bill_beside_the_old(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    await held(stage, service, TUESDAY)
    bills, leader, plan = bills_of(stage, service), await service.actor(service.leader), str(service.plan.id)
    clock.set(at(LAST + timedelta(days=1), 9))
    await bills.settle(leader, plan)
    await AfterSchoolAttendance.filter(pupil_id=service.children[0].id).update(presence=Presence.LEAVE)
    assert await bills.settle(leader, plan) == 1
    own = await AfterSchoolEnrolment.get(programme_id=service.course.id, pupil_id=service.children[0].id)
    rows = await AfterSchoolBill.filter(enrolment_id=own.id).order_by("number")
    assert [(row.number, row.attended) for row in rows] == [(1, 1), (2, 0)]


async def test_who_leaves_early_is_settled_early_for_the_lessons_until_then(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    await AfterSchoolPlan.filter(id=service.plan.id).update(settle_by=SettleBy.HELD)
    await AfterSchoolProgramme.filter(id=service.course.id).update(fee_basis=FeeBasis.PER_TERM, fee_fen=30_000)
    await held(stage, service, TUESDAY, THURSDAY)
    row = await AfterSchoolEnrolment.get(programme_id=service.course.id, pupil_id=service.children[0].id)
    clock.set(at(THURSDAY + timedelta(days=1), 9))
    await withdraw(row, clock.now())
    await held_without(stage, service, date(2026, 9, 15))
    bills, leader = bills_of(stage, service), await service.actor(service.leader)
    assert await bills.settle(leader, str(service.plan.id)) == 1
    bill = await AfterSchoolBill.get()
    assert (bill.enrolment_id, bill.held) == (row.id, 2)
    [view] = await bills.own(await service.actor(service.mothers[0]))
    assert view.settlement.charge.due_fen == 30_000 * 2 // bill.planned


async def held_without(stage: Replica, service: Service, day: date) -> None:
    """The course without the first child, who has left it."""
    service.clock.set(at(day, 17))
    said = {str(child.id): H for child in service.children[1:]}
    handed = Handed(programme_id=str(service.course.id), day=day, presences=said)
    await stage.taking.take(await service.actor(service.drawer), handed)


async def test_amounts_are_for_who_decides_and_for_the_family(stage: Replica, service: Service) -> None:
    bills, plan = bills_of(stage, service), str(service.plan.id)
    for person in (service.head, service.drawer, service.duty):
        with pytest.raises(NotPermitted):
            await bills.bills(await service.actor(person), plan)
    other = await make_service(service.clock)
    with pytest.raises(NotFound):
        await bills.bills(await other.actor(other.leader), plan)
    assert await bills.own(await other.actor(other.mothers[0])) == []


@pytest.mark.engine("postgres")
async def test_two_who_pay_back_at_once_pay_once(stage: Replica, service: Service, clock: FrozenClock) -> None:
    await held(stage, service, TUESDAY)
    bills, leader = bills_of(stage, service), await service.actor(service.leader)
    row = await AfterSchoolEnrolment.get(programme_id=service.course.id, pupil_id=service.children[0].id)
    await bills.pay(leader, str(row.id), 10_000, "1")
    clock.set(at(LAST + timedelta(days=1), 9))
    settled = await asyncio.gather(*(bills.settle(leader, str(service.plan.id)) for _ in range(4)))
    assert sorted(settled) == [0, 0, 0, 8]
    tried = await asyncio.gather(*(bills.refund(leader, str(row.id)) for _ in range(4)), return_exceptions=True)
    assert sorted(str(type(each).__name__) for each in tried) == ["NothingToRefund"] * 3 + ["int"]


async def test_without_the_lock_the_surplus_would_go_back_twice(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    """The negative control of the one above: a surplus read before another has paid it back is out of date, and the
    reference by which a bill is paid back once is the last line."""
    await held(stage, service, TUESDAY)
    bills, leader = bills_of(stage, service), await service.actor(service.leader)
    row = await AfterSchoolEnrolment.get(programme_id=service.course.id, pupil_id=service.children[0].id)
    await bills.pay(leader, str(row.id), 10_000, "1")
    clock.set(at(LAST + timedelta(days=1), 9))
    await bills.settle(leader, str(service.plan.id))
    bill = await AfterSchoolBill.get(enrolment_id=row.id)
    surplus, now = 10_000 - 300, clock.now()
    assert await bills.refund(leader, str(row.id)) == surplus

    async def careless(reference: str) -> None:
        await AfterSchoolPayment.create(
            plan_id=row.plan_id, enrolment_id=row.id, kind=PaymentKind.REFUNDED, amount_fen=str(surplus), at=now,
            reference=reference, created_at=now, updated_at=now,
        )  # fmt: skip

    with pytest.raises(IntegrityError):
        await careless(f"back:{bill.id}")
    await careless("back:otherwise")
    [view] = [each for each in await bills.bills(leader, str(service.plan.id)) if each.enrolment_id == str(row.id)]
    assert view.settlement.paid_fen == 300 - surplus, "more has gone back than ever came"


# --------------------------------------------------------------------------------------------------- a term, re-derived
@pytest.mark.slow
@pytest.mark.parametrize("rule", list(SettleBy))
async def test_every_figure_of_a_term_can_be_worked_out_a_second_time(
    stage: Replica, service: Service, months: MonthService, rule: SettleBy
) -> None:
    """The course and the class in care for a whole term, with leave, early collection, a missing child, a lesson called
    off, a substitute and a child that leaves: then each figure is counted again from what happened, by other code."""
    clock, chance = service.clock, random.Random(7)
    await AfterSchoolPlan.filter(id=service.plan.id).update(settle_by=rule)
    drawer, leader = await service.actor(service.drawer), await service.actor(service.leader)
    days = await stage.reading.lesson_days(service.plan, service.course)
    happened: dict[date, dict[str, Presence]] = {}
    gave: Counter[tuple[str, str]] = Counter()
    left_on = days[9]
    leaver = await AfterSchoolEnrolment.get(programme_id=service.course.id, pupil_id=service.children[3].id)
    for number, day in enumerate(days):
        clock.set(at(day, 10))
        if day == left_on:
            await withdraw(leaver, clock.now())
        clock.set(at(day, 17))
        if number == 4:
            await stage.taking.call_off(drawer, Handed(programme_id=str(service.course.id), day=day), "下雪")
            continue
        present = service.children[: 4 if day < left_on else 3]
        said = {str(child.id): chance.choice([H, H, H, Presence.LEFT_EARLY, Presence.LEAVE]) for child in present}
        if number == 6:
            said[str(service.children[0].id)] = Presence.MISSING
        who, is_other = (leader, True) if number % 7 == 3 else (drawer, False)
        handed = Handed(programme_id=str(service.course.id), day=day, presences=said, i_gave=is_other)
        await stage.taking.take(who, handed)
        happened[day] = said
        gave[f"{day:%Y-%m}", who.person_id or ""] += 1
    clock.set(at(LAST + timedelta(days=1), 9))

    counted: Counter[tuple[str, str]] = Counter()
    for month in sorted({f"{day:%Y-%m}" for day in days}):
        await months.show(leader, str(service.plan.id), month)
        await months.file(leader, str(service.plan.id), month, "1-6")
        for sheet in await months.sheets(leader, str(service.plan.id), month):
            counted.update({(month, line.teacher): line.lessons for line in sheet.lines})
    assert counted == gave
    assert sum(counted.values()) == await AfterSchoolSession.filter(is_held=True).count() == len(days) - 1

    bills = bills_of(stage, service, waived=True)
    rows = await AfterSchoolEnrolment.filter(programme_id=service.course.id)
    for row in rows:
        await bills.pay(leader, str(row.id), 7_000, str(row.id))
    await bills.settle(leader, str(service.plan.id))
    views = {
        each.child_id: each for each in await bills.bills(leader, str(service.plan.id)) if each.programme == "画画"
    }
    for child, percent in zip(service.children, (0, 50, 100, 0), strict=True):
        own = str(child.id)
        until = left_on if child is service.children[3] else LAST + timedelta(days=1)
        lessons = {
            SettleBy.PLANNED: sum(day < until for day in days),
            SettleBy.HELD: sum(own in said for said in happened.values()),
            SettleBy.ATTENDED: sum(said.get(own) in (H, Presence.LEFT_EARLY) for said in happened.values()),
        }[rule]
        due = lessons * 300 - -(-lessons * 300 * percent // 100)
        settlement = views[own].settlement
        assert (settlement.charge.due_fen, settlement.refund_fen, settlement.open_fen) == (
            due, max(0, 7_000 - due), max(0, due - 7_000),
        )  # fmt: skip
        if settlement.refund_fen:
            assert await bills.refund(leader, views[own].enrolment_id) == 7_000 - due
    after = totals([each for each in await bills.bills(leader, str(service.plan.id)) if each.programme == "画画"])
    assert after.paid_fen == sum(min(7_000, each.settlement.charge.due_fen) for each in views.values())
    assert (after.refund_fen, after.bills) == (0, 4)
    assert await AfterSchoolPayment.all().count() > len(rows)
    assert days[0] >= FIRST
