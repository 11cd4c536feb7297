"""Reading an uploaded workbook: first looked at from outside, then parsed.

A workbook is a zip archive of XML. Sizes, rows and the farthest cell are found by streaming through it, so that one
that is a trap is refused before the parser makes room for it. Everything here is CPU work for a thread.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from handlers.accounts.service.bulk_rows import collect_young
from handlers.rosters import texts
from handlers.rosters.domain import Cell, FileTooLarge, NoRows, NoSuchColumns, NoWorkbook, RosterKind, Sheet
from handlers.rosters.service.columns import COLUMNS, Column, missing_of

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

LARGEST_FILE: Final = 10 * 1024 * 1024
MOST_ROWS: Final = 30_000
MOST_COLUMNS: Final = 200
_LARGEST_WHOLE: Final = 160 * 1024 * 1024
_MOST_ENTRIES: Final = 400
_HIGHEST_RATIO: Final = 200
# Small parts compress well by nature.
_RATIO_FROM: Final = 1024 * 1024
# A title and some lines about the filling in may stand above the head, and as many below count as rows.
_HEAD_WITHIN: Final = 12
_CHUNK: Final = 128 * 1024
_OVERLAP: Final = 64
_LONGEST_TEXT: Final = 500
_ROW: Final = re.compile(rb"<(?:\w+:)?row[\s/>]")
_PLACE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,7})(\d{1,9})["']""")
_ROW_NUMBER: Final = re.compile(rb"""\sr\s*=\s*["'](\d{1,9})["']""")


def read(content: bytes, kind: RosterKind) -> Sheet:
    """The first sheet that has our columns. Raises FileTooLarge, NoWorkbook, NoSuchColumns, NoRows."""
    return read_columns(content, COLUMNS[kind])


def read_columns(content: bytes, columns: Sequence[Column]) -> Sheet:
    """The same for columns of another form."""
    from python_calamine import CalamineError, CalamineWorkbook

    inspect(content)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            return _first_fitting(workbook, columns)
    except CalamineError as error:
        raise NoWorkbook from error


def inspect(content: bytes) -> None:
    """Returns when a workbook may be parsed. Raises FileTooLarge or NoWorkbook."""
    if len(content) > LARGEST_FILE:
        raise FileTooLarge
    if not content.startswith(b"PK\x03\x04"):
        raise NoWorkbook(texts.NO_XLSX)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_directory(entries)
            for entry in entries:
                _stream(archive, entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        # RuntimeError is how an encrypted entry shows itself, and its child an unknown compression.
        raise NoWorkbook from error


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if len(names) > _MOST_ENTRIES or len(set(names)) < len(names) or "xl/workbook.xml" not in names:
        raise NoWorkbook
    if sum(entry.file_size for entry in entries) > _LARGEST_WHOLE:
        raise FileTooLarge
    for entry in entries:
        if entry.file_size > _RATIO_FROM and entry.file_size > _HIGHEST_RATIO * max(1, entry.compress_size):
            raise FileTooLarge(texts.FILE_IS_BOMB)


def _stream(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Unpacks an entry without keeping it: the directory may lie about its size, which the checksum tells."""
    survey = _Survey() if entry.filename.startswith("xl/worksheets/") else None
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            if survey is not None:
                survey.look(chunk)


class _Survey:
    """How far a sheet reaches, piece by piece."""

    def __init__(self) -> None:
        self._rows = 0
        self._tail = b""
        self._is_first = True

    def look(self, chunk: bytes) -> None:
        """The next piece. Raises FileTooLarge, NoWorkbook."""
        if self._is_first and not chunk.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise NoWorkbook  # another encoding, in which nothing below would be found
        self._is_first = False
        self._rows += len(_ROW.findall(chunk)) + _across(self._tail, chunk)
        _check_places(self._tail + chunk)
        self._tail = chunk[-_OVERLAP:]
        if self._rows > MOST_ROWS + _HEAD_WITHIN:
            raise FileTooLarge(texts.TOO_MANY_ROWS)


def _across(tail: bytes, chunk: bytes) -> int:
    """Rows that begin in one piece and go on in the next."""
    seam = tail[-8:] + chunk[:8]
    inside = len(_ROW.findall(tail[-8:])) + len(_ROW.findall(chunk[:8]))
    return max(0, len(_ROW.findall(seam)) - inside)


def _check_places(piece: bytes) -> None:
    """A single cell far away would make the parser fill everything up to it."""
    places = _PLACE.findall(piece)
    rows = {number for _, number in places} | set(_ROW_NUMBER.findall(piece))
    if rows and max(map(int, rows)) > MOST_ROWS + _HEAD_WITHIN:
        raise FileTooLarge(texts.TOO_MANY_ROWS)
    if any(_column_number(letters) > MOST_COLUMNS for letters in {letters for letters, _ in places}):
        raise FileTooLarge(texts.TOO_MANY_COLUMNS)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _first_fitting(workbook: CalamineWorkbook, columns: Sequence[Column]) -> Sheet:
    from python_calamine import SheetVisibleEnum

    lacking: list[str] | None = None
    for data in workbook.sheets_metadata:
        if data.visible is not SheetVisibleEnum.Visible:
            continue
        sheet = workbook.get_sheet_by_name(data.name)
        found = _head(sheet, columns)
        if isinstance(found, int):
            return _rows(sheet, found)
        if found and (lacking is None or len(found) < len(lacking)):
            lacking = found
    raise NoSuchColumns(texts.COLUMNS_MISSING.format(columns="、".join(lacking)) if lacking else None)


def _head(sheet: CalamineSheet, columns: Sequence[Column]) -> int | list[str]:
    """On which line the head stands; else what the best candidate lacks."""
    best: list[str] = []
    for number, row in enumerate(islice(sheet.iter_rows(), _HEAD_WITHIN)):
        lacking = missing_of(columns, [str(cell) for cell in row])
        if not lacking:
            return number
        if not best or len(lacking) < len(best):
            best = lacking
    return best


def _rows(sheet: CalamineSheet, head_line: int) -> Sheet:
    lines = enumerate(sheet.iter_rows(), 1)
    head: tuple[str, ...] = ()
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    for number, line in lines:
        if number % 500 == 0:
            collect_young()
        if number <= head_line:
            continue
        cells = tuple(map(_cell, line))
        if number == head_line + 1:
            head = _trimmed(cells)
        elif any(cell != "" for cell in cells[: len(head)]):
            rows.append((number, cells[: len(head)]))
        if len(rows) > MOST_ROWS:
            raise FileTooLarge(texts.TOO_MANY_ROWS)
    if not rows:
        raise NoRows
    return Sheet(head, tuple(rows))


def _trimmed(cells: tuple[Cell, ...]) -> tuple[str, ...]:
    """The head without the empty cells behind it."""
    names = [str(cell).strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value.strip()[:_LONGEST_TEXT]
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, time | timedelta) else ""


def pieces(sheet: Sheet, size: int) -> Iterator[tuple[tuple[int, tuple[Cell, ...]], ...]]:
    """The rows in pieces of a size."""
    rows = iter(sheet.rows)
    while piece := tuple(islice(rows, size)):
        yield piece
