"""Tables of alarms."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, UtcDatetimeField
from handlers.alarms.domain import AlarmKind, AlarmSource, AlarmState


class AlarmRow(Model):
    """A child may be in danger. The id is the number people speak of, so it is counted, and `key` stands in addresses.

    `level` is the step of the ladder that was told last, -1 before the first; `climb_at` when the next one is due,
    empty when nobody is to be told any more. Words are kept here and nowhere else.
    """

    id = fields.IntField(primary_key=True)
    key: UUID = fields.UUIDField(unique=True, default=uuid4)
    reference = fields.CharField(max_length=64, unique=True)
    kind = fields.CharEnumField(AlarmKind, max_length=24, description="AlarmKind")
    source = fields.CharEnumField(AlarmSource, max_length=16, description="AlarmSource")
    state = fields.CharEnumField(AlarmState, max_length=16, description="AlarmState")
    child_id: UUID | None = fields.UUIDField(null=True, db_index=True)
    class_id: UUID | None = fields.UUIDField(null=True)
    school_id: UUID | None = fields.UUIDField(null=True)
    township_id: UUID | None = fields.UUIDField(null=True)
    raised_by: UUID | None = fields.UUIDField(null=True)
    raiser_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, db_index=True)
    hand_over: int | None = fields.IntField(null=True)
    said: str | None = EncryptedText(null=True)
    spot: str | None = EncryptedText(null=True)
    closing: str | None = EncryptedText(null=True)
    on_duty: list[str] = fields.JSONField()
    level = fields.SmallIntField(default=-1)
    climb_at: datetime | None = UtcDatetimeField(null=True)
    acknowledged_by: UUID | None = fields.UUIDField(null=True)
    raised_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        table = "alarms_alarm"
        indexes = (
            Index(fields=("state", "climb_at"), name="idx_alarms_alarm_due"),
            Index(fields=("school_id", "state"), name="idx_alarms_alarm_school"),
        )


class AlarmEntry(Model):
    """A line of the timeline, written once and never changed: ids and what happened, no words.

    `mark` names it within its alarm, so that nothing is told or counted twice. Its id counts up, so the lines of one
    moment stay in order.
    """

    id = fields.BigIntField(primary_key=True)
    alarm: fields.ForeignKeyRelation[AlarmRow] = fields.ForeignKeyField(
        "models.AlarmRow", related_name="entries", on_delete=fields.RESTRICT
    )
    alarm_id: int
    mark = fields.CharField(max_length=64)
    person_id: UUID | None = fields.UUIDField(null=True)
    level: int | None = fields.SmallIntField(null=True)
    at = UtcDatetimeField()

    class Meta:
        table = "alarms_entry"
        unique_together = (("alarm", "mark"),)
        indexes = (Index(fields=("person_id",), name="idx_alarms_entry_person"),)
