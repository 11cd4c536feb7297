"""Notices that another capability has begun: a course falls out, and its families are to be told."""

from __future__ import annotations

from bot.capability import DraftedNotice
from bot.identity import Actor
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.notices.domain import NoticeContent, Target
from handlers.notices.service.desk import NoticeDesk


class BegunNotices:
    """A `NoticeDrafts`."""

    def __init__(self, desk: NoticeDesk) -> None:
        self._desk = desk

    async def begin(self, actor: Actor, drafted: DraftedNotice) -> str:
        """As the protocol says."""
        schools = frozenset({drafted.school_id} if drafted.school_id else ())
        audience = Audience(
            roles=frozenset({AudienceRole.GUARDIANS}),
            schools=schools,
            township_id=None if schools else drafted.township_id,
        )
        target = Target(audience, drafted.source, drafted.choice)
        view = await self._desk.create(actor, NoticeContent(title=drafted.title, text=drafted.text, target=target))
        return f"/notices/{view.id}"
