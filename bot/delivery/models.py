"""Tables of the outbox. They hold recipients and texts, and no foreign key into a capability's tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.delivery.pushes import ChannelName, Purpose, PushClass
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


class OutboxPush(Record):
    """A promise to tell a person one thing once: `reason`, person and `occurrence` name it. It holds no words.

    A table beside `outbox_message`, because a replica of the version before, which knows letters only, would take a
    promise without a text for a letter it has no channel for, and settle it as failed. The database keeps a column of
    its own beside these, `queue`, by which its indexes are found: see migrations/0011_lean_pushes.py.
    """

    reason = fields.CharField(max_length=64)
    occurrence = fields.CharField(max_length=128)
    person_id = fields.UUIDField()
    rule = fields.CharField(max_length=64)
    purpose = fields.CharEnumField(Purpose, max_length=16, description="Purpose")
    push_class = fields.CharEnumField(PushClass, max_length=16, description="PushClass")
    # Ids joined by "+".
    child_ids = fields.TextField(null=True)
    # 0 alarms, 1 urgent, 2 the others: which are claimed first.
    lane = fields.SmallIntField()
    status = fields.CharEnumField(
        DeliveryStatus, max_length=16, default=DeliveryStatus.PLANNED, description="DeliveryStatus"
    )
    not_before = UtcDatetimeField()
    expires_at = UtcDatetimeField()
    # Who has it in hand, until when, and since when it may be on its way.
    claim = fields.UUIDField(null=True)
    lease_until = UtcDatetimeField(null=True)
    begun_at = UtcDatetimeField(null=True)
    attempts = fields.IntField(default=0)
    channel = fields.CharEnumField(ChannelName, max_length=24, null=True, description="ChannelName")
    # What the platform calls its recipient: the blind index of the openid it goes to.
    recipient_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True)
    # Channels that refused it, joined by "+": they are not tried again.
    tried = fields.CharField(max_length=128, null=True)
    # What is reserved for it: a template whose consent it will use up, or the word `mass`.
    credit = fields.CharField(max_length=64, null=True)
    # The promise in whose message this one travels, itself for one that travels alone.
    message_id = fields.UUIDField(null=True)
    platform_id = fields.CharField(max_length=64, null=True)
    last_error = fields.CharField(max_length=128, null=True)

    class Meta:
        table = "outbox_push"
        unique_together = (("reason", "person_id", "occurrence"),)
        # Further indexes, each of some of the rows only: migrations/0006_outgoing_rules.py, 0011_lean_pushes.py.


class DeliveryClaim(Record):
    """A worker has pushes in hand until `lease_until`: its id is their claim. It goes when all of them are settled. One
    whose lease has ended tells that there may be something to take back."""

    lease_until = UtcDatetimeField(db_index=True)

    class Meta:
        table = "delivery_claim"


class DeliveryConsent(Record):
    """What a recipient accepted of one template. Free and reserved count messages of one-time accepts."""

    recipient_index = fields.CharField(max_length=BLIND_INDEX_LENGTH)
    template_id = fields.CharField(max_length=64)
    free = fields.IntField(default=0)
    reserved = fields.IntField(default=0)
    is_long_term = fields.BooleanField(default=False)
    is_refused = fields.BooleanField(default=False)

    class Meta:
        table = "delivery_consent"
        unique_together = (("recipient_index", "template_id"),)


class DeliveryCount(Record):
    """How much of an allowance is used: mass messages of a recipient and month, messages of a family and day, calls of
    an API and day."""

    what = fields.CharField(max_length=16)
    whose = fields.CharField(max_length=128)
    period = fields.CharField(max_length=10)
    used = fields.IntField(default=0)

    class Meta:
        table = "delivery_count"
        unique_together = (("what", "whose", "period"),)


class CountedBatch(Record):
    """The families against whose day the messages of one claim were counted: its id is the claim's. When the worker
    dies they are given back."""

    day = fields.CharField(max_length=10)
    # Families by the id of the push that was counted, as JSON.
    families = fields.TextField()

    class Meta:
        table = "delivery_batch"


class DeliveryReport(Record):
    """What the platform told afterwards about a message whose id is not known here yet."""

    recipient_index = fields.CharField(max_length=BLIND_INDEX_LENGTH)
    channel = fields.CharEnumField(ChannelName, max_length=24, description="ChannelName")
    platform_id = fields.CharField(max_length=64)
    # Empty: it arrived.
    error = fields.CharField(max_length=128)

    class Meta:
        table = "delivery_report"
        unique_together = (("channel", "platform_id", "recipient_index"),)
