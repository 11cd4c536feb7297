"""A record of a call answers the question whether a booked one took place, in the transaction of the record."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from bot.clock import local_date
from handlers.contacts.domain.family import CallState
from handlers.contacts.domain.records import Contact, ContactOutcome, Met, Way
from handlers.contacts.models import ContactsCall, ContactsRecord


async def settle_booked(row: ContactsRecord, contact: Contact, now: datetime) -> None:
    """The call its author had booked for that day, when its hour has come."""
    if contact.way not in (Way.CALL, Way.VIDEO):
        return
    calls = ContactsCall.filter(
        pupil_id=row.pupil_id, teacher_id=row.author_id, state=CallState.AGREED, at__lte=now
    )  # fmt: skip
    is_reached = contact.outcome is ContactOutcome.REACHED and Met.PARENT in contact.met
    for call in await calls:
        if local_date(call.at) == contact.happened_on:
            call.state = CallState.DONE if is_reached else CallState.MISSED
            call.active_key, call.closed_at, call.closed_by = None, now, UUID(str(row.author_id))
            call.record_id, call.updated_at = row.id, now
            await call.save(
                update_fields=["state", "active_key", "closed_at", "closed_by", "record_id", "updated_at"]
            )  # fmt: skip
