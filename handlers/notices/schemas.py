"""JSON in and out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.clock import to_local
from handlers.notices.domain import MOST_QUESTIONS, Link
from handlers.notices.service.views import OwnNotice

ConfirmationWord = Literal["none", "opened", "button", "form"]
WhoWord = Literal["any", "each", "acting"]
KindWord = Literal["choice", "text", "date"]


class NoticeLinkOut(BaseModel):
    """A picture or a file."""

    title: str
    url: str


class NoticeQuestionOut(BaseModel):
    """A question of the form; `choices` for a choice only. A date is answered as 2026-09-08."""

    key: str
    kind: KindWord
    text: str
    choices: list[str]
    is_required: bool


class NoticeChildOut(BaseModel):
    """A child of the caller whom it concerns. `is_done`: the family has confirmed as the school wants it."""

    id: str
    name: str
    is_done: bool


class SchoolNoticeOut(BaseModel):
    """A notice as the caller got it. `number` is what one says in the chat; `notes` what a reader must know besides.
    `is_open`: a confirmation is taken; `corrected_by`: the notice that replaces it, null for none."""

    id: str
    number: int
    title: str
    text: str
    notes: list[str]
    links: list[NoticeLinkOut]
    sender: str
    sent_at: datetime | None
    deadline: datetime | None
    confirmation: ConfirmationWord
    who: WhoWord
    questions: list[NoticeQuestionOut]
    children: list[NoticeChildOut]
    is_open: bool
    is_read: bool
    is_confirmed: bool
    is_recalled: bool
    is_correction: bool
    corrected_by: str | None
    answers: dict[str, str]


class SchoolNoticesOut(BaseModel):
    """The newest first."""

    items: list[SchoolNoticeOut]
    next_cursor: str | None = None


class NoticeConfirmationIn(BaseModel):
    """The answers to the form by the keys of its questions; {} where there is none."""

    model_config = ConfigDict(extra="forbid")

    answers: dict[str, str] = Field(default_factory=dict, max_length=MOST_QUESTIONS)


def notice_out(notice: OwnNotice, pictures: Sequence[Link] = ()) -> SchoolNoticeOut:
    """As it goes over the wire; pictures come before the links."""
    return SchoolNoticeOut(
        id=notice.id,
        number=notice.number,
        title=notice.title,
        text=notice.text,
        notes=list(notice.notes),
        links=[NoticeLinkOut(title=each.title, url=each.url) for each in (*pictures, *notice.links)],
        sender=notice.sender,
        sent_at=to_local(notice.sent_at) if notice.sent_at else None,
        deadline=to_local(notice.deadline) if notice.deadline else None,
        confirmation=notice.confirmation.value,
        who=notice.who.value,
        questions=[
            NoticeQuestionOut(
                key=each.key,
                kind=each.kind.value,
                text=each.text,
                choices=list(each.choices),
                is_required=each.is_required,
            )
            for each in notice.questions
        ],
        children=[NoticeChildOut(id=each.child_id, name=each.name, is_done=each.is_done) for each in notice.children],
        is_open=notice.is_open,
        is_read=notice.is_read,
        is_confirmed=notice.is_confirmed,
        is_recalled=notice.is_recalled,
        is_correction=notice.is_correction,
        corrected_by=notice.corrected_by,
        answers=dict(notice.answers),
    )
