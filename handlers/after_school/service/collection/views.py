"""What the services of collecting give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.accounts.service.rolls import Room, Seat
from handlers.after_school.domain.ledger import Heard, Standing
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.domain.statements import TallyMove


@dataclass(frozen=True, slots=True)
class CourseAt:
    """A programme of a plan, and when it is."""

    id: str
    title: str
    lowest_grade: int
    highest_grade: int
    weekdays: tuple[int, ...]
    starts_at: str
    ends_at: str


@dataclass(frozen=True, slots=True)
class PlanAt:
    """A plan that families have read. `school_id` None: the township's own."""

    id: str
    title: str
    term: str
    state: PlanState
    township_id: str
    school_id: str | None
    first_day: date
    last_day: date
    closes_at: datetime
    complaint_phone: str
    courses: Mapping[str, CourseAt] = field(default_factory=dict)

    def courses_for(self, grade: int) -> list[CourseAt]:
        """Those a grade may be in."""
        return [each for each in self.courses.values() if each.lowest_grade <= grade <= each.highest_grade]

    def is_over(self, today: date) -> bool:
        """Whether nothing is collected for it any more."""
        return self.state is PlanState.CLOSED or today > self.last_day

    def title_of(self, programme_id: str | None) -> str:
        """What a programme is called, "" for one that is not there."""
        found = self.courses.get(programme_id or "")
        return found.title if found else ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A class's list was signed, or opened again. `counts` by standing, as they stood; `by`: who, "" if erased."""

    number: int
    move: TallyMove
    at: datetime
    by: str
    counts: Mapping[str, int]
    fingerprint: str
    reason: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether the list is signed with it."""
        return self.move is TallyMove.CLOSED


@dataclass(frozen=True, slots=True)
class Line:
    """A child of the class, and what is known."""

    seat: Seat
    heard: Heard


@dataclass(frozen=True, slots=True)
class ClassTally:
    """A class's list as it stood at the end of `day` (None: as it stands now). `fingerprint`: of who stands how."""

    plan: PlanAt
    room: Room
    day: date | None
    lines: Sequence[Line]
    counts: Mapping[str, int]
    fingerprint: str
    marks: Sequence[Mark] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> Mark | None:
        """The last one; None: nobody has signed yet."""
        return self.marks[-1] if self.marks else None

    @property
    def is_closed(self) -> bool:
        """Whether it is signed."""
        return self.mark is not None and self.mark.is_closed

    @property
    def has_moved(self) -> bool:
        """Whether it is not any more what was signed."""
        return self.mark is not None and self.mark.is_closed and self.mark.fingerprint != self.fingerprint

    def of(self, standing: Standing) -> list[Line]:
        """Those who stand so."""
        return [line for line in self.lines if line.heard.standing is standing]


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A class in the roll-up: whether it is signed, and what is still to be done there. How many join is nobody's
    measure of a class, so it is not here."""

    room: Room
    children: int
    unanswered: int
    disagreeing: int
    mark: Mark | None
    has_moved: bool

    @property
    def is_closed(self) -> bool:
        """Whether its list is signed."""
        return self.mark is not None and self.mark.is_closed


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A school in the roll-up, with its classes by grade and number."""

    id: str
    name: str
    rooms: Sequence[RoomRow]

    @property
    def closed(self) -> int:
        """How many classes have signed."""
        return sum(row.is_closed for row in self.rooms)


@dataclass(frozen=True, slots=True)
class RollUp:
    """All classes within reach. `counts` over all of them; `courses`: who is in and who waits, by programme."""

    plan: PlanAt
    day: date | None
    schools: Sequence[SchoolRow]
    counts: Mapping[str, int]
    courses: Sequence[tuple[str, int, int]]

    @property
    def children(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class ChildPage:
    """What is known of one child. `names` of those who entered something."""

    plan: PlanAt
    room: Room
    seat: Seat
    heard: Heard
    is_closed: bool
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GivenReason:
    """Why a family does not join, in its words; "" where it gave none."""

    name: str
    reason: str = field(repr=False)
    source: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """Somebody to call about a child. `is_told`: a message reaches them."""

    person_id: str
    name: str
    relation: str
    is_told: bool


@dataclass(frozen=True, slots=True)
class ToRing:
    """A child whose family has not answered, or not with one voice, and whom to call, the acting guardian first."""

    seat: Seat
    standing: Standing
    whom: Sequence[Ring]

    @property
    def is_reached(self) -> bool:
        """Whether a message reaches anybody of the family."""
        return any(each.is_told for each in self.whom)
