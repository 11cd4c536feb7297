"""JSON in and out of waivers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.clock import to_local
from handlers.after_school.domain.waivers import LONGEST_NOTE
from handlers.after_school.service.waivers.views import Option, OwnWaiver
from handlers.after_school.texts import waivers as texts

WaiverStateWord = Literal["draft", "submitted", "checked", "granted", "refused", "appealed", "lapsed", "withdrawn"]
_ID_LENGTH = 64
MOST_PICTURE = 5 * 1024 * 1024
"""Of a picture as it is sent, in base64: the mini-program makes it smaller before."""


class WaiverOptionOut(BaseModel):
    """What the township waives for one kind of hardship. `is_listed`: an official list names the family, so nothing is
    to be shown."""

    id: str
    title: str
    percent: int
    clause: str
    evidence: str
    is_listed: bool


class WaiverOptionsOut(BaseModel):
    """In the order of the county's table; none: nothing is waived."""

    items: list[WaiverOptionOut]
    next_cursor: str | None = None


class WaiverIn(BaseModel):
    """A request for a child. `note`: what the school should know."""

    model_config = ConfigDict(extra="forbid")

    student_id: str = Field(min_length=1, max_length=_ID_LENGTH)
    category_id: str = Field(min_length=1, max_length=_ID_LENGTH)
    note: str = Field(default="", max_length=LONGEST_NOTE)


class EvidenceIn(BaseModel):
    """A picture of a paper, in base64."""

    model_config = ConfigDict(extra="forbid")

    picture: str = Field(min_length=1, max_length=MOST_PICTURE, repr=False)


class AppealIn(BaseModel):
    """Why the family does not agree."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=LONGEST_NOTE)


class WaiverOut(BaseModel):
    """A request and how far it is. `percent`, `terms` and `lapses_on` once it is granted; `reason`: what the school
    says to it; `next_step`: in words."""

    id: str
    student_id: str
    title: str
    status: WaiverStateWord
    is_listed: bool
    pictures: int
    note: str
    reason: str
    asked_at: datetime
    decided_at: datetime | None
    percent: int | None
    terms: list[str]
    lapses_on: date | None
    can_appeal: bool
    can_withdraw: bool
    next_step: str


class WaiversOut(BaseModel):
    """The newest first."""

    items: list[WaiverOut]
    next_cursor: str | None = None


def option_out(view: Option) -> WaiverOptionOut:
    """As it goes over the wire."""
    return WaiverOptionOut(
        id=view.id,
        title=view.title,
        percent=view.percent,
        clause=view.clause,
        evidence=view.evidence,
        is_listed=view.is_listed,
    )


def waiver_out(view: OwnWaiver) -> WaiverOut:
    """As it goes over the wire."""
    return WaiverOut(
        id=view.id,
        student_id=view.child_id,
        title=view.title,
        status=view.state.value,
        is_listed=view.is_listed,
        pictures=view.pictures,
        note=view.note,
        reason=view.reason,
        asked_at=to_local(view.asked_at),
        decided_at=to_local(view.decided_at) if view.decided_at else None,
        percent=view.percent,
        terms=list(view.terms),
        lapses_on=view.lapses_on,
        can_appeal=view.can_appeal,
        can_withdraw=view.can_withdraw,
        next_step=texts.next_step(view.state, can_appeal=view.can_appeal),
    )
