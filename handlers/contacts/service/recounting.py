"""What everything that changes the contact clock has to do: hold the children, and have their due days counted anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import TypeAlias
from uuid import UUID, uuid4

from handlers.contacts.domain.register import Stage
from handlers.contacts.models import ContactsDue

Recount: TypeAlias = Callable[[Collection[UUID]], Awaitable[None]]
"""Counts anew when contact with some children is due, in the caller's transaction, which holds them."""


async def no_clock(pupil_ids: Collection[UUID]) -> None:
    """Where nobody counts."""


async def begin(pupil_id: UUID, school_id: UUID, now: datetime) -> None:
    """A child has a row of the clock from its first file on; twice is once."""
    row = ContactsDue(
        id=uuid4(), pupil_id=pupil_id, school_id=school_id, stage=Stage.NONE, created_at=now, updated_at=now
    )
    await ContactsDue.bulk_create([row], ignore_conflicts=True)


async def hold(pupil_ids: Collection[UUID]) -> None:
    """Nobody else changes the contacts of these children until the transaction ends. The first lock of every use case,
    always in the same order."""
    # Whole rows: asked for single values only, Tortoise leaves the lock out.
    await ContactsDue.filter(pupil_id__in=list(pupil_ids)).order_by("pupil_id").select_for_update()
