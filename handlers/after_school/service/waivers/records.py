"""What waivers keep about a child: for the family's copy, for erasure, and until when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from bot.capability import DueForRetention
from bot.clock import local_date, to_local
from bot.storage.files import FileStore
from handlers.after_school.domain.waivers import OPEN, WaiverState, hardship
from handlers.after_school.models import AfterSchoolWaived, AfterSchoolWaiver
from handlers.after_school.service.waivers.rows import categories_of, evidence_of
from handlers.after_school.service.waivers.terms import CLOSED_KEPT_DAYS, DRAFT_KEPT_DAYS
from handlers.after_school.texts import waivers as texts

_SUBJECT: Final = "after_school_case"


class WaiverRecords:
    """A `ChildRecords`, a `RetentionSource` and a `Dependents`."""

    def __init__(self, files: FileStore) -> None:
        self._files = files

    # ---------------------------------------------------------------------------------------------------------- a child
    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """The family's own cases, and what falls away; not who checked or decided."""
        rows = await AfterSchoolWaiver.filter(pupil_id=UUID(child_id)).order_by("created_at", "id")
        waived = await AfterSchoolWaived.filter(pupil_id=UUID(child_id)).order_by("created_at", "term")
        rules = await categories_of(rows)
        found: dict[str, Any] = {}
        if rows:
            titles = {own: hardship(rule.code).title for own, rule in rules.items()}
            found[texts.CHILD_HEADING] = [
                await self._case(row, titles.get(row.category, texts.UNKNOWN_CATEGORY)) for row in rows
            ]
        if waived:
            found[texts.FEES_HEADING] = [
                {texts.FIELD_TERM: row.term, texts.FIELD_PERCENT: texts.PERCENT.format(percent=row.percent)}
                for row in waived
            ]
        return found

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """The cases with their papers rest on consent, and go; what falls away of a fee belongs to the accounts, and
        says nothing of why."""
        await self._discard(await AfterSchoolWaiver.filter(pupil_id=UUID(child_id)).values_list("id", flat=True))
        if not keep_duty:
            await AfterSchoolWaived.filter(pupil_id=UUID(child_id)).delete()

    # --------------------------------------------------------------------------------------------------------- the term
    async def due(self, today: date) -> Sequence[DueForRetention]:
        """Cases that ended long ago, and what families began and did not hand in. Papers go earlier, by themselves."""
        closed, left = _start(today, CLOSED_KEPT_DAYS), _start(today, DRAFT_KEPT_DAYS)
        ended = AfterSchoolWaiver.filter(closed_at__lt=closed).exclude(state__in=[*OPEN, WaiverState.GRANTED])
        begun = AfterSchoolWaiver.filter(state=WaiverState.DRAFT, updated_at__lt=left)
        return [
            *(_due(row.id, row.closed_at or row.updated_at, CLOSED_KEPT_DAYS) for row in await ended),
            *(_due(row.id, row.updated_at, DRAFT_KEPT_DAYS) for row in await begun),
        ]

    async def dispose(self, due: DueForRetention) -> None:
        """It goes with its papers."""
        await self._discard([UUID(due.subject.partition(":")[2])])

    # ------------------------------------------------------------------------------------------------------- dependents
    async def dependents(self, child_ids: Collection[str], person_ids: Collection[str]) -> Mapping[str, int]:
        """How much was asked or decided about or by any of them."""
        children, people = ([UUID(each) for each in ids] for ids in (child_ids, person_ids))
        number = await AfterSchoolWaiver.filter(pupil_id__in=children).count() if children else 0
        number += await AfterSchoolWaived.filter(pupil_id__in=children).count() if children else 0
        for column in ("asked_by", "entered_by", "checked_by", "decided_by", "heard_by") if people else ():
            among: dict[str, Any] = {f"{column}__in": people}
            number += await AfterSchoolWaiver.filter(**among).count()
        return {"after_school_cases": number} if number else {}

    async def _discard(self, ids: Collection[Any]) -> None:
        for own in ids:
            await self._files.discard_all(evidence_of(own))
        await AfterSchoolWaiver.filter(id__in=list(ids)).delete()

    async def _case(self, row: AfterSchoolWaiver, title: str) -> dict[str, str]:
        return {
            texts.FIELD_CATEGORY: title,
            texts.FIELD_STATE: texts.FAMILY_STATES[row.state],
            texts.FIELD_AT: to_local(row.created_at).isoformat("T", "seconds"),
            texts.FIELD_NOTE: row.note or texts.NONE,
            texts.FIELD_REASON: row.reason or texts.NONE,
            texts.FIELD_APPEAL: row.appeal or texts.NONE,
            texts.FIELD_TERMS: texts.COMMA.join(row.terms) or texts.NONE,
            texts.FIELD_PICTURES: str(len(await self._files.of(evidence_of(row.id)))),
        }


def _start(today: date, days: int) -> datetime:
    return datetime.combine(today - timedelta(days=days), time(), UTC)


def _due(own: UUID, at: datetime, days: int) -> DueForRetention:
    return DueForRetention(
        f"{_SUBJECT}:{own}", texts.RETENTION.format(days=days), local_date(at) + timedelta(days=days)
    )
