"""Many ids as one value of a statement: a list of marks would have a limit, and take longer to write than to run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

_POSTGRES: Final = "postgres"
_SELECTS: Final[Mapping[str, str]] = {
    _POSTGRES: "SELECT unnest(${place}::uuid[]) AS id",
    "sqlite": "SELECT value AS id FROM json_each(?{place})",
}


def select_ids(engine: str, place: int) -> str:
    """A query of one column, `id`, over the value at a place of the statement, which is what `as_value` makes."""
    return _SELECTS[engine].replace("{place}", str(place))


def as_value(engine: str, ids: Iterable[str | UUID]) -> Any:
    """The ids, each in its usual form, as a value for `select_ids`."""
    return list(ids) if engine == _POSTGRES else json.dumps([str(own) for own in ids])


def mark(engine: str, place: int) -> str:
    """How a statement speaks of its value at a place, from 1 on."""
    return f"${place}" if engine == _POSTGRES else f"?{place}"
