"""Counting a month, once: some days after its end, house by house (a school with its teaching points)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tortoise.expressions import Q

from bot.clock import Clock, local_date
from bot.logs import get_logger
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.places import PlaceService
from handlers.contacts.domain.clock import ClockRule, History
from handlers.contacts.domain.figures import (
    COUNTED_LATE,
    Counts,
    counted,
    last_of_month,
    months_until,
    newest_counted,
)
from handlers.contacts.models import ContactsFile, ContactsMonth
from handlers.contacts.service.clock.reading import SLICE, contacts_counted, entered_on, levels_since
from handlers.contacts.service.clock.rules import ClockParts
from handlers.contacts.service.figures.rows import SchoolMonth, put_months

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Places:
    """Where children are and belong."""

    audiences: AccountsAudiences
    caring: Caring
    schools: PlaceService


@dataclass(frozen=True, slots=True)
class _OnRegister:
    """A child that was on the register at the end of a month: since when, and at which school it is counted."""

    entered_on: date
    school_id: str


class MonthCounting:
    """The use case of a job. A month of a house is counted once; a township without a rule at the end of a month has no
    figures for it, since nothing was asked of anybody."""

    def __init__(self, parts: ClockParts, places: Places, clock: Clock) -> None:
        self._parts = parts
        self._places = places
        self._clock = clock

    async def count(self) -> int:
        """Whatever is to be counted and is not yet; gives how many rows are new. Twice, and by two at once, is once."""
        newest = newest_counted(local_date(self._clock.now()))
        found = sum([await self._count(month) for month in months_until(newest, COUNTED_LATE)])
        if found:
            _log.info("contacts_months_counted", rows=found)
        return found

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _count(self, month: date) -> int:
        rules = await self._rules(month)
        schools = {place.id: place.township_id for place in await self._places.schools.schools()}
        houses = await self._places.caring.houses([own for own, town in schools.items() if town in rules])
        towns = {house: schools[school] for school, house in houses.items()}
        known = await ContactsMonth.filter(month=month).values_list("school_id", flat=True)
        missing = set(towns) - {str(each) for each in known}
        if not missing:
            return 0
        counts = await self._counts(month, rules, towns)
        rows = [SchoolMonth(house, towns[house], month, counts.get(house, Counts())) for house in sorted(missing)]
        await put_months(rows, self._clock.now())
        return len(rows)

    async def _rules(self, month: date) -> Mapping[str, Sequence[ClockRule]]:
        """Those of the townships that had one at the end of the month."""
        last = last_of_month(month)
        every = await self._parts.reading.rules([town.id for town in await self._places.schools.all_townships()])
        return {town: rules for town, rules in every.items() if any(_holds(rule, last) for rule in rules)}

    async def _counts(
        self, month: date, rules: Mapping[str, Sequence[ClockRule]], towns: Mapping[str, str]
    ) -> Mapping[str, Counts]:
        on = await self._on_register(last_of_month(month))
        houses = await self._places.caring.houses({each.school_id for each in on.values()})
        days = await self._parts.days.of_schools({each.school_id for each in on.values()})
        found: dict[str, Counts] = defaultdict(Counts)
        for child, history in (await self._histories(on)).items():
            school = on[child].school_id
            house = houses.get(school, school)
            one = counted(history, rules[towns[house]], days[school], month) if house in towns else None
            if one is not None:
                found[house] += one
        return found

    async def _on_register(self, last: date) -> Mapping[str, _OnRegister]:
        """By child, as of a day. Where it is at school is where it is now; for one that has left where it was
        entered."""
        rows = ContactsFile.filter(Q(ended_on__isnull=True) | Q(ended_on__gt=last), since__lte=last)
        found: dict[str, _OnRegister] = {}
        for pupil, school, since, decided_at in await rows.values_list("pupil_id", "school_id", "since", "decided_at"):
            entered, child = entered_on(since, decided_at), str(pupil)
            if entered <= last and (child not in found or entered < found[child].entered_on):
                found[child] = _OnRegister(entered, str(school))
        wards = await self._places.audiences.children(list(found))
        return {
            child: _OnRegister(each.entered_on, wards[child].school_id) if child in wards else each
            for child, each in found.items()
        }

    async def _histories(self, on: Mapping[str, _OnRegister]) -> Mapping[str, History]:
        found: dict[str, History] = {}
        children = sorted(on)
        for start in range(0, len(children), SLICE):
            some: Collection[str] = children[start : start + SLICE]
            levels, contacts = await levels_since(some), await contacts_counted(some)
            found |= {child: History(on[child].entered_on, levels[child], contacts[child]) for child in some}
        return found


def _holds(rule: ClockRule, day: date) -> bool:
    return rule.since <= day and (rule.until is None or rule.until >= day)
