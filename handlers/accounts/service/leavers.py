"""Rows of people whose term is over: pupils who left, invitations, sessions and requests that are done with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from bot.capability import DueForRetention
from bot.clock import SHANGHAI, Clock
from handlers.accounts.domain import BindingState, PupilStatus
from handlers.accounts.models import BindingRequest, Invitation, Pupil, Session

INVITATION_DAYS: Final = 30
SESSION_DAYS: Final = 30
REQUEST_DAYS: Final = 90
_GONE: Final = (PupilStatus.LEFT, PupilStatus.GRADUATED)
_WHAT: Final = {
    "invitation": "删除{count}份用过或过期的邀请码",
    "session": "删除{count}条失效的登录状态",
    "binding-request": "删除{count}份已办结的绑定申请",
}


@dataclass(frozen=True, slots=True)
class Leaver:
    """A pupil who left on a day. `is_sealed`: that was done already."""

    id: str
    left_on: date
    is_sealed: bool


class Leavers:
    """Pupils who are not at school any more and are still kept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def left_until(self, day: date) -> list[Leaver]:
        """Those whose last day was that one or earlier, the earliest first."""
        rows = (
            await Pupil.filter(status__in=_GONE, left_on__lte=day, reduced_at=None)
            .order_by("left_on", "id")
            .values_list("id", "left_on", "sealed_at")
        )
        return [Leaver(str(id), left_on, sealed_at is not None) for id, left_on, sealed_at in rows]

    async def find(self, pupil_id: str) -> Leaver | None:
        """The pupil, if they left and are still kept; held until the end of the caller's transaction."""
        row = await Pupil.filter(id=UUID(pupil_id), status__in=_GONE, reduced_at=None).select_for_update().first()
        if row is None or row.left_on is None:
            return None
        return Leaver(str(row.id), row.left_on, row.sealed_at is not None)

    async def seal(self, pupil_id: str) -> None:
        """Nobody looks them up any more; in the caller's transaction."""
        now = self._clock.now()
        await Pupil.filter(id=UUID(pupil_id), sealed_at=None).update(sealed_at=now, updated_at=now)


class DoneWith:
    """Invitations, sessions and binding requests that are of no use any more, a batch of each. A `RetentionSource`."""

    async def due(self, today: date) -> Sequence[DueForRetention]:
        """One line for each kind that has any."""
        counts = {kind: await _rows(kind, today).count() for kind in _WHAT}
        return [
            DueForRetention(f"{kind}:{today.isoformat()}", _WHAT[kind].format(count=count), today)
            for kind, count in counts.items()
            if count
        ]

    async def dispose(self, due: DueForRetention) -> None:
        """Deletes what was due on that day."""
        kind, _, _ = due.subject.partition(":")
        await _rows(kind, due.due_on).delete()


def _rows(kind: str, today: date) -> QuerySet[Any]:
    def before(days: int) -> datetime:
        return datetime.combine(today - timedelta(days=days), time(), SHANGHAI)

    if kind == "invitation":
        old = before(INVITATION_DAYS)
        return Invitation.filter(Q(expires_at__lt=old) | Q(used_at__lt=old) | Q(revoked_at__lt=old))
    if kind == "session":
        old = before(SESSION_DAYS)
        return Session.filter(Q(expires_at__lt=old) | Q(revoked_at__lt=old))
    return BindingRequest.filter(updated_at__lt=before(REQUEST_DAYS)).exclude(state=BindingState.PENDING)
