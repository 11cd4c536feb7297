"""What the services of offers give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from handlers.after_school.domain.fees import Cap, Excess, Fee
from handlers.after_school.domain.offers import Grades, Hours, Window
from handlers.after_school.domain.plans import FeePayer, PlanState, Selection, SettleBy


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeLine:
    """A programme, whole. `teacher`: the name, "" for nobody."""

    id: str
    pool_id: str
    title: str
    grades: Grades
    hours: Hours
    teacher_id: str | None
    teacher: str
    room: str
    pick_up_point: str
    selection: Selection
    fee: Fee
    fee_payer: FeePayer

    @property
    def is_paid_by_families(self) -> bool:
        """Whether a family gets a bill."""
        return self.fee.amount_fen > 0 and self.fee_payer is FeePayer.FAMILY


@dataclass(frozen=True, slots=True)
class PoolLine:
    """Places and the programmes that share them."""

    id: str
    title: str
    places: int | None
    taken: int
    waiting: int
    programmes: tuple[ProgrammeLine, ...]


@dataclass(frozen=True, slots=True)
class DayOffLine:
    """A day without the service; `programme` "": of the whole plan."""

    id: str
    day: date
    reason: str
    programme_id: str | None
    programme: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSheet:
    """A plan, whole. `place`: the school's name, or the township's."""

    id: str
    version: int
    state: PlanState
    township_id: str
    school_id: str | None
    place: str
    term: str
    title: str
    first_day: date
    last_day: date
    window: Window
    windows: Mapping[int, Window]
    complaint_phone: str
    pick_up_point: str
    offer_school_days: int
    settle_by: SettleBy
    published_at: datetime | None
    closed_at: datetime | None
    pools: tuple[PoolLine, ...] = ()
    days_off: tuple[DayOffLine, ...] = ()

    @property
    def programmes(self) -> list[ProgrammeLine]:
        """All of them, by title."""
        return sorted((each for pool in self.pools for each in pool.programmes), key=lambda each: (each.title, each.id))

    @property
    def has_draw(self) -> bool:
        """Whether a course of it is drawn for."""
        return any(each.selection is Selection.DRAW for each in self.programmes)

    def window_of(self, grade: int) -> Window:
        """The grade's own, else the plan's."""
        return self.windows.get(grade, self.window)

    def for_grade(self, grade: int) -> list[ProgrammeLine]:
        """What a grade may choose from."""
        return [each for each in self.programmes if grade in each.grades]


class FindingCode(StrEnum):
    """What is noticed about a plan before it is published."""

    EMPTY = "empty"
    ABOVE_CAP = "above_cap"
    NO_COMPLAINT_PHONE = "no_complaint_phone"
    NO_LESSONS = "no_lessons"
    NO_CAP = "no_cap"
    OPENS_IN_THE_PAST = "opens_in_the_past"
    CLOSES_AFTER_START = "closes_after_start"
    IDLE_WINDOW = "idle_window"
    GRADE_WITHOUT = "grade_without"
    NO_TEACHER = "no_teacher"


BLOCKING = frozenset({FindingCode.EMPTY, FindingCode.ABOVE_CAP, FindingCode.NO_COMPLAINT_PHONE})
"""Without these being mended nothing is published."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something noticed. `about`: of which programme or grade; `excess`: the cap that is broken."""

    code: FindingCode
    about: str = ""
    excess: Excess | None = None

    @property
    def is_block(self) -> bool:
        """Whether it stands in the way of publishing."""
        return self.code in BLOCKING


@dataclass(frozen=True, slots=True)
class ProgrammeEffect:
    """What publishing a programme means. `children`: how many are in its grades today; `term_fen`: for all lessons."""

    line: ProgrammeLine
    days: tuple[date, ...]
    term_fen: int
    children: int


@dataclass(frozen=True, slots=True)
class Review:
    """A plan looked over. `closed`: days on which the calendar lets a lesson fall out, in stretches."""

    sheet: PlanSheet
    effects: tuple[ProgrammeEffect, ...]
    findings: tuple[Finding, ...]
    children: int
    cap: Cap | None
    closed: tuple[tuple[date, date], ...] = field(default=())

    @property
    def may_publish(self) -> bool:
        """Whether nothing stands in the way."""
        return not any(finding.is_block for finding in self.findings)


@dataclass(frozen=True, slots=True)
class PlacesEffect:
    """What another number of places would mean. `over`: how many have a place beyond it (nobody loses it); `offered`:
    how many of those who wait would be offered one now."""

    pool: PoolLine
    places: int | None
    over: int
    offered: int


@dataclass(frozen=True, slots=True)
class PublishedFee:
    """A line of the publication page."""

    line: ProgrammeLine
    lessons: int
    term_fen: int


@dataclass(frozen=True, slots=True)
class Publication:
    """The fees of a plan as everybody may read them."""

    sheet: PlanSheet
    lines: tuple[PublishedFee, ...]
    cap: Cap | None
