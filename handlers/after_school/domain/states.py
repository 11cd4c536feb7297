"""The life of an enrolment: one table of what may follow what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput


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


class AlreadyEnrolled(Conflict):
    """The child is signed up for the programme already."""

    code = "already_enrolled"
    default_message = "孩子已经报了这门课，不用再报。可以在“我的报名”里查看。"


class OfferLapsed(Conflict):
    """The place was kept until a moment that has passed."""

    code = "offer_lapsed"
    default_message = "这个名额的保留时间已经过了，已经让给下一位。想再等，请重新报名。"


class ConsentMissing(Conflict):
    """The family has not agreed to the child's data being used for signing up online."""

    code = "consent_required"
    default_message = "网上报名要先同意使用孩子的信息。请先在“儿童信息授权”里同意，或者找班主任交纸质报名表。"


class PartyInvalid(InvalidInput):
    """Siblings who want to be together, not all in courses of one plan that are given out as they come."""

    code = "party_invalid"
    default_message = "“一起报”要选同一份安排里先到先得的课，每个孩子一门。请重新选，或者分开报。"


class ConsentHowMissing(InvalidInput):
    """Entered for a family without saying how the family agreed."""

    code = "consent_how_required"
    default_message = "替家长登记时，要写明家长是怎样同意的（签字、电话或当面）。请补上再提交。"
