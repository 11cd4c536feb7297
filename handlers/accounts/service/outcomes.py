"""What came of a try to bind, and what was offered as a proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from bot.errors import AppError, Conflict, InvalidInput, LimitReached, NotFound
from handlers.accounts import texts
from handlers.accounts.domain import Relation


class Result(StrEnum):
    """What came of a try to bind."""

    BOUND = "bound"
    ALREADY = "already_bound"
    UNKNOWN_CODE = "unknown_code"
    CODE_OVER = "code_over"
    WRONG_PROOF = "wrong_proof"
    TOO_OFTEN = "too_often"
    NEEDS_RELATION = "needs_relation"
    NEEDS_NAME = "needs_name"
    SENT_ON = "sent_on"
    """It could not be proved, and waits for the school to decide."""
    NOT_KNOWN = "phone_not_known"
    CHOOSE = "choose_person"
    STAFF_FIRST = "staff_first"


class UnknownCode(InvalidInput):
    """No invitation has this code."""

    code = "invitation_unknown"
    default_message = texts.UNKNOWN_CODE


class InvitationOver(Conflict):
    """The invitation was used, revoked, is too old, or had too many wrong proofs."""

    code = "invitation_over"
    default_message = texts.CODE_OVER


class ProofWrong(InvalidInput):
    """The second proof does not fit; `details` says how many tries are left."""

    code = "proof_wrong"
    default_message = texts.WRONG_PROOF


class TooManyTries(LimitReached):
    """The WeChat id has failed too often today."""

    code = "too_many_tries"
    default_message = texts.TOO_OFTEN


class MoreNeeded(InvalidInput):
    """The invitation is for any guardian: who the asker is has to be said (`details` names the fields)."""

    code = "more_needed"
    default_message = texts.MORE_NEEDED


class PhoneNotKnown(NotFound):
    """The roster does not have the number, or nobody who may be bound has it."""

    code = "phone_not_known"
    default_message = texts.PHONE_NOT_KNOWN


class PersonUnclear(Conflict):
    """Several people on the roster share the number; `details` lists them to choose from."""

    code = "person_unclear"
    default_message = texts.PERSON_UNCLEAR


class StaffFirst(Conflict):
    """The person works at a school and has to be bound as such first."""

    code = "staff_first"
    default_message = texts.STAFF_FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The second proof: the child's name and date of birth, or its number on the roster; for somebody on the staff
    the phone number the school has, whole or its last four digits."""

    child_name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    roster_number: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who the asker says to be, where the invitation does not say it."""

    relation: Relation | None = None
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PersonOption:
    """Somebody on the roster with the confirmed number: name masked, and what they are to whom."""

    id: str
    name: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a try. `children`: the names of those bound with it. `tries_left`: of the invitation."""

    result: Result
    children: tuple[str, ...] = ()
    is_staff: bool = False
    tries_left: int | None = None
    options: tuple[PersonOption, ...] = ()

    @property
    def is_bound(self) -> bool:
        """Whether the asker is somebody now."""
        return self.result in (Result.BOUND, Result.ALREADY)

    def checked(self) -> Outcome:
        """Itself when bound or sent on. Raises the named error of the failure otherwise."""
        if self.is_bound or self.result is Result.SENT_ON:
            return self
        error = _ERRORS[self.result]()
        if self.tries_left is not None:
            error.details["tries_left"] = self.tries_left
        if self.options:
            error.details["people"] = [{"id": each.id, "name": each.name, "what": each.what} for each in self.options]
        if self.result in (Result.NEEDS_RELATION, Result.NEEDS_NAME):
            error.details["fields"] = ["relation"] if self.result is Result.NEEDS_RELATION else ["name"]
        raise error


_ERRORS: dict[Result, type[AppError]] = {
    Result.UNKNOWN_CODE: UnknownCode,
    Result.CODE_OVER: InvitationOver,
    Result.WRONG_PROOF: ProofWrong,
    Result.TOO_OFTEN: TooManyTries,
    Result.NEEDS_RELATION: MoreNeeded,
    Result.NEEDS_NAME: MoreNeeded,
    Result.NOT_KNOWN: PhoneNotKnown,
    Result.CHOOSE: PersonUnclear,
    Result.STAFF_FIRST: StaffFirst,
}
