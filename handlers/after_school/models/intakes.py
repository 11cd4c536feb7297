"""Lists of what families said that came in as a workbook."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.rosters.domain import ImportState


class AfterSchoolIntake(Record):
    """One uploaded list. `sheet`: its rows as they were read (JSON, encrypted), None once nobody needs them any more.
    `plan_digest` is over what the dry run showed: what is applied must be the same."""

    plan_id: UUID = fields.UUIDField(db_index=True)
    state = fields.CharEnumField(ImportState, max_length=16, description="ImportState")
    by_person_id: UUID | None = fields.UUIDField(null=True)
    by_name = fields.CharField(max_length=64, default="")
    file_name = fields.CharField(max_length=128)
    sheet = EncryptedText(null=True)
    class_ids: Any = fields.JSONField()
    counts: Any = fields.JSONField()
    plan_digest = fields.CharField(max_length=64, default="")
    applied_at: datetime | None = UtcDatetimeField(null=True)
    undone_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "after_school_intake"
        indexes = (Index(fields=("created_at",), name="idx_after_school_intake"),)
