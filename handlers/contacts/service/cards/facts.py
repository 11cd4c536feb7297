"""Facts of cards as rows: which are in force, and what became of numbers that were called. In the caller's transaction,
which holds the child."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from bot.clock import local_date
from handlers.contacts.domain.card import CALLS_UNTIL_STALE, FactKind, FactSource, Holder
from handlers.contacts.models import ContactsFact

_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A fact as somebody said it on a day; a day as a value is `2026-09-01`."""

    holder: Holder
    kind: FactKind
    value: str = field(repr=False)
    stated_on: date
    source: FactSource


async def in_force(child_ids: Collection[str], *kinds: FactKind) -> list[ContactsFact]:
    """The newest version of every fact of the children, by whom and what it is about; of some kinds only when they are
    named."""
    if not child_ids:
        return []
    rows = ContactsFact.filter(pupil_id__in=list(child_ids))
    among = rows.filter(kind__in=list(kinds)) if kinds else rows
    found = await among.order_by("entered_at", "created_at", "id")
    newest = {(row.pupil_id, row.holder, row.kind): row for row in found}
    holders, order = list(Holder), list(FactKind)
    return sorted(newest.values(), key=lambda row: (holders.index(row.holder), order.index(row.kind)))


async def newest(child_id: str, holder: Holder, kind: FactKind) -> ContactsFact | None:
    """The version in force; None: nothing is known."""
    rows = ContactsFact.filter(pupil_id=UUID(child_id), holder=holder, kind=kind)
    return await rows.order_by("-entered_at", "-created_at", "-id").first()


def asked_on(row: ContactsFact) -> date:
    """When it was last said or confirmed."""
    return local_date(row.confirmed_at) if row.confirmed_at else row.stated_on


async def state(
    child_id: str, said: Stated, by: UUID | None, now: datetime, before: ContactsFact | None
) -> ContactsFact:
    """Another version, later than the one before it even within one tick of the clock."""
    return await ContactsFact.create(
        id=uuid4(), pupil_id=UUID(child_id), holder=said.holder, kind=said.kind, value=said.value,
        stated_on=said.stated_on, source=said.source, entered_by=by, entered_at=_after(before, now), created_at=now,
        updated_at=now,
    )  # fmt: skip


async def confirm(row: ContactsFact, by: UUID | None, now: datetime) -> ContactsFact:
    """The same once more: as old as this moment, while what was written before stays as it was. A number is good
    again."""
    return await ContactsFact.create(
        id=uuid4(), pupil_id=row.pupil_id, holder=row.holder, kind=row.kind, value=row.value, stated_on=row.stated_on,
        source=row.source, entered_by=by, entered_at=_after(row, now), confirmed_at=now, created_at=now,
        updated_at=now,
    )  # fmt: skip


def is_confirmed(older: ContactsFact, newer: ContactsFact, today: date) -> bool:
    """Whether the one was confirmed by the other today: tapped twice."""
    confirmed = newer.confirmed_at
    return confirmed is not None and local_date(confirmed) == today and newer.value == older.value


def _after(before: ContactsFact | None, now: datetime) -> datetime:
    return max(now, before.entered_at + _TICK) if before else now


async def miss(row: ContactsFact, now: datetime) -> None:
    """A number was called in vain, once more."""
    row.failed_calls, row.updated_at = row.failed_calls + 1, now
    row.is_stale = row.failed_calls >= CALLS_UNTIL_STALE
    await row.save(update_fields=["failed_calls", "is_stale", "updated_at"])


async def answer(row: ContactsFact, now: datetime) -> None:
    """Somebody answered: what was counted before counts no more."""
    if row.failed_calls or row.is_stale:
        row.failed_calls, row.is_stale, row.updated_at = 0, False, now
        await row.save(update_fields=["failed_calls", "is_stale", "updated_at"])
