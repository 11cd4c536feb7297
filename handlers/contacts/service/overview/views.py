"""What the protection lead is shown of everything that waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from handlers.accounts.service.audiences import WardMeant
from handlers.contacts.service.recording.reporting import ReportLine
from handlers.contacts.service.register.views import RegisterLine


@dataclass(frozen=True, slots=True)
class LateChild:
    """A child whose contact is overdue. `is_visit`: it is a visit that is."""

    ward: WardMeant
    due_on: date
    is_visit: bool


@dataclass(frozen=True, slots=True)
class LateTeacher:
    """What somebody has let go overdue, the longest first; `name` "" for the children nobody keeps contact with."""

    name: str
    children: Sequence[LateChild]


@dataclass(frozen=True, slots=True)
class StaleCard:
    """A card that has to be asked for again: how many facts are too old, how many numbers nobody answers."""

    ward: WardMeant
    old: int
    phones: int


@dataclass(frozen=True, slots=True)
class WaitingDraft:
    """A record somebody began and did not finish; not what is in it. `is_grave`: its words may mean what has to be
    reported, and nobody has said."""

    ward: WardMeant
    author: str
    since: datetime
    is_grave: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All of it. What is empty has nothing that waits."""

    today: date
    late: Sequence[LateTeacher]
    reports: Sequence[ReportLine]
    drafts: Sequence[WaitingDraft]
    orphans: Sequence[RegisterLine]
    reviews: Sequence[RegisterLine]
    cards: Sequence[StaleCard]
