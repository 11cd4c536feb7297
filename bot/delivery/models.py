"""Tables of the outbox. They hold recipients and texts, and no foreign key into a capability's tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.errors import Conflict
from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, Record, UtcDatetimeField


class DeliveryStatus(StrEnum):
    """What became of a message so far."""

    PLANNED = "planned"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    NOT_NEEDED = "not_needed"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    # Handed over, no answer came: sending again could tell somebody twice.
    UNKNOWN = "unknown"


_S = DeliveryStatus
MOVES: Mapping[DeliveryStatus, frozenset[DeliveryStatus]] = {
    _S.PLANNED: frozenset({_S.HELD, _S.SENDING, _S.NOT_NEEDED, _S.UNREACHABLE, _S.EXPIRED}),
    _S.HELD: frozenset({_S.PLANNED, _S.NOT_NEEDED, _S.UNREACHABLE, _S.EXPIRED}),
    # Back to planned: to be tried again later.
    _S.SENDING: frozenset(_S) - {_S.SENDING},
    _S.UNKNOWN: frozenset({_S.SENT, _S.FAILED}),
    _S.SENT: frozenset({_S.FAILED}),  # the platform reports a failure afterwards
    _S.FAILED: frozenset(),
    _S.NOT_NEEDED: frozenset(),
    _S.UNREACHABLE: frozenset(),
    _S.EXPIRED: frozenset(),
}


class IllegalMove(Conflict):
    """A delivery cannot go from where it is to where it was told to."""

    code = "illegal_delivery_move"


def advance(current: DeliveryStatus, to: DeliveryStatus) -> DeliveryStatus:
    """The new status. Raises IllegalMove."""
    if to not in MOVES[current]:
        raise IllegalMove(details={"from": current.value, "to": to.value})
    return to


class OutboxMessage(Record):
    """A promise to tell somebody one thing once: `reason`, recipient and `occurrence` name it."""

    kind = fields.CharField(max_length=32)
    reason = fields.CharField(max_length=64)
    occurrence = fields.CharField(max_length=128)
    recipient = EncryptedText()
    openid_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, db_index=True)
    payload = EncryptedText()
    status = fields.CharEnumField(
        DeliveryStatus, max_length=16, default=DeliveryStatus.PLANNED, description="DeliveryStatus"
    )
    not_before = UtcDatetimeField()
    expires_at = UtcDatetimeField()
    lease_until = UtcDatetimeField(null=True)
    attempts = fields.IntField(default=0)
    platform_id = fields.CharField(max_length=64, null=True)
    last_error = fields.CharField(max_length=128, null=True)

    class Meta:
        table = "outbox_message"
        unique_together = (("reason", "openid_index", "occurrence"),)
        indexes = (
            Index(fields=("status", "not_before"), name="idx_outbox_due"),
            Index(fields=("status", "lease_until"), name="idx_outbox_lease"),
        )


class DeliveryAttempt(Record):
    """One try to send a message: when it began and what came of it."""

    message: fields.ForeignKeyRelation[OutboxMessage] = fields.ForeignKeyField(
        "models.OutboxMessage", related_name="tries", on_delete=fields.CASCADE
    )
    message_id: UUID
    number = fields.IntField()
    outcome = fields.CharEnumField(DeliveryStatus, max_length=16, null=True, description="DeliveryStatus")
    error = fields.CharField(max_length=128, null=True)
    finished_at = UtcDatetimeField(null=True)

    class Meta:
        table = "delivery_attempt"
        unique_together = (("message", "number"),)
