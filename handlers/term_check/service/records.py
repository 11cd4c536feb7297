"""What the check keeps of a child: for the family's copy, for erasure, and until when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from bot.capability import DueForRetention
from bot.clock import Clock, local_date
from bot.storage.files import FileStore
from handlers.term_check import texts
from handlers.term_check.domain.cases import OPEN
from handlers.term_check.models import TermCheckAbsence, TermCheckReturn, TermCheckRule, TermCheckStep
from handlers.term_check.service.rows import proofs_of

KEPT_DAYS: Final = 3 * 365
"""So long the words of a closed case are kept; its state, days and steps stay as figures."""
_SUBJECT: Final = "term_check"


class CheckRecords:
    """A `ChildRecords`, a `RetentionSource` and a `Dependents`."""

    def __init__(self, files: FileStore, clock: Clock) -> None:
        self._files = files
        self._clock = clock

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """When the child was missed and what came of it; not what others said about the family."""
        rows = await TermCheckAbsence.filter(pupil_id=UUID(child_id)).order_by("opened_on", "id")
        if not rows:
            return {}
        return {
            texts.CHILD_HEADING: [
                {
                    texts.FIELD_SINCE: row.opened_on.isoformat(),
                    texts.FIELD_STATE: texts.STATES[row.state],
                    texts.FIELD_UNTIL: local_date(row.closed_at).isoformat() if row.closed_at else texts.NONE,
                }
                for row in rows
            ]
        }

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """Schools answer for who did not come, so all of it stays while that duty lasts; then every word goes."""
        if not keep_duty:
            await self._reduce(await TermCheckAbsence.filter(pupil_id=UUID(child_id)).values_list("id", flat=True))

    # --------------------------------------------------------------------------------------------------------- the term
    async def due(self, today: date) -> Sequence[DueForRetention]:
        """Cases that were closed long ago and still have words."""
        last = datetime.combine(today - timedelta(days=KEPT_DAYS), time(), UTC)
        rows = TermCheckAbsence.filter(closed_at__lt=last, reduced_at__isnull=True).exclude(state__in=list(OPEN))
        what = texts.RETENTION.format(years=KEPT_DAYS // 365)
        return [
            DueForRetention(f"{_SUBJECT}:{row.id}", what, local_date(row.closed_at) + timedelta(days=KEPT_DAYS))
            for row in await rows.order_by("closed_at", "id")
            if row.closed_at is not None
        ]

    async def dispose(self, due: DueForRetention) -> None:
        """Its words and proofs go."""
        await self._reduce([UUID(due.subject.partition(":")[2])])

    async def _reduce(self, ids: Collection[Any]) -> None:
        now = self._clock.now()
        for own in ids:
            await self._files.discard_all(proofs_of(own))
        await TermCheckStep.filter(absence_id__in=list(ids)).update(words=None, updated_at=now)
        await TermCheckAbsence.filter(id__in=list(ids)).update(
            where_to=None, known_by=None, outcome=None, reduced_at=now, updated_at=now
        )

    # ------------------------------------------------------------------------------------------------------ dependents
    async def dependents(self, child_ids: Collection[str], person_ids: Collection[str]) -> Mapping[str, int]:
        """How much was written about or by any of them. Being asked for alone binds nobody: a list follows the
        roster."""
        children, people = ([UUID(each) for each in ids] for ids in (child_ids, person_ids))
        number = await TermCheckAbsence.filter(pupil_id__in=children).count() if children else 0
        if people:
            number += await TermCheckReturn.filter(signed_by__in=people).count()
            number += await TermCheckStep.filter(by_person__in=people).count()
            number += await TermCheckRule.filter(entered_by__in=people).count()
        return {"term_check_cases": number} if number else {}
