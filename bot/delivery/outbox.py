"""Promises to tell somebody something: a row, written in the transaction of what it is about.

Letters carry their text and go to one openid, into its open chat. Pushes go to a person; way and words are found when
they are sent (`bot.delivery.pushes`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import Clock, local_date
from bot.delivery import desk, promises
from bot.delivery.credits import Credits
from bot.delivery.desk import DECIDED_BY_HAND, Backlog, Trouble
from bot.delivery.models import DeliveryReport, DeliveryStatus, OutboxMessage, OutboxPush
from bot.delivery.promises import DeliveryState, Progress, Selected
from bot.delivery.pushes import NewPush, Push
from bot.metrics import Metrics
from bot.storage.base import blind_index

__all__ = [
    "CUSTOMER_SERVICE",
    "DECIDED_BY_HAND",
    "Backlog",
    "DeliveryState",
    "DeliveryStatus",
    "NewMessage",
    "Outbox",
    "Progress",
    "Selected",
    "Trouble",
    "text_of",
]

CUSTOMER_SERVICE = "customer_service"
SETTLED_KEPT_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """What to tell whom. `reason`, recipient and `occurrence` name the promise: the same three twice are one.

    Not sent before `not_before` (None: at once) and not after `expires_at`.
    """

    reason: str
    occurrence: str
    openid: str = field(repr=False)
    text: str = field(repr=False)
    expires_at: datetime
    not_before: datetime | None = None
    kind: str = CUSTOMER_SERVICE


class Outbox:
    """The door to the table of promises."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._credits = Credits(clock)

    # --------------------------------------------------------------------------------------------------------- letters
    async def enqueue(self, *messages: NewMessage) -> None:
        """Promises the messages, in the caller's transaction if there is one. What was promised before stays."""
        now = self._clock.now()
        rows = [_row(message, now) for message in messages]
        await OutboxMessage.bulk_create(rows, ignore_conflicts=True)
        self._metrics.outbox_total.labels(DeliveryStatus.PLANNED).inc(len(rows))

    async def status_of(self, reason: str, occurrences: Iterable[str], openid_index: str) -> dict[str, DeliveryStatus]:
        """What became of promises to one recipient, by occurrence; one that is not there is left out."""
        rows = await OutboxMessage.filter(
            reason=reason, occurrence__in=list(occurrences), openid_index=openid_index
        ).values_list("occurrence", "status")
        return {str(occurrence): DeliveryStatus(status) for occurrence, status in rows}

    async def withdraw(self, reason: str, occurrence: str, openid_index: str) -> bool:
        """Takes a promise back, in the caller's transaction; False when it is kept already or was never made."""
        waiting = OutboxMessage.filter(
            reason=reason, occurrence=occurrence, openid_index=openid_index, status=DeliveryStatus.PLANNED
        )
        taken = await waiting.update(status=DeliveryStatus.NOT_NEEDED, updated_at=self._clock.now())
        return taken > 0

    # ---------------------------------------------------------------------------------------------------------- pushes
    async def promise(self, pushes: Sequence[NewPush]) -> int:
        """Promises pushes, in the caller's transaction if there is one; gives how many are new."""
        return self._counted(await promises.promise(pushes, self._clock.now()))

    async def promise_selected(self, wanted: Selected) -> int:
        """Promises a push to all whom a query finds, in one statement; gives how many are new."""
        return self._counted(await promises.promise_selected(wanted, self._clock.now()))

    async def cancel(
        self, reason: str, *, occurrence: str | None = None, person_ids: Collection[str] | None = None
    ) -> int:
        """Takes back what is unsent of a matter, in the caller's transaction, and gives its credits back; gives how
        many promises that were. None: of all occurrences, to all people."""
        return await promises.cancel(
            reason, self._clock.now(), occurrence=occurrence, person_ids=person_ids, credits=self._credits
        )

    async def postpone(
        self, reason: str, occurrence: str, not_before: datetime, *, expires_at: datetime | None = None
    ) -> int:
        """Moves what is unsent of a matter; gives how many promises that were. None: it expires when it did."""
        return await promises.postpone(reason, occurrence, not_before, self._clock.now(), expires_at=expires_at)

    async def reached(
        self, reason: str, occurrence: str, person_ids: Collection[str] | None = None
    ) -> Mapping[str, DeliveryState]:
        """What became of the pushes of a matter, by person; of some people only when they are named."""
        return await promises.reached(reason, occurrence, person_ids)

    async def progress(self, reason: str, occurrence: str) -> Progress:
        """How far the pushes of a matter are, in numbers: cheap, for a page that asks again and again."""
        return await promises.progress(reason, occurrence, self._clock.now())

    async def told(self, reason: str, occurrence: str) -> Mapping[str, tuple[str, ...]]:
        """The people whose push of a matter was sent, whom a correction concerns, and the children it was about."""
        return await promises.told(reason, occurrence)

    # ------------------------------------------------------------------------------------------------------- the desk
    async def overview(self) -> Backlog:
        """How much waits, and since when; letters and pushes."""
        return await desk.overview(self._clock.now())

    async def measure(self) -> None:
        """Tells the metrics how much waits."""
        now = self._clock.now()
        backlog = await desk.overview(now)
        for status in DeliveryStatus:
            self._metrics.outbox_backlog.labels(status).set(backlog.by_status.get(status, 0))
        waited = now - backlog.oldest_due if backlog.oldest_due is not None else timedelta()
        self._metrics.outbox_oldest_seconds.set(waited.total_seconds())

    async def troubled(self, *, limit: int = 50, offset: int = 0) -> Sequence[Trouble]:
        """What failed or may not have arrived, the newest first: for somebody to look at."""
        return await desk.troubled(limit=limit, offset=offset)

    async def decide(self, id: str, sent: bool) -> bool:
        """A person found out whether an unknown delivery arrived; False when there is no such one any more. In the
        caller's transaction."""
        return await desk.decide(id, self._clock.now(), sent=sent)

    async def settle_past(self, reason: str, told: Collection[str], why: str) -> Sequence[Push]:
        """Writes down what became of a matter in the past, in the caller's transaction, which promised it too: these
        people were told, the others were not, for a reason. For a made-up past: nothing goes out. Gives the promises
        to the others."""
        return await desk.settle_past(reason, told, why, self._clock.now())

    def _counted(self, made: int) -> int:
        self._metrics.outbox_total.labels(DeliveryStatus.PLANNED).inc(made)
        return made

    # ------------------------------------------------------------------------------------------------------ forgetting
    async def forget_settled(self) -> None:
        """Deletes what was settled long ago, and with it whom it went to."""
        settled = list(set(DeliveryStatus) - {DeliveryStatus.PLANNED, DeliveryStatus.HELD, DeliveryStatus.SENDING})
        before = self._clock.now() - SETTLED_KEPT_FOR
        await OutboxMessage.filter(status__in=settled, updated_at__lt=before).delete()
        await OutboxPush.filter(status__in=settled, updated_at__lt=before).delete()
        await DeliveryReport.filter(updated_at__lt=before).delete()
        await self._credits.forget_counts(local_date(before))

    async def erase(self, openid_index: str) -> None:
        """Deletes everything sent or to be sent to an openid, and what it accepted, in the caller's transaction."""
        await OutboxMessage.filter(openid_index=openid_index).delete()
        await OutboxPush.filter(recipient_index=openid_index).delete()
        await self._credits.forget(openid_index)


def text_of(payload: str) -> str:
    """The text of a stored payload."""
    return str(json.loads(payload)["text"])


def _row(message: NewMessage, now: datetime) -> OutboxMessage:
    return OutboxMessage(
        kind=message.kind,
        reason=message.reason,
        occurrence=message.occurrence,
        recipient=message.openid,
        openid_index=blind_index("openid", message.openid),
        payload=json.dumps({"text": message.text}, ensure_ascii=False),
        status=DeliveryStatus.PLANNED,
        not_before=message.not_before or now,
        expires_at=message.expires_at,
        created_at=now,
        updated_at=now,
    )
