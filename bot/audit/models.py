"""Tables of the audit. Nothing but `bot.audit` touches them, and nothing ever changes a row."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from bot.storage.base import UtcDatetimeField


class AuditRow(Model):
    """One deed, or one that was refused. Ids and names of fields only: no names of people and no values.

    `id` is counted, so that a gap shows. `actor` is the id of a person, `system`, or None for a stranger (then
    `stranger` holds the blind index of their WeChat id). `subject` is `kind:id`: `about` the pupil it concerns, if any.
    """

    id = fields.BigIntField(primary_key=True)
    at = UtcDatetimeField()
    actor = fields.CharField(max_length=36, null=True)
    stranger = fields.CharField(max_length=32, null=True)
    roles = fields.CharField(max_length=128)
    door = fields.CharField(max_length=8)
    action = fields.CharField(max_length=48)
    outcome = fields.CharField(max_length=8)
    subject = fields.CharField(max_length=80, null=True)
    about = fields.CharField(max_length=36, null=True)
    school = fields.CharField(max_length=36, null=True)
    township = fields.CharField(max_length=36, null=True)
    fields_seen: Any = fields.JSONField()
    purpose = fields.CharField(max_length=64, null=True)
    request_id = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "audit_entry"
        indexes = (
            Index(fields=("at",), name="idx_audit_entry_at"),
            Index(fields=("actor", "at"), name="idx_audit_entry_actor"),
            Index(fields=("about", "at"), name="idx_audit_entry_about"),
            Index(fields=("school", "at"), name="idx_audit_entry_school"),
        )


class AuditSeal(Model):
    """The place of an entry in the chain: `digest` covers the entry and the digest of the seal before."""

    number = fields.BigIntField(primary_key=True)
    entry_id = fields.BigIntField(unique=True)
    digest = fields.CharField(max_length=64)
    sealed_at = UtcDatetimeField()

    class Meta:
        table = "audit_seal"


class AuditGap(Model):
    """Numbers that were missing when their neighbours were sealed: of transactions that were rolled back, or late."""

    from_id = fields.BigIntField(primary_key=True)
    to_id = fields.BigIntField()
    noted_at = UtcDatetimeField()

    class Meta:
        table = "audit_gap"
        indexes = (Index(fields=("noted_at",), name="idx_audit_gap_noted"),)
