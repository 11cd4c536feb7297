"""What every table is made of. Models of capabilities import from here and nowhere else in storage.

An enum column states its description (`CharEnumField(Kind, max_length=16, description="Kind")`): left out, Tortoise
writes the members into the schema, and every new member would alter the column.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from tortoise import fields
from tortoise.models import Model, ModelMeta

from bot.storage.context import current_keys
from bot.storage.encryption import BLIND_INDEX_LENGTH
from bot.storage.fields import EncryptedText, UtcDatetimeField

__all__ = ["BLIND_INDEX_LENGTH", "EncryptedText", "Record", "UtcDatetimeField", "blind_index"]


class _Table(ModelMeta):
    """Spares Tortoise reading a model's source for comments, of which there are none: an eighth of a start."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> ModelMeta:
        return super().__new__(cls, name, bases, {"_no_comments": True, **attrs})


class Record(Model, metaclass=_Table):
    """A row with an id and its two moments.

    The moments are given by whoever writes, from the clock it was handed: a column that asks the machine for the time
    would be wrong under a simulated clock.
    """

    id: UUID = fields.UUIDField(primary_key=True, default=uuid4)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()

    class Meta:
        abstract = True


def blind_index(purpose: str, value: str) -> str:
    """The fingerprint by which rows about a value are found without keeping the value: 32 characters.

    The same value gives another fingerprint for another purpose (`openid`, `message`, `phone`, …). Needs the database
    context (`init_database`), as encrypted columns do.
    """
    return current_keys().blind_index(purpose, value)
