"""Cases as rows: whose they are, what becomes of them, and the lines that tell it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from bot.clock import local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal, require
from bot.storage.files import Owner
from handlers.accounts.service.scope import as_id
from handlers.term_check.domain.cases import OPEN, CaseEvent, CaseState, Stage, StepKind, advance
from handlers.term_check.models import TermCheckAbsence, TermCheckListed, TermCheckRound, TermCheckStep

PROOF: Final = "term_check"
"""The kind of owner under which the proofs of a case are kept."""
_GOES_ON: Final = (*OPEN, CaseState.ILL)


def proofs_of(case_id: UUID | str) -> Owner:
    """Under what the proofs of a case are kept."""
    return Owner(PROOF, str(case_id))


def own_id(actor: Actor) -> UUID | None:
    """Who acts, as a column."""
    return UUID(actor.person_id) if actor.person_id else None


def subject_of(row: TermCheckAbsence) -> Subject:
    """Whose affair a case is."""
    return Subject(
        child_id=str(row.pupil_id),
        class_id=str(row.class_id),
        school_id=str(row.school_id),
        township_id=str(row.township_id),
    )


def within(reach: Reach) -> QuerySet[TermCheckAbsence]:
    """The cases within reach."""
    if reach.is_any:
        return TermCheckAbsence.all()
    return TermCheckAbsence.filter(
        Q(class_id__in=[UUID(each) for each in reach.classes])
        | Q(school_id__in=[UUID(each) for each in reach.schools])
        | Q(township_id__in=[UUID(each) for each in reach.townships])
    )


async def held(actor: Actor, case_id: str, *, lock: bool = False) -> TermCheckAbsence:
    """A case the actor may see and do something about, locked until the transaction ends if wanted. Raises
    NotFound."""
    query = within(require(actor, Action.CHECK_CASE)).filter(id=as_id(case_id))
    row = await (query.select_for_update().first() if lock else query.first())
    if row is None:
        raise refusal(NotFound(), actor, Action.CHECK_CASE, Subject())
    return row


async def last_cases(row: TermCheckRound, child_ids: Collection[Any]) -> Mapping[str, TermCheckAbsence]:
    """The case of each child as far as this round is concerned: its own last one, or one of an earlier round that goes
    on."""
    meant = Q(Q(round_id=row.id), Q(state__in=list(_GOES_ON)), join_type=Q.OR)
    rows = TermCheckAbsence.filter(meant, pupil_id__in=list(child_ids)).order_by("created_at", "id")
    return {str(each.pupil_id): each for each in await rows} if child_ids else {}


async def open_case(row: TermCheckRound, entry: TermCheckListed, by: UUID | None, now: datetime) -> TermCheckAbsence:
    """A child did not come."""
    today = local_date(now)
    case = await TermCheckAbsence.create(
        id=uuid4(), round_id=row.id, township_id=row.township_id, school_id=row.school_id, class_id=entry.class_id,
        pupil_id=entry.pupil_id, state=CaseState.ABSENT, opened_on=today, opened_by=by, stage=Stage.CLASS,
        active_key=str(entry.pupil_id), created_at=now, updated_at=now,
    )  # fmt: skip
    await note(case, StepKind.MISSED, by, now, to_state=CaseState.ABSENT)
    return case


async def move(
    case: TermCheckAbsence, event: CaseEvent, by: UUID | None, now: datetime, *, words: str | None = None
) -> None:
    """It goes on to where the event leads, with its line. What else was set on the row is saved too. Raises
    IllegalCaseMove."""
    before, today = case.state, local_date(now)
    case.state, case.updated_at = advance(before, event), now
    if case.state in OPEN:
        case.active_key, case.closed_at, case.closed_by, case.back_on = str(case.pupil_id), None, None, None
        if event is CaseEvent.REOPEN:  # it begins anew, and climbs anew
            case.opened_on, case.stage, case.stage_on, case.outcome = today, Stage.CLASS, None, None
    else:
        case.active_key, case.closed_at, case.closed_by = None, now, by
    await case.save()
    kinds = {CaseEvent.LOCATE: StepKind.LOCATED, CaseEvent.REOPEN: StepKind.REOPENED}
    await note(case, kinds.get(event, StepKind.CLOSED), by, now, words=words, was=before, to_state=case.state)


async def note(
    case: TermCheckAbsence,
    kind: StepKind,
    by: UUID | None,
    now: datetime,
    *,
    on_day: date | None = None,
    words: str | None = None,
    was: CaseState | None = None,
    to_state: CaseState | None = None,
    stage: Stage | None = None,
) -> None:
    """A line of what was done."""
    await TermCheckStep.create(
        id=uuid4(), absence_id=case.id, kind=kind, on_day=on_day or local_date(now), at=now, words=words, by_person=by,
        from_state=was, to_state=to_state, stage=stage, created_at=now, updated_at=now,
    )  # fmt: skip
