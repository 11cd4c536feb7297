"""Every day: who was there, whether a child is missing, who collects it, and who is on duty."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput

LONGEST_LEAVE_DAYS: Final = 60
LONGEST_REASON: Final = 200
LONGEST_TEXT: Final = 500


class Presence(StrEnum):
    """Whether a child was at a lesson."""

    HERE = "here"
    LEFT_EARLY = "left_early"
    """Was there and was collected before the end: the lesson counts."""
    LEAVE = "leave"
    MISSING = "missing"
    """Not there, and nobody had asked for leave."""


ATTENDED: Final = frozenset({Presence.HERE, Presence.LEFT_EARLY})


class CollectBy(StrEnum):
    """How a child gets home."""

    GUARDIAN = "guardian"
    OTHER = "other"
    """Somebody the family named."""
    ALONE = "alone"


class DutyRole(StrEnum):
    """What somebody does who is on duty on a day."""

    TEACHER = "teacher"
    GUIDE = "guide"
    ADMINISTRATOR = "administrator"


class CheckPoint(StrEnum):
    """What whoever leads the duty looks at every day."""

    TEACHERS_THERE = "teachers_there"
    ROSTERS_TAKEN = "rosters_taken"
    ROOMS_SAFE = "rooms_safe"
    GATE_KEPT = "gate_kept"
    ALL_COLLECTED = "all_collected"


class LeaveInvalid(InvalidInput):
    """The days of a leave cannot be."""

    code = "leave_invalid"
    default_message = "请假的日期不对：要从今天或以后开始，结束不早于开始，一次不超过60天。请改一下再交。"


class CollectionInvalid(InvalidInput):
    """It is not said who collects the child."""

    code = "collection_invalid"
    default_message = "请写清楚谁来接：姓名和手机号都要，再交一次。"


class CollectorRefused(Conflict):
    """The child is not handed to whoever was named: why is a matter of the school's."""

    code = "collector_refused"
    default_message = "这位接送人需要学校先确认，请直接联系班主任。"


class NoLessonThen(Conflict):
    """The group has no lesson on the day."""

    code = "no_lesson"
    default_message = "这一天没有这个班的课后服务，请换一天看看。"


class LessonAhead(Conflict):
    """It is too early to say who came."""

    code = "lesson_ahead"
    default_message = "还没到这一天，不能点名。请到当天再点。"


class MarksUnclear(InvalidInput):
    """Not everybody on the roster has been said to be there or not."""

    code = "marks_unclear"
    default_message = "还有孩子没有点到，请每个孩子都选一项再交。"


class CheckInvalid(InvalidInput):
    """A note is missing for what was not in order."""

    code = "check_invalid"
    default_message = "有没打勾的项目，请写一句情况说明再交。"


class IncidentInvalid(InvalidInput):
    """Nothing is said, or too much."""

    code = "incident_invalid"
    default_message = "请用4到500个字写清楚情况，再交一次。"


@dataclass(frozen=True, slots=True)
class Move:
    """What is written of one child: `before` None for the first time."""

    child: str
    before: Presence | None
    after: Presence

    @property
    def is_missing_now(self) -> bool:
        """Whether somebody has to look for the child."""
        return self.after is Presence.MISSING

    @property
    def is_found(self) -> bool:
        """Whether a child that was missed need not be looked for any more."""
        return self.before is Presence.MISSING and self.after is not Presence.MISSING


def moves(
    known: Mapping[str, Presence], said: Mapping[str, Presence], on_leave: Collection[str], expected: Collection[str]
) -> list[Move]:
    """What changes by a roster that was handed in. What was said before is not said anew, so the same roster twice
    changes nothing. Who is not there and has leave is on leave, whatever was tapped. Raises MarksUnclear when somebody
    expected is neither known nor said; what is said of anybody else is not heard."""
    if any(child not in said and child not in known for child in expected):
        raise MarksUnclear
    found = []
    for child in expected:
        if child not in said:
            continue
        after = said[child]
        if after is Presence.MISSING and child in on_leave:
            after = Presence.LEAVE
        if known.get(child) is not after:
            found.append(Move(child, known.get(child), after))
    return found


def checked_leave(first: date, last: date, today: date) -> None:
    """Raises LeaveInvalid for days that cannot be."""
    if first < today or last < first or (last - first).days >= LONGEST_LEAVE_DAYS:
        raise LeaveInvalid


def checked_text(text: str) -> str:
    """What happened, in one piece. Raises IncidentInvalid."""
    words = text.strip()
    if not 4 <= len(words) <= LONGEST_TEXT:
        raise IncidentInvalid
    return words


def checked_points(points: Collection[str], note: str) -> tuple[list[CheckPoint], str]:
    """What was in order. Raises CheckInvalid when something was not and no word says what."""
    known = [point for point in CheckPoint if point.value in points]
    words = note.strip()
    if len(words) > LONGEST_TEXT or (len(known) < len(CheckPoint) and not words):
        raise CheckInvalid
    return known, words
