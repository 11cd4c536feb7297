"""Tables of recurring duties."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.accounts.domain import AppointmentKind
from handlers.duties.domain import Rhythm, TaskState


class DutyRule(Record):
    """What a township asks for again and again. `shipped` names one that came with the program, None for its own."""

    township_id: UUID = fields.UUIDField()
    shipped = fields.CharField(max_length=32, null=True)
    title = fields.CharField(max_length=64)
    detail = fields.CharField(max_length=512, default="")
    owner = fields.CharEnumField(AppointmentKind, max_length=24, description="AppointmentKind")
    rhythm = fields.CharEnumField(Rhythm, max_length=16, description="Rhythm")
    number = fields.SmallIntField(default=0)
    remind_before = fields.SmallIntField()
    escalate_after = fields.SmallIntField()
    since: date = fields.DateField()
    stopped_at: datetime | None = UtcDatetimeField(null=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "duties_rule"
        unique_together = (("township_id", "shipped"),)


class DutyTask(Record):
    """One time a duty is to be done, by the owner of one class, school or township (`object_id`).

    Its days are those of the rule in the calendar of the school, and move with them until it is done.
    """

    rule: fields.ForeignKeyRelation[DutyRule] = fields.ForeignKeyField(
        "models.DutyRule", related_name="tasks", on_delete=fields.RESTRICT
    )
    rule_id: UUID
    object_id: UUID = fields.UUIDField()
    class_id: UUID | None = fields.UUIDField(null=True, db_index=True)
    school_id: UUID | None = fields.UUIDField(null=True)
    township_id: UUID = fields.UUIDField()
    occurrence = fields.CharField(max_length=16)
    due_on: date = fields.DateField()
    remind_on: date = fields.DateField()
    late_on: date = fields.DateField()
    escalate_on: date = fields.DateField()
    is_provisional = fields.BooleanField(default=False)
    state = fields.CharEnumField(TaskState, max_length=16, description="TaskState")
    done_by: UUID | None = fields.UUIDField(null=True)
    done_at: datetime | None = UtcDatetimeField(null=True)
    note: str | None = EncryptedText(null=True)

    class Meta:
        table = "duties_task"
        unique_together = (("rule", "object_id", "occurrence"),)
        indexes = (
            Index(fields=("state", "remind_on"), name="idx_duties_task_remind"),
            Index(fields=("school_id", "state"), name="idx_duties_task_school"),
            Index(fields=("township_id", "due_on"), name="idx_duties_task_township"),
        )
