"""The own link of each recipient: reading is known by it and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from bot.errors import NotFound
from bot.storage.base import blind_index
from handlers.notices.models import Notice, NoticeTicket

_LINK: Final = "notice_link"
_TICKET: Final = "notice_ticket"


class TicketUnknown(NotFound):
    """No such link, or it is over."""

    code = "ticket_unknown"
    default_message = "这个链接打不开了，可能已经过期。请回到服务号回复“我的通知”，或问班主任。"


async def tickets_for(row: Notice, people: Sequence[str], now: datetime) -> dict[str, str]:
    """The link of each person to a notice. The same person gets the same link again."""
    tickets = {person: _ticket(row.id, person) for person in people}
    rows = [
        NoticeTicket(
            notice_id=row.id,
            person_id=UUID(person),
            ticket_index=blind_index(_TICKET, ticket),
            created_at=now,
            updated_at=now,
        )
        for person, ticket in tickets.items()
    ]
    await NoticeTicket.bulk_create(rows, ignore_conflicts=True)
    return tickets


async def holder_of(ticket: str) -> tuple[UUID, str]:
    """The notice and the person of a link. Raises TicketUnknown."""
    row = await NoticeTicket.get_or_none(ticket_index=blind_index(_TICKET, ticket))
    if row is None:
        raise TicketUnknown
    return row.notice_id, str(row.person_id)


def _ticket(notice_id: UUID, person: str) -> str:
    """Nobody can tell it without the key; nothing need be kept to make it again."""
    return blind_index(_LINK, f"{notice_id}:{person}")
