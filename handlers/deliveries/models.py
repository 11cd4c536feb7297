"""Table of the list of calls and slips of paper. It holds no words: what to tell is asked for when it is shown."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.delivery.pushes import Purpose, PushClass
from bot.storage.base import Record, UtcDatetimeField
from handlers.deliveries.domain import LineState, Way


class HandListLine(Record):
    """One child whose family no message reached, about one matter: `reason` and `occurrence` as in the outbox.

    `person_id` is whom the message was for, None where the child has nobody on the roster. `subject_id` is the child,
    or that person for somebody on the staff, who has no class then. `child_ids` are all children of the message, joined
    by a plus sign.
    """

    reason = fields.CharField(max_length=64)
    occurrence = fields.CharField(max_length=128)
    subject_id: UUID = fields.UUIDField()
    child_id: UUID | None = fields.UUIDField(null=True)
    person_id: UUID | None = fields.UUIDField(null=True, db_index=True)
    child_ids = fields.TextField(default="")
    class_id: UUID | None = fields.UUIDField(null=True)
    school_id: UUID | None = fields.UUIDField(null=True)
    township_id: UUID = fields.UUIDField()
    rule = fields.CharField(max_length=64, default="")
    purpose = fields.CharEnumField(Purpose, max_length=16, description="Purpose")
    push_class = fields.CharEnumField(PushClass, max_length=16, description="PushClass")
    why = fields.CharField(max_length=64, default="")
    not_before = UtcDatetimeField()
    expires_at = UtcDatetimeField()
    state = fields.CharEnumField(LineState, max_length=16, default=LineState.OPEN, description="LineState")
    way = fields.CharEnumField(Way, max_length=16, null=True, description="Way")
    settled_by: UUID | None = fields.UUIDField(null=True)
    settled_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "deliveries_hand_list"
        unique_together = (("reason", "occurrence", "subject_id"),)
        indexes = (
            Index(fields=("state", "class_id"), name="idx_hand_list_class"),
            Index(fields=("state", "school_id"), name="idx_hand_list_school"),
            Index(fields=("child_id",), name="idx_hand_list_child"),
        )
