"""Pages that show the calendar: all places, and one place month by month."""

from __future__ import annotations

from datetime import date

from bot.clock import Clock, local_date
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page
from handlers.calendar import texts
from handlers.calendar.admin.reading import CALENDAR, in_words, read_month
from handlers.calendar.domain import SchoolCalendar
from handlers.calendar.service.desk import CalendarDesk, MonthView, Place
from handlers.calendar.service.town import Owner

TOWN = CALENDAR + "/townships/{township}"
SCHOOL = CALENDAR + "/schools/{school}"
_YEARS_BACK = 1


class CalendarPages:
    """The handlers."""

    def __init__(self, desk: CalendarDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        view = Action.CALENDAR_VIEW
        return (
            AdminRoute(method="GET", path=CALENDAR, action=view, handle=self.home, menu=texts.MENU),
            AdminRoute(method="GET", path=TOWN, action=view, handle=self.place),
            AdminRoute(method="GET", path=SCHOOL, action=view, handle=self.place),
        )

    async def home(self, call: AdminCall) -> AdminAnswer:
        """Whose calendars there are."""
        return Page("calendar/home.html", {"towns": await self._desk.places(call.actor)})

    async def place(self, call: AdminCall) -> AdminAnswer:
        """A month of a school or a township, and everything entered for it."""
        place = await place_of(self._desk, call, Action.CALENDAR_VIEW)
        today = local_date(self._clock.now())
        month = await self._desk.month(place, *read_month(call.query.get("month"), today))
        sheet = await self._desk.sheet(place)
        values = {
            "place": place,
            "path": path_of(place.owner),
            "town_path": path_of(Owner(place.owner.township_id)),
            "month": month,
            "earlier": _neighbour(month, -1),
            "later": _neighbour(month, 1),
            "sheet": sheet,
            "today": today,
            "today_words": _today_in_words(sheet.calendar, today),
            "years": await self._desk.years(place, today.year - _YEARS_BACK, today.year + 1),
            "words": texts,
            "in_words": in_words,
        }
        return Page("calendar/place.html", values)


async def place_of(desk: CalendarDesk, call: AdminCall, action: Action) -> Place:
    """The school or the township the address names. Raises NotFound."""
    if "school" in call.path:
        return await desk.school(call.actor, call.path["school"], action)
    return await desk.township(call.actor, call.path["township"], action)


def path_of(owner: Owner) -> str:
    """The page of a school or a township."""
    kind = "schools" if owner.school_id else "townships"
    return f"{CALENDAR}/{kind}/{owner.id}"


def _neighbour(month: MonthView, step: int) -> str:
    year, number = divmod(month.year * 12 + month.month - 1 + step, 12)
    return f"{year:04}-{number + 1:02}"


def _today_in_words(calendar: SchoolCalendar, today: date) -> str:
    view = calendar.view(today)
    term = calendar.term_of(today)
    words = texts.DAY_WORDS[view.kind.value] + (f"（{view.name}）" if view.name else "")
    if term is None:
        return texts.TODAY.format(day=in_words(today), words=words)
    return texts.TODAY_IN_TERM.format(
        day=in_words(today), words=words, term=term.name, week=calendar.week_of_term(today)
    )
