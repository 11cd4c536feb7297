"""What a change of a calendar would do to the tasks that are planned already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeAlias
from uuid import UUID

from bot.clock import Clock, local_date
from handlers.accounts.service.offices import Offices
from handlers.calendar.domain import SchoolCalendar
from handlers.calendar.service.calendars import CalendarChange, Moved
from handlers.duties import texts
from handlers.duties.domain import AHEAD, BEHIND, UNFINISHED, dues
from handlers.duties.models import DutyRule, DutyTask
from handlers.duties.service.planning import schedule_of

_Move: TypeAlias = "tuple[date, date | None, str]"
"""Until when it was to be done, until when it would be (None: not at all), and which duty."""


class DutyCalendarPreview:
    """A `CalendarDependents`: the planner itself moves the tasks afterwards."""

    def __init__(self, offices: Offices, clock: Clock) -> None:
        self._offices = offices
        self._clock = clock

    async def would_move(self, changes: Sequence[CalendarChange]) -> Moved:
        """The tasks that would be due on another day, or not at all. Their reminders are promised on the day itself:
        no message moves."""
        found: dict[_Move, list[str]] = defaultdict(list)
        for change in changes:
            for move, places in (await self._of(change)).items():
                found[move] += places
        names = await self._offices.names({place for places in found.values() for place in places})
        return Moved(0, [_in_words(move, found[move], names) for move in sorted(found, key=_order)])

    async def _of(self, change: CalendarChange) -> Mapping[_Move, list[str]]:
        today = local_date(self._clock.now())
        rows = DutyTask.filter(
            township_id=UUID(change.township_id),
            school_id=UUID(change.school_id) if change.school_id else None,
            state__in=list(UNFINISHED),
            due_on__gte=today,
            rule__stopped_at__isnull=True,
        )
        found: dict[_Move, list[str]] = defaultdict(list)
        days: dict[UUID, Mapping[str, date]] = {}
        for row in await rows.select_related("rule").order_by("due_on", "id"):
            rule: DutyRule = row.rule
            if rule.id not in days:
                days[rule.id] = _days(rule, change.after, today)
            after = days[rule.id].get(row.occurrence)
            if after != row.due_on:
                found[row.due_on, after, rule.title].append(str(row.object_id))
        return found


def _days(rule: DutyRule, calendar: SchoolCalendar, today: date) -> Mapping[str, date]:
    """As the planner would have them, and further: what moves out of its sight is not gone."""
    first = max(rule.since, today - BEHIND)
    return {due.occurrence: due.due_on for due in dues(schedule_of(rule), calendar, first, today + 2 * AHEAD)}


def _order(move: _Move) -> tuple[date, str, date]:
    before, after, title = move
    return before, title, after or date.max


def _in_words(move: _Move, places: Sequence[str], names: Mapping[str, str]) -> str:
    before, after, title = move
    known = [names[place] for place in places if place in names]
    where = known[0] if len(places) == 1 and known else texts.PLACES.format(count=len(places))
    words = texts.WOULD_MOVE if after else texts.WOULD_GO
    return words.format(title=title, where=where, before=_day(before), after=_day(after) if after else "")


def _day(day: date) -> str:
    return texts.DAY.format(month=day.month, day=day.day)
