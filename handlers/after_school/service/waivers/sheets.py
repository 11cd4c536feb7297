"""Reading an official list: of a workbook only the columns with identity numbers, and of those only fingerprints.

Work for a thread: a list of a county is long, and each number takes a fingerprint.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from handlers.accounts.domain import IdNumberInvalid
from handlers.accounts.service.marks import mark_of
from handlers.after_school.domain.waivers import WaiverInvalid
from handlers.after_school.texts import waivers as texts
from handlers.rosters.domain import NoWorkbook
from handlers.rosters.service.reading import inspect

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

# A title and some lines about the filling in may stand above the head.
_HEAD_WITHIN: Final = 12
_NUMBER: Final = re.compile(r"身份证|身份号码|证件号|公民身份")


@dataclass(frozen=True, slots=True)
class Marks:
    """What a list holds: fingerprints, each once; `rows` with a number that can be one, `unreadable` with none."""

    marks: frozenset[str]
    rows: int
    unreadable: int


def read_marks(content: bytes) -> Marks:
    """Of the first sheet with a column of identity numbers; several such columns (the child's, the householder's)
    count alike. Raises FileTooLarge, NoWorkbook, WaiverInvalid."""
    from python_calamine import CalamineError, CalamineWorkbook

    inspect(content)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            for name in workbook.sheet_names:
                sheet = workbook.get_sheet_by_name(name)
                columns, start = _columns(sheet)
                if columns:
                    return _marks(_cells(sheet, columns, start))
    except CalamineError as error:
        raise NoWorkbook from error
    raise WaiverInvalid(texts.NO_NUMBERS)


def _columns(sheet: CalamineSheet) -> tuple[list[int], int]:
    """Which columns, and the line after their head."""
    for line, row in enumerate(islice(sheet.iter_rows(), _HEAD_WITHIN)):
        found = [place for place, cell in enumerate(row) if isinstance(cell, str) and _NUMBER.search(cell)]
        # A title that speaks of numbers is a single cell over several columns.
        if found and sum(1 for cell in row if str(cell).strip()) > 1 - (len(row) == 1):
            return found, line + 1
    return [], 0


def _cells(sheet: CalamineSheet, columns: list[int], start: int) -> Iterator[list[str]]:
    for row in islice(sheet.iter_rows(), start, None):
        if any(str(cell).strip() for cell in row):
            yield [str(row[place]).strip() for place in columns if place < len(row)]


def _marks(rows: Iterator[list[str]]) -> Marks:
    marks: set[str] = set()
    good = bad = 0
    for row in rows:
        found = {mark for text in row if (mark := _mark(text))}
        marks |= found
        good, bad = good + bool(found), bad + (not found)
    if not marks:
        raise WaiverInvalid(texts.NO_VALID_NUMBERS)
    return Marks(frozenset(marks), good, bad)


def _mark(text: str) -> str:
    """ "" for what is no identity number: one that went through a number cell has lost its last signs."""
    try:
        return mark_of(text)
    except IdNumberInvalid:
        return ""
