"""The workbook that is taken out: watermarked on every sheet, every row and every printed page, and encrypted."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bot.clock import to_local
from handlers.contacts.texts import exports as texts

_WIDEST: Final = 40
_LONGEST_MARGIN: Final = 200
"""A workbook takes 255 characters in the margin of a page."""


@dataclass(frozen=True, slots=True)
class Part:
    """One sheet."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Who takes it out, when and for what; `number` is what the export is known by."""

    exporter: str
    at: datetime
    purpose: str
    number: str

    @property
    def line(self) -> str:
        """The whole, above the rows and on every printed page."""
        return texts.MARK.format(
            exporter=self.exporter, when=f"{to_local(self.at):%Y-%m-%d %H:%M}", purpose=self.purpose,
            number=self.number,
        )  # fmt: skip

    @property
    def short(self) -> str:
        """In every row."""
        return f"{self.exporter} {to_local(self.at):%Y-%m-%d %H:%M} {self.number}"


def sealed_book(parts: Sequence[Part], mark: Mark, password: str) -> bytes:
    """An .xlsx that opens with the password only (ECMA-376 agile encryption, AES-256, as office programs write it).
    Takes a while: for a thread."""
    from msoffcrypto.format.ooxml import OOXMLFile

    sealed = io.BytesIO()
    OOXMLFile(io.BytesIO(plain_book(parts, mark))).encrypt(password, sealed)
    return sealed.getvalue()


def plain_book(parts: Sequence[Part], mark: Mark) -> bytes:
    """The same before it is encrypted: everything as text, so that nothing in it is ever run or rounded."""
    import xlsxwriter

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"title": texts.BOOK, "author": mark.exporter, "comments": mark.line})
    formats = {"head": book.add_format({"bold": True, "bottom": 1}), "mark": book.add_format({"font_color": "#9c0006"})}
    for part in parts:
        _write(book.add_worksheet(part.title), part, mark, formats)
    book.close()
    return buffer.getvalue()


def _write(page: Any, part: Part, mark: Mark, formats: dict[str, Any]) -> None:
    page.write_string(0, 0, mark.line, formats["mark"])
    page.write_string(1, 0, texts.KEEP, formats["mark"])
    head = [*part.head, texts.MARK_COLUMN]
    widths = [_width(title) for title in head]
    for column, title in enumerate(head):
        page.write_string(3, column, title, formats["head"])
    for number, row in enumerate(part.rows, 4):
        for column, text in enumerate([*row, mark.short]):
            page.write_string(number, column, text, formats["mark"] if column == len(row) else None)
            widths[column] = max(widths[column], _width(text))
    for column, width in enumerate(widths):
        page.set_column(column, column, min(width + 2, _WIDEST))
    margin = mark.line[:_LONGEST_MARGIN].replace("&", "&&")
    page.set_header(f"&C{margin}")
    page.set_footer(f"&L{mark.short.replace('&', '&&')}&R&P/&N")
    page.freeze_panes(4, 0)
    page.repeat_rows(0, 3)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)


def _width(text: str) -> int:
    return sum(2 if character > "⺀" else 1 for character in text)
