"""What a family owes in the end: lessons counted from rows, then the plan's rule."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from bot.errors import Conflict, InvalidInput
from handlers.after_school.domain.fees import Fee, Settlement, settle
from handlers.after_school.domain.plans import SettleBy


class PaymentKind(StrEnum):
    """Which way money went."""

    PAID = "paid"
    REFUNDED = "refunded"


class TermNotOver(Conflict):
    """Lessons are still to come, so nothing can be settled."""

    code = "term_not_over"
    default_message = "这个学期的课后服务还没结束，结束后再结算。中途退出的可以先结。"


class AmountInvalid(InvalidInput):
    """No amount somebody could have paid."""

    code = "amount_invalid"
    default_message = "金额不对，请按“300”或“300.50”这样写，再交一次。"


class NothingToRefund(Conflict):
    """Nothing was paid too much, or it has gone back already."""

    code = "nothing_to_refund"
    default_message = "没有要退的钱，或者已经退过了，请刷新看看。"


class Waived(Protocol):
    """Knows how much of a fee families do not pay."""

    async def percent_of(self, pupil_ids: Collection[str], first_day: date, last_day: date) -> Mapping[str, int]:
        """Of a plan's days, in per cent by child; who pays all is left out."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a child had its place. `until` None: it still has."""

    since: date
    until: date | None = None

    def __contains__(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Lessons:
    """Of one sign-up: planned for the whole term, planned while the child had its place, held then, attended."""

    planned: int
    own: int
    held: int
    attended: int


def lessons_of(
    spans: Sequence[Span], planned: Collection[date], held: Collection[date], attended: Collection[date]
) -> Lessons:
    """Counts days. A lesson the child was at counts as held for it even on the day its place ended."""
    there = set(attended)
    held_own = [day for day in held if day in there or any(day in span for span in spans)]
    own = [day for day in planned if any(day in span for span in spans)]
    return Lessons(len(planned), len(own), len(held_own), len(there))


def settlement_of(fee: Fee, rule: SettleBy, lessons: Lessons, waived_percent: int, paid_fen: int) -> Settlement:
    """By the plan's rule. On lessons planned: those planned while the child had its place, held or not."""
    held = lessons.own if rule is SettleBy.PLANNED else lessons.held
    return settle(
        fee,
        planned=lessons.planned,
        held=held,
        attended=lessons.attended,
        by_attendance=rule is SettleBy.ATTENDED,
        waived_percent=waived_percent,
        paid_fen=paid_fen,
    )


def balance(payments: Iterable[tuple[PaymentKind, int]]) -> int:
    """What is with the school: paid, less what went back."""
    return sum(fen if kind is PaymentKind.PAID else -fen for kind, fen in payments)


def fen_of(text: str) -> int:
    """The fen of 300, 300.5 or 300.50. Raises AmountInvalid."""
    whole, point, rest = text.strip().partition(".")
    ok = whole.isascii() and whole.isdecimal() and len(whole) <= 5 and (rest.isdecimal() or not point)
    if not ok or len(rest) > 2 or not rest.isascii():
        raise AmountInvalid
    amount = int(whole) * 100 + int((rest + "00")[:2])
    if not amount:
        raise AmountInvalid
    return amount
