"""Tables of the check. What is said about a family is encrypted; what was done is append-only, save that its words go
when their term is over."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.term_check.domain.cases import CaseState, Stage, StepKind


class TermCheckRule(Record):
    """What a township sets from a day on. Never changed: another one follows (`until` the last day). Limits are
    thousandths. `centre_school_id`: the school that looks after the others, None for none."""

    township_id: UUID = fields.UUIDField(db_index=True)
    since: date = fields.DateField()
    until: date | None = fields.DateField(null=True)
    school_after = fields.SmallIntField()
    centre_after = fields.SmallIntField()
    township_after = fields.SmallIntField()
    centre_school_id: UUID | None = fields.UUIDField(null=True)
    primary_limit = fields.SmallIntField()
    junior_limit = fields.SmallIntField()
    clause = fields.CharField(max_length=300)
    entered_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "term_check_rule"


class TermCheckRound(Record):
    """The check of a school in a term. `term` names it for good (2026-autumn). `list_day`: whose lists count."""

    township_id: UUID = fields.UUIDField()
    school_id: UUID = fields.UUIDField()
    school_year = fields.SmallIntField()
    term = fields.CharField(max_length=16)
    name = fields.CharField(max_length=64)
    first_day: date = fields.DateField()
    last_day: date = fields.DateField()
    list_day: date = fields.DateField()
    closed_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "term_check_round"
        unique_together = (("school_id", "term"),)
        indexes = (Index(fields=("township_id", "school_year"), name="idx_term_check_round_t"),)


class TermCheckListed(Record):
    """A child that is asked for in a round, in the class where it is asked."""

    round_id: UUID = fields.UUIDField()
    pupil_id: UUID = fields.UUIDField(db_index=True)
    class_id: UUID = fields.UUIDField()
    grade = fields.SmallIntField()
    is_new = fields.BooleanField(default=False)

    class Meta:
        table = "term_check_listed"
        unique_together = (("round_id", "pupil_id"),)
        indexes = (Index(fields=("round_id", "class_id"), name="idx_term_check_listed_c"),)


class TermCheckReturn(Record):
    """What a class reported on a day, append-only: a later one of the same day has the next number. `is_full`: every
    child was accounted for."""

    round_id: UUID = fields.UUIDField()
    class_id: UUID = fields.UUIDField()
    day: date = fields.DateField()
    number = fields.SmallIntField()
    counts: Any = fields.JSONField()
    is_full = fields.BooleanField()
    has_checked_contacts = fields.BooleanField(default=False)
    signed_by: UUID = fields.UUIDField()
    signed_at: datetime = UtcDatetimeField()

    class Meta:
        table = "term_check_return"
        unique_together = (("round_id", "class_id", "number"),)
        indexes = (Index(fields=("round_id", "day"), name="idx_term_check_return_d"),)


class TermCheckAbsence(Record):
    """A child that did not come. `where_to`, `known_by`, `outcome`: what was said of it. `back_on`: the day an ill
    child is expected on. `active_key` is the child while the case is open: the last line against a second one."""

    round_id: UUID = fields.UUIDField()
    township_id: UUID = fields.UUIDField()
    school_id: UUID = fields.UUIDField()
    class_id: UUID = fields.UUIDField()
    pupil_id: UUID = fields.UUIDField(db_index=True)
    state = fields.CharEnumField(CaseState, max_length=16, description="CaseState")
    where_to: str | None = EncryptedText(null=True)
    known_by: str | None = EncryptedText(null=True)
    outcome: str | None = EncryptedText(null=True)
    back_on: date | None = fields.DateField(null=True)
    opened_on: date = fields.DateField()
    opened_by: UUID | None = fields.UUIDField(null=True)
    stage = fields.CharEnumField(Stage, max_length=16, description="Stage")
    stage_on: date | None = fields.DateField(null=True)
    closed_at: datetime | None = UtcDatetimeField(null=True)
    closed_by: UUID | None = fields.UUIDField(null=True)
    reduced_at: datetime | None = UtcDatetimeField(null=True)
    active_key = fields.CharField(max_length=36, null=True, unique=True)

    class Meta:
        table = "term_check_absence"
        indexes = (
            Index(fields=("round_id", "class_id"), name="idx_term_check_absence_c"),
            Index(fields=("school_id", "state"), name="idx_term_check_absence_s"),
            Index(fields=("township_id", "state"), name="idx_term_check_absence_t"),
        )


class TermCheckStep(Record):
    """What was done about a child, append-only. `by_person` None: a day passed."""

    absence_id: UUID = fields.UUIDField(db_index=True)
    kind = fields.CharEnumField(StepKind, max_length=16, description="StepKind")
    on_day: date = fields.DateField()
    at: datetime = UtcDatetimeField()
    words: str | None = EncryptedText(null=True)
    by_person: UUID | None = fields.UUIDField(null=True)
    from_state = fields.CharEnumField(CaseState, max_length=16, null=True, description="CaseState")
    to_state = fields.CharEnumField(CaseState, max_length=16, null=True, description="CaseState")
    stage = fields.CharEnumField(Stage, max_length=16, null=True, description="Stage")

    class Meta:
        table = "term_check_step"
