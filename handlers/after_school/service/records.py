"""What the after-school service keeps about a child and about people: for the family's copy, erasure, and the term."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from bot.capability import DueForRetention
from bot.clock import to_local
from bot.storage.sets import as_value, select_ids
from handlers.after_school import texts
from handlers.after_school.models import (
    AfterSchoolDraw,
    AfterSchoolDrawn,
    AfterSchoolEnrolment,
    AfterSchoolPlan,
    AfterSchoolSlip,
    AfterSchoolStatement,
)
from handlers.after_school.service.leaving import LeavingService

KEPT_DAYS: Final = 365
"""After a plan's last day: until the school's yearly appraisal and the settlement are over."""
_SUBJECT: Final = "after_school"
_DEPENDENTS: Final = """
SELECT (SELECT COUNT(*) FROM after_school_enrolment WHERE pupil_id IN ({children}) OR entered_by IN ({people}))
     + (SELECT COUNT(*) FROM after_school_statement
         WHERE pupil_id IN ({children}) OR said_by IN ({people}) OR entered_by IN ({people}))
     + (SELECT COUNT(*) FROM after_school_slip WHERE pupil_id IN ({children}) OR printed_by IN ({people}))
     + (SELECT COUNT(*) FROM after_school_plan WHERE written_by IN ({people}))
     + (SELECT COUNT(*) FROM after_school_programme WHERE teacher_id IN ({people})) AS number
"""


class AfterSchoolRecords:
    """A `ChildRecords`, a `RetentionSource` and a `Dependents`."""

    def __init__(self, leaving: LeavingService) -> None:
        self._leaving = leaving

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """The sign-ups of the child, and what this guardian said; never what others said."""
        own = UUID(child_id)
        rows = AfterSchoolEnrolment.filter(pupil_id=own).order_by("created_at", "id").select_related("programme")
        found = [
            {
                texts.FIELD_PROGRAMME: row.programme.title,
                texts.FIELD_STATE: texts.STATES[row.state],
                texts.FIELD_AT: _spoken(row.created_at),
            }
            for row in await rows
        ]
        said = AfterSchoolStatement.filter(pupil_id=own, said_by=UUID(person_id)).order_by("said_at", "id")
        found += [
            {
                texts.FIELD_WISH: texts.WISHES[row.wish],
                texts.FIELD_REASON: row.reason or texts.NONE,
                texts.FIELD_AT: _spoken(row.said_at),
            }
            for row in await said
        ]
        return {texts.CHILD_HEADING: found} if found else {}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """All of it rests on consent. Places go to the next; of the history only ids without a child are left."""
        own = UUID(child_id)
        await self._leaving.release(child_id)
        parties = await AfterSchoolEnrolment.filter(pupil_id=own).values_list("party_id", flat=True)
        others = AfterSchoolEnrolment.filter(party_id__in=list(parties)).exclude(pupil_id=own)
        shared = set(await others.values_list("party_id", flat=True))
        await AfterSchoolDrawn.filter(party_id__in=[each for each in parties if each not in shared]).delete()
        await AfterSchoolEnrolment.filter(pupil_id=own).delete()
        await AfterSchoolStatement.filter(pupil_id=own).delete()
        await AfterSchoolSlip.filter(pupil_id=own).delete()

    async def due(self, today: date) -> Sequence[DueForRetention]:
        """Plans that ended long ago and about which something is still kept of children."""
        rows = AfterSchoolPlan.filter(last_day__lt=today - timedelta(days=KEPT_DAYS)).order_by("last_day", "id")
        what = texts.RETENTION.format(days=KEPT_DAYS)
        return [
            DueForRetention(f"{_SUBJECT}:{row.id}", what, row.last_day + timedelta(days=KEPT_DAYS))
            for row in await rows
            if await _is_kept(row.id)
        ]

    async def dispose(self, due: DueForRetention) -> None:
        """The sign-ups go; the plan and its counts stay."""
        own = UUID(due.subject.partition(":")[2])
        draws = await AfterSchoolDraw.filter(plan_id=own).values_list("id", flat=True)
        await AfterSchoolDrawn.filter(draw_id__in=list(draws)).delete()
        await AfterSchoolEnrolment.filter(plan_id=own).delete()
        await AfterSchoolStatement.filter(plan_id=own).delete()
        await AfterSchoolSlip.filter(plan_id=own).delete()

    async def dependents(self, child_ids: Collection[str], person_ids: Collection[str]) -> Mapping[str, int]:
        """Sign-ups and statements of the children, and what the people wrote or give: none can be unmade."""
        connection = AfterSchoolEnrolment._meta.db
        engine = connection.capabilities.dialect
        query = _DEPENDENTS.format(children=select_ids(engine, 1), people=select_ids(engine, 2))
        values = [as_value(engine, child_ids), as_value(engine, person_ids)]
        number = (await connection.execute_query_dict(query, values))[0]["number"]
        return {"after_school": number} if number else {}


async def _is_kept(plan_id: UUID) -> bool:
    """Whether anything is still here of the children a plan was for."""
    of_children = (AfterSchoolEnrolment, AfterSchoolStatement, AfterSchoolSlip)
    return any([await model.exists(plan_id=plan_id) for model in of_children])


def _spoken(at: datetime) -> str:
    return to_local(at).isoformat("T", "seconds")
