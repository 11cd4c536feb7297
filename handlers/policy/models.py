"""Tables of the policy capability."""

from __future__ import annotations

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, Record


class ChatProfile(Record):
    """What a person told the chat about themselves."""

    openid_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, unique=True)
    place = EncryptedText()

    class Meta:
        table = "policy_profile"


class AskedQuestion(Record):
    """A question that was asked, cleaned of personal data. `times`: how often the same person asked it within moments.

    `asker` finds a person's questions on the day they leave, and says nothing else about them.
    """

    asker = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, db_index=True)
    text = EncryptedText()
    outcome = fields.CharField(max_length=16)
    article = fields.CharField(max_length=128, null=True)
    times = fields.IntField(default=1)

    class Meta:
        table = "policy_question"
        indexes = (Index(fields=("outcome", "updated_at"), name="idx_policy_question_outcome"),)


class Feedback(Record):
    """Whether an answer helped."""

    asker = fields.CharField(max_length=BLIND_INDEX_LENGTH, db_index=True)
    question = EncryptedText()
    article = fields.CharField(max_length=128, null=True)
    is_helpful = fields.BooleanField()
    reason = fields.CharField(max_length=16, null=True)

    class Meta:
        table = "policy_feedback"
        indexes = (Index(fields=("is_helpful", "created_at"), name="idx_policy_feedback_helpful"),)
