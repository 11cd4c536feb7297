"""What is told of imports to whoever may know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal, require
from handlers.rosters.domain import Counts, Coverage, ImportState, RosterKind, RowReport, RowState
from handlers.rosters.models import Import

# A dry run that says nothing for so long has died with its process.
_STALE_AFTER: Final = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class ImportView:
    """One import. `progress` is 0 to 100; `is_running`: something is being done with it just now."""

    id: str
    kind: RosterKind
    state: ImportState
    coverage: Coverage
    by_name: str
    file_name: str
    counts: Counts
    progress: int
    is_running: bool
    is_stale: bool
    is_kept: bool
    failure: str
    created_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None

    @property
    def can_apply(self) -> bool:
        """Whether it waits for somebody to say yes."""
        return self.state is ImportState.READY and not self.is_running

    @property
    def can_undo(self) -> bool:
        """Whether it may be taken back, as far as its state goes."""
        return self.state is ImportState.APPLIED and self.is_kept and not self.is_running


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Some rows of a dry run."""

    rows: Sequence[RowReport]
    state: RowState | None
    start: int
    has_more: bool


def view_of(row: Import, progress: int | None, now: datetime) -> ImportView:
    """`progress` as known in this process, None when nothing is under way here."""
    counted = row.counts or {}
    counts = Counts(counted.get("by_state", {}), counted.get("warnings", 0), tuple(counted.get("new_classes", ())))
    waits = row.state is ImportState.READ and not row.failure
    is_stale = waits and progress is None and now - row.created_at > _STALE_AFTER
    return ImportView(
        id=str(row.id),
        kind=row.kind,
        state=row.state,
        coverage=row.coverage,
        by_name=row.by_name,
        file_name=row.file_name,
        counts=counts,
        progress=row.progress if progress is None else progress,
        is_running=progress is not None or (waits and not is_stale),
        is_stale=is_stale,
        is_kept=row.head is not None,
        failure=row.failure,
        created_at=row.created_at,
        applied_at=row.applied_at,
        undone_at=row.undone_at,
    )


def visible(actor: Actor) -> tuple[Reach, QuerySet[Import]]:
    """The reach of whoever imports, and the imports they may know of. Raises NotPermitted."""
    reach = require(actor, Action.ROSTER_IMPORT)
    rows = Import.all()
    if reach.is_any:
        return reach, rows
    own = Q(by_person_id=actor.person_id) if actor.person_id else Q(id__in=[])
    return reach, rows.filter(own | Q(school_id__in=list(reach.schools)) | Q(township_id__in=list(reach.townships)))


async def found(actor: Actor, import_id: str) -> tuple[Reach, Import]:
    """One of them. Raises NotFound for others."""
    reach, rows = visible(actor)
    row = await rows.filter(id=_uuid(import_id)).first()
    if row is None:
        raise refusal(NotFound(), actor, Action.ROSTER_IMPORT, None)
    return reach, row


def subject_of(row: Import) -> Subject:
    """Whose affair an import is."""
    return Subject(school_id=str(row.school_id) if row.school_id else None, township_id=str(row.township_id))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
