"""Decisions as rows: the last of a guardian, and one more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from handlers.consent.domain.decisions import Decision
from handlers.consent.domain.register import Basis, child_items
from handlers.consent.models import ConsentEvent

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """What is to be added. `entered_by` and `signed_on` only for what somebody enters from a signed form."""

    child_id: str
    person_id: str
    decision: Decision
    version: str
    channel: str
    entered_by: str | None = None
    signed_on: date | None = None


async def last_event(child_id: str, person_id: str) -> ConsentEvent | None:
    """What a guardian decided last for a child."""
    events = ConsentEvent.filter(pupil_id=UUID(child_id), person_id=UUID(person_id))
    return await events.order_by("-created_at", "-id").first()


async def add_event(new: NewDecision, now: datetime, last_at: datetime | None) -> ConsentEvent:
    """One more decision, in the caller's transaction. `last_at`: of the guardian's last one. The last one counts, so
    this must be the later one, even within one tick of the clock."""
    is_given = new.decision is Decision.GIVEN
    return await ConsentEvent.create(
        pupil_id=UUID(new.child_id),
        person_id=UUID(new.person_id),
        decision=new.decision,
        notice_version=new.version,
        channel=new.channel,
        items=[item.name.value for item in child_items(Basis.CONSENT)] if is_given else [],
        entered_by=UUID(new.entered_by) if new.entered_by else None,
        signed_on=new.signed_on,
        created_at=max(now, last_at + _TICK) if last_at else now,
        updated_at=now,
    )
