"""Tables of notices."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, Record, UtcDatetimeField
from handlers.notices.domain import Confirmation, How, NoticeState, Who


class Notice(Record):
    """What is to be told. `number` is how people speak of it, `content` holds links, questions and target as JSON.
    Whose it is: the class, else the school, else the township. `written_on` is the day words like tomorrow count
    from."""

    number = fields.IntField(unique=True)
    version = fields.IntField(default=1)
    state = fields.CharEnumField(NoticeState, max_length=16, description="NoticeState")
    township_id: UUID = fields.UUIDField()
    school_id: UUID | None = fields.UUIDField(null=True)
    class_id: UUID | None = fields.UUIDField(null=True)
    title = fields.CharField(max_length=64)
    text = fields.TextField()
    content: Any = fields.JSONField()
    sender = fields.CharField(max_length=64)
    confirmation = fields.CharEnumField(Confirmation, max_length=16, description="Confirmation")
    who = fields.CharEnumField(Who, max_length=16, description="Who")
    deadline: datetime | None = UtcDatetimeField(null=True)
    is_urgent = fields.BooleanField(default=False)
    send_at: datetime | None = UtcDatetimeField(null=True)
    remind_hours = fields.IntField(default=24)
    remind_times = fields.IntField(default=1)
    written_on: date = fields.DateField()
    written_by: UUID = fields.UUIDField()
    changed_by: UUID = fields.UUIDField()
    needs_second = fields.BooleanField(default=False)
    approved_by: UUID | None = fields.UUIDField(null=True)
    approved_at: datetime | None = UtcDatetimeField(null=True)
    why_rejected = fields.CharField(max_length=200, default="")
    begun_at: datetime | None = UtcDatetimeField(null=True)
    frozen_at: datetime | None = UtcDatetimeField(null=True)
    sent_at: datetime | None = UtcDatetimeField(null=True)
    closed_at: datetime | None = UtcDatetimeField(null=True)
    reminded = fields.IntField(default=0)
    reminded_at: datetime | None = UtcDatetimeField(null=True)
    next_reminder_at: datetime | None = UtcDatetimeField(null=True)
    escalated_at: datetime | None = UtcDatetimeField(null=True)
    corrects: UUID | None = fields.UUIDField(null=True, db_index=True)
    corrected_by: UUID | None = fields.UUIDField(null=True)
    is_material = fields.BooleanField(default=True)

    class Meta:
        table = "notices_notice"
        indexes = (
            Index(fields=("state", "send_at"), name="idx_notices_due"),
            Index(fields=("state", "next_reminder_at"), name="idx_notices_again"),
            Index(fields=("township_id", "created_at"), name="idx_notices_town"),
        )


class NoticeChild(Record):
    """A child a notice is about, as the list stood when sending began, with the class of that day. `hand_*`: who told
    the family, how and when, `confirmed_by_hand`: and that they agreed."""

    notice: fields.ForeignKeyRelation[Notice] = fields.ForeignKeyField(
        "models.Notice", related_name="children", on_delete=fields.CASCADE
    )
    notice_id: UUID
    child_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID = fields.UUIDField()
    class_id: UUID | None = fields.UUIDField(null=True)
    hand_how = fields.CharEnumField(How, max_length=16, null=True, description="How")
    hand_by: UUID | None = fields.UUIDField(null=True)
    hand_at: datetime | None = UtcDatetimeField(null=True)
    confirmed_by_hand = fields.BooleanField(default=False)

    class Meta:
        table = "notices_child"
        unique_together = (("notice", "child_id"),)


class NoticeRecipient(Record):
    """Somebody who is to be told, once for each child it concerns. Staff are told for themselves, with a child of
    zeros. `entered_by`: who on the staff entered the confirmation. `has_new_words`: what was on its way when a
    correction came was sent in the words of the correction. `told_at`, `channel`: kept when the notice is closed."""

    notice: fields.ForeignKeyRelation[Notice] = fields.ForeignKeyField(
        "models.Notice", related_name="recipients", on_delete=fields.CASCADE
    )
    notice_id: UUID
    person_id: UUID = fields.UUIDField()
    child_id: UUID = fields.UUIDField()
    is_acting = fields.BooleanField(default=False)
    opened_at: datetime | None = UtcDatetimeField(null=True)
    confirmed_at: datetime | None = UtcDatetimeField(null=True)
    how = fields.CharEnumField(How, max_length=16, null=True, description="How")
    answers = EncryptedText(null=True)
    entered_by: UUID | None = fields.UUIDField(null=True)
    has_new_words = fields.BooleanField(default=False)
    told_at: datetime | None = UtcDatetimeField(null=True)
    channel = fields.CharField(max_length=24, null=True)

    class Meta:
        table = "notices_recipient"
        unique_together = (("notice", "person_id", "child_id"),)
        indexes = (
            Index(fields=("person_id", "created_at"), name="idx_notices_recipient_person"),
            Index(fields=("child_id",), name="idx_notices_recipient_child"),
            Index(fields=("notice_id", "child_id"), name="idx_notices_recipient_family"),
        )


class NoticeTicket(Record):
    """The own link of a recipient. Only its fingerprint is kept."""

    notice: fields.ForeignKeyRelation[Notice] = fields.ForeignKeyField(
        "models.Notice", related_name="tickets", on_delete=fields.CASCADE
    )
    notice_id: UUID
    person_id: UUID = fields.UUIDField(db_index=True)
    ticket_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, unique=True)

    class Meta:
        table = "notices_ticket"
        unique_together = (("notice", "person_id"),)
