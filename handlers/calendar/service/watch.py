"""What the calendars lack: a year's table, or the coming term. Said loudly, to those who can enter it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.config import Calendar
from bot.errors import NotPermitted
from bot.identity import Actor
from bot.logs import get_logger
from bot.metrics import Metrics
from bot.rights import Action, reach_of
from handlers.accounts.service.places import PlaceService
from handlers.calendar import texts
from handlers.calendar.service.calendars import CalendarService

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lack:
    """What a township lacks today. `years` without a table that are due; `lacks_term`: the terms end soon."""

    township_id: str
    years: tuple[int, ...]
    lacks_term: bool


def years_due(today: date, next_year_from_month: int) -> tuple[int, ...]:
    """The years whose tables are needed."""
    return (today.year, today.year + 1) if today.month >= next_year_from_month else (today.year,)


class CalendarWatch:
    """Looks for what is missing."""

    def __init__(
        self, calendars: CalendarService, places: PlaceService, settings: Calendar, *, clock: Clock, metrics: Metrics
    ) -> None:
        self._calendars = calendars
        self._places = places
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._told_on: date | None = None

    async def lacks(self) -> list[Lack]:
        """Of all townships that lack something."""
        today = local_date(self._clock.now())
        found = [await self._lack(town.id, today) for town in await self._places.all_townships()]
        return [lack for lack in found if lack.years or lack.lacks_term]

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """For those who keep the calendar of a township. A `TodoSource`."""
        try:
            reach = reach_of(actor, Action.CALENDAR_TOWN)
        except NotPermitted:
            return []
        todos: list[Todo] = []
        for lack in await self.lacks():
            if not (reach.is_any or lack.township_id in reach.townships):
                continue
            own = f"/calendar/townships/{lack.township_id}"
            todos.extend(
                Todo(texts.TODO_YEAR.format(year=year), 1, f"{own}/year?year={year}", is_urgent=True)
                for year in lack.years
            )
            if lack.lacks_term:
                todos.append(Todo(texts.TODO_TERM, 1, f"{own}/terms"))
        return todos

    async def look(self) -> None:
        """Keeps the metric, and says once a day in the log what is missing."""
        today = local_date(self._clock.now())
        lacking = [lack for lack in await self.lacks() if lack.years]
        self._metrics.calendar_years_missing.set(sum(len(lack.years) for lack in lacking))
        if lacking and self._told_on != today:
            self._told_on = today
            years = sorted({year for lack in lacking for year in lack.years})
            _log.warning("calendar_years_missing", years=years, townships=len(lacking))

    async def _lack(self, township_id: str, today: date) -> Lack:
        calendar = await self._calendars.of_township(township_id)
        due = years_due(today, self._settings.next_year_from_month)
        ahead = today + timedelta(days=self._settings.terms_ahead_days)
        last = max((term.last_day for term in calendar.terms), default=date.min)
        years = tuple(year for year in due if calendar.is_provisional(date(year, 1, 1)))
        return Lack(township_id, years, last < ahead)
