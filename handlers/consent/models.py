"""Tables of consent, and of what was erased."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import Record, UtcDatetimeField
from handlers.consent.domain.decisions import Decision
from handlers.consent.domain.register import Basis


class ConsentEvent(Record):
    """What a guardian decided for one child, on which version of the notice. Rows are added, never changed: the last
    one counts. Of a signed form: who on the staff entered it, and the day it was signed."""

    pupil_id: UUID = fields.UUIDField()
    person_id: UUID | None = fields.UUIDField(null=True)
    decision = fields.CharEnumField(Decision, max_length=16, description="Decision")
    notice_version = fields.CharField(max_length=16)
    channel = fields.CharField(max_length=16)
    items: Any = fields.JSONField()
    entered_by: UUID | None = fields.UUIDField(null=True)
    signed_on: date | None = fields.DateField(null=True)

    class Meta:
        table = "consent_event"
        indexes = (Index(fields=("pupil_id", "created_at"), name="idx_consent_event_pupil"),)


class DataItem(Record):
    """An item of data that is kept about people: on what ground, and for how long after its reason has gone."""

    name = fields.CharField(max_length=64, unique=True)
    title = fields.CharField(max_length=64)
    basis = fields.CharEnumField(Basis, max_length=16, description="Basis")
    kept_days = fields.IntField(null=True)

    class Meta:
        table = "consent_data_item"


class Reminder(Record):
    """When a guardian was last reminded that a notice has changed, and of which."""

    person_id: UUID = fields.UUIDField(unique=True)
    notice_version = fields.CharField(max_length=16)
    told_at = UtcDatetimeField()

    class Meta:
        table = "consent_reminder"


class ErasureRow(Record):
    """Something was erased: kept as ids only, so that a restored backup can be made to forget it again."""

    kind = fields.CharField(max_length=32)
    subject_id = fields.CharField(max_length=64, db_index=True)
    done_at = UtcDatetimeField()

    class Meta:
        table = "consent_erasure"
