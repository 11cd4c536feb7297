"""Tables of asking anew what the cards know."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields

from bot.storage.base import Record, UtcDatetimeField


class ContactsRefresh(Record):
    """For a time everything on the cards of a school, or with none of a township, that is older than so many days is
    asked anew. `active_key` is the place while it goes on: the last line against a second one; `auto_key` the term
    before whose end it began by itself."""

    township_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID | None = fields.UUIDField(null=True)
    begun_on: date = fields.DateField()
    ends_on: date = fields.DateField()
    older_than = fields.SmallIntField()
    begun_by: UUID | None = fields.UUIDField(null=True)
    ended_at: datetime | None = UtcDatetimeField(null=True)
    ended_by: UUID | None = fields.UUIDField(null=True)
    active_key = fields.CharField(max_length=36, null=True, unique=True)
    auto_key = fields.CharField(max_length=64, null=True, unique=True)

    class Meta:
        table = "contacts_refresh"


class ContactsRefreshRule(Record):
    """Whether that begins by itself before the winter holiday of a township, and how: the newest counts, None for the
    days: it does not. Never changed: another follows."""

    township_id: UUID = fields.UUIDField(db_index=True)
    days_before = fields.SmallIntField(null=True)
    older_than = fields.SmallIntField()
    entered_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "contacts_refresh_rule"
