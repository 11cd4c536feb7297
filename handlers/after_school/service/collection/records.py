"""What collecting keeps of children beside the ledger, until when, and what a class still has to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from bot.capability import DueForRetention, Todo
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, Reach, may, require
from handlers.after_school.models import AfterSchoolIntake
from handlers.after_school.service.collection.desk import CollectionDesk
from handlers.after_school.service.collection.lists import children_of
from handlers.after_school.service.collection.tallies import closed_among
from handlers.after_school.texts import collection as texts

KEPT_DAYS: Final = 90
PAGE: Final = "/after-school/tally"
_SUBJECT: Final = "after_school_intake"


class CollectionRecords:
    """A `ChildRecords` and a `RetentionSource` for uploaded lists; what they said is in the ledger."""

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """Nothing that is not kept of the child elsewhere."""
        return {}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """A list with the child in it goes as a whole: all of it rests on consent."""
        for row in await AfterSchoolIntake.filter(sheet__not_isnull=True).only("id", "sheet"):
            if row.sheet and child_id in children_of(row.sheet):
                await AfterSchoolIntake.filter(id=row.id).update(sheet=None)

    async def due(self, today: date) -> Sequence[DueForRetention]:
        """Lists whose rows are still here after the term."""
        last = datetime.combine(today - timedelta(days=KEPT_DAYS), time(), UTC)
        rows = AfterSchoolIntake.filter(created_at__lt=last, sheet__not_isnull=True).order_by("created_at")
        what = texts.RETENTION_SHEET.format(days=KEPT_DAYS)
        return [
            DueForRetention(f"{_SUBJECT}:{own}", what, local_date(created) + timedelta(days=KEPT_DAYS))
            for own, created in await rows.values_list("id", "created_at")
        ]

    async def dispose(self, due: DueForRetention) -> None:
        """The rows go; what they said stays in the ledger."""
        await AfterSchoolIntake.filter(id=UUID(due.subject.partition(":")[2])).update(sheet=None)


class TallyDuties:
    """A `DutySource` and a `TodoSource`: lists that are to be signed once nobody can sign up any more."""

    def __init__(self, desk: CollectionDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def open_duties(self, class_id: str) -> Mapping[str, int]:
        """Of a class: plans whose list is not signed."""
        reach = Reach(classes=frozenset({class_id}))
        open_ = 0
        for plan in await self._desk.plans_within(reach):
            open_ += not plan.is_over(self._desk.today) and not await closed_among(plan.id, [class_id])
        return {texts.DUTY: open_} if open_ else {}

    async def pass_duties(self, class_id: str, to_person_id: str) -> None:
        """Lists are the class's: the next head teacher has them without a stroke of the pen."""

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Classes whose list is to be signed now."""
        if not may(actor, Action.TALLY_SIGN):
            return ()
        reach, now, count = require(actor, Action.TALLY_SIGN), self._clock.now(), 0
        for plan in await self._desk.plans_within(reach):
            if plan.closes_at <= now and not plan.is_over(self._desk.today):
                rooms = [room.id for room in await self._desk.rooms_of(plan, reach)]
                count += len(rooms) - len(await closed_among(plan.id, rooms))
        return (Todo(texts.TODO_SIGN, count, PAGE),) if count else ()
