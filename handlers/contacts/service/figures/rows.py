"""Months as rows: written once, whoever writes first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from handlers.contacts.domain.figures import Counts
from handlers.contacts.models import ContactsMonth


@dataclass(frozen=True, slots=True)
class SchoolMonth:
    """What a month of a school with its teaching points came to."""

    school_id: str
    township_id: str
    month: date
    counts: Counts


async def put_months(months: Collection[SchoolMonth], now: datetime) -> None:
    """In the caller's transaction or in none: what is there stays as it is."""
    rows = [
        ContactsMonth(
            id=uuid4(), school_id=UUID(each.school_id), township_id=UUID(each.township_id), month=each.month,
            registered=each.counts.registered, covered=each.counts.covered, asked=each.counts.asked,
            on_time=each.counts.on_time, created_at=now, updated_at=now,
        )
        for each in months
    ]  # fmt: skip
    if rows:
        await ContactsMonth.bulk_create(rows, ignore_conflicts=True)
