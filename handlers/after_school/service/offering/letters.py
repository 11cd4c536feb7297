"""The letter to parents and its slip: one for each child of a class, with a code that leads the paper back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import Conflict, NotFound
from bot.identity import Actor
from bot.rights import Action, Denial, Subject, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.codes import new_code, read_code
from handlers.accounts.service.rolls import Room, Seat
from handlers.after_school.domain.offers import Window
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.models import AfterSchoolPlan, AfterSchoolSlip
from handlers.after_school.service.collection.desk import CollectionDesk
from handlers.after_school.service.collection.views import PlanAt
from handlers.after_school.service.offering.sheets import Sheets
from handlers.after_school.service.offering.views import PlanSheet, ProgrammeLine
from handlers.after_school.service.plan_rows import person_id

_TRIES: Final = 5


class LettersOver(Conflict):
    """There is nothing to be answered any more."""

    code = "letters_over"
    default_message = "这份安排已经结束，不用再发告家长书。"


class SlipUnknown(NotFound):
    """Nobody has the code, or the child is not theirs who asks."""

    default_message = "没有这个编号的回条，或者不是您能登记的孩子。请核对编号，再输一遍。"


@dataclass(frozen=True, slots=True)
class Letter:
    """One child's."""

    seat: Seat
    code: str


@dataclass(frozen=True, slots=True)
class ClassLetters:
    """The letters of a class: what its grade may choose from, until when, and a slip for each child."""

    sheet: PlanSheet
    room: Room
    lines: tuple[ProgrammeLine, ...]
    window: Window
    letters: tuple[Letter, ...]


class LetterService:
    """Prints letters, and knows the slips that come back."""

    def __init__(self, desk: CollectionDesk, sheets: Sheets, audit: Audit, clock: Clock) -> None:
        self._desk = desk
        self._sheets = sheets
        self._audit = audit
        self._clock = clock

    async def plans(self, actor: Actor) -> list[PlanAt]:
        """Those families may answer now."""
        require(actor, Action.TALLY_ENTER)
        return [plan for plan in await self._desk.plans(actor) if plan.state is PlanState.PUBLISHED]

    async def rooms(self, actor: Actor, plan_id: str) -> tuple[PlanAt, list[Room]]:
        """A plan and the classes within reach it is for. Raises NotFound."""
        return await self._desk.plan(actor, Action.TALLY_ENTER, plan_id)

    async def letters(self, actor: Actor, plan_id: str, class_id: str) -> ClassLetters:
        """The letters of a class, ready to be printed; that they were is written down. Raises LettersOver, NotFound."""
        plan, room = await self._desk.room(actor, Action.TALLY_ENTER, plan_id, class_id)
        if plan.state is not PlanState.PUBLISHED:
            raise LettersOver
        seats = await self._desk.seats(room, None)
        async with transaction():
            codes = await self._codes(actor, UUID(plan.id), [UUID(seat.child_id) for seat in seats])
            await self._audit.record(
                actor, Action.TALLY_ENTER, f"class:{room.id}", whose=room.subject, purpose="letters"
            )
        sheet = await self._sheets.of(await AfterSchoolPlan.get(id=UUID(plan.id)))
        return ClassLetters(
            sheet,
            room,
            tuple(sheet.for_grade(room.grade)),
            sheet.window_of(room.grade),
            tuple(Letter(seat, codes[UUID(seat.child_id)]) for seat in seats),
        )

    async def resolve(self, actor: Actor, said: str) -> tuple[str, str]:
        """Of which plan and child a slip is, for whoever enters it. Raises SlipUnknown alike for a code nobody has and
        for a child that is not theirs."""
        require(actor, Action.TALLY_ENTER)
        code = read_code(said)
        row = await AfterSchoolSlip.get_or_none(code=code) if code else None
        if row is None:
            raise refusal(SlipUnknown(), actor, Action.TALLY_ENTER, Subject())
        try:
            plan, _, seat = await self._desk.child(actor, Action.TALLY_ENTER, str(row.plan_id), str(row.pupil_id))
        except NotFound as error:
            subject = error.denial.subject if isinstance(error.denial, Denial) else None
            raise refusal(SlipUnknown(), actor, Action.TALLY_ENTER, subject) from None
        return plan.id, seat.child_id

    async def _codes(self, actor: Actor, plan_id: UUID, pupils: Collection[UUID]) -> dict[UUID, str]:
        """The codes of the children, new ones where a child has none. Two who print at the same moment print the same:
        what is there already stays, and a code that somebody has is drawn again."""
        now, by = self._clock.now(), person_id(actor)
        found: dict[UUID, str] = {}
        for _ in range(_TRIES):
            rows = AfterSchoolSlip.filter(plan_id=plan_id, pupil_id__in=list(pupils))
            found = {UUID(str(own)): str(code) for own, code in await rows.values_list("pupil_id", "code")}
            missing = [own for own in pupils if own not in found]
            if not missing:
                break
            made = [
                AfterSchoolSlip(
                    plan_id=plan_id, pupil_id=own, code=new_code(), printed_by=by, created_at=now, updated_at=now
                )
                for own in missing
            ]
            await AfterSchoolSlip.bulk_create(made, ignore_conflicts=True)
        return found
