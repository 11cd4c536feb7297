"""What the services of notices give to their callers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from handlers.notices.domain import Confirmation, Finding, How, Link, NoticeContent, NoticeState, Question, Who


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A notice as staff see it. `number` is how people speak of it. `corrects`, `corrected_by`: ids of other notices.
    `why_rejected`: what the second person wrote, "" for nothing. `audience`: whom it is for, in words."""

    id: str
    number: int
    version: int
    state: NoticeState
    content: NoticeContent
    audience: str
    sender: str
    written_by: str
    written_by_id: str
    approved_by: str
    needs_second: bool
    why_rejected: str
    created_at: datetime
    sent_at: datetime | None
    closed_at: datetime | None
    corrects: str | None
    corrected_by: str | None
    reminded: int
    escalated_at: datetime | None
    # What the actor may do with it just now, as names of use cases: `edit`, `submit`, `approve`, `recall`, …
    may: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PersonReach:
    """A grown-up and how they would be told. `channel` is a ChannelName's value; `why` when it is by hand."""

    person_id: str
    name: str
    relation: str
    is_acting: bool
    channel: str
    why: str


@dataclass(frozen=True, slots=True)
class ChildReach:
    """A child of the reach map; `is_ticked` False: left out by the author. `is_reached`: some phone would ring."""

    child_id: str
    name: str
    school: str
    class_id: str
    class_name: str
    people: tuple[PersonReach, ...]
    is_ticked: bool
    is_reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would happen. `people` counts who is told (each once), `by_channel` how (ChannelName's values, BY_HAND for
    nobody's phone); `staff`: recipients for themselves. `findings`: blocks first, then warnings."""

    notice: NoticeView
    children: Sequence[ChildReach]
    staff: Sequence[PersonReach]
    people: int
    by_channel: Mapping[str, int]
    unreached: Sequence[ChildReach]
    findings: Sequence[Finding]
    needs_second: bool


@dataclass(frozen=True, slots=True)
class PersonOutcome:
    """What became of telling one grown-up: `status` a DeliveryStatus' value ("" for not promised), `channel`."""

    person_id: str
    name: str
    relation: str
    is_acting: bool
    status: str
    channel: str
    told_at: datetime | None
    opened_at: datetime | None
    confirmed_at: datetime | None
    how: How | None
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ChildOutcome:
    """What became of one child's family. `by_hand`: how a teacher told them, who and when."""

    child_id: str
    name: str
    school: str
    class_id: str
    class_name: str
    people: tuple[PersonOutcome, ...]
    is_told: bool
    is_opened: bool
    is_confirmed: bool
    by_hand: How | None
    by_hand_by: str
    by_hand_at: datetime | None

    @property
    def is_reached(self) -> bool:
        """By a phone or by a person."""
        return self.is_told or self.by_hand is not None


@dataclass(frozen=True, slots=True)
class Count:
    """One line of the report, of a class, a school, or all: so many children."""

    title: str
    school: str
    class_id: str
    children: int
    told: int
    opened: int
    confirmed: int
    by_hand: int
    not_reached: int


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done with a notice; `who` is "" for the clock."""

    at: datetime
    what: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a notice fares, as far as the actor's reach goes. `by_channel` and `by_status` count people, `by_way` how
    confirmations came and families were told by hand; `staff`: those who were told for themselves."""

    notice: NoticeView
    total: Count
    schools: Sequence[Count]
    classes: Sequence[Count]
    staff: Sequence[PersonOutcome]
    by_channel: Mapping[str, int]
    by_status: Mapping[str, int]
    by_way: Mapping[str, int]
    choices: Mapping[str, Mapping[str, int]]
    """Of each choice question (by its key), how often each choice was given."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How far the first send is, over all recipients: `by_status` counts people (a DeliveryStatus' values).
    `is_moving`: the numbers will be others in a moment; what is held until the morning does not move."""

    state: NoticeState
    by_status: Mapping[str, int]
    is_moving: bool


@dataclass(frozen=True, slots=True)
class Exported:
    """A table to take away, all text."""

    notice: NoticeView
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnChild:
    """A child of the reader whom the notice concerns, and whether their confirmation is complete."""

    child_id: str
    name: str
    is_done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNotice:
    """A notice as a recipient sees it. `is_open`: confirmations are taken; `is_confirmed`: by the reader;
    `corrected_by`: a later one that replaces it (its id). `notes`: what a reader must know besides the text (what
    "明天" meant, that it is withdrawn or corrected); `before`: of a correction, the text it replaces; `pictures`: their
    ids, of the notice `album`, whose words these are."""

    id: str
    number: int
    title: str
    text: str
    notes: Sequence[str]
    links: Sequence[Link]
    sender: str
    sent_at: datetime | None
    deadline: datetime | None
    confirmation: Confirmation
    who: Who
    questions: Sequence[Question]
    children: Sequence[OwnChild]
    is_open: bool
    is_read: bool
    is_confirmed: bool
    answers: Mapping[str, str] = field(repr=False)
    is_recalled: bool = False
    is_correction: bool = False
    corrected_by: str | None = None
    before: str = field(default="", repr=False)
    album: str = ""
    pictures: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """A place a notice can be for: the id of a township, a school or a class (`kind`), in words."""

    kind: str
    id: str
    title: str
    school_id: str = ""
    grade: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """Children another capability can choose: `source` and `choice` go into the target."""

    source: str
    choice: str
    title: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What an author may choose from."""

    townships: Sequence[PlaceChoice]
    schools: Sequence[PlaceChoice]
    classes: Sequence[PlaceChoice]
    sources: Sequence[SourceChoice]
