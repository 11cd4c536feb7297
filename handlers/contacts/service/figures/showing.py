"""Figures of schools and townships: coverage and timeliness over the last months, and who waits to be asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, Reach, require
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.people import place_of
from handlers.contacts.domain.figures import SHOWN_MONTHS, Counts, months_until, newest_counted
from handlers.contacts.domain.stages import Part
from handlers.contacts.domain.suppression import shown_alone, shown_in_town
from handlers.contacts.models import ContactsMonth
from handlers.contacts.service.clock.piles import Overdue, Pile, Piles, piles_of
from handlers.contacts.service.figures.views import FigureSheet, Line, TownFigures, Waiting

PAGE: Final = "/contacts/figures"
_ACTION: Final = Action.CONTACTS_COUNTS
_TEACHERS, _SCHOOLS = Part.LEADER, Part.NOBODY


class FiguresService:
    """The use case."""

    def __init__(self, piles: Piles, offices: Offices, audit: Audit, clock: Clock) -> None:
        self._piles = piles
        self._offices = offices
        self._audit = audit
        self._clock = clock

    async def sheet(self, actor: Actor) -> FigureSheet:
        """Of the schools, or the townships, within reach. Raises NotPermitted."""
        reach = require(actor, _ACTION)
        months = months_until(newest_counted(local_date(self._clock.now())), SHOWN_MONTHS)
        async with transaction():
            await self._audit.record(
                actor, _ACTION, "contacts:figures", whose=place_of(reach, None, None), purpose="figures"
            )
            towns = set(await self._offices.townships()) if reach.is_any else set(reach.townships)
            waiting = await self._waiting(actor, reach, towns)
            return FigureSheet(
                months,
                await self._schools(reach.schools, months),
                [each for town in sorted(towns) if (each := await self._town(town, months)) is not None],
                waiting,
            )

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _schools(self, schools: Collection[str], months: Sequence[date]) -> list[Line]:
        rows = await ContactsMonth.filter(school_id__in=list(schools), month__gte=months[0]) if schools else []
        names = await self._offices.names(schools)
        lines = [
            Line((names.get(school, ""),), shown_alone(counts)) for school, counts in _by_school(rows, months).items()
        ]
        return sorted(lines, key=lambda line: line.names)

    async def _town(self, town: str, months: Sequence[date]) -> TownFigures | None:
        """None while no month was counted."""
        rows = await ContactsMonth.filter(township_id=town, month__gte=months[0])
        if not rows:
            return None
        names = await self._offices.names([town, *(str(row.school_id) for row in rows)])
        table = shown_in_town(dict(sorted(_by_school(rows, months).items(), key=lambda one: names.get(one[0], ""))))
        lines = [Line(tuple(names.get(school, "") for school in group), shown) for group, shown in table.rows.items()]
        own = names.get(town, "")
        return TownFigures(own, Line((own,), table.total), sorted(lines, key=lambda line: line.names))

    async def _waiting(self, actor: Actor, reach: Reach, towns: Collection[str]) -> Waiting:
        """What the clock has told the reader of, as it is now."""
        near = {(await self._offices.subject(school_id=school)).township_id or "" for school in reach.schools}
        overdue = [
            each
            for town in sorted({*towns, *near} - {""})
            for each in await self._piles.overdue(local_date(self._clock.now()), town)
        ]
        pile = piles_of(overdue).get(actor.person_id or "", Pile())
        long = pile.parts.get(_TEACHERS, [])
        names = await self._piles.names(long)
        return Waiting(
            tuple(sorted({names[person] for each in long for person in _keepers(each) if person in names})),
            any(not each.answerable.keepers for each in long),
            tuple(sorted({each.ward.school for each in pile.parts.get(_SCHOOLS, [])})),
        )


def _keepers(each: Overdue) -> Sequence[str]:
    """Who is to be asked: whoever was paired first."""
    return each.answerable.keepers[:1]


def _by_school(rows: Sequence[ContactsMonth], months: Sequence[date]) -> Mapping[str, Sequence[Counts | None]]:
    found: dict[str, list[Counts | None]] = {str(row.school_id): [None] * len(months) for row in rows}
    for row in rows:
        if row.month in months:
            counts = Counts(row.registered, row.covered, row.asked, row.on_time)
            found[str(row.school_id)][months.index(row.month)] = counts
    return found
