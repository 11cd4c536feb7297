"""The life of an enrolment: one table of what may follow what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bot.errors import Conflict


class EnrolmentState(StrEnum):
    """How far a child's sign-up for one programme has come."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    """Waits for the draw."""
    ENROLLED = "enrolled"
    WAITLISTED = "waitlisted"
    OFFERED = "offered"
    """A place has become free and is kept for the child until the family answers, or until a moment."""
    DECLINED = "declined"
    """The family did not want the offer or let it pass, or the draw gave nothing."""
    WITHDRAWN = "withdrawn"
    OPTED_OUT = "opted_out"
    """The family does not want the service at all."""
    ENDED = "ended"


_S = EnrolmentState

TRANSITIONS: Final[Mapping[EnrolmentState, frozenset[EnrolmentState]]] = {
    _S.DRAFT: frozenset({_S.SUBMITTED, _S.ENROLLED, _S.WAITLISTED, _S.WITHDRAWN, _S.OPTED_OUT}),
    _S.SUBMITTED: frozenset({_S.ENROLLED, _S.WAITLISTED, _S.DECLINED, _S.WITHDRAWN, _S.OPTED_OUT}),
    _S.WAITLISTED: frozenset({_S.OFFERED, _S.WITHDRAWN, _S.OPTED_OUT, _S.ENDED}),
    _S.OFFERED: frozenset({_S.ENROLLED, _S.DECLINED, _S.WITHDRAWN, _S.OPTED_OUT, _S.ENDED}),
    _S.ENROLLED: frozenset({_S.WITHDRAWN, _S.OPTED_OUT, _S.ENDED}),
    _S.DECLINED: frozenset(),
    _S.WITHDRAWN: frozenset(),
    _S.OPTED_OUT: frozenset(),
    _S.ENDED: frozenset(),
}
OCCUPYING: Final = frozenset({_S.ENROLLED, _S.OFFERED})
"""Who has a place: an offered place is nobody else's."""
ACTIVE: Final = frozenset({_S.DRAFT, _S.SUBMITTED, _S.ENROLLED, _S.WAITLISTED, _S.OFFERED})
"""At most one of a child in a programme; what has ended stays as history, and a child may sign up anew."""


class IllegalEnrolmentMove(Conflict):
    """The enrolment is not in a state from which this follows."""

    code = "enrolment_state_conflict"
    default_message = "这份报名现在不能这样改，请刷新看最新的情况。"


def advance(state: EnrolmentState, to: EnrolmentState) -> EnrolmentState:
    """`to`, if it may follow. Raises IllegalEnrolmentMove."""
    if to not in TRANSITIONS[state]:
        raise IllegalEnrolmentMove(details={"from": state.value, "to": to.value})
    return to
