"""Tables of waivers. What says why a family needs one is encrypted: the kind of hardship, and everything written.

Official lists are kept as blind indexes of identity numbers alone: they are about people who may have nothing to do
with our schools.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, Record, UtcDatetimeField
from handlers.after_school.domain.statements import ConsentHow
from handlers.after_school.domain.waivers import WaiverState


class AfterSchoolWaiverCategory(Record):
    """What a township waives for a kind of hardship, from a day on. Never changed: another one follows, or none
    (`until` the last day)."""

    township_id: UUID = fields.UUIDField(db_index=True)
    code = fields.CharField(max_length=8)
    percent = fields.SmallIntField()
    since: date = fields.DateField()
    until: date | None = fields.DateField(null=True)
    clause = fields.CharField(max_length=300)
    evidence = fields.CharField(max_length=300, default="")
    entered_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "after_school_waiver_category"


class AfterSchoolWaiverList(Record):
    """An official list as the office was given it, good for a time: `rows` in the file, `known` of them of our
    families on that day."""

    township_id: UUID = fields.UUIDField(db_index=True)
    code = fields.CharField(max_length=8)
    since: date = fields.DateField()
    until: date = fields.DateField()
    rows = fields.IntField()
    known = fields.IntField()
    digest = fields.CharField(max_length=64)
    entered_by: UUID | None = fields.UUIDField(null=True)
    undone_by: UUID | None = fields.UUIDField(null=True)
    undone_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "after_school_waiver_list"


class AfterSchoolWaiverListed(Record):
    """Somebody on an official list, as the fingerprint of their identity number and nothing else."""

    source: fields.ForeignKeyRelation[AfterSchoolWaiverList] = fields.ForeignKeyField(
        "models.AfterSchoolWaiverList", related_name="listed", on_delete=fields.CASCADE
    )
    source_id: UUID
    number_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, db_index=True)

    class Meta:
        table = "after_school_waiver_listed"
        unique_together = (("source", "number_index"),)


class AfterSchoolWaiver(Record):
    """A family's request. `category`: the id of the township's category. `is_listed`: an official list names the child
    or somebody who looks after it. `heard_by`: the third person, who decided the appeal. `active_key` is the child
    while the case is open: the last line against a second one."""

    township_id: UUID = fields.UUIDField()
    school_id: UUID = fields.UUIDField()
    pupil_id: UUID = fields.UUIDField(db_index=True)
    category = EncryptedText()
    state = fields.CharEnumField(WaiverState, max_length=16, description="WaiverState")
    is_listed = fields.BooleanField(default=False)
    note = EncryptedText(null=True)
    reason = EncryptedText(null=True)
    appeal = EncryptedText(null=True)
    terms: Any = fields.JSONField()
    percent: int | None = fields.SmallIntField(null=True)
    lapses_on: date | None = fields.DateField(null=True)
    asked_by: UUID | None = fields.UUIDField(null=True)
    entered_by: UUID | None = fields.UUIDField(null=True)
    consent_how = fields.CharEnumField(ConsentHow, max_length=16, null=True, description="ConsentHow")
    submitted_at: datetime | None = UtcDatetimeField(null=True)
    checked_by: UUID | None = fields.UUIDField(null=True)
    checked_at: datetime | None = UtcDatetimeField(null=True)
    decided_by: UUID | None = fields.UUIDField(null=True)
    decided_at: datetime | None = UtcDatetimeField(null=True)
    heard_by: UUID | None = fields.UUIDField(null=True)
    heard_at: datetime | None = UtcDatetimeField(null=True)
    closed_at: datetime | None = UtcDatetimeField(null=True)
    active_key = fields.CharField(max_length=36, null=True, unique=True)

    class Meta:
        table = "after_school_waiver"
        indexes = (
            Index(fields=("school_id", "state"), name="idx_after_school_waiver_s"),
            Index(fields=("township_id", "state"), name="idx_after_school_waiver_t"),
            Index(fields=("state", "lapses_on"), name="idx_after_school_waiver_l"),
        )


class AfterSchoolWaiverEvent(Record):
    """What became of a case, append-only: ids and states, no words. `by_person` None: a day passed."""

    waiver_id: UUID = fields.UUIDField(db_index=True)
    at: datetime = UtcDatetimeField()
    from_state = fields.CharEnumField(WaiverState, max_length=16, null=True, description="WaiverState")
    to_state = fields.CharEnumField(WaiverState, max_length=16, description="WaiverState")
    by_person: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "after_school_waiver_event"


class AfterSchoolWaived(Record):
    """What the settlement reads: how much falls away for a child in a term, by its days, and nothing of why.
    `is_refund_due`: it was granted when the fee had been asked for already. `ended_on`: from that day on nothing falls
    away any more."""

    pupil_id: UUID = fields.UUIDField()
    term = fields.CharField(max_length=64)
    first_day: date | None = fields.DateField(null=True)
    last_day: date | None = fields.DateField(null=True)
    percent = fields.SmallIntField()
    waiver_id: UUID = fields.UUIDField()
    is_refund_due = fields.BooleanField(default=False)
    refunded_at: datetime | None = UtcDatetimeField(null=True)
    refunded_by: UUID | None = fields.UUIDField(null=True)
    ended_on: date | None = fields.DateField(null=True)

    class Meta:
        table = "after_school_waived"
        unique_together = (("waiver_id", "term"),)
        indexes = (Index(fields=("pupil_id", "term"), name="idx_after_school_waived"),)
