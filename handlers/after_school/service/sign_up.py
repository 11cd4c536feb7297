"""Signing up: many at once in one transaction, each answered by itself, places exact.

What is asked for at the same moment is worked off in the order in which it came: the pools are locked in the order of
their ids, everything the rules need is read in a few statements, and everything that follows is written in a few more.
So the lock is held once for hundreds of families, not once for each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from bot.audit.log import Audit, Deed
from bot.clock import Clock
from bot.errors import AppError, NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal, require
from bot.storage.database import joined
from bot.storage.ids import id_of, new_ids
from bot.storage.rows import insert_together
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.views import ChildView
from handlers.after_school.domain.offers import EnrolmentClosed, NotForThisGrade, ProgrammesClash, ProgrammeStatus
from handlers.after_school.domain.places import Admission, Member, Party, Pool
from handlers.after_school.domain.plans import PlanState, Selection
from handlers.after_school.domain.statements import ConsentHow, Source, Wish
from handlers.after_school.domain.states import (
    OCCUPYING,
    AlreadyEnrolled,
    ConsentHowMissing,
    ConsentMissing,
    EnrolmentState,
    PartyInvalid,
)
from handlers.after_school.models import AfterSchoolDraw, AfterSchoolProgramme, AfterSchoolStatement
from handlers.after_school.service.book import Book, Move, lock_children, open_book
from handlers.after_school.service.reading import Offered, hours_of, offered, standing, subject_of
from handlers.after_school.service.views import EnrolmentView
from handlers.consent.domain.register import ItemName
from handlers.consent.service.consents import ConsentService

BY_STAFF = frozenset({Source.PAPER, Source.PHONE, Source.IMPORT})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A child, and the programme it is to go to; ids as they came in."""

    child_id: str
    programme_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """What one caller asks for: one place, or for siblings several, which they get together or not at all. `rank`:
    which choice it is in a draw, 1 the dearest. `consent_how`: for whoever enters it for a family."""

    actor: Actor
    wanted: tuple[Wanted, ...]
    source: Source
    consent_how: ConsentHow | None = None
    rank: int | None = None
    request: str | None = None

    @property
    def action(self) -> Action:
        """What it takes."""
        return Action.SERVICE_ENTER if self.source in BY_STAFF else Action.SERVICE_SIGN_UP


@dataclass(slots=True)
class _Known:
    """What the rules need to know, as it stands under the lock; `busy` and `living` go on with what is decided."""

    now: datetime
    programmes: Mapping[UUID, Offered]
    children: Mapping[str, ChildView]
    agreed: frozenset[str]
    declined: frozenset[str]
    living: set[tuple[UUID, UUID]]
    busy: dict[UUID, list[AfterSchoolProgramme]]
    drawn: frozenset[UUID]
    """Plans whose draw has been held."""


class _Pair(NamedTuple):
    """A child and a programme somebody named; None for what is no id."""

    pupil_id: UUID | None
    programme_id: UUID | None
    child: str


@dataclass(slots=True)
class _Written:
    """What is to be written besides the book."""

    statements: list[dict[str, Any]] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)


class SignUpService:
    """Signs children up."""

    def __init__(self, people: PeopleService, consents: ConsentService, audit: Audit, clock: Clock) -> None:
        self._people = people
        self._consents = consents
        self._audit = audit
        self._clock = clock

    async def sign_up(self, asked: SignUp) -> tuple[EnrolmentView, ...]:
        """One family's. Raises what it is refused with."""
        (outcome,) = await self.sign_up_all([asked])
        if isinstance(outcome, AppError):
            raise outcome
        return outcome

    async def sign_up_all(self, asked: Sequence[SignUp]) -> Sequence[tuple[EnrolmentView, ...] | AppError]:
        """Many at once, in the order in which they came; joins the caller's transaction if there is one. What one is
        refused with is given, not raised: EnrolmentClosed, NotForThisGrade, AlreadyEnrolled, ProgrammesClash,
        ConsentMissing, PartyInvalid, NotFound, NotPermitted."""
        now = self._clock.now()
        named = [tuple(map(_pair, each.wanted)) for each in asked]
        pairs = [pair for each in named for pair in each]
        programme_ids = {pair.programme_id for pair in pairs if pair.programme_id is not None}
        async with joined():
            await lock_children({pair.pupil_id for pair in pairs if pair.pupil_id is not None})
            book = await open_book(programme_ids)
            known = await self._known(asked, named, programme_ids, now)
            awaited = await book.awaited()
            admission = Admission(
                {str(own): Pool(pool.places, pool.taken, own in awaited) for own, pool in book.pools.items()}
            )
            written = _Written()
            outcomes = [
                _one(each, own, known, book, admission, written) for each, own in zip(asked, named, strict=True)
            ]
            await book.save(now)
            await insert_together(AfterSchoolStatement, written.statements)
            await self._audit.record_all(written.deeds)
        return outcomes

    async def _known(
        self,
        asked: Sequence[SignUp],
        named: Sequence[Sequence[_Pair]],
        programme_ids: Collection[UUID],
        now: datetime,
    ) -> _Known:
        child_ids = {pair.child for pairs in named for pair in pairs if pair.pupil_id is not None}
        pupil_ids = {pair.pupil_id for pairs in named for pair in pairs if pair.pupil_id is not None}
        staff = {
            pair.child
            for each, pairs in zip(asked, named, strict=True)
            for pair in pairs
            if each.source in BY_STAFF and pair.pupil_id is not None
        }
        living, taken = await standing(pupil_ids, programme_ids)
        programmes = await offered(programme_ids)
        return _Known(
            now=now,
            programmes=programmes,
            children=await self._people.children_known(child_ids),
            agreed=await self._consents.allowed(child_ids - staff, ItemName.CHILD_SIGN_UP),
            declined=await self._consents.declined(staff, ItemName.CHILD_SIGN_UP),
            living=living,
            busy=taken,
            drawn=await _drawn(programmes.values()),
        )


async def _drawn(programmes: Iterable[Offered]) -> frozenset[UUID]:
    plans = {each.plan.id for each in programmes if each.programme.selection is Selection.DRAW}
    if not plans:
        return frozenset()
    held = await AfterSchoolDraw.filter(plan_id__in=list(plans)).values_list("plan_id", flat=True)
    return frozenset(UUID(str(own)) for own in held)


def _pair(wanted: Wanted) -> _Pair:
    pupil_id = id_of(wanted.child_id)
    return _Pair(pupil_id, id_of(wanted.programme_id), str(pupil_id))


# ---------------------------------------------------------------------------------------------------- one after another
class _Place(NamedTuple):
    """One child and its programme, as they are known."""

    child: ChildView
    pupil_id: UUID
    whose: Subject
    offered: Offered


def _one(
    asked: SignUp, pairs: Sequence[_Pair], known: _Known, book: Book, admission: Admission, written: _Written
) -> tuple[EnrolmentView, ...] | AppError:
    """Decides one, as if the others before it were done."""
    try:
        reach = require(asked.actor, asked.action)
        places = [_place(asked, reach, pair, known) for pair in pairs]
        _check_party(asked, places)
        for place in places:
            _check(asked, place, known)
    except AppError as error:
        return error
    return _entered(asked, places, known, book, admission, written)


def _place(asked: SignUp, reach: Reach, pair: _Pair, known: _Known) -> _Place:
    child = known.children.get(pair.child)
    if child is None or pair.pupil_id is None:
        raise refusal(NotFound(), asked.actor, asked.action, Subject())
    whose = subject_of(child)
    if not reach.covers(whose):
        raise refusal(NotFound(), asked.actor, asked.action, whose)
    found = known.programmes.get(pair.programme_id or pair.pupil_id)
    if found is None or not found.is_for(child):
        raise NotFound
    return _Place(child, pair.pupil_id, whose, found)


def _check_party(asked: SignUp, places: Sequence[_Place]) -> None:
    if asked.source in BY_STAFF and asked.consent_how is None:
        raise ConsentHowMissing
    if len(places) == 1:
        return
    plans = {place.offered.plan.id for place in places}
    pupils = {place.pupil_id for place in places}
    is_draw = any(place.offered.programme.selection is Selection.DRAW for place in places)
    if not places or len(plans) > 1 or len(pupils) < len(places) or is_draw:
        raise PartyInvalid


def _check(asked: SignUp, place: _Place, known: _Known) -> None:
    plan, programme, grade = place.offered.plan, place.offered.programme, place.child.grade
    if not place.child.is_enrolled or grade is None or not programme.lowest_grade <= grade <= programme.highest_grade:
        raise NotForThisGrade
    status = place.offered.window(grade).status(known.now)
    # Whoever comes late asks the school, and the school may still enter it.
    is_late = status is ProgrammeStatus.CLOSED and asked.source in BY_STAFF
    if plan.state is not PlanState.PUBLISHED or not (status is ProgrammeStatus.OPEN or is_late):
        raise EnrolmentClosed
    if (programme.id, place.pupil_id) in known.living:
        raise AlreadyEnrolled
    own = place.child.id
    if own in known.declined or (asked.source not in BY_STAFF and own not in known.agreed):
        raise ConsentMissing
    busy = next((each for each in known.busy.get(place.pupil_id, ()) if _clash(each, programme)), None)
    if busy is not None:
        raise ProgrammesClash(details={"programme_id": str(busy.id), "title": busy.title})


def _clash(one: AfterSchoolProgramme, other: AfterSchoolProgramme) -> bool:
    return hours_of(one).clashes_with(hours_of(other))


def _entered(
    asked: SignUp,
    places: Sequence[_Place],
    known: _Known,
    book: Book,
    admission: Admission,
    written: _Written,
) -> tuple[EnrolmentView, ...]:
    ids = new_ids(len(places))
    pools = [place.offered.programme.pool_id for place in places]
    turn = book.turn_of(set(pools))
    first = places[0].offered
    # After the draw nobody would draw for it any more: whoever is entered late comes in turn, like everywhere.
    if first.programme.selection is Selection.DRAW and first.plan.id not in known.drawn:
        state = EnrolmentState.SUBMITTED
    else:
        members = tuple(Member(str(own), str(pool)) for own, pool in zip(ids, pools, strict=True))
        fits = admission.admit(Party(str(ids[0]), members))
        state = EnrolmentState.ENROLLED if fits else EnrolmentState.WAITLISTED
    by = id_of(asked.actor.person_id) if asked.actor.person_id else None
    move, views = Move(by, asked.source, known.now), []
    for own, place in zip(ids, places, strict=True):
        programme = place.offered.programme
        position = book.add(_row(own, ids[0], asked, place, state=state, turn=turn, by=by), move)
        known.living.add((programme.id, place.pupil_id))
        if state in OCCUPYING:
            known.busy.setdefault(place.pupil_id, []).append(programme)
        written.statements.append(_statement(asked, place, by, known.now))
        written.deeds.append(_deed(asked, own, place, state))
        views.append(_view(own, place, state, position, asked.rank))
    return tuple(views)


def _row(
    own: UUID, party: UUID, asked: SignUp, place: _Place, *, state: EnrolmentState, turn: int, by: UUID | None
) -> dict[str, Any]:
    return {
        "id": own,
        "plan_id": place.offered.plan.id,
        "programme_id": place.offered.programme.id,
        "pool_id": place.offered.programme.pool_id,
        "pupil_id": place.pupil_id,
        "party_id": party,
        "state": state,
        "turn": turn,
        "rank": asked.rank,
        "source": asked.source,
        "consent_how": asked.consent_how,
        "entered_by": by if asked.source in BY_STAFF else None,
    }


def _statement(asked: SignUp, place: _Place, by: UUID | None, now: datetime) -> dict[str, Any]:
    is_staff = asked.source in BY_STAFF
    return {
        "plan_id": place.offered.plan.id,
        "pupil_id": place.pupil_id,
        "wish": Wish.COURSE,
        "programme_id": place.offered.programme.id,
        "source": asked.source,
        "said_at": now,
        "said_by": None if is_staff else by,
        "entered_by": by if is_staff else None,
        "consent_how": asked.consent_how,
        "created_at": now,
        "updated_at": now,
    }


def _deed(asked: SignUp, own: UUID, place: _Place, state: EnrolmentState) -> Deed:
    return Deed(
        actor=asked.actor,
        action=asked.action,
        subject=f"enrolment:{own}",
        whose=place.whose,
        purpose=state.value,
        request=asked.request,
    )


def _view(own: UUID, place: _Place, state: EnrolmentState, position: int | None, rank: int | None) -> EnrolmentView:
    return EnrolmentView(
        id=str(own),
        child_id=place.child.id,
        programme_id=str(place.offered.programme.id),
        programme=place.offered.programme.title,
        state=state,
        position=position,
        rank=rank,
    )
