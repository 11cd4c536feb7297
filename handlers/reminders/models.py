"""Tables of reminders: what is planned, and what people set themselves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, Record, UtcDatetimeField
from handlers.reminders.domain import ReminderState


class Planned(Record):
    """An occurrence people are reminded of: its day as last known, by which calendars it was planned, and in `leads`
    what was promised under which key. `said` holds the day that each key tells, in the order of their making."""

    reason = fields.CharField(max_length=48)
    occurrence = fields.CharField(max_length=112)
    day: date = fields.DateField()
    calendar_version = fields.IntField(default=0)
    is_provisional = fields.BooleanField(default=False)
    # Schools keep different calendars, so the same lead has several moments.
    is_split = fields.BooleanField(default=False)
    is_withdrawn = fields.BooleanField(default=False)
    corrected_at: datetime | None = UtcDatetimeField(null=True)
    # How many school days before, where the occurrence has a say of its own.
    lead_days: Any = fields.JSONField(null=True)
    leads: Any = fields.JSONField()
    said: Any = fields.JSONField()

    class Meta:
        table = "reminders_planned"
        unique_together = (("reason", "occurrence"),)
        indexes = (Index(fields=("reason", "day"), name="idx_reminders_planned_day"),)


class OwnReminder(Record):
    """Somebody wants to be reminded: of a dated fact of the knowledge (`article` and the place of the date in it), or
    of words of their own. Whoever the records do not know is reached by letter, at `openid`. A cancelled one is
    deleted."""

    person_id: UUID | None = fields.UUIDField(null=True, db_index=True)
    openid_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, db_index=True)
    openid: str | None = EncryptedText(null=True)
    article = fields.CharField(max_length=128, null=True)
    event = fields.CharField(max_length=16, null=True)
    # Which matter it is for its owner, so that the same one is kept once.
    matter = fields.CharField(max_length=64)
    text: str | None = EncryptedText(null=True)
    day: date = fields.DateField(db_index=True)
    # Letters already told this day before it was corrected.
    told_day: date | None = fields.DateField(null=True)

    class Meta:
        table = "reminders_own"
        unique_together = (("matter",),)


class ClassReminder(Record):
    """A teacher reminds the families of a class."""

    class_id: UUID = fields.UUIDField(db_index=True)
    school_id: UUID = fields.UUIDField()
    class_name = fields.CharField(max_length=96)
    set_by: UUID | None = fields.UUIDField(null=True)
    text = EncryptedText()
    day: date = fields.DateField()
    state = fields.CharEnumField(ReminderState, max_length=16, description="ReminderState")
    cancelled_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "reminders_class"
        indexes = (Index(fields=("state", "day"), name="idx_reminders_class_day"),)
