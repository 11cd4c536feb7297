"""Tables of the machinery itself."""

from __future__ import annotations

from enum import StrEnum

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, Record, UtcDatetimeField


class ProcessingState(StrEnum):
    """How far a message that changes something has come."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ProcessedMessage(Record):
    """A message from WeChat that took effect, or is about to: inserted in the transaction of its effect.

    The unique key is what makes it happen once, across retries, restarts and replicas.
    """

    # A blind index of the message's key, which itself holds the sender's openid.
    dedupe_key = fields.CharField(max_length=BLIND_INDEX_LENGTH, unique=True)
    openid_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, db_index=True)
    reply = EncryptedText(null=True)
    state = fields.CharEnumField(ProcessingState, max_length=16, description="ProcessingState")
    finished_at = UtcDatetimeField(null=True)

    class Meta:
        table = "processed_message"
        indexes = (Index(fields=("created_at",), name="idx_processed_message_created"),)


class IdempotentAnswer(Record):
    """What was answered to a request that creates something: the same key and body get the same answer."""

    # Whose key it is: the identity of the caller or session.
    scope = fields.CharField(max_length=64)
    key = fields.CharField(max_length=128)
    route = fields.CharField(max_length=128)
    body_digest = fields.CharField(max_length=64)
    status = fields.SmallIntField(null=True)
    body = EncryptedText(null=True)

    class Meta:
        table = "idempotent_answer"
        unique_together = (("scope", "key"),)
        indexes = (Index(fields=("created_at",), name="idx_idempotent_answer_created"),)
