"""Keeping the rows of a workbook and what is said about them: encrypted, in pages, so that none is large."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from bot.storage.rows import insert_rows
from handlers.rosters.domain import Difference, Remark, RowReport, RowState, Sheet
from handlers.rosters.models import Import, ImportPage

PAGE: Final = 400


async def keep(import_id: UUID, sheet: Sheet, reports: Sequence[RowReport], now: datetime) -> None:
    """Writes all pages anew, in the caller's transaction. Reports of rows go with their rows, others behind them."""
    await ImportPage.filter(source_id=import_id).delete()
    by_row = {report.row: report for report in reports if report.row}
    others = [report for report in reports if not report.row]
    number = 0
    for number, start in enumerate(range(0, len(sheet.rows), PAGE)):
        rows = sheet.rows[start : start + PAGE]
        told = [by_row[row] for row, _ in rows if row in by_row]
        await _insert(import_id, number, (rows, told), now)
    for extra, start in enumerate(range(0, len(others), PAGE), number + 1):
        await _insert(import_id, extra, ((), others[start : start + PAGE]), now)


async def _insert(import_id: UUID, number: int, page: tuple[Sequence[Any], Sequence[RowReport]], now: datetime) -> None:
    told = await asyncio.to_thread(_packed_page, *page)
    row = {"source_id": import_id, "number": number, **told, "created_at": now, "updated_at": now}
    await insert_rows(ImportPage, [row])


def _packed_page(rows: Sequence[Any], reports: Sequence[RowReport]) -> dict[str, Any]:
    return {
        "cells": packed(rows),
        "reports": packed([_plain(report) for report in reports]),
        "states": dict(Counter(report.state.value for report in reports)),
    }


async def sheet_of(row: Import) -> Sheet:
    """The workbook as it was read."""
    rows: list[tuple[int, tuple[Any, ...]]] = []
    numbers = await ImportPage.filter(source_id=row.id).order_by("number").values_list("number", flat=True)
    for number in numbers:
        page = await ImportPage.get(source_id=row.id, number=number).only("id", "cells")
        rows += await asyncio.to_thread(_unpacked_cells, page.cells)
    return Sheet(tuple(json.loads(row.head or "[]")), tuple(rows))


def _unpacked_cells(text: str) -> list[tuple[int, tuple[Any, ...]]]:
    return [(number, tuple(cells)) for number, cells in json.loads(text)]


async def reports_of(import_id: UUID, states: Iterable[RowState]) -> AsyncIterator[RowReport]:
    """The reports in these states, in order."""
    wanted = {state.value for state in states}
    listed = await ImportPage.filter(source_id=import_id).order_by("number").values_list("number", "states")
    for number, counted in listed:
        if wanted.isdisjoint(counted):
            continue
        page = await ImportPage.get(source_id=import_id, number=number).only("id", "reports")
        for plain in json.loads(page.reports or "[]"):
            if plain["state"] in wanted:
                yield _report(plain)
        await asyncio.sleep(0)


async def some_reports(import_id: UUID, states: Iterable[RowState], start: int, count: int) -> list[RowReport]:
    """`count` of them from the `start`-th on."""
    found: list[RowReport] = []
    number = 0
    async for report in reports_of(import_id, states):
        if number >= start:
            found.append(report)
        number += 1
        if len(found) == count:
            break
    return found


def digest_of(reports: Sequence[RowReport]) -> str:
    """Of everything a dry run says: another one that says the same would do the same. CPU work for a thread."""
    whole = hashlib.sha256()
    pending = iter(reports)
    while some := list(islice(pending, PAGE)):
        whole.update(packed([_plain(report) for report in some]).encode())
    return whole.hexdigest()


def _plain(report: RowReport) -> dict[str, Any]:
    plain: dict[str, Any] = {"row": report.row, "state": report.state.value, "name": report.name, "place": report.place}
    for key in ("faults", "warnings", "differences"):
        if values := getattr(report, key):
            plain[key] = [[getattr(value, name) for name in value.__slots__] for value in values]
    if report.subject_id:
        plain["subject_id"] = report.subject_id
    return plain


def _report(plain: dict[str, Any]) -> RowReport:
    return RowReport(
        row=plain["row"],
        state=RowState(plain["state"]),
        name=plain["name"],
        place=plain["place"],
        faults=tuple(Remark(*each) for each in plain.get("faults", ())),
        warnings=tuple(Remark(*each) for each in plain.get("warnings", ())),
        differences=tuple(Difference(*each) for each in plain.get("differences", ())),
        subject_id=plain.get("subject_id"),
    )


def packed(value: Any) -> str:
    """As JSON, without a space too many."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
