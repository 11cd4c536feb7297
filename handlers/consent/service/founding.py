"""Decisions that were made elsewhere, many at a time: for made-up townships, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from bot.storage.rows import insert_rows
from handlers.consent.domain.decisions import Decision
from handlers.consent.domain.register import Basis, child_items
from handlers.consent.models import ConsentEvent


@dataclass(frozen=True, slots=True)
class MadeDecision:
    """What a guardian decided for a child."""

    pupil_id: UUID
    person_id: UUID
    decision: Decision


async def put_decisions(decisions: Sequence[MadeDecision], *, version: str, channel: str, now: datetime) -> None:
    """Adds them. `version` is that of the notice they were made on."""
    items = [item.name.value for item in child_items(Basis.CONSENT)]
    rows = [
        {
            "id": uuid4(),
            "pupil_id": each.pupil_id,
            "person_id": each.person_id,
            "decision": each.decision,
            "notice_version": version,
            "channel": channel,
            "items": items if each.decision is Decision.GIVEN else [],
            "created_at": now,
            "updated_at": now,
        }
        for each in decisions
    ]
    await insert_rows(ConsentEvent, rows)
