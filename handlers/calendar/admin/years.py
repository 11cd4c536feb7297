"""The page of a year's table: days off and make-up days, as the notice gives them."""

from __future__ import annotations

from bot.clock import Clock, local_date
from bot.errors import InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page
from handlers.calendar import texts
from handlers.calendar.admin.editing import Deed, answer
from handlers.calendar.admin.looking import TOWN, path_of
from handlers.calendar.admin.reading import HOLIDAY_ROWS, MAKE_UP_ROWS, doubts_of, read_table, read_year
from handlers.calendar.domain import YearTable
from handlers.calendar.service.desk import CalendarDesk, Place, YearView
from handlers.calendar.service.editing import CalendarEditing
from handlers.calendar.service.town import PutYear


class YearPages:
    """The handlers."""

    def __init__(self, desk: CalendarDesk, editing: CalendarEditing, clock: Clock) -> None:
        self._desk = desk
        self._editing = editing
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        town = Action.CALENDAR_TOWN
        return (
            AdminRoute(method="GET", path=TOWN + "/year", action=town, handle=self.form),
            AdminRoute(method="POST", path=TOWN + "/year", action=town, handle=self.save),
        )

    async def form(self, call: AdminCall) -> AdminAnswer:
        """The table as it is, to be changed."""
        place = await self._desk.township(call.actor, call.path["township"], Action.CALENDAR_TOWN)
        view = await self._desk.year(place, self._year(call.query.get("year")))
        return _page(place, view, _filled(view.table))

    async def save(self, call: AdminCall) -> AdminAnswer:
        """First what it would do, then the deed."""
        place = await self._desk.township(call.actor, call.path["township"], Action.CALENDAR_TOWN)
        year = self._year(call.form.get("year"))
        view = await self._desk.year(place, year)
        if call.form.get("usual") == "yes":
            words = texts.YEAR_BACK if view.is_shipped else texts.YEAR_NONE
            fields = {"year": str(year), "usual": "yes"}
            deed = Deed(PutYear(place.owner, year, None), words.format(year=year), "/year", fields)
            return await answer(self._editing, call, place, deed)
        given = {name: call.form.get(name, "").strip() for name in _filled(None)}
        try:
            table = read_table(call, year)
            title = texts.YEAR_SURE.format(year=year, holidays=len(table.holidays), make_up=len(table.make_up_days))
            fields = {"year": str(year), **{name: value for name, value in given.items() if value}}
            deed = Deed(PutYear(place.owner, year, table), title, "/year", fields, doubts_of(table))
            return await answer(self._editing, call, place, deed)
        except InvalidInput as fault:
            return _page(place, view, given, fault.message)

    def _year(self, text: str | None) -> int:
        return read_year(text, local_date(self._clock.now()).year)


def _filled(table: YearTable | None) -> dict[str, str]:
    """The fields of the form; of an empty one the names of the holidays only."""
    filled = {"source": table.source if table else ""}
    for row in range(HOLIDAY_ROWS):
        known = table.holidays[row] if table and row < len(table.holidays) else None
        filled[f"holiday_{row}"] = known.name if known else "" if table else texts.HOLIDAYS[row]
        filled[f"first_{row}"] = known.first_day.isoformat() if known else ""
        filled[f"last_{row}"] = known.last_day.isoformat() if known else ""
    days = table.make_up_days if table else ()
    for row in range(MAKE_UP_ROWS):
        filled[f"make_up_{row}"] = days[row].isoformat() if row < len(days) else ""
    return filled


def _page(place: Place, view: YearView, given: dict[str, str], fault: str = "") -> Page:
    values = {
        "place": place,
        "home": path_of(place.owner),
        "view": view,
        "title": texts.YEAR_TITLE.format(year=view.year),
        "given": given,
        "holidays": range(HOLIDAY_ROWS),
        "make_ups": range(MAKE_UP_ROWS),
        "fault": fault,
    }
    return Page("calendar/year.html", values, 422 if fault else 200)
