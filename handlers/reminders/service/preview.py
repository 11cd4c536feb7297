"""What a change of a calendar would do to reminders that are promised already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bot.clock import Clock, local_date
from bot.delivery.outbox import DeliveryStatus, Outbox
from bot.delivery.reminding import SOURCE, ReminderReason
from handlers.calendar.domain import SchoolCalendar
from handlers.calendar.service.calendars import CalendarChange, Moved
from handlers.reminders.models import Planned
from handlers.reminders.service.plan_rows import Plan
from handlers.reminders.service.planner import LOOK_AHEAD
from handlers.reminders.service.schedule import Calendars, schedule_of

_UNSENT = frozenset({DeliveryStatus.PLANNED, DeliveryStatus.HELD})


class _Changed:
    """The calendars, some of them as they would be."""

    def __init__(self, calendars: Calendars, changed: Mapping[str | None, SchoolCalendar]) -> None:
        self._calendars = calendars
        self._changed = changed

    async def of(self, school_id: str | None) -> SchoolCalendar:
        """As `Calendars`."""
        return self._changed.get(school_id) or await self._calendars.of(school_id)


class CalendarPreview:
    """A `CalendarDependents`: the planner itself notices the new version afterwards."""

    def __init__(
        self, reasons: Callable[[], Sequence[ReminderReason]], calendars: Calendars, outbox: Outbox, clock: Clock
    ) -> None:
        self._reasons = reasons
        self._calendars = calendars
        self._outbox = outbox
        self._clock = clock

    async def would_move(self, changes: Sequence[CalendarChange]) -> Moved:
        """The unsent reminders that would go out at another time, or not at all. Raises Unavailable."""
        before = _Changed(self._calendars, {change.school_id: change.before for change in changes})
        after = _Changed(self._calendars, {change.school_id: change.after for change in changes})
        return Moved(sum([await self._of_reason(reason, before, after) for reason in self._reasons()]))

    async def _of_reason(self, reason: ReminderReason, before: Calendars, after: Calendars) -> int:
        today = local_date(self._clock.now())
        rows = await Planned.filter(reason=reason.name, day__gte=today, is_withdrawn=False)
        plans = {row.occurrence: Plan(row) for row in rows if row.leads}
        if not plans:
            return 0
        moved = 0
        for occurrence in await reason.occurrences(today, today + LOOK_AHEAD):
            plan = plans.get(occurrence.id)
            if plan is None:
                continue
            old = await schedule_of(before, reason.rule, occurrence)
            new = await schedule_of(after, reason.rule, occurrence)
            for lead, _ in plan.promised():
                if old.span(lead) != new.span(lead):
                    states = await self._outbox.reached(f"{SOURCE}:{reason.name}", plan.key(lead))
                    moved += sum(state.status in _UNSENT for state in states.values())
        return moved
