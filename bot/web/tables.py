"""Tables on pages: which rows are wanted, the addresses of their neighbours, and the same rows as a workbook."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from bot.clock import to_local
from bot.web.admin import PREFIX, AdminCall, Download

PAGE_SIZE: Final = 50
EXPORT_SIZE: Final = 50_000
_LAST_PAGE: Final = 10_000
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDEST: Final = 40


@dataclass(frozen=True, slots=True)
class TableView:
    """One view of a table. `path` begins after /admin; `filters` holds what was chosen, empty choices left out."""

    path: str
    filters: Mapping[str, str]
    sort: str
    is_descending: bool = False
    page: int = 1
    size: int = PAGE_SIZE
    wants_export: bool = False

    @classmethod
    def of(
        cls,
        call: AdminCall,
        path: str,
        *,
        filters: Sequence[str] = (),
        sorts: Sequence[str],
        is_descending: bool = False,
    ) -> TableView:
        """What the address asks for. The first of `sorts` is the usual order; what is unknown counts as not given."""
        chosen = {name: call.query[name].strip() for name in filters if call.query.get(name, "").strip()}
        sort = call.query.get("sort", "")
        page = call.query.get("page", "")
        is_export = call.query.get("export") == "xlsx"
        return cls(
            path=path,
            filters=chosen,
            sort=sort if sort in sorts else sorts[0],
            is_descending=call.query["desc"] == "1" if "desc" in call.query else is_descending,
            page=max(1, min(int(page), _LAST_PAGE)) if page.isdecimal() and len(page) < 7 and not is_export else 1,
            size=EXPORT_SIZE if is_export else PAGE_SIZE,
            wants_export=is_export,
        )

    @property
    def offset(self) -> int:
        """How many rows come before the first of the page."""
        return (self.page - 1) * self.size

    def last_page(self, total: int) -> int:
        """The number of the last page, at least 1."""
        return max(1, -(-total // self.size))

    @property
    def address(self) -> str:
        """Of this view."""
        return self._address()

    def address_of_page(self, number: int) -> str:
        """Of another page in the same order."""
        return replace(self, page=number)._address()

    def address_sorted(self, sort: str) -> str:
        """Of the first page in another order; the present order is turned round."""
        turned = not self.is_descending if sort == self.sort else False
        return replace(self, sort=sort, is_descending=turned, page=1)._address()

    @property
    def address_of_export(self) -> str:
        """Of all rows, as a workbook."""
        return f"{replace(self, page=1)._address()}&export=xlsx"

    def _address(self) -> str:
        query = {**self.filters, "sort": self.sort, "desc": "1" if self.is_descending else "0"}
        if self.page > 1:
            query["page"] = str(self.page)
        return f"{PREFIX}{self.path}?{urlencode(query)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a workbook says: the filter in words, who took it and when stand above the rows."""

    title: str
    head: Sequence[str]
    rows: Iterable[Sequence[object]]
    filters: Sequence[str]
    exporter: str
    at: datetime


async def download_of(sheet: Sheet) -> Download:
    """The workbook as a file; made in a thread."""
    content = await asyncio.to_thread(workbook_of, sheet)
    return Download(f"{sheet.title}-{to_local(sheet.at):%Y%m%d-%H%M}.xlsx", content, _XLSX)


def workbook_of(sheet: Sheet) -> bytes:
    """An .xlsx: everything as text, so that nothing in it is ever run or rounded."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    import xlsxwriter

    book = xlsxwriter.Workbook(buffer, options)
    bold, head = book.add_format({"bold": True, "font_size": 14}), book.add_format({"bold": True, "bottom": 1})
    page = book.add_worksheet(sheet.title[:31])
    page.write_string(0, 0, sheet.title, bold)
    page.write_string(1, 0, "筛选条件：" + ("；".join(sheet.filters) or "全部"))
    page.write_string(2, 0, f"导出人：{sheet.exporter}　导出时间：{to_local(sheet.at):%Y-%m-%d %H:%M}")
    widths = [len(title) * 2 for title in sheet.head]
    for column, title in enumerate(sheet.head):
        page.write_string(4, column, title, head)
    for number, row in enumerate(sheet.rows, 5):
        for column, value in enumerate(row):
            text = "" if value is None else str(value)
            page.write_string(number, column, text)
            widths[column] = max(widths[column], _width(text))
    for column, width in enumerate(widths):
        page.set_column(column, column, min(width + 2, _WIDEST))
    page.freeze_panes(5, 0)
    page.repeat_rows(4)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    book.close()
    return buffer.getvalue()


def _width(text: str) -> int:
    return sum(2 if character > "\u2e7f" else 1 for character in text)
