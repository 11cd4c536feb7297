"""Looking at the calendars: for the console's pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, may, refusal, require
from handlers.accounts.service.places import PlaceService, SchoolPlace
from handlers.calendar.domain import DayView, SchoolCalendar, YearTable, month_of
from handlers.calendar.service.calendars import CalendarService
from handlers.calendar.service.keeping import read_town
from handlers.calendar.service.town import OwnedDays, OwnedTerm, Owner, Town, same_id


@dataclass(frozen=True, slots=True)
class Place:
    """A school or a township whose calendar is looked at. `town`: the name of the township."""

    owner: Owner
    name: str
    town: str
    can_edit: bool


@dataclass(frozen=True, slots=True)
class TownPlaces:
    """A township and its schools."""

    id: str
    name: str
    schools: tuple[SchoolPlace, ...]


@dataclass(frozen=True, slots=True)
class YearView:
    """The table of a year; None when there is none. `is_own`: entered there, `is_shipped`: a shipped one exists."""

    year: int
    table: YearTable | None
    is_own: bool
    is_shipped: bool


@dataclass(frozen=True, slots=True)
class MonthView:
    """A month by weeks from Monday on; None for days of the neighbouring months. `school_days` of it."""

    year: int
    month: int
    weeks: tuple[tuple[DayView | None, ...], ...]
    school_days: int
    last_school_day: date | None
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class PlaceSheet:
    """Everything entered for a place: its own, and what comes from the township. `own_week` None: the township's."""

    changes: int
    terms: tuple[OwnedTerm, ...]
    days: tuple[OwnedDays, ...]
    common_terms: tuple[OwnedTerm, ...]
    common_days: tuple[OwnedDays, ...]
    week: frozenset[int]
    own_week: frozenset[int] | None
    calendar: SchoolCalendar


class CalendarDesk:
    """What there is to be seen."""

    def __init__(self, calendars: CalendarService, places: PlaceService) -> None:
        self._calendars = calendars
        self._places = places

    async def places(self, actor: Actor) -> list[TownPlaces]:
        """All townships with their schools: a calendar is no secret among the staff."""
        require(actor, Action.CALENDAR_VIEW)
        schools = await self._places.schools()
        return [
            TownPlaces(town.id, town.name, tuple(one for one in schools if one.township_id == town.id))
            for town in await self._places.all_townships()
        ]

    async def school(self, actor: Actor, school_id: str, action: Action = Action.CALENDAR_VIEW) -> Place:
        """A school the actor may do that with. Raises NotFound."""
        try:
            school = await self._places.school(same_id(school_id))
        except NotFound:
            raise refusal(NotFound(), actor, action, Subject()) from None
        whose = Subject(school_id=school.id, township_id=school.township_id)
        require(actor, action, whose)
        town = await self._places.township(school.township_id)
        owner = Owner(school.township_id, school.id)
        return Place(owner, school.name, town.name, may(actor, Action.CALENDAR_EDIT, whose))

    async def township(self, actor: Actor, township_id: str, action: Action = Action.CALENDAR_VIEW) -> Place:
        """A township the actor may do that with. Raises NotFound."""
        try:
            town = await self._places.township(same_id(township_id))
        except NotFound:
            raise refusal(NotFound(), actor, action, Subject()) from None
        whose = Subject(township_id=town.id)
        require(actor, action, whose)
        return Place(Owner(town.id), town.name, town.name, may(actor, Action.CALENDAR_TOWN, whose))

    async def month(self, place: Place, year: int, month: int) -> MonthView:
        """One month of a place that was looked up before."""
        calendar = await self._calendar(place.owner)
        first, last = month_of(year, month)
        start = first - timedelta(days=first.weekday())
        weeks: list[tuple[DayView | None, ...]] = []
        while start <= last:
            days = [start + timedelta(days=n) for n in range(7)]
            weeks.append(tuple(calendar.view(day) if first <= day <= last else None for day in days))
            start += timedelta(days=7)
        return MonthView(
            year,
            month,
            tuple(weeks),
            calendar.count(first, last),
            calendar.last_school_day_of_month(year, month),
            calendar.is_provisional(first),
        )

    async def sheet(self, place: Place) -> PlaceSheet:
        """Everything entered for a place that was looked up before."""
        owner, town = place.owner, await read_town(place.owner.township_id)
        calendar = await self._calendar(owner)
        shown = set(town.terms_of(owner.school_id))
        return PlaceSheet(
            changes=town.changes,
            terms=_terms(one for one in town.terms.values() if one.school_id == owner.school_id),
            days=_days(one for one in town.days.values() if one.school_id == owner.school_id),
            common_terms=_terms(
                one for one in town.terms.values() if owner.school_id and one.school_id is None and one.term in shown
            ),
            common_days=_days(one for one in town.days.values() if owner.school_id and one.school_id is None),
            week=town.week_of(owner.school_id),
            own_week=town.weeks.get(owner.id),
            calendar=calendar,
        )

    async def years(self, place: Place, first: int, last: int) -> Sequence[YearView]:
        """The tables in force, from one year to another."""
        town = await read_town(place.owner.township_id)
        return [self._year(town, year) for year in range(first, last + 1)]

    async def year(self, place: Place, year: int) -> YearView:
        """The table of one year."""
        return self._year(await read_town(place.owner.township_id), year)

    def _year(self, town: Town, year: int) -> YearView:
        shipped = self._calendars.tables.get(year)
        return YearView(year, town.years.get(year, shipped), year in town.years, shipped is not None)

    async def _calendar(self, owner: Owner) -> SchoolCalendar:
        if owner.school_id:
            return await self._calendars.of(owner.school_id)
        return await self._calendars.of_township(owner.township_id)


def _terms(found: Iterable[OwnedTerm]) -> tuple[OwnedTerm, ...]:
    return tuple(sorted(found, key=lambda one: one.term, reverse=True))


def _days(found: Iterable[OwnedDays]) -> tuple[OwnedDays, ...]:
    return tuple(sorted(found, key=lambda one: (one.local.first_day, one.local.name), reverse=True))
