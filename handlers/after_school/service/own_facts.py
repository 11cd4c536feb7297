"""What a family is told of its own together with a rule of the knowledge. An `AnswerFacts`.

Everything is read anew for each question and kept nowhere. Whoever has no child of their own here gets nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from bot.capability import OwnMatter
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, may
from handlers.accounts.service.views import ChildView
from handlers.after_school.domain.asking import Matter, asked, rule_of, touched
from handlers.after_school.domain.bills import PaymentKind
from handlers.after_school.domain.fees import WHOLE, FeeBasis, Settlement
from handlers.after_school.domain.offers import ProgrammeStatus
from handlers.after_school.domain.statements import Wish
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.domain.waivers import WaiverState
from handlers.after_school.models import AfterSchoolDayOff, AfterSchoolPayment, AfterSchoolPlan, AfterSchoolStatement
from handlers.after_school.service.days.leave import LeaveService
from handlers.after_school.service.family import Course, FamilyService
from handlers.after_school.service.months.bills import BillService
from handlers.after_school.service.views import EnrolmentView, ProgrammeView
from handlers.after_school.service.waivers.asking import WaiverAsking
from handlers.after_school.service.waivers.waived import Waived
from handlers.after_school.service.wording import day, fee, hours, moment, state, yuan
from handlers.after_school.texts import own_facts as texts
from handlers.after_school.texts import waivers as waiver_texts
from handlers.calendar.service.calendars import CalendarService

MOST_CHILDREN: Final = 4
_SHORTEST_NAME: Final = 2


class OwnFacts:
    """Over what the chat of families reads."""

    def __init__(
        self,
        family: FamilyService,
        calendars: CalendarService,
        clock: Clock,
        *,
        waivers: WaiverAsking,
        waived: Waived,
        leave: LeaveService,
        bills: BillService,
    ) -> None:
        self._family = family
        self._calendars = calendars
        self._clock = clock
        self._waivers = waivers
        self._waived = waived
        self._leave = leave
        self._bills = bills
        self._of: Mapping[Matter, Callable[[Actor, ChildView], Awaitable[list[str]]]] = {
            Matter.HOURS: self._hours,
            Matter.STANDING: self._standing,
            Matter.FEE: self._fee,
            Matter.WAIVER: self._waiver,
        }

    def asked(self, question: str) -> Sequence[OwnMatter]:
        """By the words of a question."""
        found = asked(question)
        return [OwnMatter(each.matter, each.who, rule_of(found)) for each in found]

    def touched(self, question: str, topics: Collection[str], attributes: Collection[str]) -> Sequence[OwnMatter]:
        """By what the entry is about that answers it."""
        return [OwnMatter(matter) for matter in touched(question, topics, attributes)]

    async def facts(self, actor: Actor, matter: OwnMatter) -> Sequence[str]:
        """Of the guardian's own children who are at school; of one of them when it was named."""
        tell = self._of.get(Matter(matter.kind))
        if tell is None or not may(actor, Action.SERVICE_SIGN_UP):
            return ()
        meant = [child for child in await self._family.children(actor) if _is_meant(child, matter.who)]
        return [line for child in meant[:MOST_CHILDREN] for line in await tell(actor, child)]

    # ----------------------------------------------------------------------------------------------------------- hours
    async def _hours(self, actor: Actor, child: ChildView) -> list[str]:
        shown = await self._family.programmes(actor, child.id)
        own = [each for each in shown if each.enrolment_state is EnrolmentState.ENROLLED]
        if not own:
            if shown and await _stays_out(child, shown):
                return [texts.STAYS_OUT.format(name=child.name)]
            return [texts.NOT_SIGNED_UP.format(name=child.name)] if shown else []
        lines = [
            texts.HOURS.format(
                name=child.name,
                title=each.title,
                hours=hours(each),
                where=texts.PICK_UP.format(point=each.pick_up_point) if each.pick_up_point else "",
            )
            for each in own
        ]
        return [*lines, *await self._of_today(actor, child, await self._today(child, own))]

    async def _of_today(self, actor: Actor, child: ChildView, today: Sequence[ProgrammeView]) -> list[str]:
        """What there is of the lessons of today, and what the family has asked leave from."""
        if not today:
            return [texts.NOT_TODAY]
        day = local_date(self._clock.now())
        leave = [each for each in await self._leave.own(actor) if each.child_id == child.id and each.first_day <= day]
        off = [each for each in today if any(one.programme_id in {None, each.id} for one in leave)]
        if len(off) == len(today):
            return [texts.ON_LEAVE.format(name=child.name)]
        lines = [texts.TODAY.format(at=max(each.ends_at for each in today if each not in off))]
        if off:
            titles = "、".join(each.title for each in off)
            lines.append(texts.ON_LEAVE_FROM.format(name=child.name, titles=titles))
        return lines

    async def _today(self, child: ChildView, own: Sequence[ProgrammeView]) -> list[ProgrammeView]:
        """Those with a lesson today: school days only, between the plan's days, but for those off."""
        today = local_date(self._clock.now())
        calendar = await self._calendars.of(child.school_id)
        if not calendar.is_school_day(today):
            return []
        plans = {str(row.id): row for row in await AfterSchoolPlan.filter(id__in=_ids(each.plan_id for each in own))}
        off = await AfterSchoolDayOff.filter(plan_id__in=_ids(plans), day=today).values_list("plan_id", "programme_id")
        return [
            each
            for each in own
            if plans[each.plan_id].first_day <= today <= plans[each.plan_id].last_day
            and today.isoweekday() in each.weekdays
            and not any(str(plan) == each.plan_id and str(one or each.id) == each.id for plan, one in off)
        ]

    # -------------------------------------------------------------------------------------------------------- standing
    async def _standing(self, actor: Actor, child: ChildView) -> list[str]:
        own = [line.enrolment for line in await self._family.own(actor) if line.enrolment.child_id == child.id]
        if own:
            return [_line(child, each) for each in own]
        shown = await self._family.programmes(actor, child.id)
        if not shown:
            return []
        if await _stays_out(child, shown):
            return [texts.STAYS_OUT.format(name=child.name)]
        if any(each.status is ProgrammeStatus.OPEN for each in shown):
            return [texts.OPEN.format(name=child.name)]
        coming = [each.opens_at for each in shown if each.status is ProgrammeStatus.UPCOMING]
        if coming:
            return [texts.UPCOMING.format(name=child.name, at=moment(min(coming)))]
        return [texts.CLOSED.format(name=child.name)]

    # ------------------------------------------------------------------------------------------------------------- fee
    async def _fee(self, actor: Actor, child: ChildView) -> list[str]:
        shown = await self._family.programmes(actor, child.id)
        own = [each for each in shown if each.enrolment_state is EnrolmentState.ENROLLED]
        settled = await self._settled(actor, child, {each.enrolment_id for each in own})
        own = [each for each in own if each.enrolment_id not in settled]
        if not own:
            return list(settled.values()) or ([texts.FEE_NOTHING.format(name=child.name)] if shown else [])
        return [*settled.values(), *await self._running(child, own)]

    async def _settled(self, actor: Actor, child: ChildView, current: Collection[str | None]) -> dict[str, str]:
        """What the school has settled, of the sign-ups of now and wherever money is still to go one way or the other,
        by sign-up."""
        return {
            bill.enrolment_id: texts.SETTLED.format(
                name=child.name,
                title=bill.programme,
                due=yuan(bill.settlement.charge.due_fen),
                off=texts.OFF.format(percent=bill.waived_percent) if bill.waived_percent else "",
                paid=_came_in(bill.settlement.paid_fen),
                rest=_rest(bill.settlement),
            )
            for bill in await self._bills.own(actor)
            if bill.child_id == child.id
            and (bill.enrolment_id in current or bill.settlement.refund_fen or bill.settlement.open_fen)
        }

    async def _running(self, child: ChildView, own: Sequence[ProgrammeView]) -> list[str]:
        """What has come in for sign-ups that are not settled yet."""
        paid = await _paid([each.enrolment_id for each in own if each.enrolment_id])
        plans = await AfterSchoolPlan.filter(id__in=_ids(each.plan_id for each in own))
        off = {str(row.id): await self._off(child, row) for row in plans}
        return [
            texts.FEE.format(
                name=child.name,
                title=each.view.title,
                fee=fee(each),
                off=texts.OFF.format(percent=off[each.view.plan_id]) if off[each.view.plan_id] else "",
                paid=_said_paid(each, paid.get(each.view.enrolment_id or "", 0), off[each.view.plan_id]),
            )
            for each in await self._family.courses(own)
        ]

    async def _off(self, child: ChildView, plan: AfterSchoolPlan) -> int:
        """How much of the fee falls away, in per cent."""
        return (await self._waived.percent_of([child.id], plan.first_day, plan.last_day)).get(child.id, 0)

    # ---------------------------------------------------------------------------------------------------------- waiver
    async def _waiver(self, actor: Actor, child: ChildView) -> list[str]:
        """How far the latest case is: what it is about is nobody's business in a chat that others may look into."""
        own = [case for case in await self._waivers.own(actor, child.id) if case.state is not WaiverState.WITHDRAWN]
        if not own:
            return [texts.NO_CASE.format(name=child.name)]
        case = own[0]
        until = ""
        if case.state is WaiverState.GRANTED and case.percent is not None and case.lapses_on is not None:
            until = texts.CASE_GRANTED.format(percent=case.percent, day=day(case.lapses_on.isoformat()))
        return [texts.CASE.format(name=child.name, state=waiver_texts.FAMILY_STATES[case.state], until=until)]


async def _paid(enrolment_ids: Sequence[str]) -> dict[str, int]:
    """What has come in for sign-ups, less what went back, in fen."""
    found: Counter[str] = Counter()
    for row in await AfterSchoolPayment.filter(enrolment_id__in=_ids(enrolment_ids)):
        amount = int(row.amount_fen)
        found[str(row.enrolment_id)] += amount if row.kind is PaymentKind.PAID else -amount
    return found


async def _stays_out(child: ChildView, shown: Sequence[ProgrammeView]) -> bool:
    """Whether the last thing the family said of what is offered now is that the child stays out of it."""
    plans = _ids(each.plan_id for each in shown)
    said = AfterSchoolStatement.filter(plan_id__in=plans, pupil_id=UUID(child.id), taken_back_at__isnull=True)
    last = await said.order_by("-said_at", "-id").first()
    return last is not None and last.wish is Wish.NOT_JOIN


def _came_in(fen: int) -> str:
    return texts.PAID.format(amount=yuan(fen)) if fen > 0 else texts.NO_PAYMENT


def _rest(settlement: Settlement) -> str:
    if settlement.refund_fen:
        return texts.TO_COME_BACK.format(amount=yuan(settlement.refund_fen))
    return texts.STILL_OPEN.format(amount=yuan(settlement.open_fen)) if settlement.open_fen else ""


def _said_paid(course: Course, paid: int, off: int) -> str:
    if paid > 0:
        return texts.PAID.format(amount=yuan(paid))
    is_due = course.is_paid_by_family and course.view.fee_basis is not FeeBasis.FREE and off < WHOLE
    return texts.NOT_PAID if is_due else texts.NOTHING_DUE


def _ids(found: Iterable[str]) -> list[UUID]:
    return [UUID(own) for own in dict.fromkeys(found)]


def _is_meant(child: ChildView, who: str) -> bool:
    """Whether a child is the one of that name, or by its given name alone; "" means every child."""
    return not who or child.name == who or (len(who) >= _SHORTEST_NAME and child.name[1:] == who)


def _line(child: ChildView, own: EnrolmentView) -> str:
    line = texts.STANDING.format(name=child.name, title=own.programme, state=state(own))
    return line + texts.OFFERED if own.state is EnrolmentState.OFFERED else line
