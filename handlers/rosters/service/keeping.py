"""How long uploads are kept: for a term, and no longer than the child they tell of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from bot.capability import DueForRetention
from bot.clock import local_date
from handlers.rosters import texts
from handlers.rosters.models import Import, ImportChange, ImportPage
from handlers.rosters.service.applying import traces_of

KEPT_DAYS: Final = 90
_SUBJECT: Final = "import"
# Imports whose children are remembered.
_REMEMBERED: Final = 64


class UploadKeeper:
    """A `RetentionSource` and `ChildRecords`. The history of imports stays: it tells of no child."""

    def __init__(self) -> None:
        self._pupils: dict[UUID, frozenset[UUID]] = {}

    async def due(self, today: date) -> Sequence[DueForRetention]:
        """Uploads whose rows are still here after the term; they cannot be undone afterwards."""
        last = datetime.combine(today - timedelta(days=KEPT_DAYS), time(), UTC)
        rows = (
            await Import.filter(created_at__lt=last, head__isnull=False).order_by("created_at").only("id", "created_at")
        )
        return [
            DueForRetention(
                f"{_SUBJECT}:{row.id}",
                texts.UPLOAD_DUE,
                local_date(row.created_at) + timedelta(days=KEPT_DAYS),
            )
            for row in rows
        ]

    async def dispose(self, due: DueForRetention) -> None:
        """The rows go, and what they changed."""
        await _dispose(UUID(due.subject.partition(":")[2]))

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """Nothing that is not kept of the child elsewhere."""
        return {}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """Uploads that brought or changed the child go as a whole. A roster is kept by duty, and so are they."""
        if keep_duty:
            return
        applied = Import.filter(head__isnull=False, applied_at__isnull=False)
        for row in await applied.only("id"):
            if UUID(child_id) in await self._pupils_of(row.id):
                await _dispose(row.id)
                self._pupils.pop(row.id, None)

    async def _pupils_of(self, import_id: UUID) -> frozenset[UUID]:
        """The children an import brought or changed. Never another once it is applied; and in the night in which a
        whole year's term ends every one of hundreds asks."""
        if import_id not in self._pupils:
            if len(self._pupils) >= _REMEMBERED:
                self._pupils.clear()
            self._pupils[import_id] = frozenset((await traces_of(import_id)).by_table["pupil"])
        return self._pupils[import_id]


async def _dispose(import_id: UUID) -> None:
    await ImportPage.filter(source_id=import_id).delete()
    await ImportChange.filter(source_id=import_id).delete()
    await Import.filter(id=import_id).update(head=None)
