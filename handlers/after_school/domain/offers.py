"""What is offered: when and for whom, when one may sign up, and what cannot go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Protocol

from bot.errors import Conflict, InvalidInput


class ProgrammeStatus(StrEnum):
    """Whether one may sign up."""

    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"


class WindowInvalid(InvalidInput):
    """Sign-up would end before it begins."""

    code = "window_invalid"
    default_message = "报名截止要晚于报名开始，请改正时间再试。"


class HoursInvalid(InvalidInput):
    """No weekday, or an end before the beginning."""

    code = "hours_invalid"
    default_message = "请选好星期几，结束时间要晚于开始时间，再试一次。"


class EnrolmentClosed(Conflict):
    """Outside the window."""

    code = "enrolment_closed"
    default_message = "现在不在报名时间里。要改或要补报，请找班主任。"


class ProgrammesClash(Conflict):
    """The child has something else at that hour."""

    code = "programmes_clash"
    default_message = "这门课和孩子已经报的课时间重了。请先退掉那一门，或者换一门时间不冲突的。"


class NotForThisGrade(Conflict):
    """The programme is for other grades."""

    code = "not_for_this_grade"
    default_message = "这门课不收孩子现在的年级，请看看别的课。"


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when one may sign up, to the second; the end is not part of it."""

    opens_at: datetime
    closes_at: datetime

    def __post_init__(self) -> None:
        if self.closes_at <= self.opens_at:
            raise WindowInvalid

    def status(self, now: datetime) -> ProgrammeStatus:
        """Where `now` lies."""
        if now < self.opens_at:
            return ProgrammeStatus.UPCOMING
        return ProgrammeStatus.OPEN if now < self.closes_at else ProgrammeStatus.CLOSED


@dataclass(frozen=True, slots=True)
class Hours:
    """On which weekdays (1 Monday … 7 Sunday), and from when until when, by the clock on the wall."""

    weekdays: frozenset[int]
    starts_at: time
    ends_at: time

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= frozenset(range(1, 8)) or self.ends_at <= self.starts_at:
            raise HoursInvalid

    def clashes_with(self, other: Hours) -> bool:
        """Whether nobody can be at both. One that begins when the other ends does not clash."""
        share_a_day = bool(self.weekdays & other.weekdays)
        return share_a_day and self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class Grades:
    """From which grade to which, both included; kindergarten counts down from 0."""

    lowest: int
    highest: int

    def __contains__(self, grade: int) -> bool:
        return self.lowest <= grade <= self.highest


class SchoolDays(Protocol):
    """What the calendar of a school says."""

    def school_days(self, first: date, last: date) -> Sequence[date]:
        """The days with lessons, both ends included."""
        ...


def days_of(hours: Hours, first: date, last: date, calendar: SchoolDays, without: Sequence[date] = ()) -> list[date]:
    """The days on which there is a lesson: school days on the weekdays, but for those called off. A make-up day counts
    as the weekday it is, since families plan by what the calendar on the wall says."""
    off = frozenset(without)
    return [day for day in calendar.school_days(first, last) if day.isoweekday() in hours.weekdays and day not in off]
