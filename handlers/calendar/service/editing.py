"""Changing the calendars: first what a change would do, then the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import Conflict
from bot.identity import Actor
from bot.rights import Action, Subject, require
from bot.storage.database import transaction
from handlers.accounts.service.places import PlaceService
from handlers.calendar.service.calendars import CalendarChange, CalendarService, Moved
from handlers.calendar.service.keeping import hold_town, read_town, write_town
from handlers.calendar.service.town import Change, Owner, Town


class CalendarChanged(Conflict):
    """Somebody else has changed the calendar since it was looked at."""

    code = "calendar_changed"
    default_message = "校历刚被别人改过。请回到校历重新看一遍，再改。"


@dataclass(frozen=True, slots=True)
class Difference:
    """What becomes other for some schools alike. `schools` in names."""

    schools: tuple[str, ...]
    gained: tuple[date, ...]
    lost: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do. `changes`: of the township when it was looked at, to be given back with the change;
    `moved`: what was planned by the calendar and would follow it; None: nobody plans by the calendar."""

    changes: int
    differences: tuple[Difference, ...]
    moved: Moved | None


class CalendarEditing:
    """Changes, each in one transaction with its row in the audit."""

    def __init__(self, calendars: CalendarService, places: PlaceService, audit: Audit, clock: Clock) -> None:
        self._calendars = calendars
        self._places = places
        self._audit = audit
        self._clock = clock

    async def preview(self, actor: Actor, change: Change) -> Preview:
        """Changes nothing. Raises InvalidInput, NotFound."""
        _require(actor, change.owner)
        before = await read_town(change.owner.township_id)
        changes = await self._affected(change.owner, before, change.apply(before))
        names = {school.id: school.name for school in await self._places.schools(change.owner.township_id)}
        found = _differences(changes, names)
        return Preview(before.changes, found, await self._moved(changes))

    async def save(self, actor: Actor, change: Change, seen: int) -> None:
        """Makes the change. `seen`: the `changes` of its preview. Raises CalendarChanged, InvalidInput, NotFound."""
        action, whose = _require(actor, change.owner)
        now = self._clock.now()
        async with transaction():
            before = await hold_town(change.owner.township_id, now)
            if before.changes != seen:
                raise CalendarChanged
            after = change.apply(before)
            if after == before:
                return
            await write_town(before, after, now)
            kind = "school" if change.owner.school_id else "township"
            await self._audit.record(actor, action, f"{kind}:{change.owner.id}", whose=whose, fields=change.fields)

    async def _moved(self, changes: Sequence[CalendarChange]) -> Moved | None:
        found = [await one.would_move(changes) for one in self._calendars.dependents]
        if not found:
            return None
        return Moved(sum(each.messages for each in found), [words for each in found for words in each.named])

    async def _affected(self, owner: Owner, before: Town, after: Town) -> list[CalendarChange]:
        schools: list[str | None] = [owner.school_id]
        if owner.school_id is None:
            schools += [school.id for school in await self._places.schools(owner.township_id)]
        town, tables = owner.township_id, self._calendars.tables
        return [CalendarChange(town, one, before.calendar(one, tables), after.calendar(one, tables)) for one in schools]


def _require(actor: Actor, owner: Owner) -> tuple[Action, Subject]:
    """Whether the actor may change the calendar. Raises NotFound, NotPermitted."""
    action = Action.CALENDAR_EDIT if owner.school_id else Action.CALENDAR_TOWN
    whose = Subject(school_id=owner.school_id, township_id=owner.township_id)
    require(actor, action, whose)
    return action, whose


def _differences(changes: Sequence[CalendarChange], names: dict[str, str]) -> tuple[Difference, ...]:
    """Schools whose days change alike together; those for which nothing changes are left out."""
    alike: dict[tuple[tuple[date, ...], tuple[date, ...]], list[str]] = {}
    for change in changes:
        before, after = (set(calendar.school_days(date.min, date.max)) for calendar in (change.before, change.after))
        key = (tuple(sorted(after - before)), tuple(sorted(before - after)))
        if any(key):
            # The calendar of no single school counts where the township has no schools yet.
            alike.setdefault(key, []).extend(filter(None, [names.get(change.school_id or "")]))
    return tuple(Difference(tuple(schools), gained, lost) for (gained, lost), schools in alike.items())
