"""The class's list on any day, signed and opened again; all classes together; why families do not join."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from tortoise.exceptions import IntegrityError

from bot.audit.log import Audit
from bot.clock import SHANGHAI, Clock, to_utc
from bot.errors import NotPermitted
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.rolls import Room
from handlers.after_school.domain.ledger import (
    Heard,
    IllegalTallyMove,
    Standing,
    TallyMoved,
    TallyNotReady,
    checked_reason,
    counted,
    next_move,
)
from handlers.after_school.domain.statements import TallyMove, Wish
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import AfterSchoolPlan, AfterSchoolStatement, AfterSchoolTally
from handlers.after_school.service.collection.desk import CollectionDesk
from handlers.after_school.service.collection.ledger import NOTHING, ledger
from handlers.after_school.service.collection.views import (
    ChildPage,
    ClassTally,
    GivenReason,
    Line,
    Mark,
    PlanAt,
    RollUp,
    RoomRow,
    SchoolRow,
)

_WAITING = frozenset({EnrolmentState.SUBMITTED, EnrolmentState.WAITLISTED, EnrolmentState.OFFERED})


class TallyService:
    """The use cases."""

    def __init__(self, desk: CollectionDesk, audiences: AccountsAudiences, audit: Audit, clock: Clock) -> None:
        self._desk = desk
        self._audiences = audiences
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- looking
    async def plans(self, actor: Actor) -> list[PlanAt]:
        """What is collected for, the latest first."""
        return await self._desk.plans(actor)

    async def roll_up(self, actor: Actor, plan_id: str, day: date | None = None) -> RollUp:
        """All classes within reach, school by school in the order of their names. Raises NotFound."""
        plan, rooms = await self._desk.plan(actor, Action.TALLY_VIEW, plan_id)
        tallies = await self._tallies(plan, rooms, day)
        schools = []
        for school_id, group in groupby(tallies, lambda each: each.room.school_id):
            of_school = list(group)
            schools.append(SchoolRow(school_id, of_school[0].room.school, [_room_row(each) for each in of_school]))
        lines = [line for tally in tallies for line in tally.lines]
        return RollUp(plan, day, schools, counted(line.heard.standing for line in lines), _by_course(plan, lines))

    async def of_class(self, actor: Actor, plan_id: str, class_id: str, day: date | None = None) -> ClassTally:
        """One class, as it stood at the end of a day. Raises NotFound."""
        plan, room = await self._desk.room(actor, Action.TALLY_VIEW, plan_id, class_id)
        return (await self._tallies(plan, [room], day))[0]

    async def own_classes(self, actor: Actor) -> list[ClassTally]:
        """The classes of a head teacher in every plan that goes on."""
        found = []
        for plan in await self._desk.plans(actor):
            if not plan.is_over(self._desk.today):
                _, rooms = await self._desk.plan(actor, Action.TALLY_VIEW, plan.id)
                found += await self._tallies(plan, rooms, None)
        return found

    async def child(self, actor: Actor, plan_id: str, child_id: str) -> ChildPage:
        """Everything said for one child. Raises NotFound."""
        plan, room, seat = await self._desk.child(actor, Action.TALLY_VIEW, plan_id, child_id)
        heard = (await ledger(plan.id, [seat.child_id])).get(seat.child_id, NOTHING)
        closed = await closed_among(plan.id, [room.id])
        names = await self._audiences.names({each.entered_by for each in heard.voices if each.entered_by})
        return ChildPage(plan, room, seat, heard, bool(closed), names)

    async def reasons(self, actor: Actor, plan_id: str, class_id: str) -> tuple[ClassTally, list[GivenReason]]:
        """Why families of a class do not join: filed by the school, and that they were read is written down."""
        plan, room = await self._desk.room(actor, Action.TALLY_REASONS, plan_id, class_id)
        tally = (await self._tallies(plan, [room], None))[0]
        staying = tally.of(Standing.NOT_JOINING)
        children = [UUID(line.seat.child_id) for line in staying]
        async with transaction():
            rows = AfterSchoolStatement.filter(
                plan_id=UUID(plan.id), pupil_id__in=children, wish=Wish.NOT_JOIN, taken_back_at=None
            )
            last = {str(row.pupil_id): row for row in await rows.order_by("said_at", "created_at")}
            await self._audit.record(
                actor, Action.TALLY_REASONS, f"class:{room.id}", whose=room.subject, fields=["reason"]
            )
        found = []
        for line in staying:
            row = last.get(line.seat.child_id)
            said = GivenReason(line.seat.name, row.reason or "", row.source.value, row.said_at) if row else None
            found.append(said or GivenReason(line.seat.name, ""))
        return tally, found

    async def exported(self, actor: Actor, tallies: Sequence[ClassTally]) -> None:
        """Writes down that lists were taken out."""
        async with transaction():
            for tally in tallies:
                await self._audit.record(
                    actor, Action.TALLY_VIEW, f"class:{tally.room.id}", whose=tally.room.subject, purpose="export"
                )

    async def all_classes(self, actor: Actor, plan_id: str, day: date | None = None) -> list[ClassTally]:
        """Child by child, class by class: for the office's workbook. Raises NotFound."""
        plan, rooms = await self._desk.plan(actor, Action.TALLY_VIEW, plan_id)
        return await self._tallies(plan, rooms, day)

    # --------------------------------------------------------------------------------------------------------- signing
    async def close(self, actor: Actor, plan_id: str, class_id: str, fingerprint: str) -> ClassTally:
        """Signs the list that was looked at. Raises NotFound, TallyMoved, TallyNotReady, IllegalTallyMove."""
        plan, room = await self._desk.room(actor, Action.TALLY_SIGN, plan_id, class_id)
        async with transaction():
            await hold(plan.id)
            tally = (await self._tallies(plan, [room], None))[0]
            next_move(tally.mark.move if tally.mark else None, TallyMove.CLOSED)
            if tally.fingerprint != fingerprint:
                raise TallyMoved
            if tally.counts[Standing.DISAGREEING.value]:
                raise TallyNotReady
            await self._write(actor, tally, TallyMove.CLOSED)
        return tally

    async def reopen(self, actor: Actor, plan_id: str, class_id: str, reason: str) -> ClassTally:
        """Opens a signed list again. Raises NotFound, ReasonMissing, IllegalTallyMove."""
        plan, room = await self._desk.room(actor, Action.TALLY_SIGN, plan_id, class_id)
        kept = checked_reason(reason)
        async with transaction():
            await hold(plan.id)
            tally = (await self._tallies(plan, [room], None))[0]
            next_move(tally.mark.move if tally.mark else None, TallyMove.REOPENED)
            await self._write(actor, tally, TallyMove.REOPENED, kept)
        return tally

    async def _write(self, actor: Actor, tally: ClassTally, move: TallyMove, reason: str = "") -> None:
        if actor.person_id is None:
            raise NotPermitted
        now = self._clock.now()
        try:
            await AfterSchoolTally.create(
                plan_id=UUID(tally.plan.id),
                class_id=UUID(tally.room.id),
                number=tally.mark.number + 1 if tally.mark else 1,
                move=move,
                counts={"standings": dict(tally.counts), "fingerprint": tally.fingerprint},
                signed_by=UUID(actor.person_id),
                at=now,
                reason=reason,
                created_at=now,
                updated_at=now,
            )
        except IntegrityError as error:
            raise IllegalTallyMove from error
        whose = tally.room.subject
        await self._audit.record(
            actor, Action.TALLY_SIGN, f"tally:{tally.plan.id}", whose=whose, fields=["counts"], purpose=move.value
        )

    # ---------------------------------------------------------------------------------------------------------- inside
    async def _tallies(self, plan: PlanAt, rooms: Sequence[Room], day: date | None) -> list[ClassTally]:
        """In the order of the classes."""
        until = end_of(day) if day else None
        seats = await self._desk.seats_of(rooms, day)
        known = await ledger(plan.id, [seat.child_id for room in rooms for seat in seats.get(room.id, ())], until)
        marks = await _marks(plan.id, [room.id for room in rooms], until, self._audiences)
        found = []
        for room in rooms:
            lines = [Line(seat, known.get(seat.child_id, NOTHING)) for seat in seats.get(room.id, ())]
            counts = counted(line.heard.standing for line in lines)
            print_ = _fingerprint((line.seat.child_id, line.heard) for line in lines)
            found.append(ClassTally(plan, room, day, lines, counts, print_, marks.get(room.id, ())))
        return found


async def hold(plan_id: str) -> None:
    """Nobody else signs or enters anything for the plan until the transaction ends."""
    await AfterSchoolPlan.filter(id=UUID(plan_id)).select_for_update().first()


async def closed_among(plan_id: str, class_ids: Collection[str]) -> set[str]:
    """The classes whose list is signed."""
    rows = AfterSchoolTally.filter(plan_id=UUID(plan_id), class_id__in=[UUID(each) for each in class_ids])
    found = {str(room): move for room, move in await rows.order_by("number").values_list("class_id", "move")}
    return {room for room, move in found.items() if move == TallyMove.CLOSED}


def end_of(day: date) -> datetime:
    """The first moment after a day in China."""
    return to_utc(datetime.combine(day + timedelta(days=1), datetime.min.time(), SHANGHAI))


async def _marks(
    plan_id: str, class_ids: Collection[str], until: datetime | None, audiences: AccountsAudiences
) -> Mapping[str, list[Mark]]:
    rows = AfterSchoolTally.filter(plan_id=UUID(plan_id), class_id__in=[UUID(each) for each in class_ids])
    if until is not None:
        rows = rows.filter(at__lt=until)
    signed = await rows.order_by("number")
    names = await audiences.names({str(row.signed_by) for row in signed})
    found: dict[str, list[Mark]] = defaultdict(list)
    for row in signed:
        found[str(row.class_id)].append(
            Mark(
                number=row.number,
                move=row.move,
                at=row.at,
                by=names.get(str(row.signed_by), ""),
                counts=row.counts["standings"],
                fingerprint=row.counts["fingerprint"],
                reason=row.reason,
            )
        )
    return found


def _fingerprint(lines: Iterable[tuple[str, Heard]]) -> str:
    """Of who stands how, and in which courses."""
    digest = hashlib.sha256()
    for child, known in sorted(lines, key=lambda each: each[0]):
        active = sorted(f"{each.programme_id}:{each.state}" for each in known.sign_ups if each.is_active)
        digest.update(f"{child}|{known.standing}|{','.join(active)}\n".encode())
    return digest.hexdigest()[:32]


def _room_row(tally: ClassTally) -> RoomRow:
    return RoomRow(
        room=tally.room,
        children=len(tally.lines),
        unanswered=tally.counts[Standing.UNANSWERED.value],
        disagreeing=tally.counts[Standing.DISAGREEING.value],
        mark=tally.mark,
        has_moved=tally.has_moved,
    )


def _by_course(plan: PlanAt, lines: Iterable[Line]) -> list[tuple[str, int, int]]:
    """Who is in and who waits, in the order of the titles."""
    taken: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    for line in lines:
        for sign_up in line.heard.sign_ups:
            taken[sign_up.programme_id] += sign_up.state is EnrolmentState.ENROLLED
            waiting[sign_up.programme_id] += sign_up.state in _WAITING
    return [(course.title, taken[own], waiting[own]) for own, course in plan.courses.items()]
