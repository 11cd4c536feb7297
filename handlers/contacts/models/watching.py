"""Tables of the contact clock and of looking: when the next contact is due, what a month came to, who looked past their
own, what was taken out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.contacts.domain.register import Level, Stage


class ContactsRule(Record):
    """How often contact is kept in a township, from a day on (`until` the last one). Never changed: another follows.
    `cadence` by level in days, `teacher_grace`, `lead_after` and `leader_after` in school days."""

    township_id: UUID = fields.UUIDField()
    since: date = fields.DateField()
    until: date | None = fields.DateField(null=True)
    cadence: Any = fields.JSONField()
    teacher_grace = fields.SmallIntField()
    lead_after = fields.SmallIntField()
    leader_after = fields.SmallIntField()
    daily_cap = fields.SmallIntField()
    clause = fields.CharField(max_length=300)
    entered_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "contacts_rule"
        unique_together = (("township_id", "since"),)


class ContactsDue(Record):
    """When the next contact with a child on the register is due. Counted anew with whatever changes it, and every
    night. Without a rule nothing is due."""

    pupil_id: UUID = fields.UUIDField(unique=True)
    school_id: UUID = fields.UUIDField()
    due_on: date | None = fields.DateField(null=True)
    visit_due_on: date | None = fields.DateField(null=True)
    counted_from: date | None = fields.DateField(null=True)
    visit_counted_from: date | None = fields.DateField(null=True)
    rule_id: UUID | None = fields.UUIDField(null=True)
    level = fields.CharEnumField(Level, max_length=8, null=True, description="Level")
    stage = fields.CharEnumField(Stage, max_length=8, description="Stage", default=Stage.NONE)
    stage_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "contacts_due"
        indexes = (
            Index(fields=("due_on",), name="idx_contacts_due_on"),
            Index(fields=("school_id", "due_on"), name="idx_contacts_due_school"),
        )


class ContactsMonth(Record):
    """What a month of a school and its teaching points came to, in numbers of children. Counted once, some days after
    the month, and never changed: the figures stay when the files of the children are reduced. `month` is its first
    day."""

    school_id: UUID = fields.UUIDField()
    township_id: UUID = fields.UUIDField()
    month: date = fields.DateField()
    registered = fields.SmallIntField()
    covered = fields.SmallIntField()
    asked = fields.SmallIntField()
    on_time = fields.SmallIntField()

    class Meta:
        table = "contacts_month"
        unique_together = (("school_id", "month"),)
        indexes = (Index(fields=("township_id", "month"), name="idx_contacts_month"),)


class ContactsGlass(Record):
    """Somebody looked past what is theirs, for a reason and until a moment. The protection lead is told."""

    person_id: UUID = fields.UUIDField(db_index=True)
    pupil_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID = fields.UUIDField()
    reason = EncryptedText()
    at: datetime = UtcDatetimeField()
    until: datetime = UtcDatetimeField()
    lead_told_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "contacts_glass"


class ContactsExport(Record):
    """A file that was taken out, for a purpose and for a time."""

    person_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID = fields.UUIDField()
    purpose = EncryptedText()
    digest = fields.CharField(max_length=64)
    expires_at: datetime = UtcDatetimeField()
    file_id: UUID | None = fields.UUIDField(null=True)
    taken_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "contacts_export"
