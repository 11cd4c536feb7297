"""Facts of cards as rows: which are in force, and what became of numbers that were called. In the caller's transaction,
which holds the child."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from bot.clock import local_date
from handlers.contacts.domain.card import CALLS_UNTIL_STALE, FactKind, Holder
from handlers.contacts.models import ContactsFact


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
