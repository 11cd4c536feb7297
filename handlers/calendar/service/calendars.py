"""The calendars of all schools, for whoever plans: kept until something is changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from handlers.accounts.service.places import PlaceService
from handlers.calendar.domain import SchoolCalendar, YearTable
from handlers.calendar.service.keeping import changes_of_all, read_town
from handlers.calendar.service.tables import revision_of, shipped
from handlers.calendar.service.town import Town, same_id


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """What would become of the calendar of a school; `school_id` None: of what concerns no single school of the
    township."""

    township_id: str
    school_id: str | None
    before: SchoolCalendar
    after: SchoolCalendar


@dataclass(frozen=True, slots=True)
class Moved:
    """What would follow a change: unsent messages that would go out at another time, or not at all; and in words, one
    each, what people have to do on other days."""

    messages: int = 0
    named: Sequence[str] = ()


class CalendarDependents(Protocol):
    """Has planned something by the calendar, and tells what would move before a change is made. Afterwards it notices
    the new version by itself."""

    async def would_move(self, changes: Sequence[CalendarChange]) -> Moved:
        """What would follow. Changes nothing."""
        ...


class CalendarService:
    """Gives the calendars. Cheap: one query for the version, and everything else only after a change. Whoever asks for
    many at once takes them `as_of_now`, with one query for all of them."""

    def __init__(self, places: PlaceService, tables: Mapping[int, YearTable] | None = None) -> None:
        """`tables`: the shipped ones, when not those of the program."""
        self._places = places
        self.tables = shipped() if tables is None else tables
        self._cached = 0
        self._towns: dict[str, Town] = {}
        self._calendars: dict[tuple[str, str | None], SchoolCalendar] = {}
        self._town_of: dict[str, str] = {}
        self._first_town: str | None = None
        self._dependents: list[CalendarDependents] = []

    @property
    def dependents(self) -> Sequence[CalendarDependents]:
        """Those who have planned by the calendars."""
        return self._dependents

    def add_dependents(self, *dependents: CalendarDependents) -> None:
        """Further ones."""
        self._dependents.extend(dependents)

    async def version(self) -> int:
        """Of all calendars together: rises with every change, and with every table a new release brings."""
        return await changes_of_all() + revision_of(self.tables)

    async def of(self, school_id: str | None) -> SchoolCalendar:
        """The calendar of a school; None: of the (first) township, for what concerns no single school.

        Raises NotFound for an id nobody has. Without a township the calendar has no terms.
        """
        return await self._of(school_id, await self._current())

    async def of_township(self, township_id: str) -> SchoolCalendar:
        """Of a school of the township that has nothing of its own."""
        return await self._calendar(same_id(township_id), None, await self._current())

    async def as_of_now(self) -> CalendarsOfVersion:
        """All of them by the version in force now. One that is changed meanwhile may be newer than its version says, so
        it is planned by again; never older."""
        return CalendarsOfVersion(await self._current(), self._of, self._calendar)

    async def _of(self, school_id: str | None, version: int) -> SchoolCalendar:
        if school_id is not None:
            school_id = same_id(school_id)
            return await self._calendar(await self._town_id(school_id), school_id, version)
        if self._first_town is None:
            self._first_town = await self._places.first_township()
        if self._first_town is None:
            return Town("").calendar(None, self.tables, version)
        return await self._calendar(self._first_town, None, version)

    async def _current(self) -> int:
        version = await self.version()
        # Several ask at once, and the first to ask may be the last to be answered.
        if version > self._cached:
            self._towns.clear()
            self._calendars.clear()
            self._cached = version
        return version

    async def _calendar(self, township_id: str, school_id: str | None, version: int) -> SchoolCalendar:
        key = (township_id, school_id)
        found = self._calendars.get(key)
        if found is None or found.version != version:
            town = self._towns.get(township_id) or await read_town(township_id)
            found = town.calendar(school_id, self.tables, version)
            # Another call may have noticed a newer version while this one read.
            if version == self._cached:
                self._towns[township_id] = town
                self._calendars[key] = found
        return found

    async def _town_id(self, school_id: str) -> str:
        if school_id not in self._town_of:
            self._town_of[school_id] = (await self._places.school(school_id)).township_id
        return self._town_of[school_id]


class CalendarsOfVersion:
    """The calendars as they were when it was asked for: for one run of a planner, not to be kept."""

    def __init__(
        self,
        version: int,
        of: Callable[[str | None, int], Awaitable[SchoolCalendar]],
        of_township: Callable[[str, str | None, int], Awaitable[SchoolCalendar]],
    ) -> None:
        self._version = version
        self._of = of
        self._of_township = of_township

    async def of(self, school_id: str | None) -> SchoolCalendar:
        """As the service gives it."""
        return await self._of(school_id, self._version)

    async def of_township(self, township_id: str) -> SchoolCalendar:
        """As the service gives it."""
        return await self._of_township(same_id(township_id), None, self._version)
