"""What a record says of the number that was called: counted on the card, in the transaction of the record."""

from __future__ import annotations

from datetime import datetime

from handlers.contacts.domain.card import FactKind
from handlers.contacts.domain.records import Contact, ContactOutcome, Way
from handlers.contacts.models import ContactsRecord
from handlers.contacts.service.cards.facts import answer, miss, newest


async def count_call(child_id: str, contact: Contact, corrected: ContactsRecord | None, now: datetime) -> None:
    """A call in vain counts once, however often its record is corrected; an answered one makes the number good."""
    if contact.way is not Way.CALL or contact.called is None:
        return
    row = await newest(child_id, contact.called, FactKind.PHONE)
    if row is None:
        return
    if contact.outcome is ContactOutcome.REACHED:
        await answer(row, now)
    elif corrected is None or not _is_counted(corrected, contact):
        await miss(row, now)


def _is_counted(row: ContactsRecord, contact: Contact) -> bool:
    return row.way is Way.CALL and row.outcome is ContactOutcome.FAILED and row.called is contact.called
