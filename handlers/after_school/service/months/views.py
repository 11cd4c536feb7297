"""What the services of month's and term's end give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.after_school.domain.bills import Lessons
from handlers.after_school.domain.fees import FeeBasis, Settlement
from handlers.after_school.domain.months import Line, MonthState
from handlers.after_school.domain.plans import SettleBy
from handlers.after_school.domain.polls import Cell


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """A plan within reach."""

    id: str
    title: str
    term: str
    first_day: date
    last_day: date
    settle_by: SettleBy


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """What somebody thinks is wrong. `answer` None: not answered."""

    id: str
    by: str = field(repr=False)
    at: datetime
    text: str = field(repr=False)
    answer: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MonthSheet:
    """A band's list of a month: `lines` as they are counted now, `is_changed` when that is not what was shown last.
    `names`: of the teachers, by id."""

    plan_id: str
    month: str
    band: str
    state: MonthState
    lines: Sequence[Line]
    names: Mapping[str, str] = field(repr=False)
    is_changed: bool = False
    shown_at: datetime | None = None
    objections: Sequence[ObjectionView] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BillView:
    """What a family owes for one sign-up and how it comes to that. `settled_at` None: counted, not settled."""

    enrolment_id: str
    child_id: str
    child: str = field(repr=False)
    class_name: str
    programme: str
    basis: FeeBasis
    fee_fen: int
    clause: str
    rule: SettleBy
    lessons: Lessons
    waived_percent: int = field(repr=False)
    settlement: Settlement = field(repr=False)
    is_over: bool
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all bills of a plan: what is owed, what came in, what goes back and what is still to come, in fen."""

    bills: int
    due_fen: int
    paid_fen: int
    refund_fen: int
    open_fen: int


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """A question of a poll and its counts; `cells` None where telling would point at somebody."""

    key: str
    text: str
    cells: Sequence[Cell] | None
    satisfied_percent: int | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the yearly appraisal and what it means. `value` in words, None where there is none to tell."""

    title: str
    value: str | None
    definition: str
