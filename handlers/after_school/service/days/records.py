"""What is kept of a child's days: for the family's copy, for erasure, and until when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from bot.capability import DueForRetention
from bot.clock import Clock
from bot.storage.sets import as_value, select_ids
from handlers.after_school.models import (
    AfterSchoolAttendance,
    AfterSchoolCollection,
    AfterSchoolIncident,
    AfterSchoolLeave,
    AfterSchoolSession,
)
from handlers.after_school.texts import days as texts

KEPT_DAYS: Final = 1095
"""Somebody may ask for years who was in whose care on a day; then it goes."""
_SUBJECT: Final = "after_school_day"
_DEPENDENTS: Final = """
SELECT (SELECT COUNT(*) FROM after_school_attendance WHERE pupil_id IN ({children}))
     + (SELECT COUNT(*) FROM after_school_leave WHERE pupil_id IN ({children}) OR asked_by IN ({people}))
     + (SELECT COUNT(*) FROM after_school_collection WHERE pupil_id IN ({children}) OR said_by IN ({people}))
     + (SELECT COUNT(*) FROM after_school_session WHERE teacher_id IN ({people}) OR taken_by IN ({people})) AS number
"""


class DayRecords:
    """A `ChildRecords`, a `RetentionSource` and a `Dependents`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """When the child was there, and what this guardian said of leave and of who collects it: never what others
        said."""
        own, person = UUID(child_id), UUID(person_id)
        rows = AfterSchoolAttendance.filter(pupil_id=own).select_related("session")
        found = [
            {texts.FIELD_DAY: day.isoformat(), texts.FIELD_PRESENCE: words}
            for day, words in sorted((row.session.day, texts.PRESENCES[row.presence]) for row in await rows)
        ]
        leave = AfterSchoolLeave.filter(pupil_id=own, asked_by=person).order_by("first_day", "id")
        found += [
            {texts.FIELD_DAY: f"{row.first_day}{texts.TO}{row.last_day}", texts.FIELD_LEAVE: row.reason or texts.NONE}
            for row in await leave
        ]
        said = AfterSchoolCollection.filter(pupil_id=own, said_by=person).order_by("day", "said_at")
        found += [
            {texts.FIELD_DAY: row.day.isoformat(), texts.FIELD_COLLECT: row.name or texts.COLLECT_BY[row.how]}
            for row in await said
        ]
        return {texts.CHILD_HEADING: found} if found else {}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """Who was in the school's care is kept by duty. Then of the history only lines that name no child are left."""
        if keep_duty:
            return
        own = UUID(child_id)
        for model in (AfterSchoolAttendance, AfterSchoolLeave, AfterSchoolCollection):
            await model.filter(pupil_id=own).delete()
        now = self._clock.now()
        await AfterSchoolIncident.filter(pupil_id=own).update(pupil_id=None, text=None, done=None, updated_at=now)

    async def due(self, today: date) -> Sequence[DueForRetention]:
        """The days of long ago of which something is still kept of children."""
        last = today - timedelta(days=KEPT_DAYS)
        days = {
            *await AfterSchoolAttendance.filter(session__day__lt=last).values_list("session__day", flat=True),
            *await AfterSchoolLeave.filter(last_day__lt=last).values_list("last_day", flat=True),
            *await AfterSchoolCollection.filter(day__lt=last).values_list("day", flat=True),
            *await AfterSchoolIncident.filter(day__lt=last, text__not_isnull=True).values_list("day", flat=True),
        }
        what = texts.RETENTION.format(days=KEPT_DAYS)
        kept = timedelta(days=KEPT_DAYS)
        return [DueForRetention(f"{_SUBJECT}:{day}", what, day + kept) for day in sorted(map(_as_day, days))]

    async def dispose(self, due: DueForRetention) -> None:
        """What a day holds of children; the lessons and their counts stay."""
        day = date.fromisoformat(due.subject.partition(":")[2])
        now = self._clock.now()
        sessions = await AfterSchoolSession.filter(day=day).values_list("id", flat=True)
        await AfterSchoolAttendance.filter(session_id__in=list(sessions)).delete()
        await AfterSchoolLeave.filter(last_day=day).delete()
        await AfterSchoolCollection.filter(day=day).delete()
        await AfterSchoolIncident.filter(day=day).update(pupil_id=None, text=None, done=None, updated_at=now)

    async def dependents(self, child_ids: Collection[str], person_ids: Collection[str]) -> Mapping[str, int]:
        """Attendance, leave and collections, and the lessons people gave: none can be unmade."""
        connection = AfterSchoolAttendance._meta.db
        engine = connection.capabilities.dialect
        query = _DEPENDENTS.format(children=select_ids(engine, 1), people=select_ids(engine, 2))
        values = [as_value(engine, child_ids), as_value(engine, person_ids)]
        number = (await connection.execute_query_dict(query, values))[0]["number"]
        return {"after_school_days": number} if number else {}


def _as_day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
