"""Tables of imports: what was uploaded, what it would do, and what it did."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.rosters.domain import Coverage, ImportState, RosterKind


class Import(Record):
    """One uploaded workbook. `plan_digest` is over what the dry run showed: what is applied must be the same."""

    kind = fields.CharEnumField(RosterKind, max_length=16, description="RosterKind")
    state = fields.CharEnumField(ImportState, max_length=16, description="ImportState")
    coverage = fields.CharEnumField(Coverage, max_length=16, description="Coverage")
    # Of the uploader: the one school they have to do with, or the whole township.
    township_id: UUID = fields.UUIDField()
    school_id: UUID | None = fields.UUIDField(null=True)
    by_person_id: UUID | None = fields.UUIDField(null=True)
    by_name = fields.CharField(max_length=64, default="")
    file_name = fields.CharField(max_length=128)
    file_digest = fields.CharField(max_length=64)
    head = EncryptedText(null=True)
    counts: Any = fields.JSONField()
    plan_digest = fields.CharField(max_length=64, default="")
    progress = fields.IntField(default=0)
    # A sentence, when nothing came of it.
    failure = fields.CharField(max_length=255, default="")
    applied_at = UtcDatetimeField(null=True)
    undone_at = UtcDatetimeField(null=True)

    class Meta:
        table = "rosters_import"
        indexes = (Index(fields=("township_id", "created_at"), name="idx_rosters_import_town"),)


class ImportPage(Record):
    """Some rows of a workbook as they were read, and what the dry run says of each (JSON, encrypted). `states` counts
    the latter, so that a page without what is looked for is not opened."""

    source: fields.ForeignKeyRelation[Import] = fields.ForeignKeyField(
        "models.Import", related_name="pages", on_delete=fields.CASCADE
    )
    source_id: UUID
    number = fields.IntField()
    cells = EncryptedText()
    reports = EncryptedText(null=True)
    states: Any = fields.JSONField()

    class Meta:
        table = "rosters_page"
        unique_together = (("source", "number"),)


class ImportChange(Record):
    """Rows of one table an import made or changed: what they were before, and a fingerprint of what they became (JSON,
    encrypted), so that the whole can be taken back."""

    source: fields.ForeignKeyRelation[Import] = fields.ForeignKeyField(
        "models.Import", related_name="changes", on_delete=fields.CASCADE
    )
    source_id: UUID
    number = fields.IntField()
    table = fields.CharField(max_length=32)
    rows = EncryptedText()

    class Meta:
        table = "rosters_change"
        unique_together = (("source", "number"),)
