"""What the services of the check give to the pages and the chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.accounts.service.rolls import Room
from handlers.term_check.domain.cases import OPEN, CaseState, KnownBy, Stage, StepKind
from handlers.term_check.domain.figures import Counts, Figures, Level
from handlers.term_check.domain.rules import Ladder, Limits


@dataclass(frozen=True, slots=True)
class RoundView:
    """The check of a school in a term."""

    id: str
    name: str
    first_day: date
    last_day: date
    list_day: date


@dataclass(frozen=True, slots=True)
class Line:
    """A child that is asked for. `state` None: nothing is written of it; `case_id` leads to what is. `is_on_roster`:
    sits in this class today."""

    child_id: str
    name: str = field(repr=False)
    is_new: bool
    is_on_roster: bool
    state: CaseState | None = None
    case_id: str | None = None
    back_on: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look for it."""
        return self.state in OPEN

    @property
    def is_settled(self) -> bool:
        """Whether it is not asked for today: transferred, ill until a day, or otherwise accounted for."""
        return self.state in (CaseState.TRANSFERRED, CaseState.ILL, CaseState.OTHER)


@dataclass(frozen=True, slots=True)
class ReturnView:
    """What a class reported."""

    day: date
    number: int
    counts: Counts
    is_full: bool
    has_checked_contacts: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClassList:
    """A class with everybody asked for in it. `last`: its last report, None before the first."""

    room: Room
    round: RoundView
    lines: Sequence[Line]
    last: ReturnView | None
    today: date

    @property
    def is_reported(self) -> bool:
        """Whether today's report is in."""
        return self.last is not None and self.last.day == self.today

    @property
    def open(self) -> int:
        """How many are looked for."""
        return sum(line.is_open for line in self.lines)

    @property
    def is_full(self) -> bool:
        """Whether it has reported and every child is accounted for: nothing more is asked of it."""
        return self.last is not None and not self.open


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list."""

    id: str
    child: str = field(repr=False)
    school: str
    class_name: str
    state: CaseState
    stage: Stage
    opened_on: date
    days: int
    """School days since then."""


@dataclass(frozen=True, slots=True)
class StepView:
    """What was done."""

    kind: StepKind
    on_day: date
    at: datetime
    words: str = field(repr=False)
    by: str = field(repr=False)
    to_state: CaseState | None
    stage: Stage | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with everything. `known_by` None: nobody said."""

    line: CaseLine
    child_id: str
    class_id: str
    where_to: str = field(repr=False)
    known_by: KnownBy | None
    outcome: str = field(repr=False)
    back_on: date | None
    proofs: Sequence[str]
    steps: Sequence[StepView]

    @property
    def is_open(self) -> bool:
        """Whether the child is still looked for."""
        return self.line.state in OPEN


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A class on the board. `counts` None: it has not reported at all."""

    room: Room
    listed: int
    counts: Counts | None
    is_reported: bool
    is_full: bool


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A school on the board, of the classes that have reported."""

    school_id: str
    school: str
    round: RoundView
    is_school_day: bool
    rooms: Sequence[RoomRow]

    @property
    def counts(self) -> Counts:
        """All classes that have reported."""
        return sum((row.counts for row in self.rooms if row.counts), Counts())

    @property
    def missing(self) -> Sequence[RoomRow]:
        """The classes that owe today's report."""
        return [row for row in self.rooms if self.is_school_day and not row.is_reported and not row.is_full]

    @property
    def silent(self) -> int:
        """The classes that have never reported: their children are in no figure."""
        return sum(row.counts is None for row in self.rooms)


@dataclass(frozen=True, slots=True)
class CentreLine:
    """What the centre school is told of another school: a number, and no child."""

    school: str
    cases: int


@dataclass(frozen=True, slots=True)
class RuleView:
    """A township's rule. `centre_school` "" for none."""

    id: str
    since: date
    until: date | None
    ladder: Ladder
    limits: Limits
    centre_school_id: str | None
    centre_school: str
    clause: str


@dataclass(frozen=True, slots=True)
class SchoolFigures:
    """A year of a school. `silent`: its classes that have never reported in the last term."""

    school: str
    levels: Mapping[Level, Figures]
    silent: int


@dataclass(frozen=True, slots=True)
class YearFigures:
    """A year of all schools within reach. `rule`: the limits they are held against, None for none set."""

    year: int
    years: Sequence[int]
    schools: Sequence[SchoolFigures]
    total: Mapping[Level, Figures]
    rule: RuleView | None
