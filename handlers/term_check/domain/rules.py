"""What a township sets: when an absent child is a matter of the school, the centre school, the township; and the share
of children dropped out it keeps to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.errors import InvalidInput
from handlers.term_check.domain.cases import Stage

MOST_DAYS: Final = 60
WHOLE: Final = 1000
LONGEST_CLAUSE: Final = 300


class CheckRuleInvalid(InvalidInput):
    """Not a rule."""

    code = "term_check_rule"
    default_message = "规定没有填好：天数是1到60，一级比一级不早；比例是0到100，最多一位小数；依据要写。请改正后再交。"


@dataclass(frozen=True, slots=True)
class Ladder:
    """After how many school days of absence whom it concerns; never earlier than the one below."""

    school_after: int
    centre_after: int
    township_after: int

    def __post_init__(self) -> None:
        if not 1 <= self.school_after <= self.centre_after <= self.township_after <= MOST_DAYS:
            raise CheckRuleInvalid

    def stage(self, days: int) -> Stage:
        """Whose matter it is after so many school days."""
        if days >= self.township_after:
            return Stage.TOWNSHIP
        if days >= self.centre_after:
            return Stage.CENTRE
        return Stage.SCHOOL if days >= self.school_after else Stage.CLASS


@dataclass(frozen=True, slots=True)
class Limits:
    """Below which share of children dropped out a township wants to stay, in thousandths."""

    primary: int
    junior: int

    def __post_init__(self) -> None:
        if not (0 <= self.primary <= WHOLE and 0 <= self.junior <= WHOLE):
            raise CheckRuleInvalid


SUGGESTED: Final = (Ladder(1, 3, 5), Limits(20, 30))
"""Offered to a township that has set nothing, and marked as a suggestion. The limits are one plan's of 2012; the days
are in no plan."""


def in_force(since: date, until: date | None, day: date) -> bool:
    """Whether a rule holds on the day."""
    return since <= day and (until is None or day <= until)


def thousandths(text: str) -> int:
    """2, 2.5 or 2% as 20, 25, 20. Raises CheckRuleInvalid."""
    whole, dot, tenth = text.strip().rstrip("%％").partition(".")
    if not whole.isdecimal() or len(whole) > 3 or (dot and not (tenth.isdecimal() and len(tenth) == 1)):
        raise CheckRuleInvalid
    return int(whole) * 10 + int(tenth or 0)


def in_percent(share: int) -> str:
    """20 as 2%, 25 as 2.5%."""
    return f"{share // 10}%" if share % 10 == 0 else f"{share // 10}.{share % 10}%"
