"""Leaving, and what becomes of the place: withdrawing, opting out, answering an offer, offers that run out, and another
number of places. A place that becomes free goes down the line at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date, to_local, to_utc
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import NewPush, Purpose
from bot.delivery.quiet import QuietHours
from bot.errors import InvalidInput, NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal, require
from bot.storage.database import transaction
from bot.storage.rows import insert_together
from handlers.accounts.service.child_records import Custody
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.scope import as_id
from handlers.after_school.domain.offers import ProgrammesClash
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.domain.statements import ConsentHow, Source, Wish
from handlers.after_school.domain.states import (
    ACTIVE,
    OCCUPYING,
    ConsentHowMissing,
    EnrolmentState,
    IllegalEnrolmentMove,
    OfferLapsed,
)
from handlers.after_school.models import AfterSchoolEnrolment, AfterSchoolPlan, AfterSchoolPool, AfterSchoolStatement
from handlers.after_school.service.book import Book, Move, lock_children, open_plans
from handlers.after_school.service.reading import hours_of, living, subject_of, views_of
from handlers.after_school.service.sign_up import BY_STAFF
from handlers.after_school.service.views import EnrolmentView
from handlers.calendar.service.calendars import CalendarService

SOURCE: Final = "after_school"
OFFER: Final = "offer"
LAPSED: Final = "lapsed"
DRAWN: Final = "drawn"
LONGEST_REASON: Final = 200
_S = EnrolmentState


class PlacesInvalid(InvalidInput):
    """Less than none."""

    code = "places_invalid"
    default_message = "名额要填 0 或更大的整数，不限名额的留空。请改正后再试。"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """A family does not want the service, of one plan or (None) of any that goes on."""

    child_id: str
    source: Source
    plan_id: str | None = None
    reason: str = ""
    consent_how: ConsentHow | None = None


Choose = Callable[[AfterSchoolEnrolment], EnrolmentState]


class LeavingService:
    """What happens to places that families had, or are offered."""

    def __init__(
        self,
        people: PeopleService,
        custody: Custody,
        calendars: CalendarService,
        quiet: QuietHours,
        *,
        outbox: Outbox,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._people = people
        self._custody = custody
        self._calendars = calendars
        self._quiet = quiet
        self._outbox = outbox
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- families
    async def withdraw(self, actor: Actor, enrolment_id: str, source: Source) -> EnrolmentView:
        """One child's sign-up, in whatever state it is; siblings keep theirs. Raises NotFound, IllegalEnrolmentMove."""
        return await self._leave(actor, enrolment_id, source, _S.WITHDRAWN)

    async def accept(self, actor: Actor, enrolment_id: str, source: Source) -> EnrolmentView:
        """The place is taken, and those of the siblings who were offered theirs with it. Raises NotFound,
        IllegalEnrolmentMove, OfferLapsed, ProgrammesClash."""
        return await self._answer(actor, enrolment_id, source, _S.ENROLLED)

    async def decline(self, actor: Actor, enrolment_id: str, source: Source) -> EnrolmentView:
        """The place goes to the next, and those of the siblings too. Raises NotFound, IllegalEnrolmentMove."""
        return await self._answer(actor, enrolment_id, source, _S.DECLINED)

    async def opt_out(self, actor: Actor, asked: OptOut) -> Sequence[EnrolmentView]:
        """All sign-ups of the child end, and that the family does not want the service is written down with its reason.
        Gives what has ended. Raises NotFound."""
        action = Action.SERVICE_ENTER if asked.source in BY_STAFF else Action.SERVICE_SIGN_UP
        whose = await self._whose(actor, action, asked.child_id)
        if asked.source in BY_STAFF and asked.consent_how is None:
            raise ConsentHowMissing
        now, ended = self._clock.now(), []
        async with transaction():
            plans = [plan.id for plan in await self._plans(whose, asked.plan_id)]
            book = await open_plans(plans)
            for plan_id in plans:
                ended += await self._out_of(book, actor, asked, plan_id, now)
            await insert_together(AfterSchoolStatement, [_not_wanted(actor, asked, own, now) for own in plans])
            await self._audit.record(actor, action, f"child:{whose.child_id}", whose=whose, purpose="opted_out")
        return await views_of(ended)

    async def release(self, child_id: str) -> None:
        """All sign-ups of a child end because nothing about it is kept any more: nobody asks for rights, and the places
        go on. In the caller's transaction."""
        rows = AfterSchoolEnrolment.filter(pupil_id=UUID(child_id), state__in=list(ACTIVE))
        plans = {UUID(str(own)) for own in await rows.values_list("plan_id", flat=True)}
        if not plans:
            return
        now = self._clock.now()
        book = await open_plans(plans)
        for row in await rows.order_by("id"):
            book.move(row, _S.WITHDRAWN, Move(None, Source.SYSTEM, now))
        for plan_id in sorted(plans):
            await self.pass_on(book, plan_id, now)

    # ------------------------------------------------------------------------------------------------------------ staff
    async def set_places(self, actor: Actor, pool_id: str, places: int | None) -> None:
        """Another number of places. Nobody loses a place; new ones go down the line. Raises NotFound, PlacesInvalid."""
        require(actor, Action.SERVICE_PLAN)
        if places is not None and places < 0:
            raise PlacesInvalid
        pool = await AfterSchoolPool.get_or_none(id=as_id(pool_id)).select_related("plan")
        if pool is None:
            raise refusal(NotFound(), actor, Action.SERVICE_PLAN, Subject())
        whose = Subject(
            school_id=str(pool.plan.school_id) if pool.plan.school_id else None, township_id=str(pool.plan.township_id)
        )
        require(actor, Action.SERVICE_PLAN, whose)
        async with transaction():
            book, now = await open_plans([pool.plan_id]), self._clock.now()
            book.resize(pool.id, places)
            await self.pass_on(book, pool.plan_id, now)
            await self._audit.record(
                actor, Action.SERVICE_PLAN, f"pool:{pool.id}", whose=whose, fields=["places"], purpose="places"
            )

    # ---------------------------------------------------------------------------------------------------------- the job
    async def expire(self) -> None:
        """Offers whose moment has passed go to the next."""
        due = AfterSchoolEnrolment.filter(state=_S.OFFERED, offered_until__lte=self._clock.now())
        for plan_id in sorted({str(row) for row in await due.values_list("plan_id", flat=True)}):
            await self._expire(UUID(plan_id))

    async def next_due(self) -> datetime | None:
        """When the next offer runs out; None while none stands."""
        row = await AfterSchoolEnrolment.filter(state=_S.OFFERED).order_by("offered_until").first()
        return row.offered_until if row is not None else None

    async def _expire(self, plan_id: UUID) -> None:
        async with transaction():
            book, now = await open_plans([plan_id]), self._clock.now()
            late = AfterSchoolEnrolment.filter(plan_id=plan_id, state=_S.OFFERED, offered_until__lte=now)
            rows = await late.order_by("turn", "id")
            for row in rows:
                book.move(row, _S.DECLINED, Move(None, Source.SYSTEM, now))
            await self.tell(rows, LAPSED, now, now + timedelta(days=1))
            await self.pass_on(book, plan_id, now)

    # ---------------------------------------------------------------------------------------------------- within a book
    async def _leave(self, actor: Actor, enrolment_id: str, source: Source, to: EnrolmentState) -> EnrolmentView:
        row, whose, action = await self._own(actor, enrolment_id, source)
        async with transaction():
            book, now = await open_plans([row.plan_id]), self._clock.now()
            fresh = await AfterSchoolEnrolment.get(id=row.id).select_related("programme")
            book.move(fresh, to, _move(actor, source, now))
            await self._audit.record(actor, action, f"enrolment:{row.id}", whose=whose, purpose=to.value)
            await self.pass_on(book, row.plan_id, now)
        return (await views_of([fresh]))[0]

    async def _answer(self, actor: Actor, enrolment_id: str, source: Source, to: EnrolmentState) -> EnrolmentView:
        row, whose, action = await self._own(actor, enrolment_id, source)
        async with transaction():
            party = AfterSchoolEnrolment.filter(party_id=row.party_id)
            children = {UUID(str(own)) for own in await party.values_list("pupil_id", flat=True)}
            await lock_children(children)
            book, now = await open_plans([row.plan_id]), self._clock.now()
            rows = await party.filter(state=_S.OFFERED).select_related("programme").order_by("id")
            fresh = next((each for each in rows if each.id == row.id), None)
            if fresh is None:
                state = (await AfterSchoolEnrolment.get(id=row.id)).state
                raise IllegalEnrolmentMove(details={"from": state.value, "to": to.value})
            if to is _S.ENROLLED:
                await _check_answer(rows, set(map(str, children)), now)
            for each in rows:
                book.move(each, to, _move(actor, source, now))
            if to is _S.ENROLLED:
                for each in await _other_choices(rows):
                    book.move(each, _S.ENDED, Move(None, Source.SYSTEM, now))
            await self._audit.record(actor, action, f"enrolment:{row.id}", whose=whose, purpose=to.value)
            await self.pass_on(book, row.plan_id, now)
        return (await views_of([fresh]))[0]

    async def _out_of(
        self, book: Book, actor: Actor, asked: OptOut, plan_id: UUID, now: datetime
    ) -> list[AfterSchoolEnrolment]:
        rows = AfterSchoolEnrolment.filter(plan_id=plan_id, pupil_id=UUID(asked.child_id), state__in=list(ACTIVE))
        ended = await rows.select_related("programme").order_by("id")
        for row in ended:
            book.move(row, _S.OPTED_OUT, _move(actor, asked.source, now))
        await self.pass_on(book, plan_id, now)
        return list(ended)

    async def pass_on(self, book: Book, plan_id: UUID, now: datetime) -> None:
        """Saves, and offers what is free. Within the book, for whoever has changed it."""
        await book.save(now)
        plan = await AfterSchoolPlan.get(id=plan_id)
        if plan.state is not PlanState.PUBLISHED:
            return
        until = await self._until(plan, now)
        rows = await book.offer_free(plan.id, until, now)
        await self.tell(rows, OFFER, now, until)

    async def _until(self, plan: AfterSchoolPlan, now: datetime) -> datetime:
        """The same hour some school days on, out of the quiet hours. Beyond the stated terms days are days."""
        if plan.school_id is None:
            calendar = await self._calendars.of_township(str(plan.township_id))
        else:
            calendar = await self._calendars.of(str(plan.school_id))
        today, days = local_date(now), max(1, plan.offer_school_days)
        day = calendar.nth_school_day(today, days) or today + timedelta(days=days)
        local = to_local(now)
        return self._quiet.next_allowed(to_utc(datetime.combine(day, local.timetz())))

    async def tell(self, rows: Sequence[AfterSchoolEnrolment], occurrence: str, now: datetime, until: datetime) -> None:
        """Every guardian who has custody, once for all children of a party. No label and no waiver in it: the words are
        made when it goes out."""
        if not rows:
            return
        custody = await self._custody.of([str(row.pupil_id) for row in rows])
        children: dict[tuple[UUID, str], list[str]] = {}
        for row in rows:
            for person in sorted(custody.get(str(row.pupil_id), frozenset())):
                children.setdefault((row.party_id, person), []).append(str(row.pupil_id))
        await self._outbox.promise(
            [
                NewPush(
                    reason=f"{SOURCE}:{party}",
                    occurrence=occurrence,
                    person_id=person,
                    rule=occurrence,
                    purpose=Purpose.RESULT,
                    not_before=now,
                    expires_at=until,
                    child_ids=tuple(own),
                )
                for (party, person), own in children.items()
            ]
        )

    # ----------------------------------------------------------------------------------------------------------- rights
    async def _own(
        self, actor: Actor, enrolment_id: str, source: Source
    ) -> tuple[AfterSchoolEnrolment, Subject, Action]:
        action = Action.SERVICE_ENTER if source in BY_STAFF else Action.SERVICE_SIGN_UP
        require(actor, action)
        row = await AfterSchoolEnrolment.get_or_none(id=as_id(enrolment_id))
        if row is None:
            raise refusal(NotFound(), actor, action, Subject())
        return row, await self._whose(actor, action, str(row.pupil_id)), action

    async def _whose(self, actor: Actor, action: Action, child_id: str) -> Subject:
        require(actor, action)
        own = str(as_id(child_id))
        child = (await self._people.children_known([own])).get(own)
        if child is None:
            raise refusal(NotFound(), actor, action, Subject())
        whose = subject_of(child)
        require(actor, action, whose)
        return whose

    async def _plans(self, whose: Subject, plan_id: str | None) -> list[AfterSchoolPlan]:
        today = local_date(self._clock.now())
        rows = AfterSchoolPlan.filter(
            township_id=UUID(whose.township_id), state=PlanState.PUBLISHED, last_day__gte=today
        ).order_by("id")
        found = [row for row in await rows if row.school_id is None or str(row.school_id) == whose.school_id]
        if plan_id is None:
            return found
        named = [row for row in found if row.id == as_id(plan_id)]
        if not named:
            raise NotFound
        return named


async def _check_answer(rows: Sequence[AfterSchoolEnrolment], children: set[str], now: datetime) -> None:
    """Raises OfferLapsed, ProgrammesClash."""
    if any(row.offered_until is not None and row.offered_until <= now for row in rows):
        raise OfferLapsed
    own = {row.id for row in rows}
    busy = [each for each in await living(children) if each.state in OCCUPYING and each.id not in own]
    for row in rows:
        for each in busy:
            if each.pupil_id == row.pupil_id and hours_of(each.programme).clashes_with(hours_of(row.programme)):
                raise ProgrammesClash(details={"programme_id": str(each.programme_id), "title": each.programme.title})


async def _other_choices(rows: Sequence[AfterSchoolEnrolment]) -> list[AfterSchoolEnrolment]:
    """What else these children still wait for out of the same draw, which gives each of them one place at most."""
    taken = {(row.pupil_id, row.draw_id) for row in rows if row.draw_id is not None}
    if not taken:
        return []
    others = AfterSchoolEnrolment.filter(
        draw_id__in=[draw for _, draw in taken], pupil_id__in=[pupil for pupil, _ in taken]
    )
    return list(await others.filter(state__in=[_S.WAITLISTED, _S.OFFERED]).exclude(id__in=[row.id for row in rows]))


def _move(actor: Actor, source: Source, now: datetime) -> Move:
    return Move(UUID(actor.person_id) if actor.person_id else None, source, now)


def _not_wanted(actor: Actor, asked: OptOut, plan_id: UUID, now: datetime) -> dict[str, Any]:
    is_staff = asked.source in BY_STAFF
    by = UUID(actor.person_id) if actor.person_id else None
    return {
        "plan_id": plan_id,
        "pupil_id": UUID(asked.child_id),
        "wish": Wish.NOT_JOIN,
        "source": asked.source,
        "said_at": now,
        "said_by": None if is_staff else by,
        "entered_by": by if is_staff else None,
        "consent_how": asked.consent_how,
        "reason": asked.reason.strip()[:LONGEST_REASON] or None,
        "created_at": now,
        "updated_at": now,
    }
