"""Tables of the machinery itself."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, Record, UtcDatetimeField
from bot.storage.fields import EncryptedBytes


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


class StoredFile(Record):
    """A file of a record: a picture without what the camera wrote into it. `delete_after`: when its term ends."""

    owner_kind = fields.CharField(max_length=32)
    owner_id: UUID = fields.UUIDField()
    media_type = fields.CharField(max_length=64)
    size = fields.IntField()
    content: bytes = EncryptedBytes()  # type: ignore[assignment] # a field is read as what it holds
    delete_after: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "stored_file"
        indexes = (
            Index(fields=("owner_kind", "owner_id"), name="idx_stored_file_owner"),
            Index(fields=("delete_after",), name="idx_stored_file_term"),
        )
