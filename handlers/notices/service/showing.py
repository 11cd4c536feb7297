"""Notices as staff see them: in words, with what may be done with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from bot.identity import Actor
from bot.rights import Action, may
from handlers.accounts.domain import grade_name
from handlers.accounts.service.audience import OF_CHILDREN, ROLE_WORDS, Audience
from handlers.accounts.service.offices import Offices
from handlers.notices import texts
from handlers.notices.domain import LIVE, Confirmation, NoticeState
from handlers.notices.models import Notice
from handlers.notices.service.rows import content_of, subject_of
from handlers.notices.service.views import NoticeView

_CORRECTABLE = LIVE | {NoticeState.CLOSED}


class Showing:
    """Rows to views, many at once."""

    def __init__(self, offices: Offices) -> None:
        self._offices = offices

    async def view(self, actor: Actor, row: Notice) -> NoticeView:
        """One."""
        return (await self.views(actor, [row]))[0]

    async def views(self, actor: Actor, rows: Sequence[Notice]) -> list[NoticeView]:
        """Each with the names it needs."""
        contents = {row.id: content_of(row) for row in rows}
        audiences = [content.target.audience for content in contents.values()]
        places = {place for each in audiences for place in (*each.classes, *each.schools, *_town(each))}
        names = await self._offices.names(places | {str(row.township_id) for row in rows})
        people = {str(person) for row in rows for person in (row.written_by, row.approved_by) if person}
        callers = {person: caller.name for person, caller in (await self._offices.people(people)).items()}
        return [
            NoticeView(
                id=str(row.id),
                number=row.number,
                version=row.version,
                state=row.state,
                content=contents[row.id],
                audience=_audience(contents[row.id].target.audience, names),
                sender=row.sender,
                written_by=callers.get(str(row.written_by), ""),
                written_by_id=str(row.written_by),
                approved_by=callers.get(str(row.approved_by), "") if row.approved_by else "",
                needs_second=row.needs_second,
                why_rejected=row.why_rejected,
                created_at=row.created_at,
                sent_at=row.begun_at,
                closed_at=row.closed_at,
                corrects=_text(row.corrects),
                corrected_by=_text(row.corrected_by),
                reminded=row.reminded,
                escalated_at=row.escalated_at,
                may=_may(actor, row),
            )
            for row in rows
        ]


def is_signed_by(actor: Actor, row: Notice) -> bool:
    """Whether the notice is the actor's own work, who therefore cannot approve it."""
    return actor.person_id in (str(row.written_by), str(row.changed_by))


def _may(actor: Actor, row: Notice) -> frozenset[str]:
    found: set[str] = set()
    writes = may(actor, Action.NOTICE_WRITE, subject_of(row)) or actor.person_id == str(row.written_by)
    if row.state is NoticeState.DRAFT and writes:
        found |= {"edit", "untick", "discard", "submit"}
    if row.state in (NoticeState.WAITING, NoticeState.SCHEDULED) and writes:
        found.add("take_back")
    if (
        row.state is NoticeState.WAITING
        and may(actor, Action.NOTICE_APPROVE, subject_of(row))
        and not is_signed_by(actor, row)
    ):
        found |= {"approve", "reject"}
    if row.state in LIVE and writes:
        found |= {"recall", "close"}
        if row.confirmation is not Confirmation.NONE:
            found.add("remind")
    if row.state in _CORRECTABLE and writes and row.corrected_by is None:
        found.add("correct")
    return frozenset(found)


def _audience(audience: Audience, names: Mapping[str, str]) -> str:
    roles = texts.COMMA.join(word for role, word in ROLE_WORDS.items() if role in audience.roles)
    if audience.person_ids and not audience.roles:
        return texts.AUDIENCE_PICKED.format(count=len(audience.person_ids))
    if audience.pupil_ids and audience.roles & OF_CHILDREN:
        return texts.AUDIENCE_PUPILS.format(count=len(audience.pupil_ids))
    places = [names[each] for each in sorted(audience.classes or audience.schools) if each in names]
    if not places and audience.township_id:
        places = [texts.AUDIENCE_TOWN.format(town=names.get(audience.township_id, ""))]
    where = texts.COMMA.join(sorted(places))
    if audience.span:
        first, last = (grade_name(grade) for grade in audience.span)
        where += first if first == last else texts.AUDIENCE_GRADES.format(first=first, last=last)
    return texts.AUDIENCE_WHOLE.format(places=where, roles=roles)


def _town(audience: Audience) -> tuple[str, ...]:
    return (audience.township_id,) if audience.township_id else ()


def _text(own: UUID | None) -> str | None:
    return str(own) if own else None
