"""What a teacher enters for a family: from paper, by phone, in person; and what was a mistake is taken back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import SHANGHAI, Clock, local_date, to_utc
from bot.errors import NotPermitted
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import transaction
from handlers.accounts.service.rolls import Room, Seat
from handlers.accounts.service.scope import as_id, missing
from handlers.after_school.domain.ledger import BY_HAND, NotYours, SaidLater, TallyClosed, WishInvalid, checked_entry
from handlers.after_school.domain.offers import EnrolmentClosed
from handlers.after_school.domain.statements import ConsentHow, Source, Wish
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import AfterSchoolStatement
from handlers.after_school.service.collection.desk import CollectionDesk
from handlers.after_school.service.collection.ledger import NOTHING, ledger
from handlers.after_school.service.collection.tallies import closed_among, hold
from handlers.after_school.service.collection.views import PlanAt
from handlers.after_school.service.leaving import LeavingService, OptOut
from handlers.after_school.service.sign_up import SignUp, SignUpService, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a family said. `said_on` None: today; `settles`: asked about all that had been said, this is the end of
    it."""

    wish: Wish
    source: Source
    how: ConsentHow | None
    said_on: date | None = None
    programme_id: str | None = None
    reason: str = field(default="", repr=False)
    settles: bool = False


class Entering:
    """The use cases."""

    def __init__(
        self, desk: CollectionDesk, signing: SignUpService, leaving: LeavingService, *, audit: Audit, clock: Clock
    ) -> None:
        self._desk = desk
        self._signing = signing
        self._leaving = leaving
        self._audit = audit
        self._clock = clock

    async def say(self, actor: Actor, plan_id: str, child_id: str, entry: Entry) -> None:
        """Enters it; the same once more is not entered twice. Where the family was asked and does not want it, its
        sign-ups end with that. Raises NotFound, WishInvalid, ReasonMissing, SaidLater,
        EnrolmentClosed, TallyClosed."""
        plan, room, seat = await self._desk.child(actor, Action.TALLY_ENTER, plan_id, child_id)
        if actor.person_id is None:
            raise NotPermitted
        reason = checked_entry(entry.wish, entry.source, entry.how, entry.reason)
        programme_id = _programme(plan, room, entry)
        said_at = self._moment(entry)
        if entry.settles and entry.wish is Wish.NOT_JOIN and await self._leave(actor, plan, room, seat, entry):
            return
        async with transaction():
            await self._ready(plan, room)
            if await _is_said(plan, seat.child_id, entry, programme_id, said_at):
                return
            now = self._clock.now()
            await AfterSchoolStatement.create(
                plan_id=UUID(plan.id),
                pupil_id=UUID(seat.child_id),
                wish=entry.wish,
                programme_id=programme_id,
                source=entry.source,
                said_at=said_at,
                entered_by=UUID(actor.person_id),
                consent_how=entry.how,
                reason=reason or None,
                settles=entry.settles,
                created_at=now,
                updated_at=now,
            )
            await self._note(actor, room, seat.child_id, "settle" if entry.settles else entry.source.value)

    async def _leave(self, actor: Actor, plan: PlanAt, room: Room, seat: Seat, entry: Entry) -> bool:
        """Ends the sign-ups of a family that said no; whether there were any."""
        known = (await ledger(plan.id, [seat.child_id])).get(seat.child_id, NOTHING)
        if not any(each.is_active for each in known.sign_ups):
            return False
        await self._check(plan, room)
        asked = OptOut(
            child_id=seat.child_id, source=entry.source, plan_id=plan.id, reason=entry.reason, consent_how=entry.how
        )
        await self._leaving.opt_out(actor, asked)
        return True

    async def sign_up(
        self, actor: Actor, plan_id: str, child_id: str, programme_id: str, how: ConsentHow
    ) -> EnrolmentState:
        """Signs a child up for a family that does not do it itself; gives what has become of it. Raises NotFound,
        TallyClosed, and what stands in the way of signing up."""
        plan, room, seat = await self._desk.child(actor, Action.TALLY_ENTER, plan_id, child_id)
        if programme_id not in {course.id for course in plan.courses_for(room.grade)}:
            raise WishInvalid
        await self._check(plan, room)
        source = next(source for source, hows in BY_HAND.items() if how in hows)
        wanted = (Wanted(seat.child_id, programme_id),)
        [view] = await self._signing.sign_up(SignUp(actor=actor, wanted=wanted, source=source, consent_how=how))
        return view.state

    async def take_back(self, actor: Actor, plan_id: str, child_id: str, statement_id: str) -> None:
        """Something a teacher entered was a mistake. Raises NotFound, NotYours, TallyClosed."""
        plan, room, seat = await self._desk.child(actor, Action.TALLY_ENTER, plan_id, child_id)
        async with transaction():
            await self._ready(plan, room)
            rows = AfterSchoolStatement.filter(plan_id=UUID(plan.id), pupil_id=UUID(seat.child_id), taken_back_at=None)
            row = await rows.filter(id=as_id(statement_id)).first()
            if row is None:
                raise missing(actor, Action.TALLY_ENTER, room.subject)
            if row.source not in BY_HAND:
                raise NotYours
            now = self._clock.now()
            by = UUID(actor.person_id) if actor.person_id else None
            await AfterSchoolStatement.filter(id=row.id).update(taken_back_at=now, taken_back_by=by, updated_at=now)
            await self._note(actor, room, seat.child_id, "take_back")

    async def _ready(self, plan: PlanAt, room: Room) -> None:
        """In a transaction: nobody signs the list until it ends."""
        await hold(plan.id)
        await self._check(plan, room)

    async def _check(self, plan: PlanAt, room: Room) -> None:
        if plan.is_over(self._desk.today):
            raise EnrolmentClosed
        if await closed_among(plan.id, [room.id]):
            raise TallyClosed

    def _moment(self, entry: Entry) -> datetime:
        """Noon of an earlier day: the hour is not asked."""
        now = self._clock.now()
        if entry.said_on is None or entry.settles or entry.said_on == local_date(now):
            return now
        if entry.said_on > local_date(now):
            raise SaidLater
        return to_utc(datetime.combine(entry.said_on, time(12), SHANGHAI))

    async def _note(self, actor: Actor, room: Room, child_id: str, purpose: str) -> None:
        await self._audit.record(
            actor, Action.TALLY_ENTER, f"pupil:{child_id}", whose=room.subject, fields=["wish"], purpose=purpose
        )


def _programme(plan: PlanAt, room: Room, entry: Entry) -> UUID | None:
    if entry.wish is not Wish.COURSE:
        return None
    known = {course.id for course in plan.courses_for(room.grade)}
    if entry.programme_id not in known:
        raise WishInvalid
    return UUID(entry.programme_id)


async def _is_said(plan: PlanAt, child_id: str, entry: Entry, programme_id: UUID | None, said_at: datetime) -> bool:
    """Whether the last thing entered by hand says the same of the same day: a form that was sent twice."""
    rows = AfterSchoolStatement.filter(
        plan_id=UUID(plan.id), pupil_id=UUID(child_id), source__in=list(BY_HAND), taken_back_at=None
    )
    last = await rows.order_by("-created_at", "-id").first()
    return (
        last is not None
        and (last.wish, last.source, last.consent_how) == (entry.wish, entry.source, entry.how)
        and last.programme_id == programme_id
        and last.settles is entry.settles
        and local_date(last.said_at) == local_date(said_at)
    )
