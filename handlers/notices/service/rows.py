"""Notices as rows: to and from what authors write, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from tortoise.expressions import Q, Subquery
from tortoise.queryset import QuerySet

from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal, require
from handlers.accounts.service.audience import Audience
from handlers.notices.domain import Link, NoticeContent, Question, QuestionKind, Target
from handlers.notices.models import Notice, NoticeChild

ALBUM = "notice"
"""The kind of owner under which the pictures of a notice are kept."""
_KINDS = ("classes", "schools", "townships")


def as_id(text: str | UUID) -> UUID:
    """The id. Raises NotFound for what cannot be one."""
    try:
        return UUID(str(text))
    except ValueError:
        raise NotFound from None


def reason_of(notice_id: UUID | str) -> str:
    """Under which reason a notice's promises stand."""
    return f"notice:{notice_id}"


def notice_id_of(reason: str) -> UUID | None:
    """The way back; None for what never was one of ours."""
    try:
        return UUID(reason.partition(":")[2])
    except ValueError:
        return None


# ------------------------------------------------------------------------------------------------------------ content
def columns_of(content: NoticeContent, reach: Reach) -> dict[str, Any]:
    """The columns of what an author wrote. `reach` is the author's: nobody beyond it is ever told."""
    return {
        "title": content.title,
        "text": content.text,
        "confirmation": content.confirmation,
        "who": content.who,
        "deadline": content.deadline,
        "is_urgent": content.is_urgent,
        "send_at": content.send_at,
        "remind_hours": content.remind_hours,
        "remind_times": content.remind_times,
        "is_material": content.is_material,
        "content": {
            "audience": content.target.audience.as_plain(),
            "source": content.target.source,
            "choice": content.target.choice,
            "reach": {kind: sorted(getattr(reach, kind)) for kind in _KINDS} | {"is_any": reach.is_any},
            "links": [[link.title, link.url] for link in content.links],
            "questions": [
                [each.key, each.kind.value, each.text, list(each.choices), each.is_required]
                for each in content.questions
            ],
        },
    }


def content_of(row: Notice) -> NoticeContent:
    """What its author wrote."""
    return NoticeContent(
        title=row.title,
        text=row.text,
        target=target_of(row),
        links=links_of(row),
        deadline=row.deadline,
        confirmation=row.confirmation,
        who=row.who,
        questions=questions_of(row),
        is_urgent=row.is_urgent,
        send_at=row.send_at,
        remind_hours=row.remind_hours,
        remind_times=row.remind_times,
        is_material=row.is_material,
    )


def target_of(row: Notice) -> Target:
    """Whom it is for, within its author's reach of the day it was written."""
    kept: Mapping[str, Any] = row.content
    classes, schools, townships = (frozenset(kept["reach"][kind]) for kind in _KINDS)
    reach = Reach(is_any=kept["reach"]["is_any"], classes=classes, schools=schools, townships=townships)
    return Target(Audience.of_plain(kept["audience"], reach), kept["source"], kept["choice"])


def links_of(row: Notice) -> tuple[Link, ...]:
    """Its pictures and files."""
    return tuple(Link(title, url) for title, url in row.content["links"])


def questions_of(row: Notice) -> tuple[Question, ...]:
    """Its form."""
    return tuple(
        Question(key, QuestionKind(kind), text, tuple(choices), is_required)
        for key, kind, text, choices, is_required in row.content["questions"]
    )


# --------------------------------------------------------------------------------------------------------------- access
def subject_of(row: Notice) -> Subject:
    """Whose affair it is."""
    return Subject(
        class_id=str(row.class_id) if row.class_id else None,
        school_id=str(row.school_id) if row.school_id else None,
        township_id=str(row.township_id),
    )


def owned(actor: Actor, reach: Reach) -> Q:
    """Notices of places within reach, and those the actor wrote."""
    if reach.is_any:
        return Q()
    return Q(
        Q(class_id__in=_uuids(reach.classes)),
        Q(school_id__in=_uuids(reach.schools)),
        Q(township_id__in=_uuids(reach.townships)),
        *([Q(written_by=UUID(actor.person_id))] if actor.person_id else []),
        join_type=Q.OR,
    )


async def held(actor: Actor, action: Action, notice_id: str | UUID, *, lock: bool = False) -> Notice:
    """A notice the actor may do something with, locked until the transaction ends if wanted. Raises NotFound."""
    reach = require(actor, action)
    query: QuerySet[Notice] = Notice.filter(owned(actor, reach), id=as_id(notice_id))
    row = await (query.select_for_update() if lock else query).first()
    if row is None:
        raise refusal(NotFound(), actor, action, Subject())
    return row


async def reported(actor: Actor, notice_id: str | UUID) -> tuple[Notice, Reach]:
    """A notice whose fate the actor may see, and how far: one of theirs, or one that went to children of theirs.
    Raises NotFound."""
    reach = require(actor, Action.NOTICE_REPORT)
    own = as_id(notice_id)
    row = await Notice.filter(owned(actor, reach), id=own).first()
    if row is None and await NoticeChild.filter(_touched(reach), notice_id=own).exists():
        row = await Notice.get_or_none(id=own)
    if row is None:
        raise refusal(NotFound(), actor, Action.NOTICE_REPORT, Subject())
    return row, reach


def touching(actor: Actor, reach: Reach) -> Q:
    """Notices of places within reach, the actor's own, and those that went to children within reach."""
    if reach.is_any:
        return Q()
    return Q(
        owned(actor, reach),
        Q(id__in=Subquery(NoticeChild.filter(_touched(reach)).values("notice_id"))),
        join_type=Q.OR,
    )


def _touched(reach: Reach) -> Q:
    return Q(Q(class_id__in=_uuids(reach.classes)), Q(school_id__in=_uuids(reach.schools)), join_type=Q.OR)


def _uuids(ids: Iterable[str]) -> list[UUID]:
    return [UUID(each) for each in ids]
