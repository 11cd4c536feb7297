"""A child that did not come: how far one has got with it, what may follow, and who is told when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput

LEAST_WORDS: Final = 4
MOST_WORDS: Final = 500
MOST_PROOFS: Final = 3
LONGEST_LEAVE_DAYS: Final = 200


class CaseState(StrEnum):
    """How far a case has come."""

    ABSENT = "absent"
    """Did not come, and nobody has found out where it is."""
    LOCATED = "located"
    """It is known where the child is, and it is to come back."""
    RETURNED = "returned"
    TRANSFERRED = "transferred"
    """Goes to another school, and a paper of that school says so."""
    ILL = "ill"
    """Excused until a day; afterwards the case is open again."""
    OTHER = "other"
    """Anything else, in words. It counts as dropped out: nobody makes a figure better by it."""


class CaseEvent(StrEnum):
    """What happens to a case."""

    LOCATE = "locate"
    RETURN = "return"
    TRANSFER = "transfer"
    EXCUSE = "excuse"
    OTHERWISE = "otherwise"
    REOPEN = "reopen"


class StepKind(StrEnum):
    """A line of what was done about a child."""

    MISSED = "missed"
    CALL = "call"
    VISIT = "visit"
    PERSUASION = "persuasion"
    LOCATED = "located"
    CLOSED = "closed"
    REOPENED = "reopened"
    CLIMBED = "climbed"


class KnownBy(StrEnum):
    """From whom it is known where a child is."""

    GUARDIAN = "guardian"
    RELATIVE = "relative"
    VILLAGE = "village"
    CLASSMATE = "classmate"
    OTHER_SCHOOL = "other_school"
    ELSE = "else"


class Stage(StrEnum):
    """Who has been told: in the order of the ladder."""

    CLASS = "class"
    SCHOOL = "school"
    CENTRE = "centre"
    TOWNSHIP = "township"


OPEN: Final = (CaseState.ABSENT, CaseState.LOCATED)
DROPPED: Final = (*OPEN, CaseState.OTHER)
"""Counted as not at school any more."""
TALKS: Final = (StepKind.CALL, StepKind.VISIT, StepKind.PERSUASION)
"""What people do about a child, again and again."""
STAGES: Final = tuple(Stage)

_S, _E = CaseState, CaseEvent
MOVES: Final[Mapping[tuple[CaseState, CaseEvent], CaseState]] = {
    **{
        (state, event): to
        for state in OPEN
        for event, to in (
            (_E.LOCATE, _S.LOCATED),
            (_E.RETURN, _S.RETURNED),
            (_E.TRANSFER, _S.TRANSFERRED),
            (_E.EXCUSE, _S.ILL),
            (_E.OTHERWISE, _S.OTHER),
        )
    },
    # Whoever was away may be back, whatever was written; and what was written may turn out not to be so.
    **{(state, _E.RETURN): _S.RETURNED for state in (_S.ILL, _S.OTHER, _S.TRANSFERRED)},
    **{(state, _E.REOPEN): _S.ABSENT for state in (_S.RETURNED, _S.ILL, _S.OTHER, _S.TRANSFERRED)},
}
"""Everything that may happen."""


class IllegalCaseMove(Conflict):
    """Not from where the case is."""

    code = "term_check_move"
    default_message = "这位同学的情况刚被别人改过，请刷新后再看。"


class CaseInvalid(InvalidInput):
    """Something is missing, or impossible."""

    code = "term_check_case"
    default_message = f"请用{LEAST_WORDS}到{MOST_WORDS}个字写清楚，再交一次。"


class ProofMissing(InvalidInput):
    """A child is not transferred because somebody says so."""

    code = "term_check_proof"
    default_message = "转学要有凭证：请拍下接收学校的证明，一起交。"


class TooManyProofs(InvalidInput):
    """More pictures than anybody looks at."""

    code = "term_check_proofs"
    default_message = f"凭证最多{MOST_PROOFS}张，已经够了，不用再传。"


def advance(state: CaseState, event: CaseEvent) -> CaseState:
    """Where it leads. Raises IllegalCaseMove."""
    to = MOVES.get((state, event))
    if to is None:
        raise IllegalCaseMove
    return to


def checked_words(text: str) -> str:
    """What was written, in one piece. Raises CaseInvalid."""
    words = " ".join(text.split())
    if not LEAST_WORDS <= len(words) <= MOST_WORDS:
        raise CaseInvalid
    return words


def checked_back(back_on: date | None, today: date) -> date:
    """The day an ill child is expected on. Raises CaseInvalid without one, and for one that is no plan."""
    if back_on is None or not 0 < (back_on - today).days <= LONGEST_LEAVE_DAYS:
        raise CaseInvalid("请填预计哪天返校：要在今天以后，200天以内。")
    return back_on


def higher(one: Stage, other: Stage) -> Stage:
    """The one further up."""
    return max(one, other, key=STAGES.index)
