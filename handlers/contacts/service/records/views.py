"""Contact records as they are shown: facts to all who keep contact with the child, the rest to whom it belongs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.accounts.service.audiences import WardMeant
from handlers.contacts.domain.card import Holder
from handlers.contacts.domain.records import ContactOutcome, DayPart, Met, Topic, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """A record. `finding` and `sealed_part` None: not the reader's to see ("" for none written): the author reads the
    own finding, the protection lead both. `corrects`: the id of the version it took the place of; `superseded_by`: of
    the one that took its place. Files by id, None: there is none, or it is not the reader's to see."""

    id: str
    ward: WardMeant
    author: str
    is_own: bool
    happened_on: date
    day_part: DayPart | None
    entered_at: datetime
    is_backdated: bool
    way: Way
    outcome: ContactOutcome
    met: tuple[Met, ...]
    topics: tuple[Topic, ...]
    follow_up: str = field(repr=False)
    follow_up_on: date | None
    follow_up_done_at: datetime | None
    next_on: date | None
    called: Holder | None
    finding: str | None = field(repr=False)
    sealed_part: str | None = field(repr=False)
    photo_id: str | None
    voice_id: str | None
    corrects: str | None
    superseded_by: str | None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something that was agreed on and is not done yet."""

    record_id: str
    ward: WardMeant
    words: str = field(repr=False)
    on: date


@dataclass(frozen=True, slots=True)
class DraftView:
    """What somebody has begun to write; `body` is the form's own, as it was sent."""

    ward: WardMeant
    body: dict[str, object] = field(repr=False)
    updated_at: datetime
