"""Tables of what is kept up with parents who live apart from their child. They rest on consent, all but the notes of
what parents do by themselves."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.contacts.domain.card import FactSource, Holder
from handlers.contacts.domain.family import CallState, HeardWay, WishHow


class ContactsWish(Record):
    """What a guardian said about hearing from the school: the newest counts. Of what was said on paper, by phone or in
    person: who entered it."""

    pupil_id: UUID = fields.UUIDField()
    person_id: UUID = fields.UUIDField()
    is_wanted = fields.BooleanField()
    how = fields.CharEnumField(WishHow, max_length=16, description="WishHow")
    said_at: datetime = UtcDatetimeField()
    entered_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "contacts_wish"
        indexes = (Index(fields=("pupil_id", "person_id", "said_at"), name="idx_contacts_wish"),)


class ContactsWord(Record):
    """The word of a month for a class or for one child (`target_key`: which, and of what month), as it is to be sent on
    a day. `sent_at`: promised to everybody who wants it, and changed no more."""

    school_id: UUID = fields.UUIDField()
    class_id: UUID | None = fields.UUIDField(null=True)
    pupil_id: UUID | None = fields.UUIDField(null=True, db_index=True)
    author_id: UUID = fields.UUIDField()
    month: date = fields.DateField()
    words = EncryptedText()
    send_on: date = fields.DateField()
    sent_at: datetime | None = UtcDatetimeField(null=True)
    target_key = fields.CharField(max_length=64, unique=True)

    class Meta:
        table = "contacts_word"
        indexes = (Index(fields=("sent_at", "send_on"), name="idx_contacts_word"),)


class ContactsCall(Record):
    """A call between a teacher and a parent at a fixed hour. `active_key` is child and parent while it is open: the
    last line against a second one."""

    pupil_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID = fields.UUIDField()
    teacher_id: UUID = fields.UUIDField()
    guardian_id: UUID = fields.UUIDField(db_index=True)
    at: datetime = UtcDatetimeField()
    is_from_family = fields.BooleanField(default=False)
    state = fields.CharEnumField(CallState, max_length=16, description="CallState")
    record_id: UUID | None = fields.UUIDField(null=True)
    closed_at: datetime | None = UtcDatetimeField(null=True)
    closed_by: UUID | None = fields.UUIDField(null=True)
    active_key = fields.CharField(max_length=64, null=True, unique=True)

    class Meta:
        table = "contacts_call"
        indexes = (Index(fields=("teacher_id", "state", "at"), name="idx_contacts_call"),)


class ContactsHeard(Record):
    """Parents were in touch with their child themselves, as somebody told. It is no contact of the school."""

    pupil_id: UUID = fields.UUIDField()
    holder = fields.CharEnumField(Holder, max_length=16, description="Holder")
    way = fields.CharEnumField(HeardWay, max_length=16, description="HeardWay")
    happened_on: date = fields.DateField()
    source = fields.CharEnumField(FactSource, max_length=16, description="FactSource")
    noted_by: UUID = fields.UUIDField()
    noted_at: datetime = UtcDatetimeField()

    class Meta:
        table = "contacts_heard"
        indexes = (Index(fields=("pupil_id", "happened_on"), name="idx_contacts_heard"),)
