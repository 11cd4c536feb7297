"""Tables of logging in to the console."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tortoise import fields

from bot.storage.base import EncryptedText, Record, UtcDatetimeField


class Credential(Record):
    """A name and password of somebody on the staff, with a second factor. Five failures lock it for a while."""

    person_id: UUID = fields.UUIDField(unique=True)
    login = fields.CharField(max_length=64, unique=True)
    password = fields.CharField(max_length=256)
    totp_secret: str | None = EncryptedText(null=True)
    totp_confirmed_at: datetime | None = UtcDatetimeField(null=True)
    # The time step of the last code that was taken, so that none is taken twice.
    totp_last_step: int | None = fields.BigIntField(null=True)
    must_change = fields.BooleanField(default=False)
    failures = fields.IntField(default=0)
    locked_until: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "console_credential"
