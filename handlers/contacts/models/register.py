"""Tables of the register. What says why a child is on it is encrypted, the group too."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, Record, UtcDatetimeField
from handlers.contacts.domain.card import FactKind, FactSource, Holder
from handlers.contacts.domain.register import Level


class ContactsFile(Record):
    """A child on the register, once for each group it is in. `active_key` is the fingerprint of child and group while
    the file is open: the last line against a second one. Sealed when the child has left or is of age, reduced to
    what is counted when the term of keeping is over."""

    pupil_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID = fields.UUIDField()
    township_id: UUID = fields.UUIDField(db_index=True)
    care_group = EncryptedText()
    reason = EncryptedText()
    reason_words: str | None = EncryptedText(null=True)
    since: date = fields.DateField()
    decided_by: UUID = fields.UUIDField()
    decided_at: datetime = UtcDatetimeField()
    review_on: date = fields.DateField()
    reviewed_by: UUID | None = fields.UUIDField(null=True)
    reviewed_at: datetime | None = UtcDatetimeField(null=True)
    ended_on: date | None = fields.DateField(null=True)
    ended_by: UUID | None = fields.UUIDField(null=True)
    end_reason: str | None = EncryptedText(null=True)
    active_key = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, unique=True)
    sealed_at: datetime | None = UtcDatetimeField(null=True)
    reduced_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "contacts_file"
        indexes = (Index(fields=("school_id", "ended_on"), name="idx_contacts_file_school"),)


class ContactsLevel(Record):
    """How closely contact with a child is kept, from a moment on. Never changed: another one follows."""

    pupil_id: UUID = fields.UUIDField()
    level = fields.CharEnumField(Level, max_length=8, description="Level")
    reason = EncryptedText()
    set_by: UUID = fields.UUIDField()
    set_at: datetime = UtcDatetimeField()
    review_on: date = fields.DateField()

    class Meta:
        table = "contacts_level"
        indexes = (Index(fields=("pupil_id", "set_at"), name="idx_contacts_level"),)


class ContactsPair(Record):
    """Who keeps contact with a child, from a day to a day (`until` the last one, None while it goes on).
    `received_at`: the receipt of whom it was handed over to. `active_key` is child and person while it goes on: the
    last line against a second one."""

    pupil_id: UUID = fields.UUIDField(db_index=True)
    person_id: UUID = fields.UUIDField(db_index=True)
    since: date = fields.DateField()
    until: date | None = fields.DateField(null=True)
    begun_by: UUID | None = fields.UUIDField(null=True)
    ended_by: UUID | None = fields.UUIDField(null=True)
    received_at: datetime | None = UtcDatetimeField(null=True)
    from_pair_id: UUID | None = fields.UUIDField(null=True)
    active_key = fields.CharField(max_length=64, null=True, unique=True)

    class Meta:
        table = "contacts_pair"


class ContactsFact(Record):
    """A fact of the contact card, as somebody said it on a day. Another version follows, the older one stays: the
    newest is in force. `confirmed_at`: it was asked again and is still so. For a phone number `failed_calls` counts
    since somebody last answered."""

    pupil_id: UUID = fields.UUIDField()
    holder = fields.CharEnumField(Holder, max_length=16, description="Holder")
    kind = fields.CharEnumField(FactKind, max_length=16, description="FactKind")
    value = EncryptedText()
    stated_on: date = fields.DateField()
    source = fields.CharEnumField(FactSource, max_length=16, description="FactSource")
    entered_by: UUID | None = fields.UUIDField(null=True)
    entered_at: datetime = UtcDatetimeField()
    confirmed_at: datetime | None = UtcDatetimeField(null=True)
    failed_calls = fields.SmallIntField(default=0)
    is_stale = fields.BooleanField(default=False)

    class Meta:
        table = "contacts_fact"
        indexes = (
            Index(fields=("pupil_id", "holder", "kind", "entered_at"), name="idx_contacts_fact"),
            Index(fields=("is_stale",), name="idx_contacts_fact_stale"),
        )


class ContactsCheck(Record):
    """Whether whoever looks after a child is fit to, as somebody found on a day. `written_on`: the day of the written
    entrustment, `file_id` its picture."""

    pupil_id: UUID = fields.UUIDField(db_index=True)
    age_ok = EncryptedText()
    health_ok = EncryptedText()
    no_barred_ground = EncryptedText()
    written_on: date | None = fields.DateField(null=True)
    file_id: UUID | None = fields.UUIDField(null=True)
    checked_by: UUID = fields.UUIDField()
    checked_on: date = fields.DateField()

    class Meta:
        table = "contacts_check"
