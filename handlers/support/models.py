"""Tables of the support capability."""

from __future__ import annotations

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, Record, UtcDatetimeField
from handlers.support.domain import HandOverState


class HandOverRow(Model):
    """A matter handed to people. Its id is the number people speak of, so it is counted, not random.

    When the asker leaves, `asker` and `asker_index` go and the text loses what names anybody; the matter stays.
    """

    id = fields.IntField(primary_key=True)
    asker = EncryptedText(null=True)
    asker_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, db_index=True)
    place = EncryptedText(null=True)
    alarm = fields.CharField(max_length=16, null=True)
    text = EncryptedText()
    state = fields.CharEnumField(HandOverState, max_length=16, description="HandOverState")
    owner_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True)
    created_at = UtcDatetimeField()
    updated_at = UtcDatetimeField()
    closed_at = UtcDatetimeField(null=True)

    class Meta:
        table = "support_hand_over"
        indexes = (Index(fields=("state", "owner_index"), name="idx_support_hand_over_todo"),)


class HandOverReplyRow(Record):
    """An owner's answer. `told_at` is empty until the asker has got it, one way or another."""

    hand_over: fields.ForeignKeyRelation[HandOverRow] = fields.ForeignKeyField(
        "models.HandOverRow", related_name="replies", on_delete=fields.CASCADE
    )
    hand_over_id: int
    author_index = fields.CharField(max_length=BLIND_INDEX_LENGTH)
    text = EncryptedText()
    told_at = UtcDatetimeField(null=True)

    class Meta:
        table = "support_hand_over_reply"
