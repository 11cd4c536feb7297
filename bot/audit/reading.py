"""What the sealer and the verification both read of the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.audit.chain import Head
from bot.audit.models import AuditRow, AuditSeal

# Every column of an entry: what the chain covers.
COLUMNS: tuple[str, ...] = tuple(AuditRow._meta.db_fields)


async def head() -> Head | None:
    """The last seal, None before the first."""
    seals = await AuditSeal.all().order_by("-number").limit(1).values("number", "digest")
    return Head(seals[0]["number"], seals[0]["digest"]) if seals else None


async def last_sealed_id() -> int:
    """The highest id of a sealed entry, 0 before the first."""
    ids = await AuditSeal.all().order_by("-entry_id").limit(1).values_list("entry_id", flat=True)
    return int(str(ids[0])) if ids else 0


async def entries(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The entries by id, each by column; those that are not there are left out."""
    return {row["id"]: row for row in await AuditRow.filter(id__in=list(ids)).values(*COLUMNS)}
