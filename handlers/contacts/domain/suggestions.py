"""What speaks for another level. A person decides; this only says what they might look at, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from handlers.contacts.domain.register import Level

FAILED_IN_A_ROW: Final = 3
CALM_IN_A_ROW: Final = 4
_ORDER: Final = (Level.GREEN, Level.YELLOW, Level.RED)


class Sign(StrEnum):
    """What was seen."""

    OPEN_REPORT = "open_report"
    CARER_UNFIT = "carer_unfit"
    NO_CARER = "no_carer"
    NOBODY_REACHED = "nobody_reached"
    NOBODY_PAIRED = "nobody_paired"
    LONG_OVERDUE = "long_overdue"
    CALM = "calm"


_SPEAKS_FOR: Final = {
    Sign.OPEN_REPORT: Level.RED,
    Sign.CARER_UNFIT: Level.RED,
    Sign.NO_CARER: Level.YELLOW,
    Sign.NOBODY_REACHED: Level.YELLOW,
    Sign.NOBODY_PAIRED: Level.YELLOW,
    Sign.LONG_OVERDUE: Level.YELLOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a child. `failed` and `reached`: how many of the last contacts in a row were so."""

    has_open_report: bool = False
    is_carer_unfit: bool = False
    is_carer_known: bool = True
    is_paired: bool = True
    is_long_overdue: bool = False
    failed: int = 0
    reached: int = 0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A level that might fit better, and why."""

    level: Level
    sign: Sign


def suggestions(now: Level | None, seen: Seen) -> tuple[Suggestion, ...]:
    """What speaks for a higher level, the highest first; only where nothing does, what speaks for a lower one."""
    found = {
        Sign.OPEN_REPORT: seen.has_open_report,
        Sign.CARER_UNFIT: seen.is_carer_unfit,
        Sign.NO_CARER: not seen.is_carer_known,
        Sign.NOBODY_REACHED: seen.failed >= FAILED_IN_A_ROW,
        Sign.NOBODY_PAIRED: not seen.is_paired,
        Sign.LONG_OVERDUE: seen.is_long_overdue,
    }
    signs = [sign for sign, holds in found.items() if holds]
    rank = _ORDER.index(now) if now else -1
    higher = [Suggestion(_SPEAKS_FOR[sign], sign) for sign in signs if _ORDER.index(_SPEAKS_FOR[sign]) > rank]
    if higher:
        return tuple(sorted(higher, key=lambda each: -_ORDER.index(each.level)))
    if not signs and rank > 0 and seen.reached >= CALM_IN_A_ROW:
        return (Suggestion(_ORDER[rank - 1], Sign.CALM),)
    return ()
