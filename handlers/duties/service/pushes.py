"""Reminders of duties: who is to be told today, in which words, and whether it still is to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from bot.clock import SHANGHAI, Clock, local_date, to_utc
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, Slot
from handlers.accounts.service.offices import Offices
from handlers.duties import texts
from handlers.duties.domain import UNFINISHED, TaskState
from handlers.duties.models import DutyTask
from handlers.duties.service.holding import Holding

SOURCE: Final = "duties"
PATH: Final = "/admin/duties"
_MORNING: Final = time(7, 30)
# A reminder nobody could be reached with in this time is overtaken by the next one.
_LATE_LIFE: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)


class Occasion(StrEnum):
    """Why somebody is reminded."""

    BEFORE = "before"
    LATE = "late"
    ESCALATED = "escalated"

    @property
    def reason(self) -> str:
        """As the outbox knows it."""
        return f"{SOURCE}:{self.value}"


_WORDS: Final[Mapping[Occasion, tuple[str, str]]] = {
    Occasion.BEFORE: (texts.PUSH_BEFORE, texts.LINE_BEFORE),
    Occasion.LATE: (texts.PUSH_LATE, texts.LINE_LATE),
    Occasion.ESCALATED: (texts.PUSH_ESCALATED, texts.LINE_ESCALATED),
}


class DutyReminders:
    """Promises reminders and composes them. A `PushSource`."""

    def __init__(self, outbox: Outbox, holding: Holding, offices: Offices, clock: Clock) -> None:
        self._outbox = outbox
        self._holding = holding
        self._offices = offices
        self._clock = clock

    # ------------------------------------------------------------------------------------------------------ promises
    async def promise_due(self) -> int:
        """Everything that is to be said today; once, however often this runs. Gives how many promises are new."""
        today = local_date(self._clock.now())
        rows = DutyTask.filter(state__in=list(UNFINISHED), remind_on__lte=today, rule__stopped_at__isnull=True)
        recent = rows.filter(escalate_on__gt=today - _LATE_LIFE)
        by_occasion: dict[Occasion, list[DutyTask]] = {occasion: [] for occasion in Occasion}
        for row in await recent.select_related("rule"):
            if occasion := _occasion(row, today):
                by_occasion[occasion].append(row)
        pushes = []
        for occasion, tasks in by_occasion.items():
            holders = await self._holding.of(tasks, above=occasion is Occasion.ESCALATED)
            pushes += [_push(occasion, task, person) for task in tasks for person in holders[str(task.id)].person_ids]
        return await self._outbox.promise(pushes) if pushes else 0

    async def forget(self, task: DutyTask) -> None:
        """Nothing more is to be said about it, in the caller's transaction."""
        for occasion in Occasion:
            await self._outbox.cancel(occasion.reason, occurrence=_occurrence(task))

    async def pass_on(self, tasks: Sequence[DutyTask], to_person_id: str) -> None:
        """Whoever had them is reminded no more, the other one is, in the caller's transaction."""
        today = local_date(self._clock.now())
        for task in tasks:
            await self.forget(task)
        pushes = [_push(occasion, task, to_person_id) for task in tasks if (occasion := _occasion(task, today))]
        own = [push for push in pushes if push.reason != Occasion.ESCALATED.reason]
        if own:
            await self._outbox.promise(own)

    # ------------------------------------------------------------------------------------------------------- sending
    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """See `PushSource`."""
        ids = {push.id: UUID(push.occurrence.partition(":")[0]) for push in pushes}
        rows = {row.id: row for row in await DutyTask.filter(id__in=list(ids.values())).select_related("rule")}
        owners = await self._holding.of(list(rows.values()))
        above = await self._holding.of(list(rows.values()), above=True)
        names = await self._offices.names({str(row.object_id) for row in rows.values()})
        found: dict[str, Composed | NotNeeded | NotYet] = {}
        for push in pushes:
            row = rows.get(ids[push.id])
            occasion = Occasion(push.reason.partition(":")[2])
            holders = above if occasion is Occasion.ESCALATED else owners
            if row is None or row.state is TaskState.DONE:
                found[push.id] = NotNeeded("done" if row else "gone")
            elif push.occurrence != _occurrence(row):
                found[push.id] = NotNeeded("moved")
            elif str(UUID(push.person_id)) not in holders[str(row.id)].person_ids:
                found[push.id] = NotNeeded("not_theirs")
            else:
                found[push.id] = _composed(occasion, row, names.get(str(row.object_id), ""))
        return found


def _occasion(task: DutyTask, today: date) -> Occasion | None:
    """What is to be said today; None between the day and the first school day after it."""
    if today <= task.due_on:
        return Occasion.BEFORE
    if task.state is TaskState.ESCALATED:
        return Occasion.ESCALATED
    return Occasion.LATE if task.late_on <= today else None


def _push(occasion: Occasion, task: DutyTask, person_id: str) -> NewPush:
    begins = {
        Occasion.BEFORE: task.remind_on,
        Occasion.LATE: task.late_on,
        Occasion.ESCALATED: task.escalate_on,
    }[occasion]
    ends = task.due_on + _DAY if occasion is Occasion.BEFORE else begins + _LATE_LIFE
    return NewPush(
        reason=occasion.reason,
        occurrence=_occurrence(task),
        person_id=person_id,
        rule=task.rule.shipped or "own",
        purpose=Purpose.TASK,
        not_before=_moment(begins, _MORNING),
        expires_at=_moment(ends, time()),
    )


def _occurrence(task: DutyTask) -> str:
    """A task that has moved is another promise."""
    return f"{task.id}:{task.due_on.isoformat()}"


def _composed(occasion: Occasion, task: DutyTask, place: str) -> Composed:
    day = texts.DAY.format(month=task.due_on.month, day=task.due_on.day)
    text, line = _WORDS[occasion]
    provisional = texts.IS_PROVISIONAL if task.is_provisional else ""
    values = {"title": task.rule.title, "place": place, "day": day, "provisional": provisional}
    return Composed(
        text=text.format(**values),
        line=line.format(**values),
        slots={
            Slot.SUBJECT: task.rule.title,
            Slot.WHEN: task.due_on,
            Slot.SENDER: texts.SENDER,
            Slot.NOTE: texts.NOTE,
        },
        path=PATH,
    )


def _moment(day: date, at: time) -> datetime:
    return to_utc(datetime.combine(day, at, SHANGHAI))
