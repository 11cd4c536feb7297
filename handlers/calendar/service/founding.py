"""Terms and local days that were settled elsewhere: for made-up townships, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from handlers.calendar.domain import LocalDay, Term
from handlers.calendar.service.keeping import hold_town, write_town
from handlers.calendar.service.town import Owner, PutDays, PutTerm


async def put_calendar(
    township_id: UUID, terms: Sequence[Term], days: Sequence[tuple[UUID | None, LocalDay]], now: datetime
) -> None:
    """Adds terms of the township, and local days of it or of one of its schools."""
    before = await hold_town(str(township_id), now)
    after = before
    for term in terms:
        after = PutTerm(Owner(str(township_id)), term).apply(after)
    for school_id, local in days:
        owner = Owner(str(township_id), str(school_id) if school_id else None)
        after = PutDays(owner, local).apply(after)
    await write_town(before, after, now)
