"""A choice of people without the children whose families have declined something: one statement for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from handlers.accounts.service.audience_sql import Selection, joined
from handlers.accounts.service.child_records import Custody
from handlers.consent.domain.register import ItemName
from handlers.consent.models import ConsentEvent
from handlers.consent.service.standings import declined_rows, values_of

# One row for each child of each person. Who is told for themselves, as staff are, has none and stays.
_PARTS: Final = """
WITH meant AS ({choice}), ward AS (SELECT m.person_id, {child} AS child FROM meant m LEFT JOIN {split} p ON TRUE),
     against AS ({against})
"""
_KEPT: Final = "NOT EXISTS (SELECT 1 FROM against a WHERE a.child = m.child)"
_WARDS: Final = "SELECT DISTINCT {id} AS id FROM ward w WHERE w.child IS NOT NULL"
_SPLIT: Final = {
    "postgres": {
        "split": "LATERAL unnest(string_to_array(m.child_ids, '+'))",
        "child": "p",
        "id": "CAST(w.child AS uuid)",
    },
    "sqlite": {
        "split": """json_each('["' || replace(m.child_ids, '+', '","') || '"]')""",
        "child": "p.value",
        "id": "w.child",
    },
}


class Choice(Protocol):
    """People as a query of `person_id` and `child_ids` (ids joined by `+`, or NULL), and its values."""

    @property
    def sql(self) -> str:
        """With the marks of the engine in use."""
        ...

    @property
    def parameters(self) -> Sequence[Any]:
        """In the order of the marks."""
        ...


def without_declined(choice: Choice, item: ItemName, version: str, custody: Custody) -> Selection:
    """The same people for those of their children whose families have not declined an item; who has no other child
    among those meant is left out."""
    engine = str(ConsentEvent._meta.db.capabilities.dialect)
    against = declined_rows(engine, _WARDS.format(**_SPLIT[engine]), len(choice.parameters) + 1, item)
    parts = _PARTS.format(choice=choice.sql, against=against, **_SPLIT[engine])
    return Selection(
        parts + joined(engine, "SELECT person_id, child FROM ward", _KEPT),
        (*choice.parameters, *values_of(engine, item, version, custody)),
    )
