"""The tables of years that are shipped with the program."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from handlers.calendar.domain import Holiday, YearTable, check_table

_FOLDER: Final = Path(__file__).parent / "tables"


@lru_cache(maxsize=1)
def shipped() -> Mapping[int, YearTable]:
    """By year; read once for a process. Raises TableInvalid for a file that breaks a rule."""
    tables = [_read(tomllib.loads(path.read_text("utf-8"))) for path in sorted(_FOLDER.glob("*.toml"))]
    return {table.year: table for table in tables}


def revision_of(tables: Mapping[int, YearTable]) -> int:
    """A number that rises with every table that is added and with every one that is changed."""
    return sum(table.revision for table in tables.values())


def _read(data: Mapping[str, Any]) -> YearTable:
    holidays = tuple(Holiday(first, last, name) for name, (first, last) in data["holidays"].items())
    table = YearTable(data["year"], data["source"], holidays, tuple(data["make_up_days"]), data["revision"])
    check_table(table)
    return table
