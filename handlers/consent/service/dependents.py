"""Decisions that stand in the way of unmaking people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from bot.storage.sets import as_value, select_ids
from handlers.consent.models import ConsentEvent

CONSENTS: Final = "consents"
_STATEMENT: Final = """
SELECT COUNT(*) AS number FROM consent_event e
 WHERE e.pupil_id IN ({children}) OR e.person_id IN ({people})
"""


class ConsentDependents:
    """A `Dependents`: who decided, and for whom it was decided, cannot be unmade."""

    async def dependents(self, child_ids: Collection[str], person_ids: Collection[str]) -> Mapping[str, int]:
        """How many decisions were made for any of the children, or by any of the people."""
        connection = ConsentEvent._meta.db
        engine = connection.capabilities.dialect
        query = _STATEMENT.format(children=select_ids(engine, 1), people=select_ids(engine, 2))
        values = [as_value(engine, child_ids), as_value(engine, person_ids)]
        number = (await connection.execute_query_dict(query, values))[0]["number"]
        return {CONSENTS: number} if number else {}
