"""Lists that leave the house as files: each is written down before it is given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bot.audit.log import Audit
from bot.identity import Actor
from bot.rights import Action, require
from bot.storage.database import transaction
from handlers.accounts.service.people import place_of

PURPOSE: Final = "export"


class ExportService:
    """Writes down who took which list, and what it was filtered by; never the filter's words."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def note(
        self, actor: Actor, action: Action, table: str, *, school_id: str | None = None, filters: Iterable[str] = ()
    ) -> None:
        """One row. `action`: the right by which the list is taken; `table` names the list. Raises NotPermitted."""
        reach = require(actor, action)
        async with transaction():
            await self._audit.record(
                actor,
                action,
                f"table:{table}",
                whose=place_of(reach, school_id, None),
                fields=sorted(filters),
                purpose=PURPOSE,
            )
