"""Pairs as rows: begun, ended, handed over, in the caller's transaction, which holds the child."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from bot.clock import local_date
from handlers.contacts.domain.pairing import MOST_KEEPERS, AlreadyPaired, TooManyKeepers
from handlers.contacts.models import ContactsPair


def pair_key(pupil: UUID, person: UUID) -> str:
    """By what a pair that goes on is known."""
    return f"{pupil.hex}{person.hex}"


async def begin_pair(
    pupil: UUID, person: UUID, by: UUID | None, now: datetime, *, after: ContactsPair | None = None
) -> ContactsPair:
    """They are paired from today on. `after`: the pair it is handed over from, which has ended; then whoever receives
    it signs for it. Raises AlreadyPaired, TooManyKeepers."""
    going = await ContactsPair.filter(pupil_id=pupil, until__isnull=True).values_list("person_id", flat=True)
    if person in going:
        raise AlreadyPaired
    if len(going) >= MOST_KEEPERS:
        raise TooManyKeepers
    return await ContactsPair.create(
        id=uuid4(), pupil_id=pupil, person_id=person, since=local_date(now), begun_by=by,
        received_at=None if after else now, from_pair_id=after.id if after else None,
        active_key=pair_key(pupil, person), created_at=now, updated_at=now,
    )  # fmt: skip


async def end_pair(row: ContactsPair, by: UUID | None, now: datetime) -> None:
    """It is over at once."""
    row.until, row.ended_by, row.active_key, row.updated_at = local_date(now), by, None, now
    await row.save(update_fields=["until", "ended_by", "active_key", "updated_at"])


async def hand_pair_over(row: ContactsPair, person: UUID, by: UUID | None, now: datetime) -> ContactsPair | None:
    """One ends, the other's begins; None where the other has the child already."""
    await end_pair(row, by, now)
    try:
        return await begin_pair(row.pupil_id, person, by, now, after=row)
    except AlreadyPaired:
        return None
