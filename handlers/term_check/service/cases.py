"""A child that did not come: looking at its case, what was done about it, and what became of it.

Whatever is shown is written down first, in the same transaction: without the line there is no page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, may, require
from bot.storage.database import transaction
from bot.storage.files import FileContent, FileStore
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.rolls import ClassRolls
from handlers.calendar.service.calendars import CalendarService
from handlers.term_check import texts
from handlers.term_check.domain.cases import (
    MOST_PROOFS,
    OPEN,
    TALKS,
    CaseEvent,
    CaseInvalid,
    CaseState,
    KnownBy,
    ProofMissing,
    StepKind,
    TooManyProofs,
    advance,
    checked_back,
    checked_words,
)
from handlers.term_check.models import TermCheckAbsence, TermCheckRound, TermCheckStep
from handlers.term_check.service.returns import ReturnService
from handlers.term_check.service.rows import held, move, note, own_id, proofs_of, subject_of, within
from handlers.term_check.service.views import CaseLine, CaseView, StepView

CASES: Final = "/term-check/cases"
_LONGEST_AGO: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Talk:
    """What somebody did about a child: rang, went there, persuaded; on which day, and what came of it."""

    kind: StepKind
    words: str = field(repr=False)
    on_day: date | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a child. `back_on`: the day an ill one is expected on; `proof`: the picture of a paper of the
    other school, b"" for none."""

    event: CaseEvent
    words: str = field(default="", repr=False)
    back_on: date | None = None
    proof: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class CaseParts:
    """What it works with."""

    returns: ReturnService
    rolls: ClassRolls
    offices: Offices
    audiences: AccountsAudiences
    calendars: CalendarService
    files: FileStore


class CaseService:
    """The use cases. A `TodoSource`."""

    def __init__(self, parts: CaseParts, audit: Audit, clock: Clock) -> None:
        self._parts = parts
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- looking
    async def page(
        self, actor: Actor, states: Sequence[CaseState] = OPEN, *, offset: int = 0, limit: int = 50
    ) -> tuple[list[CaseLine], int]:
        """The cases within reach in these states, those open longest first, and how many there are; written down."""
        reach = require(actor, Action.CHECK_CASE)
        async with transaction():
            query = within(reach).filter(state__in=list(states))
            rows = await query.order_by("opened_on", "school_id", "class_id", "id").offset(offset).limit(limit)
            for row in rows:
                await self._wrote(actor, row, "list")
            return await self._lines(rows), await query.count()

    async def one(self, actor: Actor, case_id: str) -> CaseView:
        """A case with everything; written down. Raises NotFound."""
        async with transaction():
            row = await held(actor, case_id)
            await self._wrote(actor, row, "looked")
            return await self._viewed(row)

    async def proof(self, actor: Actor, case_id: str, file_id: str) -> FileContent:
        """One of its papers; written down. Raises NotFound, FileNotFound."""
        async with transaction():
            row = await held(actor, case_id)
            await self._wrote(actor, row, "proof")
            return await self._parts.files.read(proofs_of(row.id), file_id)

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Children who are looked for."""
        if not may(actor, Action.CHECK_CASE):
            return ()
        count = await within(require(actor, Action.CHECK_CASE)).filter(state__in=list(OPEN)).count()
        return (Todo(texts.TODO_CASES, count, CASES),) if count else ()

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def talk(self, actor: Actor, case_id: str, talk: Talk) -> CaseView:
        """Somebody did something about an open case. Raises NotFound, CaseInvalid, IllegalCaseMove."""
        async with transaction():
            row = await held(actor, case_id, lock=True)
            words, now = checked_words(talk.words), self._clock.now()
            if talk.kind not in TALKS or row.state not in OPEN:
                advance(row.state, CaseEvent.LOCATE)  # says why a case that is closed takes nothing more
                raise CaseInvalid(texts.NO_TALK)
            await note(row, talk.kind, own_id(actor), now, on_day=self._day(talk.on_day), words=words)
            await self._wrote(actor, row, talk.kind.value)
            return await self._viewed(row)

    async def locate(self, actor: Actor, case_id: str, where_to: str, known_by: KnownBy | None) -> CaseView:
        """It is known where the child is. Raises NotFound, CaseInvalid, IllegalCaseMove."""
        async with transaction():
            row = await held(actor, case_id, lock=True)
            if known_by is None:
                raise CaseInvalid(texts.NO_SOURCE)
            row.where_to, row.known_by = checked_words(where_to), known_by.value
            await move(row, CaseEvent.LOCATE, own_id(actor), self._clock.now(), words=row.where_to)
            await self._wrote(actor, row, "located")
            return await self._viewed(row)

    async def end(self, actor: Actor, case_id: str, ending: Ending) -> CaseView:
        """What became of the child. Raises NotFound, CaseInvalid, ProofMissing, TooManyProofs, IllegalCaseMove,
        PictureUnreadable, PictureTooLarge, FileTooLarge."""
        await held(actor, case_id)  # whose it is comes before what was sent
        picture = await self._parts.files.prepared(ending.proof) if ending.proof else None
        async with transaction():
            row = await held(actor, case_id, lock=True)
            if ending.event in (CaseEvent.LOCATE, CaseEvent.REOPEN):
                raise CaseInvalid(texts.NO_ENDING)
            advance(row.state, ending.event)
            row.outcome = checked_words(ending.words) if ending.event is not CaseEvent.RETURN else None
            if ending.event is CaseEvent.EXCUSE:
                row.back_on = checked_back(ending.back_on, self._today())
            if picture is not None:
                if len(await self._parts.files.of(proofs_of(row.id))) >= MOST_PROOFS:
                    raise TooManyProofs
                await self._parts.files.keep_prepared(proofs_of(row.id), picture)
            elif ending.event is CaseEvent.TRANSFER:
                raise ProofMissing
            await move(row, ending.event, own_id(actor), self._clock.now(), words=row.outcome)
            await self._wrote(actor, row, ending.event.value)
            await self._settle(actor, row)
            return await self._viewed(row)

    async def reopen(self, actor: Actor, case_id: str, words: str) -> CaseView:
        """It was not so, or is not any more. Raises NotFound, CaseInvalid, IllegalCaseMove."""
        async with transaction():
            row = await held(actor, case_id, lock=True)
            said = checked_words(words)
            advance(row.state, CaseEvent.REOPEN)
            if await TermCheckAbsence.filter(active_key=str(row.pupil_id)).exists():
                raise CaseInvalid(texts.OPEN_ALREADY)
            await move(row, CaseEvent.REOPEN, own_id(actor), self._clock.now(), words=said)
            await self._wrote(actor, row, "reopen")
            return await self._viewed(row)

    # ---------------------------------------------------------------------------------------------------------- inside
    async def _settle(self, actor: Actor, row: TermCheckAbsence) -> None:
        """The class may have no open case left."""
        of = await TermCheckRound.filter(school_id=row.school_id, closed_at__isnull=True).first()
        if of is not None:
            await self._parts.returns.settle_duty(actor, of, str(row.class_id))

    async def _viewed(self, row: TermCheckAbsence) -> CaseView:
        steps = await TermCheckStep.filter(absence_id=row.id).order_by("at", "id")
        names = await self._parts.audiences.names({str(each.by_person) for each in steps if each.by_person})
        return CaseView(
            line=(await self._lines([row]))[0],
            child_id=str(row.pupil_id),
            class_id=str(row.class_id),
            where_to=row.where_to or "",
            known_by=KnownBy(row.known_by) if row.known_by else None,
            outcome=row.outcome or "",
            back_on=row.back_on,
            proofs=[each.id for each in await self._parts.files.of(proofs_of(row.id))],
            steps=[
                StepView(
                    kind=each.kind,
                    on_day=each.on_day,
                    at=each.at,
                    words=each.words or "",
                    by=names.get(str(each.by_person), ""),
                    to_state=each.to_state,
                    stage=each.stage,
                )
                for each in steps
            ],
        )

    async def _lines(self, rows: Sequence[TermCheckAbsence]) -> list[CaseLine]:
        children = await self._parts.rolls.names({str(row.pupil_id) for row in rows})
        schools = await self._parts.offices.names({str(row.school_id) for row in rows})
        rooms = await self._parts.offices.names({str(row.class_id) for row in rows})
        return [
            CaseLine(
                id=str(row.id),
                child=children.get(str(row.pupil_id), ""),
                school=schools.get(str(row.school_id), ""),
                class_name=_short(rooms, schools, row),
                state=row.state,
                stage=row.stage,
                opened_on=row.opened_on,
                days=await self._days(row),
            )
            for row in rows
        ]

    async def _days(self, row: TermCheckAbsence) -> int:
        """School days since it was opened, until it was closed."""
        last = local_date(row.closed_at) if row.closed_at else self._today()
        calendar = await self._parts.calendars.of(str(row.school_id))
        return calendar.count(row.opened_on + timedelta(days=1), last)

    def _day(self, on_day: date | None) -> date:
        today = self._today()
        day = on_day or today
        if not today - _LONGEST_AGO <= day <= today:
            raise CaseInvalid(texts.BAD_DAY)
        return day

    async def _wrote(self, actor: Actor, row: TermCheckAbsence, purpose: str) -> None:
        fields = ["where_to", "known_by", "outcome", "steps"] if purpose == "looked" else ["state"]
        await self._audit.record(
            actor, Action.CHECK_CASE, f"term_check:{row.id}", whose=subject_of(row), fields=fields, purpose=purpose
        )

    def _today(self) -> date:
        return local_date(self._clock.now())


def _short(rooms: Mapping[str, str], schools: Mapping[str, str], row: TermCheckAbsence) -> str:
    """三年级1班 without its school."""
    return rooms.get(str(row.class_id), "").removeprefix(schools.get(str(row.school_id), ""))
