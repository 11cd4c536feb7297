"""Tables of contact records and of what follows from them. Whatever was said or found is encrypted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.contacts.domain.card import Holder
from handlers.contacts.domain.records import ContactOutcome, DayPart, ReportState, Way


class ContactsRecord(Record):
    """A contact with a family, or an attempt at one. `client_key` is made by its author: sent again it is one record. A
    correction is a record of its own (`corrects_id`), the first version stays and says what took its place. `met` and
    `topics` are lists of words of ours, `called` is whose number of the card was called; `finding` is for its author,
    `sealed_part` for the protection lead alone."""

    pupil_id: UUID = fields.UUIDField()
    school_id: UUID = fields.UUIDField()
    author_id: UUID = fields.UUIDField()
    client_key = fields.CharField(max_length=64)
    happened_on: date = fields.DateField()
    day_part = fields.CharEnumField(DayPart, max_length=16, null=True, description="DayPart")
    entered_at: datetime = UtcDatetimeField()
    is_backdated = fields.BooleanField(default=False)
    way = fields.CharEnumField(Way, max_length=16, description="Way")
    met: Any = fields.JSONField()
    outcome = fields.CharEnumField(ContactOutcome, max_length=16, description="ContactOutcome")
    topics: Any = fields.JSONField()
    called = fields.CharEnumField(Holder, max_length=16, null=True, description="Holder")
    finding: str | None = EncryptedText(null=True)
    sealed_part: str | None = EncryptedText(null=True)
    follow_up: str | None = EncryptedText(null=True)
    follow_up_on: date | None = fields.DateField(null=True)
    follow_up_done_at: datetime | None = UtcDatetimeField(null=True)
    follow_up_done_by: UUID | None = fields.UUIDField(null=True)
    next_on: date | None = fields.DateField(null=True)
    voice_id: UUID | None = fields.UUIDField(null=True)
    photo_id: UUID | None = fields.UUIDField(null=True)
    corrects_id: UUID | None = fields.UUIDField(null=True, unique=True)
    superseded_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "contacts_record"
        unique_together = (("author_id", "client_key"),)
        indexes = (
            Index(fields=("pupil_id", "happened_on"), name="idx_contacts_record_p"),
            Index(fields=("school_id", "happened_on"), name="idx_contacts_record_s"),
            Index(fields=("author_id", "follow_up_on"), name="idx_contacts_record_f"),
        )


class ContactsDraft(Record):
    """What somebody has begun to write about a child, kept until it is sent or dropped. `asked_at`: when it was asked
    whether something must be reported, None once that is answered, or there is nothing to ask any more."""

    person_id: UUID = fields.UUIDField()
    pupil_id: UUID = fields.UUIDField(db_index=True)
    body = EncryptedText()
    asked_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "contacts_draft"
        unique_together = (("person_id", "pupil_id"),)


class ContactsReport(Record):
    """A mandatory report about a child: what made it one (`triggers`), whom somebody called and when (`calls`), and how
    it ended. It opens an alarm, whose key it keeps."""

    pupil_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID = fields.UUIDField()
    township_id: UUID = fields.UUIDField()
    record_id: UUID | None = fields.UUIDField(null=True)
    triggers = EncryptedText()
    words: str | None = EncryptedText(null=True)
    calls: str | None = EncryptedText(null=True)
    opened_by: UUID = fields.UUIDField(db_index=True)
    opened_at: datetime = UtcDatetimeField()
    completed_by: UUID | None = fields.UUIDField(null=True)
    completed_at: datetime | None = UtcDatetimeField(null=True)
    state = fields.CharEnumField(ReportState, max_length=16, description="ReportState")
    closed_by: UUID | None = fields.UUIDField(null=True)
    closed_at: datetime | None = UtcDatetimeField(null=True)
    closing: str | None = EncryptedText(null=True)
    alarm_key: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "contacts_report"
        indexes = (Index(fields=("school_id", "state"), name="idx_contacts_report"),)
