"""Tables of month's and term's end: lists of lessons given, what families owe and paid, and what they thought of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.after_school.domain.bills import PaymentKind
from handlers.after_school.domain.months import MonthMove
from handlers.after_school.domain.plans import SettleBy


class AfterSchoolMonth(Record):
    """A month's list of the lessons each teacher gave in a band of grades, as it was shown or filed: append-only.
    `lines`: teacher, lessons, of these as a substitute; `digest`: their fingerprint."""

    plan_id: UUID = fields.UUIDField()
    month = fields.CharField(max_length=7)
    band = fields.CharField(max_length=8)
    number = fields.SmallIntField()
    move = fields.CharEnumField(MonthMove, max_length=16, description="MonthMove")
    lines: Any = fields.JSONField()
    digest = fields.CharField(max_length=64)
    by_person: UUID | None = fields.UUIDField(null=True)
    at: datetime = UtcDatetimeField()

    class Meta:
        table = "after_school_month"
        unique_together = (("plan_id", "month", "band", "number"),)


class AfterSchoolObjection(Record):
    """A teacher thinks a list that was shown is wrong. `answer` None: nobody has answered yet."""

    month: fields.ForeignKeyRelation[AfterSchoolMonth] = fields.ForeignKeyField(
        "models.AfterSchoolMonth", related_name="objections", on_delete=fields.RESTRICT
    )
    month_id: UUID
    by_person: UUID = fields.UUIDField()
    at: datetime = UtcDatetimeField()
    text = fields.CharField(max_length=300)
    answer = fields.CharField(max_length=300, null=True)
    answered_by: UUID | None = fields.UUIDField(null=True)
    answered_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "after_school_objection"


class AfterSchoolBill(Record):
    """What a family owes for one sign-up in the end, with everything it follows from. A later one of the same sign-up
    has a higher number and stands in the place of the earlier."""

    plan_id: UUID = fields.UUIDField(db_index=True)
    enrolment_id: UUID = fields.UUIDField()
    number = fields.SmallIntField()
    through: date = fields.DateField()
    settle_by = fields.CharEnumField(SettleBy, max_length=16, description="SettleBy")
    planned = fields.SmallIntField()
    own = fields.SmallIntField()
    held = fields.SmallIntField()
    attended = fields.SmallIntField()
    waived_percent = EncryptedText()
    amounts = EncryptedText()
    settled_by: UUID | None = fields.UUIDField(null=True)
    settled_at: datetime = UtcDatetimeField()

    class Meta:
        table = "after_school_bill"
        unique_together = (("enrolment_id", "number"),)


class AfterSchoolPayment(Record):
    """Money that came in for a sign-up or went back: never changed. `reference` names it for ever: entered twice it is
    one. The amount is encrypted like those of a bill, since what is missing from a fee tells why."""

    plan_id: UUID = fields.UUIDField(db_index=True)
    enrolment_id: UUID = fields.UUIDField()
    kind = fields.CharEnumField(PaymentKind, max_length=16, description="PaymentKind")
    amount_fen = EncryptedText()
    reference = fields.CharField(max_length=64, unique=True)
    entered_by: UUID | None = fields.UUIDField(null=True)
    at: datetime = UtcDatetimeField()

    class Meta:
        table = "after_school_payment"
        indexes = (Index(fields=("enrolment_id",), name="idx_after_school_payment"),)


class AfterSchoolPoll(Record):
    """Families are asked how they liked a term. `questions` as they were put."""

    plan_id: UUID = fields.UUIDField(unique=True)
    questions: Any = fields.JSONField()
    opens_at: datetime = UtcDatetimeField()
    closes_at: datetime = UtcDatetimeField()
    opened_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "after_school_poll"


class AfterSchoolPollCount(Record):
    """How often an answer was given. There is no row of one family's answers."""

    poll: fields.ForeignKeyRelation[AfterSchoolPoll] = fields.ForeignKeyField(
        "models.AfterSchoolPoll", related_name="counts", on_delete=fields.CASCADE
    )
    poll_id: UUID
    question = fields.CharField(max_length=32)
    choice = fields.SmallIntField()
    times = fields.IntField(default=0)

    class Meta:
        table = "after_school_poll_count"
        unique_together = (("poll", "question", "choice"),)


class AfterSchoolPollVoter(Record):
    """Somebody has answered: a fingerprint, so that nobody answers twice and nothing tells who it was."""

    poll: fields.ForeignKeyRelation[AfterSchoolPoll] = fields.ForeignKeyField(
        "models.AfterSchoolPoll", related_name="voters", on_delete=fields.CASCADE
    )
    poll_id: UUID
    voter = fields.CharField(max_length=32)

    class Meta:
        table = "after_school_poll_voter"
        unique_together = (("poll", "voter"),)
