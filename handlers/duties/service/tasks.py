"""Looking at tasks and doing them; what waits for whom; what passes with a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Final
from uuid import UUID

from tortoise.queryset import QuerySet

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, may, refusal
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.offices import Offices
from handlers.duties import texts
from handlers.duties.domain import UNFINISHED, Holders, TaskDone, TaskState, checked_note
from handlers.duties.models import DutyTask
from handlers.duties.service.holding import Holding
from handlers.duties.service.pushes import DutyReminders
from handlers.duties.service.views import TaskPage, TaskView

PAGE: Final = "/duties"
LISTED: Final = 8


class TaskService:
    """The use cases. A `TodoSource` and a `DutySource`."""

    def __init__(
        self, holding: Holding, offices: Offices, reminders: DutyReminders, *, audit: Audit, clock: Clock
    ) -> None:
        self._holding = holding
        self._offices = offices
        self._reminders = reminders
        self._audit = audit
        self._clock = clock

    # ------------------------------------------------------------------------------------------------------- looking
    async def page(
        self, actor: Actor, states: Sequence[TaskState] = UNFINISHED, *, offset: int = 0, limit: int = 50
    ) -> TaskPage:
        """The tasks within reach in these states, those due first before the others; what is done, the last first."""
        query = DutyTask.filter(await self._holding.visible(actor, Action.DUTY_VIEW), state__in=list(states))
        order = ("-done_at", "id") if list(states) == [TaskState.DONE] else ("due_on", "object_id", "id")
        rows = await query.order_by(*order).offset(offset).limit(limit).select_related("rule")
        return TaskPage(await self._viewed(rows), await query.count())

    async def one(self, actor: Actor, task_id: str) -> TaskView:
        """One task. Raises NotFound."""
        return (await self._viewed([await self._within(actor, Action.DUTY_VIEW, task_id)]))[0]

    async def own(self, actor: Actor, limit: int = LISTED) -> tuple[list[TaskView], int]:
        """What the actor has to do now, the first due first, and how many there are in all."""
        query = await self._own(actor)
        rows = await query.order_by("due_on", "id").limit(limit).select_related("rule")
        return await self._viewed(rows), await query.count()

    async def todos_of(self, actor: Actor) -> list[Todo]:
        """What waits, and what is late."""
        if not may(actor, Action.DUTY_DO):
            return []
        query = await self._own(actor)
        late = await query.filter(state__in=[TaskState.LATE, TaskState.ESCALATED]).count()
        return [
            Todo(texts.TODO_LATE, late, f"{PAGE}?mine=1", is_urgent=True),
            Todo(texts.TODO_OPEN, await query.count() - late, f"{PAGE}?mine=1"),
        ]

    # --------------------------------------------------------------------------------------------------------- doing
    async def do(self, actor: Actor, task_id: str, note: str = "") -> TaskView:
        """The task is done. Raises NotFound, NoteTooLong, TaskDone."""
        words = checked_note(note)
        async with transaction():
            row = await self._held(actor, task_id)
            await self._finish(actor, row, words)
        return (await self._viewed([row]))[0]

    async def done_by_other_work(self, actor: Actor, shipped: str, class_id: str, span: tuple[date, date]) -> int:
        """What a rule that came with the program asks of a class in a span of days was done by other work, in the
        caller's transaction; gives how many tasks that were: none for whoever may not do them."""
        if not may(actor, Action.DUTY_DO):
            return 0
        visible = await self._holding.visible(actor, Action.DUTY_DO)
        rows = DutyTask.filter(
            visible, class_id=_as_id(class_id), rule__shipped=shipped, state__in=list(UNFINISHED),
            due_on__gte=span[0], due_on__lte=span[1],
        )  # fmt: skip
        own = await rows.order_by("due_on", "id").values_list("id", flat=True)
        for each in own:
            with suppress(TaskDone):  # somebody was quicker
                await self._finish(actor, await self._held(actor, str(each)), "")
        return len(own)

    async def _held(self, actor: Actor, task_id: str) -> DutyTask:
        """Locked until the transaction ends. Raises NotFound, TaskDone."""
        await DutyTask.filter(id=_as_id(task_id)).select_for_update().first()
        row = await self._within(actor, Action.DUTY_DO, task_id)
        if row.state is TaskState.DONE:
            raise TaskDone
        return row

    async def _finish(self, actor: Actor, row: DutyTask, words: str) -> None:
        now = self._clock.now()
        row.state, row.done_at, row.updated_at = TaskState.DONE, now, now
        row.done_by = UUID(actor.person_id) if actor.person_id else None
        row.note = words or None
        await row.save(update_fields=["state", "done_at", "done_by", "note", "updated_at"])
        await self._reminders.forget(row)
        await self._audit.record(actor, Action.DUTY_DO, f"duty:{row.id}", whose=subject_of(row), purpose="done")

    # ----------------------------------------------------------------------------------------------- class hand-over
    async def open_duties(self, class_id: str) -> Mapping[str, int]:
        """What the head teacher of a class still has to do, by title. See `DutySource`."""
        rows = await self._of_class(class_id)
        counts: dict[str, int] = {}
        for row in rows:
            counts[row.rule.title] = counts.get(row.rule.title, 0) + 1
        return counts

    async def pass_duties(self, class_id: str, to_person_id: str) -> None:
        """Whose they are follows from the charge; the new one is reminded, the old one is not any more."""
        rows = await self._of_class(class_id)
        await self._reminders.pass_on(rows, to_person_id)

    async def _of_class(self, class_id: str) -> list[DutyTask]:
        own = DutyTask.filter(class_id=class_id, rule__owner=AppointmentKind.HEAD_TEACHER, state__in=list(UNFINISHED))
        return await own.filter(remind_on__lte=self._today()).order_by("due_on", "id").select_related("rule")

    # -------------------------------------------------------------------------------------------------------- inside
    async def _own(self, actor: Actor) -> QuerySet[DutyTask]:
        own = await self._holding.own(actor)
        return DutyTask.filter(own, state__in=list(UNFINISHED), remind_on__lte=self._today())

    async def _within(self, actor: Actor, action: Action, task_id: str) -> DutyTask:
        """Raises NotPermitted, NotFound."""
        visible = await self._holding.visible(actor, action)
        row = await DutyTask.filter(visible, id=_as_id(task_id)).select_related("rule").first()
        if row is None:
            raise refusal(NotFound(), actor, action, Subject())
        return row

    async def _viewed(self, rows: Sequence[DutyTask]) -> list[TaskView]:
        holders = await self._holding.of(rows)
        names = await self._offices.names({str(row.object_id) for row in rows})
        people = await self._offices.people({str(row.done_by) for row in rows if row.done_by})
        return [
            TaskView(
                id=str(row.id),
                title=row.rule.title,
                detail=row.rule.detail,
                place=names.get(str(row.object_id), ""),
                owner=row.rule.owner,
                holders=holders.get(str(row.id), Holders(row.rule.owner)),
                due_on=row.due_on,
                state=row.state,
                is_provisional=row.is_provisional and row.state is not TaskState.DONE,
                done_by=people[str(row.done_by)].name if str(row.done_by) in people else "",
                done_at=row.done_at,
                note=row.note or "",
            )
            for row in rows
        ]

    def _today(self) -> date:
        return local_date(self._clock.now())


def subject_of(row: DutyTask) -> Subject:
    """Whose affair a task is."""
    return Subject(
        class_id=str(row.class_id) if row.class_id else None,
        school_id=str(row.school_id) if row.school_id else None,
        township_id=str(row.township_id),
    )


def _as_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
