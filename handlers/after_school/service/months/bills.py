"""What families owe in the end: counted from rows by the plan's rule, settled, paid and given back, to the fen."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.after_school.domain.bills import (
    Lessons,
    NothingToRefund,
    PaymentKind,
    TermNotOver,
    Waived,
    balance,
    lessons_of,
    settlement_of,
)
from handlers.after_school.domain.days import ATTENDED
from handlers.after_school.domain.fees import Charge, Fee, FeeBasis, Settlement
from handlers.after_school.domain.plans import FeePayer, PlanState
from handlers.after_school.domain.states import ACTIVE
from handlers.after_school.models import (
    AfterSchoolAttendance,
    AfterSchoolBill,
    AfterSchoolEnrolment,
    AfterSchoolPayment,
    AfterSchoolPlan,
    AfterSchoolProgramme,
    AfterSchoolSession,
)
from handlers.after_school.service.days.reading import DayReading, place_of, spans_of
from handlers.after_school.service.months.plans import plan_of
from handlers.after_school.service.months.views import BillView, Totals


class NoWaivers:
    """Nobody pays less: a `Waived` for where there are no waivers."""

    async def percent_of(self, pupil_ids: Collection[str], first_day: date, last_day: date) -> Mapping[str, int]:
        """See `Waived`."""
        return {}


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one sign-up: what was counted, what is waived, and what comes of it."""

    lessons: Lessons
    percent: int
    settlement: Settlement


@dataclass(frozen=True, slots=True)
class Counts:
    """Of each sign-up that had a place: its lessons, and what is with the school."""

    lessons: Mapping[UUID, Lessons]
    paid: Mapping[UUID, int]


class BillService:
    """The use cases of the school, which settles, and of families, who see their own."""

    def __init__(
        self, reading: DayReading, audiences: AccountsAudiences, waived: Waived, *, audit: Audit, clock: Clock
    ) -> None:
        self._reading = reading
        self._audiences = audiences
        self._waived = waived
        self._audit = audit
        self._clock = clock

    # ---------------------------------------------------------------------------------------------------- the school
    async def bills(self, actor: Actor, plan_id: str) -> list[BillView]:
        """What every family of a plan would owe if nothing more happened; written down as read. Raises NotFound."""
        plan = await plan_of(actor, Action.SERVICE_SETTLE, plan_id)
        async with transaction():
            found = await self._bills(plan, await _enrolments(plan))
            about = f"after_school_plan:{plan.id}"
            fields = ["name", "amounts"]
            await self._audit.record(actor, Action.SERVICE_SETTLE, about, whose=place_of(plan), fields=fields)
        return found

    async def settle(self, actor: Actor, plan_id: str) -> int:
        """Writes down what is owed for every sign-up that is over; gives how many bills are new or different. Settled
        twice is settled once. Raises NotFound, TermNotOver when none is over."""
        plan = await plan_of(actor, Action.SERVICE_SETTLE, plan_id)
        async with transaction():
            await AfterSchoolPlan.filter(id=plan.id).select_for_update().first()
            over = [each for each in await self._bills(plan, await _enrolments(plan)) if each.is_over]
            if not over:
                raise TermNotOver
            changed = await self._write(actor, plan, over)
            about = f"after_school_plan:{plan.id}"
            await self._audit.record(actor, Action.SERVICE_SETTLE, about, whose=place_of(plan), purpose="settle")
        return changed

    async def pay(self, actor: Actor, enrolment_id: str, amount_fen: int, reference: str) -> bool:
        """Money came in; False when this was entered before. Raises NotFound."""
        row = await self._enrolment(actor, enrolment_id)
        return await self._book(actor, row, PaymentKind.PAID, amount_fen, f"paid:{reference}"[:64])

    async def refund(self, actor: Actor, enrolment_id: str) -> int:
        """The surplus of the last bill has gone back to the family; gives how much. Raises NotFound,
        NothingToRefund."""
        row = await self._enrolment(actor, enrolment_id)
        async with transaction():
            bill = await AfterSchoolBill.filter(enrolment_id=row.id).order_by("-number").select_for_update().first()
            paid = (await _paid([row.id])).get(row.id, 0)
            surplus = paid - _due(bill) if bill is not None else 0
            if bill is None or surplus <= 0:
                raise NothingToRefund
            reference = f"back:{bill.id}"
            if not await self._book(actor, row, PaymentKind.REFUNDED, surplus, reference):
                raise NothingToRefund
        return surplus

    async def _enrolment(self, actor: Actor, enrolment_id: str) -> AfterSchoolEnrolment:
        row = await AfterSchoolEnrolment.filter(id=enrolment_id).first()
        if row is None:
            raise refusal(NotFound(), actor, Action.SERVICE_SETTLE, None)
        await plan_of(actor, Action.SERVICE_SETTLE, str(row.plan_id))
        return row

    async def _book(
        self, actor: Actor, row: AfterSchoolEnrolment, kind: PaymentKind, amount_fen: int, reference: str
    ) -> bool:
        now = self._clock.now()
        async with transaction():
            _, is_new = await AfterSchoolPayment.get_or_create(
                reference=reference,
                defaults={
                    "id": uuid4(),
                    "plan_id": row.plan_id,
                    "enrolment_id": row.id,
                    "kind": kind,
                    "amount_fen": str(amount_fen),
                    "entered_by": UUID(actor.person_id) if actor.person_id else None,
                    "at": now,
                    "created_at": now,
                    "updated_at": now,
                },
            )
            if is_new:
                about = f"after_school_enrolment:{row.id}"
                await self._audit.record(actor, Action.SERVICE_SETTLE, about, purpose=kind.value)
        return is_new

    # -------------------------------------------------------------------------------------------------------- families
    async def own(self, actor: Actor) -> list[BillView]:
        """The settled bills of the actor's children, as they were settled, the latest first."""
        reach = require(actor, Action.SERVICE_BILL)
        rows = await AfterSchoolEnrolment.filter(pupil_id__in=[UUID(each) for each in reach.children])
        found = []
        plans = {row.id: row for row in await AfterSchoolPlan.filter(id__in=list({each.plan_id for each in rows}))}
        for plan in plans.values():
            views = await self._bills(plan, [row for row in rows if row.plan_id == plan.id], as_settled=True)
            found += [view for view in views if view.settled_at is not None]
        return sorted(found, key=lambda each: (each.settled_at, each.enrolment_id), reverse=True)

    # -------------------------------------------------------------------------------------------------------- inside
    async def _bills(
        self, plan: AfterSchoolPlan, rows: Sequence[AfterSchoolEnrolment], *, as_settled: bool = False
    ) -> list[BillView]:
        """Of all sign-ups that had a place once; `as_settled`: by the last bill where there is one."""
        programmes = {
            row.id: row
            for row in await AfterSchoolProgramme.filter(plan_id=plan.id)
            if row.fee_payer is FeePayer.FAMILY and row.fee_basis is not FeeBasis.FREE
        }
        charged = [row for row in rows if row.programme_id in programmes]
        pupils = {str(row.pupil_id) for row in charged}
        counts = await self._counts(plan, programmes, charged)
        wards = await self._audiences.children(pupils)
        percents = await self._waived.percent_of(pupils, plan.first_day, plan.last_day)
        settled = await _settled([row.id for row in charged])
        ended = plan.state is PlanState.CLOSED or plan.last_day < local_date(self._clock.now())
        found = []
        for row in charged:
            if row.id not in counts.lessons:
                continue
            programme, bill, paid = programmes[row.programme_id], settled.get(row.id), counts.paid.get(row.id, 0)
            figures = _counted(plan, programme, counts.lessons[row.id], (percents.get(str(row.pupil_id), 0), paid))
            if bill is not None and as_settled:
                figures = _kept(bill, paid)
            view = _view(plan, row, programme, (wards.get(str(row.pupil_id)), figures))
            settled_at = bill.settled_at if bill else None
            found.append(replace(view, is_over=ended or row.state not in ACTIVE, settled_at=settled_at))
        return sorted(found, key=lambda each: (each.class_name, each.child, each.programme, each.enrolment_id))

    async def _counts(
        self,
        plan: AfterSchoolPlan,
        programmes: Mapping[UUID, AfterSchoolProgramme],
        rows: Sequence[AfterSchoolEnrolment],
    ) -> Counts:
        planned = {own: await self._reading.lesson_days(plan, row) for own, row in programmes.items()}
        sessions = await AfterSchoolSession.filter(plan_id=plan.id, is_held=True)
        by_id = {row.id: row for row in sessions}
        held: dict[tuple[UUID, UUID | None], set[date]] = defaultdict(set)
        for session in sessions:
            held[session.programme_id, session.class_id].add(session.day)
        own_ids = [row.id for row in rows]
        attended: dict[UUID, set[date]] = defaultdict(set)
        rooms: dict[UUID, set[UUID | None]] = defaultdict(set)
        for mark in await AfterSchoolAttendance.filter(enrolment_id__in=own_ids, session_id__in=list(by_id)):
            session = by_id[mark.session_id]
            rooms[mark.enrolment_id].add(session.class_id)
            if mark.presence in ATTENDED:
                attended[mark.enrolment_id].add(session.day)
        spans = await spans_of(own_ids)
        lessons = {
            row.id: lessons_of(
                spans[row.id],
                planned[row.programme_id],
                set().union(*(held[row.programme_id, room] for room in rooms[row.id] | {None})),
                attended[row.id],
            )
            for row in rows
            if row.id in spans
        }
        return Counts(lessons, await _paid(own_ids))

    async def _write(self, actor: Actor, plan: AfterSchoolPlan, bills: Sequence[BillView]) -> int:
        known = await _settled([UUID(each.enrolment_id) for each in bills])
        now, today = self._clock.now(), local_date(self._clock.now())
        rows = []
        for view in bills:
            own = UUID(view.enrolment_id)
            before, amounts = known.get(own), _amounts(view.settlement.charge)
            same = (view.lessons, str(view.waived_percent), amounts)
            if before is not None and _as_tuple(before) == same:
                continue
            rows.append(
                AfterSchoolBill(
                    id=uuid4(), plan_id=plan.id, enrolment_id=own, number=before.number + 1 if before else 1,
                    through=min(today, plan.last_day), settle_by=plan.settle_by,
                    planned=view.lessons.planned, own=view.lessons.own, held=view.lessons.held,
                    attended=view.lessons.attended, waived_percent=str(view.waived_percent),
                    amounts=amounts, settled_by=UUID(actor.person_id) if actor.person_id else None, settled_at=now,
                    created_at=now, updated_at=now,
                )
            )  # fmt: skip
        if rows:
            await AfterSchoolBill.bulk_create(rows)
        return len(rows)


def totals(bills: Sequence[BillView]) -> Totals:
    """Of all of them."""
    parts = [each.settlement for each in bills]
    return Totals(
        len(parts),
        sum(each.charge.due_fen for each in parts),
        sum(each.paid_fen for each in parts),
        sum(each.refund_fen for each in parts),
        sum(each.open_fen for each in parts),
    )


async def _enrolments(plan: AfterSchoolPlan) -> list[AfterSchoolEnrolment]:
    return await AfterSchoolEnrolment.filter(plan_id=plan.id)


async def _paid(enrolment_ids: Collection[UUID]) -> dict[UUID, int]:
    found: dict[UUID, list[tuple[PaymentKind, int]]] = defaultdict(list)
    for row in await AfterSchoolPayment.filter(enrolment_id__in=list(enrolment_ids)):
        found[row.enrolment_id].append((row.kind, int(row.amount_fen or 0)))
    return {own: balance(payments) for own, payments in found.items()}


async def _settled(enrolment_ids: Collection[UUID]) -> dict[UUID, AfterSchoolBill]:
    """The last bill of each."""
    rows = await AfterSchoolBill.filter(enrolment_id__in=list(enrolment_ids)).order_by("number")
    return {row.enrolment_id: row for row in rows}


def _counted(
    plan: AfterSchoolPlan, programme: AfterSchoolProgramme, lessons: Lessons, money: tuple[int, int]
) -> Figures:
    percent, paid = money
    fee = Fee(programme.fee_basis, programme.fee_fen, programme.fee_clause)
    return Figures(lessons, percent, settlement_of(fee, plan.settle_by, lessons, percent, paid))


def _kept(row: AfterSchoolBill, paid: int) -> Figures:
    amounts = json.loads(row.amounts or "{}")
    lessons = Lessons(row.planned, row.own, row.held, row.attended)
    charge = Charge(int(amounts["gross_fen"]), int(amounts["waived_fen"]))
    return Figures(lessons, int(row.waived_percent or 0), Settlement(charge, paid))


def _view(
    plan: AfterSchoolPlan,
    row: AfterSchoolEnrolment,
    programme: AfterSchoolProgramme,
    about: tuple[WardMeant | None, Figures],
) -> BillView:
    ward, figures = about
    return BillView(
        enrolment_id=str(row.id),
        child_id=str(row.pupil_id),
        child=ward.name if ward else "",
        class_name=ward.class_name if ward else "",
        programme=programme.title,
        basis=programme.fee_basis,
        fee_fen=programme.fee_fen,
        clause=programme.fee_clause,
        rule=plan.settle_by,
        lessons=figures.lessons,
        waived_percent=figures.percent,
        settlement=figures.settlement,
        is_over=False,
    )


def _amounts(charge: Charge) -> str:
    return json.dumps({"gross_fen": charge.gross_fen, "waived_fen": charge.waived_fen}, sort_keys=True)


def _as_tuple(row: AfterSchoolBill) -> tuple[Lessons, str | None, str | None]:
    return Lessons(row.planned, row.own, row.held, row.attended), row.waived_percent, row.amounts


def _due(row: AfterSchoolBill) -> int:
    amounts = json.loads(row.amounts or "{}")
    return int(amounts["gross_fen"]) - int(amounts["waived_fen"])
