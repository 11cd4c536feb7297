"""What is shown of waivers: to the family, to those who decide, and in lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.after_school.domain.statements import ConsentHow
from handlers.after_school.domain.waivers import Hardship, Span, WaiverState


@dataclass(frozen=True, slots=True)
class Option:
    """A kind of hardship a family may name. `is_listed`: an official list names them, so no paper is wanted."""

    id: str
    title: str
    percent: int
    clause: str
    evidence: str
    is_listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWaiver:
    """A case as the family sees it. `percent`, `terms`, `lapses_on` once it is granted."""

    id: str
    child_id: str
    child: str = field(repr=False)
    title: str = field(repr=False)
    state: WaiverState
    is_listed: bool
    pictures: int
    note: str = field(repr=False)
    reason: str = field(repr=False)
    asked_at: datetime
    decided_at: datetime | None
    percent: int | None
    terms: Sequence[str]
    lapses_on: date | None
    can_appeal: bool
    can_withdraw: bool


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A line of the queue: who and how far, and nothing of why."""

    id: str
    child: str = field(repr=False)
    school: str
    class_name: str
    state: WaiverState
    since: datetime


@dataclass(frozen=True, slots=True)
class CaseStep:
    """Something that became of a case. `by` in words, "" for nobody."""

    at: datetime
    state: WaiverState
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as those who decide see it. `on_list`: whether a list in force names the family now."""

    id: str
    child: str = field(repr=False)
    school: str
    class_name: str
    title: str = field(repr=False)
    clause: str
    evidence: str
    percent: int
    state: WaiverState
    on_list: bool
    pictures: Sequence[str]
    note: str = field(repr=False)
    reason: str = field(repr=False)
    appeal: str = field(repr=False)
    consent_how: ConsentHow | None
    steps: Sequence[CaseStep]
    terms: Sequence[str]
    lapses_on: date | None
    choices: Sequence[Span]
    refunds: Mapping[str, bool]
    is_mine_to_do: bool


@dataclass(frozen=True, slots=True)
class CategoryView:
    """What a township does for one kind of hardship. Without rules it waives nothing for it."""

    kind: Hardship
    current: CategoryRule | None
    coming: CategoryRule | None


@dataclass(frozen=True, slots=True)
class CategoryRule:
    """One rule of a township."""

    id: str
    percent: int
    since: date
    until: date | None
    clause: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ListView:
    """An official list that was brought in."""

    id: str
    title: str
    since: date
    until: date
    rows: int
    known: int
    at: datetime
    by: str
    is_undone: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held: rows with a number that can be one, rows without, and how many of ours they are."""

    rows: int
    unreadable: int
    known: int


@dataclass(frozen=True, slots=True)
class PublicLine:
    """A line of the masked list."""

    name: str
    school: str
    class_name: str
