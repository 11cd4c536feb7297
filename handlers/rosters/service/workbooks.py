"""Writing workbooks: templates, exports, and uploads given back with what is wrong. CPU work for a thread.

Every cell is text: no formula, no link, no number that loses its zeros.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from handlers.rosters import texts
from handlers.rosters.domain import Cell, Remark, RosterKind, RowReport, Sheet
from handlers.rosters.service.columns import COLUMNS, PROBLEM, Column, plain_head

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_OPTIONS: Final[Mapping[str, Any]] = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,
    "constant_memory": True,
}
_EMPTY_ROWS: Final = 2_000
"""So many rows of a template are ready to be filled in."""
_LONGEST_FOOTER: Final = 250


@dataclass(frozen=True, slots=True)
class Imprint:
    """What is printed on an export: who made it, for what, when, and of whom."""

    name: str
    purpose: str
    at: str
    scope: str


@dataclass(frozen=True, slots=True)
class Form:
    """A sheet to be filled in: its name, its columns, and what is to be said about it."""

    name: str
    columns: Sequence[Column]
    lines: Sequence[str]


def form_of(kind: RosterKind) -> Form:
    """The form of a roster."""
    name = texts.SHEET_NAMES[kind.value]
    return Form(name, COLUMNS[kind], [line.format(sheet=name) for line in texts.INSTRUCTION_LINES])


def _workbook(buffer: io.BytesIO) -> xlsxwriter.Workbook:
    import xlsxwriter

    return xlsxwriter.Workbook(buffer, dict(_OPTIONS))


class _Styles:
    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        base = {"font_name": "宋体", "font_size": 11, "num_format": "@"}
        self.text: Format = workbook.add_format(base)
        self.head: Format = workbook.add_format(base | {"bold": True, "bg_color": "#DDEBF7", "border": 1})
        self.needed: Format = workbook.add_format(base | {"bold": True, "bg_color": "#FCE4D6", "border": 1})
        self.bad: Format = workbook.add_format(base | {"bg_color": "#FFC7CE", "border": 1})
        self.problem: Format = workbook.add_format(base | {"font_color": "#9C0006", "text_wrap": True})
        self.title: Format = workbook.add_format(base | {"bold": True, "font_size": 14})
        self.wrapped: Format = workbook.add_format(base | {"text_wrap": True, "valign": "top"})


def template(kind: RosterKind, schools: Sequence[str] = ()) -> bytes:
    """An empty sheet to be filled in, and one that says how. `schools` are offered to pick from."""
    return filled(form_of(kind), (), schools, None)


def export(kind: RosterKind, rows: Sequence[Mapping[str, str]], schools: Sequence[str], imprint: Imprint) -> bytes:
    """A sheet of rows by column; it can be uploaded again as it is."""
    return filled(form_of(kind), rows, schools, imprint)


def filled(form: Form, rows: Sequence[Mapping[str, str]], schools: Sequence[str], imprint: Imprint | None) -> bytes:
    """A form with rows by column, and the sheet that says how to fill it in. `imprint` of an export."""
    buffer = io.BytesIO()
    workbook = _workbook(buffer)
    styles = _Styles(workbook)
    columns = form.columns
    sheet = workbook.add_worksheet(form.name)
    last = len(rows) + _EMPTY_ROWS
    _columns(sheet, columns, styles, (last, schools))
    if imprint:
        _print_on(sheet, form.name, imprint)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.head, styles.needed if column.is_needed else styles.head)
    for number, row in enumerate(rows, 1):
        for place, column in enumerate(columns):
            if value := row.get(column.key):
                sheet.write_string(number, place, value, styles.text)
    _instructions(workbook, form, styles)
    if imprint:
        _about(workbook, imprint, len(rows), styles)
    workbook.close()
    return buffer.getvalue()


def _columns(sheet: Worksheet, columns: Sequence[Column], styles: _Styles, extent: tuple[int, Sequence[str]]) -> None:
    last, schools = extent
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width, styles.text)
        choices = schools if column.key == "school" else column.choices
        # Excel keeps a list to pick from in 255 characters.
        if choices and len(",".join(choices)) <= 250:
            rule = {"validate": "list", "source": list(choices), "error_type": "warning"}
            sheet.data_validation(1, place, last, place, rule)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, last - _EMPTY_ROWS), len(columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _print_on(sheet: Worksheet, title: str, imprint: Imprint) -> None:
    """In the head and foot of every printed page. `&` begins a command there."""
    plain = {
        "sheet": title,
        "filter": imprint.scope,
        "name": texts.EXPORTED_BY.format(name=imprint.name),
        "purpose": texts.EXPORTED_FOR.format(purpose=imprint.purpose),
        "at": imprint.at,
        "care": texts.HANDLE_WITH_CARE,
    }
    safe = {name: value.replace("&", "&&")[:80] for name, value in plain.items()}
    sheet.set_header(texts.HEADER.format(**safe)[:_LONGEST_FOOTER])
    sheet.set_footer(texts.FOOTER.format(**safe)[:_LONGEST_FOOTER])


def _instructions(workbook: xlsxwriter.Workbook, form: Form, styles: _Styles) -> None:
    sheet = workbook.add_worksheet(texts.INSTRUCTIONS)
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, texts.INSTRUCTIONS, styles.title)
    row = 2
    for line in form.lines:
        sheet.write_string(row, 1, line, styles.wrapped)
        row += 1
    row += 1
    sheet.write_string(row, 0, texts.COLUMN_HEAD, styles.head)
    sheet.write_string(row, 1, texts.NOTE_HEAD, styles.head)
    for column in form.columns:
        row += 1
        sheet.write_string(row, 0, column.head, styles.wrapped)
        sheet.write_string(row, 1, column.note, styles.wrapped)


def _about(workbook: xlsxwriter.Workbook, imprint: Imprint, count: int, styles: _Styles) -> None:
    sheet = workbook.add_worksheet(texts.ABOUT_EXPORT)
    sheet.set_column(0, 0, 90)
    lines = (
        texts.EXPORTED_BY.format(name=imprint.name),
        texts.EXPORTED_FOR.format(purpose=imprint.purpose),
        texts.EXPORTED_AT.format(at=imprint.at),
        texts.EXPORTED_FILTER.format(filter=imprint.scope),
        texts.EXPORTED_COUNT.format(count=count),
        texts.HANDLE_WITH_CARE,
    )
    for number, line in enumerate(lines):
        sheet.write_string(number, 0, line, styles.wrapped)


def with_problems(kind: RosterKind, sheet: Sheet, reports: Mapping[int, RowReport]) -> bytes:
    """The upload of a roster, as `marked`."""
    return marked(form_of(kind), sheet, reports)


def marked(form: Form, sheet: Sheet, reports: Mapping[int, RowReport]) -> bytes:
    """The upload with its own columns, what is wrong in one more, and the bad cells marked. `reports` by row."""
    buffer = io.BytesIO()
    workbook = _workbook(buffer)
    styles = _Styles(workbook)
    written = workbook.add_worksheet(form.name)
    kept = [place for place, name in enumerate(sheet.head) if plain_head(name) != PROBLEM]
    problem_at = len(kept)
    heads = {plain_head(sheet.head[place]): at for at, place in enumerate(kept)}
    ours = _heads_in(form.columns, sheet.head)
    written.set_column(0, max(0, problem_at - 1), 14, styles.text)
    written.set_column(problem_at, problem_at, 60, styles.problem)
    written.freeze_panes(1, 0)
    written.autofilter(0, 0, len(sheet.rows), problem_at)
    for at, place in enumerate(kept):
        written.write_string(0, at, sheet.head[place], styles.head)
    written.write_string(0, problem_at, PROBLEM, styles.needed)
    for line, (number, cells) in enumerate(sheet.rows, 1):
        faults = reports[number].faults if number in reports else ()
        bad = {heads.get(plain_head(ours.get(fault.column, fault.column))) for fault in faults}
        for at, place in enumerate(kept):
            value = shown(cells[place]) if place < len(cells) else ""
            if value or at in bad:
                written.write_string(line, at, value, styles.bad if at in bad else styles.text)
        if faults:
            written.write_string(line, problem_at, told(faults), styles.problem)
    workbook.close()
    return buffer.getvalue()


def _heads_in(columns: Sequence[Column], head: Sequence[str]) -> dict[str, str]:
    """What the uploader calls a column of ours."""
    plain = {plain_head(name): name for name in head}
    found = {}
    for column in columns:
        names = (column.head, *column.others)
        found[column.head] = next((plain[name] for name in map(plain_head, names) if name in plain), column.head)
    return found


def told(faults: Sequence[Remark]) -> str:
    """All that is wrong with a row, in one cell."""
    return "\n".join(f"{fault.column}：{fault.text}" if fault.column else fault.text for fault in faults)


def shown(cell: Cell) -> str:
    """A cell as text: a whole number without its point."""
    if isinstance(cell, str):
        return cell
    return str(int(cell)) if cell.is_integer() and abs(cell) < 10**21 else repr(cell)
