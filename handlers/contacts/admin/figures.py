"""Page of the figures: charts drawn by the template, a table with the same figures beside each, definitions above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page
from handlers.contacts.domain.figures import COUNTED_AFTER
from handlers.contacts.domain.suppression import LEAST, Few, Share, Shown
from handlers.contacts.service.figures.showing import PAGE, FiguresService
from handlers.contacts.service.figures.views import FigureSheet, Line, TownFigures
from handlers.contacts.texts import figures as texts

_FEW = {Few.LACKING: texts.LACKING, Few.THERE: texts.THERE}


@dataclass(frozen=True, slots=True)
class Point:
    """A month in a chart. `percent` None: there is no bar; `is_about`: the bar says at least, or at most."""

    month: int
    percent: int | None
    is_about: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing: its title, what it shows in words, its bars. `ident` is unique on the page."""

    ident: str
    title: str
    said: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table, in words."""

    name: str
    registered: str
    covered: str
    on_time: str


@dataclass(frozen=True, slots=True)
class Part:
    """A school or a township: charts, and the table beside them, the newest month first."""

    name: str
    charts: Sequence[Chart]
    rows: Sequence[Row]


class FigurePages:
    """The handlers."""

    def __init__(self, figures: FiguresService) -> None:
        self._figures = figures

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CONTACTS_COUNTS
        return (AdminRoute(method="GET", path=PAGE, action=own, handle=self.look, menu=texts.MENU),)

    async def look(self, call: AdminCall) -> AdminAnswer:
        """The figures within reach."""
        sheet = await self._figures.sheet(call.actor)
        wanted = next((month for month in sheet.months if month.isoformat() == call.query.get("month")), None)
        month = wanted or sheet.months[-1]
        values = {
            "waiting": sheet.waiting,
            "schools": [_part(f"s{at}", line, sheet) for at, line in enumerate(sheet.schools)],
            "towns": [
                (_part(f"t{at}", town.total, sheet), _of_month(town, sheet.months.index(month)))
                for at, town in enumerate(sheet.towns)
            ],
            "months": [(each.isoformat(), _month(each)) for each in reversed(sheet.months)],
            "month": month.isoformat(),
            "month_words": _month(month),
            "least": LEAST,
            "counted_after": COUNTED_AFTER.days,
            "may_staff": may(call.actor, Action.STAFF_VIEW),
            "covered": texts.COVERED,
            "on_time": texts.ON_TIME,
        }
        return Page("contacts/figures.html", values)


def _part(ident: str, line: Line, sheet: FigureSheet) -> Part:
    rows = [_row(f"{month:%Y-%m}", shown) for month, shown in zip(sheet.months, line.months, strict=True)]
    place = _names(line)
    covered = [shown.covered if shown else None for shown in line.months]
    on_time = [shown.on_time if shown else None for shown in line.months]
    charts = [
        _chart(f"{ident}c", place, texts.COVERED, sheet.months, covered),
        _chart(f"{ident}t", place, texts.ON_TIME, sheet.months, on_time),
    ]
    return Part(place, charts, rows[::-1])


def _chart(ident: str, place: str, name: str, months: Sequence[date], shares: Sequence[Share | None]) -> Chart:
    title = texts.CHART.format(place=place, name=name, first=_month(months[0]), last=_month(months[-1]))
    said = texts.DESCRIPTION_END.join(
        texts.DESCRIBED.format(month=_month(month), words=_words(share))
        for month, share in zip(months, shares, strict=True)
    )
    points = [
        Point(month.month, share.percent if share else None, share is not None and share.few is not None)
        for month, share in zip(months, shares, strict=True)
    ]
    return Chart(ident, title, said, points)


def _of_month(town: TownFigures, at: int) -> list[Row]:
    """A line for each school, and the total."""
    rows = [_row(_names(line), line.months[at]) for line in town.schools]
    return [*rows, _row(texts.TOTAL.format(name=town.name), town.total.months[at])]


def _row(name: str, shown: Shown | None) -> Row:
    if shown is None:
        return Row(name, texts.NO_NUMBER, texts.NOT_COUNTED, texts.NOT_COUNTED)
    registered = texts.HIDDEN if shown.registered is None else texts.COUNT.format(count=shown.registered)
    return Row(name, registered, _words(shown.covered), _words(shown.on_time))


def _words(share: Share | None) -> str:
    if share is None:
        return texts.NOT_COUNTED
    if share.few is not None:
        return _FEW[share.few].format(percent=share.percent)
    if share.number is None:
        return texts.HIDDEN
    if not share.of:
        return texts.NOBODY
    return texts.SHARE.format(percent=share.percent, number=share.number, of=share.of)


def _names(line: Line) -> str:
    names = texts.BETWEEN.join(line.names)
    return texts.TOGETHER.format(names=names) if len(line.names) > 1 else names


def _month(month: date) -> str:
    return texts.MONTH.format(year=month.year, month=month.month)
