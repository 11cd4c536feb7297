"""What the clock counts by: children on the register and what is known of them, townships' rules, school days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol

from tortoise.expressions import Q

from bot.clock import local_date
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.calendar.domain import SchoolCalendar
from handlers.contacts.domain.clock import Beat, ClockRule, Contact, ContactDays, History
from handlers.contacts.domain.records import ContactOutcome
from handlers.contacts.domain.register import Level
from handlers.contacts.models import ContactsDue, ContactsFile, ContactsLevel, ContactsRecord, ContactsRule

SLICE: Final = 400


class Calendars(Protocol):
    """Gives the calendars of schools and townships."""

    async def of(self, school_id: str | None) -> SchoolCalendar:
        """As it is now."""
        ...

    async def of_township(self, township_id: str) -> SchoolCalendar:
        """Of what concerns no single school."""
        ...


class LiveCalendars(Calendars, Protocol):
    """Gives them as they are at one moment, too: cheaper for many."""

    async def as_of_now(self) -> Calendars:
        """All of them by the version in force."""
        ...


@dataclass(frozen=True, slots=True)
class Watched:
    """A child on the register that is at school, and what is known of it."""

    ward: WardMeant
    history: History


class SchoolDays:
    """The days of schools as the clock counts them: made anew only for a calendar that has changed."""

    def __init__(self, calendars: LiveCalendars) -> None:
        self._calendars = calendars
        self._made: dict[str, tuple[SchoolCalendar, ContactDays]] = {}

    async def of_schools(self, school_ids: Collection[str]) -> Mapping[str, ContactDays]:
        """By school, as of now."""
        known = await self._calendars.as_of_now()
        return {school: self._days(school, await known.of(school)) for school in school_ids}

    def _days(self, school_id: str, calendar: SchoolCalendar) -> ContactDays:
        made = self._made.get(school_id)
        if made is None or made[0] is not calendar:
            made = calendar, ContactDays(calendar)
            self._made[school_id] = made
        return made[1]


class ClockReading:
    """Over the tables of the contact with families. Whoever asks has the right to."""

    def __init__(self, audiences: AccountsAudiences) -> None:
        self._audiences = audiences

    async def concerned(self) -> list[str]:
        """Everybody the clock has to look at: who has an open file, and who still has a row."""
        on = ContactsFile.filter(ended_on__isnull=True, sealed_at__isnull=True).values_list("pupil_id", flat=True)
        counted = ContactsDue.all().values_list("pupil_id", flat=True)
        return sorted({str(pupil) for pupil in [*await on, *await counted]})

    async def concerned_in(self, township_id: str) -> list[str]:
        """Those of a township who have an open file."""
        rows = ContactsFile.filter(township_id=township_id, ended_on__isnull=True, sealed_at__isnull=True)
        return sorted({str(pupil) for pupil in await rows.values_list("pupil_id", flat=True)})

    async def watched(self, pupil_ids: Collection[str]) -> Mapping[str, Watched]:
        """Those of the children who are on the register and at school, by id."""
        entered = await _entered(pupil_ids)
        wards = await self._audiences.children(list(entered))
        levels, contacts = await levels_since(list(wards)), await contacts_counted(list(wards))
        return {
            child: Watched(ward, History(entered[child], levels[child], contacts[child]))
            for child, ward in wards.items()
        }

    async def rules(self, township_ids: Collection[str]) -> Mapping[str, Sequence[ClockRule]]:
        """The rules of townships, the earlier first; [] for one without."""
        rows = ContactsRule.filter(township_id__in=list(township_ids)).order_by("since")
        found: dict[str, list[ClockRule]] = {township: [] for township in township_ids}
        for row in await rows:
            found[str(row.township_id)].append(rule_of(row))
        return found


def rule_of(row: ContactsRule) -> ClockRule:
    """A rule as it was written."""
    return ClockRule(
        id=str(row.id),
        since=row.since,
        until=row.until,
        cadence={
            Level(level): Beat(int(beat["contact_days"]), beat["visit_days"]) for level, beat in row.cadence.items()
        },
        teacher_grace=row.teacher_grace,
        lead_after=row.lead_after,
        leader_after=row.leader_after,
        daily_cap=row.daily_cap,
    )


async def _entered(pupil_ids: Collection[str]) -> dict[str, date]:
    """Since when each is on the register: not before somebody decided so, however long ago it began."""
    rows = ContactsFile.filter(pupil_id__in=list(pupil_ids), ended_on__isnull=True, sealed_at__isnull=True)
    found: dict[str, date] = {}
    for pupil, since, decided_at in await rows.values_list("pupil_id", "since", "decided_at"):
        entered = entered_on(since, decided_at)
        found[str(pupil)] = min(found.get(str(pupil), entered), entered)
    return found


def entered_on(since: Any, decided_at: Any) -> date:
    """From which day on a file counts, by its columns as the database gives them."""
    return max(as_day(since), local_date(_moment(decided_at)))


async def levels_since(pupil_ids: Collection[str]) -> Mapping[str, list[tuple[date, Level]]]:
    """The levels each child was given, the earlier first."""
    rows = ContactsLevel.filter(pupil_id__in=list(pupil_ids)).order_by("set_at", "created_at")
    found: dict[str, list[tuple[date, Level]]] = defaultdict(list)
    for pupil, level, set_at in await rows.values_list("pupil_id", "level", "set_at"):
        found[str(pupil)].append((local_date(_moment(set_at)), Level(level)))
    return found


async def contacts_counted(pupil_ids: Collection[str]) -> Mapping[str, list[Contact]]:
    """The contacts that count: those that reached somebody, and attempts with a day agreed."""
    counting = Q(outcome=ContactOutcome.REACHED) | Q(next_on__not_isnull=True)
    rows = ContactsRecord.filter(counting, pupil_id__in=list(pupil_ids), superseded_by__isnull=True)
    found: dict[str, list[Contact]] = defaultdict(list)
    columns = ("pupil_id", "happened_on", "way", "outcome", "next_on")
    for pupil, on, way, outcome, next_on in await rows.values_list(*columns):
        is_reached = ContactOutcome(outcome) is ContactOutcome.REACHED
        found[str(pupil)].append(Contact(as_day(on), way, is_reached, as_day(next_on) if next_on else None))
    return found


def as_day(value: Any) -> date:
    """A column of days as the database gives it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
