"""A month's list of lessons: counted from what was held, shown to those it is about, and filed."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput

_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
LONGEST_OBJECTION: Final = 300


class MonthMove(StrEnum):
    """What was done with a list."""

    SHOWN = "shown"
    FILED = "filed"


class MonthState(StrEnum):
    """How far a month's list of a band has come."""

    COUNTED = "counted"
    """Nobody has been shown it yet."""
    SHOWN = "shown"
    OBJECTED = "objected"
    """Somebody thinks it is wrong and has not been answered."""
    FILED = "filed"


class MonthInvalid(InvalidInput):
    """No month of the calendar."""

    code = "month_invalid"
    default_message = "月份不对，请写成“2026-10”这样再试。"


class MonthNotOver(Conflict):
    """Lessons of the month are still to come."""

    code = "month_not_over"
    default_message = "这个月还没过完，月底再公示。"


class MonthNotShown(Conflict):
    """What is to be filed is not what those it is about have seen, or nobody has been shown anything."""

    code = "month_not_shown"
    default_message = "现在的数和公示过的不一样（或还没有公示），请先公示，没有异议再备案。"


class ObjectionsOpen(Conflict):
    """Somebody has not been answered."""

    code = "objections_open"
    default_message = "还有异议没有答复，请先逐条答复再备案。"


class MonthFiled(Conflict):
    """It is filed: nothing of it changes any more."""

    code = "month_filed"
    default_message = "这个月的课时已经备案，不能再改。确实有错，请联系教导处。"


class ObjectionInvalid(InvalidInput):
    """Nothing is said, or too much."""

    code = "objection_invalid"
    default_message = "请用4到300个字写清楚，再交一次。"


@dataclass(frozen=True, slots=True)
class Given:
    """A lesson that was held, by whom."""

    teacher: str
    is_substitute: bool


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """How many lessons somebody gave, and how many of these in the place of somebody else."""

    teacher: str
    lessons: int
    substituted: int

    def as_plain(self) -> list[object]:
        """As it is kept."""
        return [self.teacher, self.lessons, self.substituted]


def month_key(text: str) -> tuple[int, int]:
    """Year and month of `2026-10`. Raises MonthInvalid."""
    match = _MONTH.fullmatch(text)
    if match is None:
        raise MonthInvalid
    return int(match[1]), int(match[2])


def month_text(day: date) -> str:
    """`2026-10`."""
    return f"{day.year:04}-{day.month:02}"


def band_of(lowest: int, highest: int) -> str:
    """What a band of grades is known by: `1-2`."""
    return f"{lowest}-{highest}"


def lines_of(lessons: Iterable[Given]) -> list[Line]:
    """How many each gave, by teacher."""
    given, substituted = Counter[str](), Counter[str]()
    for lesson in lessons:
        given[lesson.teacher] += 1
        substituted[lesson.teacher] += lesson.is_substitute
    return [Line(teacher, number, substituted[teacher]) for teacher, number in sorted(given.items())]


def digest_of(lines: Sequence[Line]) -> str:
    """The fingerprint of a list: two of them are the same list or not."""
    plain = json.dumps([line.as_plain() for line in sorted(lines)], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def state_of(last: MonthMove | None, open_objections: int) -> MonthState:
    """How far a list has come, from the last thing done with it and what is unanswered."""
    if last is None:
        return MonthState.COUNTED
    if last is MonthMove.FILED:
        return MonthState.FILED
    return MonthState.OBJECTED if open_objections else MonthState.SHOWN


def checked_filing(state: MonthState, shown: str, counted: str) -> None:
    """Raises what stands in the way of filing: `shown` and `counted` are fingerprints."""
    if state is MonthState.FILED:
        raise MonthFiled
    if state is MonthState.OBJECTED:
        raise ObjectionsOpen
    if state is MonthState.COUNTED or shown != counted:
        raise MonthNotShown


def checked_objection(text: str) -> str:
    """In one line. Raises ObjectionInvalid."""
    words = " ".join(text.split())
    if not 4 <= len(words) <= LONGEST_OBJECTION:
        raise ObjectionInvalid
    return words
