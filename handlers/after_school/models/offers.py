"""Tables of what is offered: plans with their windows, pools of places, programmes, days off, the county's caps."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import Record, UtcDatetimeField
from handlers.after_school.domain.fees import FeeBasis
from handlers.after_school.domain.plans import FeePayer, PlanState, Selection, SettleBy


class AfterSchoolPlan(Record):
    """What a school, or the township itself (no school), offers in a term. `opens_at`, `closes_at`: when one may sign
    up, where a grade has no window of its own. `offer_school_days`: how long a freed place is kept for a family."""

    township_id: UUID = fields.UUIDField()
    school_id: UUID | None = fields.UUIDField(null=True)
    term = fields.CharField(max_length=64)
    title = fields.CharField(max_length=64)
    first_day: date = fields.DateField()
    last_day: date = fields.DateField()
    opens_at: datetime = UtcDatetimeField()
    closes_at: datetime = UtcDatetimeField()
    state = fields.CharEnumField(PlanState, max_length=16, description="PlanState")
    complaint_phone = fields.CharField(max_length=32, default="")
    pick_up_point = fields.CharField(max_length=64, default="")
    offer_school_days = fields.SmallIntField(default=2)
    settle_by = fields.CharEnumField(SettleBy, max_length=16, description="SettleBy")
    version = fields.IntField(default=1)
    written_by: UUID | None = fields.UUIDField(null=True)
    published_by: UUID | None = fields.UUIDField(null=True)
    published_at: datetime | None = UtcDatetimeField(null=True)
    closed_by: UUID | None = fields.UUIDField(null=True)
    closed_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "after_school_plan"
        indexes = (Index(fields=("township_id", "state", "first_day"), name="idx_after_school_plan_town"),)


class AfterSchoolWindow(Record):
    """When one grade may sign up, instead of the plan's own time."""

    plan: fields.ForeignKeyRelation[AfterSchoolPlan] = fields.ForeignKeyField(
        "models.AfterSchoolPlan", related_name="windows", on_delete=fields.CASCADE
    )
    plan_id: UUID
    grade = fields.SmallIntField()
    opens_at: datetime = UtcDatetimeField()
    closes_at: datetime = UtcDatetimeField()

    class Meta:
        table = "after_school_window"
        unique_together = (("plan", "grade"),)


class AfterSchoolPool(Record):
    """Places that one or several programmes share (None: as many as come). `taken` and `waiting` count the enrolments
    in those states, kept in step under the row's lock; `next_turn` is the turn of whoever comes to the line next."""

    plan: fields.ForeignKeyRelation[AfterSchoolPlan] = fields.ForeignKeyField(
        "models.AfterSchoolPlan", related_name="pools", on_delete=fields.CASCADE
    )
    plan_id: UUID
    title = fields.CharField(max_length=64)
    places: int | None = fields.IntField(null=True)
    taken = fields.IntField(default=0)
    waiting = fields.IntField(default=0)
    next_turn = fields.IntField(default=1)

    class Meta:
        table = "after_school_pool"


class AfterSchoolProgramme(Record):
    """One thing a child can be signed up for. `weekdays` as in 135, hours by the clock on the wall as in 17:20."""

    plan: fields.ForeignKeyRelation[AfterSchoolPlan] = fields.ForeignKeyField(
        "models.AfterSchoolPlan", related_name="programmes", on_delete=fields.CASCADE
    )
    plan_id: UUID
    pool: fields.ForeignKeyRelation[AfterSchoolPool] = fields.ForeignKeyField(
        "models.AfterSchoolPool", related_name="programmes", on_delete=fields.RESTRICT
    )
    pool_id: UUID
    title = fields.CharField(max_length=64)
    lowest_grade = fields.SmallIntField()
    highest_grade = fields.SmallIntField()
    weekdays = fields.CharField(max_length=7)
    starts_at = fields.CharField(max_length=5)
    ends_at = fields.CharField(max_length=5)
    teacher_id: UUID | None = fields.UUIDField(null=True)
    room = fields.CharField(max_length=64, default="")
    pick_up_point = fields.CharField(max_length=64, default="")
    selection = fields.CharEnumField(Selection, max_length=16, description="Selection")
    fee_basis = fields.CharEnumField(FeeBasis, max_length=16, description="FeeBasis")
    fee_fen = fields.IntField(default=0)
    fee_payer = fields.CharEnumField(FeePayer, max_length=16, description="FeePayer")
    fee_clause = fields.CharField(max_length=200, default="")

    class Meta:
        table = "after_school_programme"


class AfterSchoolDayOff(Record):
    """A day without the service though the school is open: for one programme, or (None) for the whole plan."""

    plan: fields.ForeignKeyRelation[AfterSchoolPlan] = fields.ForeignKeyField(
        "models.AfterSchoolPlan", related_name="days_off", on_delete=fields.CASCADE
    )
    plan_id: UUID
    programme: fields.ForeignKeyNullableRelation[AfterSchoolProgramme] = fields.ForeignKeyField(
        "models.AfterSchoolProgramme", related_name="days_off", null=True, on_delete=fields.CASCADE
    )
    programme_id: UUID | None
    day: date = fields.DateField()
    reason = fields.CharField(max_length=64)

    class Meta:
        table = "after_school_day_off"
        indexes = (Index(fields=("plan_id", "day"), name="idx_after_school_day_off"),)


class AfterSchoolFeeCap(Record):
    """What the county allows from a day on, to schools of a kind (None: to all). Never changed: a new one follows."""

    township_id: UUID = fields.UUIDField(db_index=True)
    school_kind = fields.CharField(max_length=16, null=True)
    per_lesson_fen: int | None = fields.IntField(null=True)
    per_term_fen: int | None = fields.IntField(null=True)
    since: date = fields.DateField()
    clause = fields.CharField(max_length=200)
    entered_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "after_school_fee_cap"
