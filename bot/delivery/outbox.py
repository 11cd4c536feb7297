"""Promises to tell somebody something: a row, written in the transaction of what it is about."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.delivery.models import DeliveryStatus, OutboxMessage
from bot.metrics import Metrics
from bot.storage.base import blind_index

__all__ = ["CUSTOMER_SERVICE", "DeliveryStatus", "NewMessage", "Outbox", "text_of"]

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

    async def forget_settled(self) -> None:
        """Deletes what was settled long ago, and with it whom it went to."""
        settled = set(DeliveryStatus) - {DeliveryStatus.PLANNED, DeliveryStatus.HELD, DeliveryStatus.SENDING}
        before = self._clock.now() - SETTLED_KEPT_FOR
        await OutboxMessage.filter(status__in=list(settled), updated_at__lt=before).delete()

    async def erase(self, openid_index: str) -> None:
        """Deletes everything sent or to be sent to a person, in the caller's transaction."""
        await OutboxMessage.filter(openid_index=openid_index).delete()


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
