"""Slips of paper that find their way back: what the code on one stands for."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from bot.storage.base import Record
from handlers.after_school.models.offers import AfterSchoolPlan


class AfterSchoolSlip(Record):
    """The slip of a child in the letter about a plan. Printed again it has the same code, so that every copy leads
    back. Who holds the paper learns nothing from the code."""

    plan: fields.ForeignKeyRelation[AfterSchoolPlan] = fields.ForeignKeyField(
        "models.AfterSchoolPlan", related_name="slips", on_delete=fields.CASCADE
    )
    plan_id: UUID
    pupil_id: UUID = fields.UUIDField(db_index=True)
    code = fields.CharField(max_length=16, unique=True)
    printed_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "after_school_slip"
        unique_together = (("plan", "pupil_id"),)
