"""The board of all classes and schools, the rates of a year, and the workbook of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.clock import Clock
from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page
from bot.web.tables import Sheet, download_of
from handlers.term_check import texts
from handlers.term_check.domain.figures import Figures, Level, RateName
from handlers.term_check.domain.rules import in_percent
from handlers.term_check.service.board import Board
from handlers.term_check.service.views import YearFigures

BOARD: Final = "/term-check/board"
YEAR: Final = "/term-check/year"


class BoardPages:
    """The handlers."""

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CHECK_FIGURES
        return (
            AdminRoute(method="GET", path=BOARD, action=own, handle=self.board, menu=texts.MENU_BOARD),
            AdminRoute(method="GET", path=YEAR, action=own, handle=self.year),
        )

    async def board(self, call: AdminCall) -> AdminAnswer:
        """Who owes a report, and what was reported."""
        schools = await self._board.schools(call.actor)
        values = {
            "schools": schools,
            "centre": await self._board.centre(call.actor),
            "owing": sum(len(each.missing) for each in schools),
            "open": sum(each.counts.open for each in schools),
            "may_class": may(call.actor, Action.CHECK_CLASS),
            "may_rules": may(call.actor, Action.CHECK_RULES),
        }
        return Page("term_check/board.html", values)

    async def year(self, call: AdminCall) -> AdminAnswer:
        """The rates, on the page or as a workbook."""
        wanted = call.query.get("year", "")
        year = int(wanted) if wanted.isdecimal() and len(wanted) == 4 else None
        if call.query.get("export") == "xlsx":
            return await download_of(self._sheet(call, await self._board.export(call.actor, year)))
        found = await self._board.year(call.actor, year)
        values = {
            "found": found,
            "levels": texts.LEVELS,
            "rates": texts.RATES,
            "definitions": texts.DEFINITIONS,
            "limits": _limits(found),
            "rows": list(_rows(found)),
            "retention": RateName.RETENTION,
            "drop_out": RateName.DROP_OUT,
        }
        return Page("term_check/year.html", values)

    def _sheet(self, call: AdminCall, found: YearFigures) -> Sheet:
        limit = texts.SHEET_NO_LIMIT
        if found.rule is not None:
            limits = found.rule.limits
            limit = texts.SHEET_LIMIT.format(
                primary=in_percent(limits.primary), junior=in_percent(limits.junior), clause=found.rule.clause
            )
        told = [
            texts.SHEET_DEFINITION.format(name=texts.RATES[name], words=words)
            for name, words in texts.DEFINITIONS.items()
        ]
        return Sheet(
            title=texts.SHEET,
            head=texts.SHEET_HEAD,
            rows=[_cells(*row) for row in _rows(found)],
            filters=[texts.SHEET_YEAR.format(year=found.year, next=found.year + 1), limit, *told],
            exporter=call.actor.name or "",
            at=self._clock.now(),
        )


def _limits(found: YearFigures) -> dict[Level, tuple[int, str]]:
    if found.rule is None:
        return {}
    limits = {Level.PRIMARY: found.rule.limits.primary, Level.JUNIOR: found.rule.limits.junior}
    return {level: (limit, in_percent(limit)) for level, limit in limits.items()}


def _rows(found: YearFigures) -> Iterator[tuple[str, Level, Figures, int]]:
    """School by school, a level where there is anybody, with its classes that said nothing; the total last."""
    for school in found.schools:
        for level, known in school.levels.items():
            if known.all.listed:
                yield school.school, level, known, school.silent
    if len(found.schools) > 1:
        for level, known in found.total.items():
            if known.all.listed:
                yield texts.TOTAL, level, known, 0


def _cells(school: str, level: Level, known: Figures, silent: int) -> tuple[object, ...]:
    counts = known.all
    return (
        school, texts.LEVELS[level], counts.listed, counts.here, counts.open, counts.ill, counts.transferred,
        counts.other, *(known.rate(name).words for name in texts.RATES), silent,
    )  # fmt: skip
