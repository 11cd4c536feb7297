"""Tables of the contact clock and of looking: when the next contact is due, what a month came to, who looked past their
own, what was taken out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.contacts.domain.exports import ExportState, TakenFor
from handlers.contacts.domain.glass import Ground
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
    """Somebody looked past what is theirs, for a reason and until a moment. Whoever watches over it is told and says
    that they have seen it. Never changed otherwise. `reduced_at`: the term of what is kept of the child is over, the
    row may go."""

    person_id: UUID = fields.UUIDField(db_index=True)
    pupil_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID = fields.UUIDField()
    ground = fields.CharEnumField(Ground, max_length=16, null=True, description="Ground")
    reason = EncryptedText()
    at: datetime = UtcDatetimeField()
    until: datetime = UtcDatetimeField()
    lead_told_at: datetime | None = UtcDatetimeField(null=True)
    seen_by: UUID | None = fields.UUIDField(null=True)
    seen_at: datetime | None = UtcDatetimeField(null=True)
    reduced_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "contacts_glass"


class ContactsExport(Record):
    """Tables that somebody takes out, for a purpose and for a time: asked for, released by a second person, made once,
    gone when their time is over. `digest` of the file as it went out, "" before it is made; `class_id` None: the whole
    school."""

    person_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID = fields.UUIDField()
    class_id: UUID | None = fields.UUIDField(null=True)
    taken_for = fields.CharEnumField(TakenFor, max_length=16, description="TakenFor", null=True)
    purpose = EncryptedText()
    has_groups = fields.BooleanField(default=False, db_default=False)
    has_records = fields.BooleanField(default=False, db_default=False)
    state = fields.CharEnumField(ExportState, max_length=16, description="ExportState", null=True)
    decided_by: UUID | None = fields.UUIDField(null=True)
    decided_at: datetime | None = UtcDatetimeField(null=True)
    refusal: str | None = EncryptedText(null=True)
    made_at: datetime | None = UtcDatetimeField(null=True)
    digest = fields.CharField(max_length=64)
    expires_at: datetime = UtcDatetimeField()
    file_id: UUID | None = fields.UUIDField(null=True)
    taken_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "contacts_export"


class ContactsPrint(Record):
    """The file of one child, opened to be printed, for a purpose and until a moment. Never changed."""

    person_id: UUID = fields.UUIDField(db_index=True)
    pupil_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID = fields.UUIDField()
    taken_for = fields.CharEnumField(TakenFor, max_length=16, description="TakenFor")
    purpose = EncryptedText()
    at: datetime = UtcDatetimeField()
    until: datetime = UtcDatetimeField()

    class Meta:
        table = "contacts_print"
