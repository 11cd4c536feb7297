"""Counting anew when contact is due, in the transaction of whatever changes it, and every night."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from bot.clock import Clock, local_date
from bot.logs import get_logger
from bot.storage.database import transaction
from handlers.contacts.domain.clock import ClockRule, ContactDays, DueDays, due_days
from handlers.contacts.domain.register import Stage
from handlers.contacts.domain.stages import Told, kept_stage, stage_on
from handlers.contacts.models import ContactsDue
from handlers.contacts.service.clock.reading import SLICE, ClockReading, SchoolDays, Watched

_COLUMNS: Final = (
    "school_id", "due_on", "visit_due_on", "counted_from", "visit_counted_from", "rule_id", "level", "stage",
    "stage_at",
)  # fmt: skip
# Of a child that is not on the register or not at school: the row stays, since whoever changes something holds it.
_NOTHING: Final[dict[str, object]] = dict.fromkeys(_COLUMNS) | {"stage": Stage.NONE}
_log = get_logger(__name__)


class ContactClock:
    """The use case of everybody who writes something the clock counts by: records and their corrections, levels, the
    register, the rules. It calls `recount` after it has written, in the same transaction.

    The rows are locked before anything is read, in the order of the children: of two who write about one child at once
    the later one counts what both have written.
    """

    def __init__(self, reading: ClockReading, days: SchoolDays, clock: Clock) -> None:
        self._reading = reading
        self._days = days
        self._clock = clock

    async def recount(self, pupil_ids: Collection[UUID] | Collection[str]) -> None:
        """Counts for these children anew, in the caller's transaction or in one of its own. For who is not on the
        register or not at school nothing is due afterwards."""
        wanted = sorted({str(pupil) for pupil in pupil_ids})
        for start in range(0, len(wanted), SLICE):
            async with transaction():
                await self._recount(wanted[start : start + SLICE])

    async def recount_town(self, township_id: str) -> None:
        """The same for all children of a township."""
        await self.recount(await self._reading.concerned_in(township_id))

    async def recount_all(self) -> int:
        """What time has changed: calendars, days, children who have left; gives for how many. Locks only those."""
        wanted, changed = await self._reading.concerned(), 0
        for start in range(0, len(wanted), SLICE):
            pupils = wanted[start : start + SLICE]
            rows = await ContactsDue.filter(pupil_id__in=pupils)
            counted = await self._counted(rows)
            stale = {str(row.pupil_id) for row in rows if _is_stale(row, counted[row.id])}
            stale |= set(pupils) - {str(row.pupil_id) for row in rows}
            await self.recount(stale)
            changed += len(stale)
        if changed:
            _log.info("contacts_recounted", changed=changed)
        return changed

    # -------------------------------------------------------------------------------------------------------- inside
    async def _recount(self, pupil_ids: Sequence[str]) -> None:
        await self._make(pupil_ids)
        rows = await ContactsDue.filter(pupil_id__in=list(pupil_ids)).order_by("pupil_id").select_for_update()
        counted, now = await self._counted(rows), self._clock.now()
        stale = [row for row in rows if _is_stale(row, counted[row.id])]
        for row in stale:
            row.update_from_dict({**counted[row.id], "updated_at": now})
        if stale:
            await ContactsDue.bulk_update(stale, fields=[*_COLUMNS, "updated_at"])

    async def _make(self, pupil_ids: Sequence[str]) -> None:
        """A row for everybody who needs one: what is to be locked has to be there."""
        known = {str(each) for each in await ContactsDue.filter(pupil_id__in=list(pupil_ids)).values_list(
            "pupil_id", flat=True)}  # fmt: skip
        watched = await self._reading.watched([pupil for pupil in pupil_ids if pupil not in known])
        now = self._clock.now()
        rows = [
            ContactsDue(
                id=uuid4(), pupil_id=UUID(pupil), school_id=UUID(each.ward.school_id), stage=Stage.NONE,
                created_at=now, updated_at=now,
            )
            for pupil, each in sorted(watched.items())
        ]  # fmt: skip
        if rows:
            await ContactsDue.bulk_create(rows, ignore_conflicts=True)

    async def _counted(self, rows: Sequence[ContactsDue]) -> Mapping[UUID, Mapping[str, object]]:
        """The columns as they ought to be, by the id of the row."""
        watched = await self._reading.watched([str(row.pupil_id) for row in rows])
        rules = await self._reading.rules({each.ward.township_id for each in watched.values()})
        days = await self._days.of_schools({each.ward.school_id for each in watched.values()})
        today = local_date(self._clock.now())
        found: dict[UUID, Mapping[str, object]] = {}
        for row in rows:
            each = watched.get(str(row.pupil_id))
            if each is None:
                found[row.id] = _NOTHING | {"school_id": row.school_id}
            else:
                known, grid = rules[each.ward.township_id], days[each.ward.school_id]
                found[row.id] = _columns(each, known, grid, row, today)
        return found


def _columns(
    watched: Watched, rules: Sequence[ClockRule], days: ContactDays, row: ContactsDue, today: date
) -> dict[str, object]:
    due = due_days(watched.history, rules, days, today)
    school = {"school_id": UUID(watched.ward.school_id)}
    if due is None:
        return _NOTHING | school
    told = _told(row, due, days, today)
    return school | {
        "due_on": due.due_on,
        "visit_due_on": due.visit_due_on,
        "counted_from": due.counted_from,
        "visit_counted_from": due.visit_counted_from,
        "rule_id": UUID(due.rule.id),
        "level": due.level,
        "stage": told.stage,
        "stage_at": row.stage_at if told.stage is not Stage.NONE else None,
    }


def _told(row: ContactsDue, due: DueDays, days: ContactDays, today: date) -> Told:
    return kept_stage(told_of(row), first_due(row), due.first, stage_on(due.rule, due.first, days, today))


def told_of(row: ContactsDue) -> Told:
    """How far telling has come for a row."""
    return Told(row.stage, local_date(row.stage_at) if row.stage_at else None)


def first_due(row: ContactsDue) -> date | None:
    """Contact or visit, whichever is due first; None: nothing is."""
    return min((day for day in (row.due_on, row.visit_due_on) if day is not None), default=None)


def _is_stale(row: ContactsDue, counted: Mapping[str, object]) -> bool:
    return any(getattr(row, column) != counted[column] for column in _COLUMNS)
