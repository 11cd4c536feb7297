"""The next step of the ladder: one row after another, each claimed once, however many look at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bot.clock import Clock
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import NewPush, Purpose, Push, PushClass
from bot.logs import get_logger
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.alarms.domain import LIVE, AlarmKind, AlarmSource, AlarmState, Mark, ladder_of, mark_of
from handlers.alarms.models import AlarmEntry, AlarmRow
from handlers.alarms.service.ladder import Ladder

SOURCE: Final = "alarms"
STAFF: Final = f"{SOURCE}:staff"
FAMILY: Final = f"{SOURCE}:family"
LIFE: Final = timedelta(hours=24)
_MOST_AT_ONCE: Final = 200
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of the timeline that is about to be written."""

    mark: str
    person_id: str | None = None
    level: int | None = None


class Climbing:
    """Tells the next ones while nobody has answered. An `UnreachableListener`."""

    def __init__(self, ladder: Ladder, offices: Offices, outbox: Outbox, clock: Clock, *, patience: timedelta) -> None:
        """`patience`: how long a step is waited for."""
        self._ladder = ladder
        self._offices = offices
        self._outbox = outbox
        self._clock = clock
        self._patience = patience

    # ------------------------------------------------------------------------------------------------------- the tick
    async def climb_due(self) -> int:
        """All alarms whose time has come; gives how many went a step further. May run twice at once."""
        now = self._clock.now()
        due = AlarmRow.filter(state=AlarmState.OPEN, climb_at__lte=now).order_by("climb_at").limit(_MOST_AT_ONCE)
        climbed = 0
        for alarm_id in await due.values_list("id", flat=True):
            climbed += await self.climb_one(int(str(alarm_id)))
        return climbed

    async def climb_one(self, alarm_id: int) -> bool:
        """One step, if it still is due when its row is ours."""
        async with transaction():
            row = await self._claimed(alarm_id)
            if row is None:
                return False
            await self.climb(row)
        return True

    async def _claimed(self, alarm_id: int) -> AlarmRow | None:
        """The row, locked until the transaction ends; None when another one has been here first."""
        due = AlarmRow.filter(id=alarm_id, state=AlarmState.OPEN, climb_at__lte=self._clock.now())
        return await due.select_for_update().first()

    async def climb(self, row: AlarmRow, letters: int = 0) -> list[str]:
        """The next step with anybody on it, in the caller's transaction; gives who is told. `letters`: how many on duty
        were written to otherwise, so that the first step is somebody's already."""
        now = self._clock.now()
        told = await self._told(row)
        lines: list[Line] = []
        people: list[str] = []
        level, is_waiting, last = row.level, False, len(ladder_of(row.kind)) - 1
        while level < last and not is_waiting:
            level += 1
            people = [person for person in await self._ladder.people(row, level) if person not in told]
            has_letters = level == 0 and letters > 0
            is_waiting = bool(people) or has_letters
            lines.append(Line(mark_of(Mark.STEP if is_waiting else Mark.NOBODY, level), level=level))
            lines += [Line(mark_of(Mark.LETTER), level=level)] if has_letters else []
            lines += [Line(mark_of(Mark.TOLD, person), person, level) for person in people]
        if not is_waiting:
            lines.append(Line(mark_of(Mark.EXHAUSTED)))
            _log.error("alarm_unanswered", number=row.id)
        await write_lines(row, lines, now)
        await self._outbox.promise([self._push(row, STAFF, person, now) for person in people])
        if row.level < 1 <= level:
            await self.tell_family(row, is_first=False)
        await AlarmRow.filter(id=row.id).update(
            level=level, climb_at=now + self._patience if is_waiting else None, updated_at=now
        )
        return people

    async def tell_family(self, row: AlarmRow, *, is_first: bool = True) -> str | None:
        """The acting guardian of a missing child, unless they raised it; in the caller's transaction. When a roster
        missed it, who is on duty looks around the school first: the family is told with the second step."""
        is_of_roster = row.source is AlarmSource.SERVICE
        if row.kind is not AlarmKind.MISSING_CHILD or row.child_id is None or is_first is is_of_roster:
            return None
        _, acting = await self._offices.guardians(str(row.child_id))
        if acting is None or acting == (str(row.raised_by) if row.raised_by else None):
            return None
        now = self._clock.now()
        await write_lines(row, [Line(mark_of(Mark.FAMILY))], now)
        await self._outbox.promise([self._push(row, FAMILY, acting, now)])
        return acting

    # -------------------------------------------------------------------------------------------------- unreachable
    async def could_not_reach(self, pushes: Sequence[Push], why: str) -> None:
        """See `UnreachableListener`: it stands in the timeline, and a step on which nobody is reached is not waited
        for."""
        now = self._clock.now()
        for push in pushes:
            if push.reason != STAFF:
                continue
            row = await AlarmRow.filter(id=int(push.occurrence), state__in=list(LIVE)).select_for_update().first()
            if row is None:
                continue
            person = str(UUID(push.person_id))
            await write_lines(row, [Line(mark_of(Mark.UNREACHED, person), person, row.level)], now, again=True)
            if row.climb_at is not None and not await self._is_anybody_reached(row):
                await AlarmRow.filter(id=row.id).update(climb_at=now, updated_at=now)

    async def _is_anybody_reached(self, row: AlarmRow) -> bool:
        entries = AlarmEntry.filter(alarm_id=row.id, level=row.level).values_list("mark", flat=True)
        marks = {str(mark) for mark in await entries}
        told = {mark.partition(":")[2] for mark in marks if mark.startswith(f"{Mark.TOLD.value}:")}
        lost = {mark.partition(":")[2] for mark in marks if mark.startswith(f"{Mark.UNREACHED.value}:")}
        return bool(told - lost) or mark_of(Mark.LETTER) in marks

    # -------------------------------------------------------------------------------------------------------- inside
    async def _told(self, row: AlarmRow) -> set[str]:
        entries = AlarmEntry.filter(alarm_id=row.id, mark__startswith=f"{Mark.TOLD.value}:")
        return {str(person) for person in await entries.values_list("person_id", flat=True)}

    def _push(self, row: AlarmRow, reason: str, person_id: str, now: datetime) -> NewPush:
        return NewPush(
            reason=reason,
            occurrence=str(row.id),
            person_id=person_id,
            rule=row.kind.value,
            purpose=Purpose.ALARM,
            push_class=PushClass.ALARM,
            not_before=now,
            expires_at=now + LIFE,
        )


async def write_lines(row: AlarmRow, lines: Sequence[Line], now: datetime, *, again: bool = False) -> None:
    """Adds to the timeline, in the caller's transaction. What is there already is a fault, unless it may come
    `again`."""
    entries = [
        AlarmEntry(
            alarm_id=row.id,
            mark=line.mark,
            person_id=UUID(line.person_id) if line.person_id else None,
            level=line.level,
            at=now,
        )
        for line in lines
    ]
    await AlarmEntry.bulk_create(entries, ignore_conflicts=again)
