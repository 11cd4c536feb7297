"""Fees as checked data: what a place costs, what the county allows, what a waiver takes off. In fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from bot.errors import InvalidInput

WHOLE: Final = 100
"""Per cent."""


class FeeBasis(StrEnum):
    """What is paid for."""

    FREE = "free"
    PER_TERM = "per_term"
    PER_LESSON = "per_lesson"


class FeeInvalid(InvalidInput):
    """No amount where one is due, one where none is, or no clause that allows it."""

    code = "fee_invalid"
    default_message = "收费要写明金额和依据的文件条款；不收费的不要填金额。请改正后再试。"


class CapInvalid(InvalidInput):
    """Nothing is limited, or no document says so."""

    code = "cap_invalid"
    default_message = "请至少填一项上限，并写明是哪份文件规定的，再保存。"


class ComplaintPhoneMissing(InvalidInput):
    """Families are to pay, and nobody is named to whom they could complain."""

    code = "complaint_phone_missing"
    default_message = "向家长收费的，要先填好监督举报电话，才能公布。"


class FeeAboveCap(InvalidInput):
    """More than the county allows."""

    code = "fee_above_cap"
    default_message = "收费超过县里的上限，不能发布。请按上限改低再试。"


@dataclass(frozen=True, slots=True)
class Fee:
    """What a place costs. `clause`: the document and paragraph that allow it."""

    basis: FeeBasis
    amount_fen: int = 0
    clause: str = ""

    def __post_init__(self) -> None:
        is_free = self.basis is FeeBasis.FREE
        if self.amount_fen < 0 or is_free != (self.amount_fen == 0) or (not is_free and not self.clause.strip()):
            raise FeeInvalid

    def of_term(self, lessons: int) -> int:
        """For a term of so many lessons."""
        return self.amount_fen * lessons if self.basis is FeeBasis.PER_LESSON else self.amount_fen


@dataclass(frozen=True, slots=True)
class Cap:
    """What the county allows from a day on, to schools of a kind (None: all). Either may be without limit."""

    per_lesson_fen: int | None
    per_term_fen: int | None
    since: date
    clause: str
    school_kind: str | None = None

    def __post_init__(self) -> None:
        limits = [each for each in (self.per_lesson_fen, self.per_term_fen) if each is not None]
        if not limits or min(limits) < 0 or not self.clause.strip():
            raise CapInvalid


@dataclass(frozen=True, slots=True)
class Excess:
    """A cap that is broken: by what, and how much it allows for the same."""

    cap: Cap
    asked_fen: int
    allowed_fen: int
    per: FeeBasis


def cap_in_force(caps: Sequence[Cap], school_kind: str, day: date) -> Cap | None:
    """The one that counts on a day: the latest for the kind of school, else the latest for all."""
    usable = [cap for cap in caps if cap.since <= day and cap.school_kind in {school_kind, None}]
    return max(usable, key=lambda cap: (cap.school_kind is not None, cap.since), default=None)


def excesses(fee: Fee, lessons: int, cap: Cap) -> list[Excess]:
    """What the fee breaks in a term of so many lessons. A fee for the term may not be a dearer lesson in disguise, nor
    many lessons a dearer term."""
    found = []
    whole = fee.of_term(lessons)
    if cap.per_lesson_fen is not None and whole > cap.per_lesson_fen * lessons:
        found.append(Excess(cap, whole, cap.per_lesson_fen * lessons, FeeBasis.PER_LESSON))
    if cap.per_term_fen is not None and whole > cap.per_term_fen:
        found.append(Excess(cap, whole, cap.per_term_fen, FeeBasis.PER_TERM))
    return found


@dataclass(frozen=True, slots=True)
class Charge:
    """What a family owes for one place, and how it comes to that."""

    gross_fen: int
    waived_fen: int

    @property
    def due_fen(self) -> int:
        """To be paid."""
        return self.gross_fen - self.waived_fen


def charge(fee: Fee, lessons: int, waived_percent: int = 0) -> Charge:
    """For so many lessons. What a waiver takes off is rounded up: a half fen is the family's."""
    if not 0 <= waived_percent <= WHOLE:
        raise FeeInvalid
    gross = fee.of_term(lessons)
    return Charge(gross, -(-gross * waived_percent // WHOLE))


@dataclass(frozen=True, slots=True)
class Settlement:
    """At the end: what was owed for what was held or attended, and what comes back or is still due."""

    charge: Charge
    paid_fen: int

    @property
    def refund_fen(self) -> int:
        """What was paid too much."""
        return max(0, self.paid_fen - self.charge.due_fen)

    @property
    def open_fen(self) -> int:
        """What is still to be paid."""
        return max(0, self.charge.due_fen - self.paid_fen)


def settle(
    fee: Fee, *, planned: int, held: int, attended: int, by_attendance: bool, waived_percent: int, paid_fen: int
) -> Settlement:
    """By the rule of the plan: on lessons attended, or on lessons held. A fee for the term is cut to the share of the
    lessons planned; what is owed is rounded down, so that no fen is kept that was not earned. More lessons than planned
    cost nothing more where the fee is for the term."""
    counted = min(attended, held) if by_attendance else held
    if fee.basis is FeeBasis.PER_TERM:
        share = min(counted, planned)
        gross = fee.amount_fen * share // planned if planned else 0
    else:
        gross = fee.of_term(counted)
    return Settlement(Charge(gross, -(-gross * waived_percent // WHOLE)), paid_fen)
