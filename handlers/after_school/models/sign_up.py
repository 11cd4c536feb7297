"""Tables of who has signed up for what, and of what families said."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.after_school.domain.statements import ConsentHow, Source, TallyMove, Wish
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models.offers import AfterSchoolProgramme

_STATE_LENGTH = 16


# ---------------------------------------------------------------------------------------------------- who has signed up
class AfterSchoolEnrolment(Record):
    """A child's sign-up for a programme. Siblings who come together or not at all share a `party_id` and a `turn`,
    alone it is the enrolment's own id. `position` is what the family was told on coming to the line, where they stand
    later follows from `turn`. `active_key` is programme and child while the sign-up is alive: the last line against a
    second one. `rank`: which choice it is in a draw, 1 the dearest."""

    plan_id: UUID = fields.UUIDField()
    programme: fields.ForeignKeyRelation[AfterSchoolProgramme] = fields.ForeignKeyField(
        "models.AfterSchoolProgramme", related_name="enrolments", on_delete=fields.RESTRICT
    )
    programme_id: UUID
    pool_id: UUID = fields.UUIDField()
    pupil_id: UUID = fields.UUIDField()
    party_id: UUID = fields.UUIDField()
    state = fields.CharEnumField(EnrolmentState, max_length=_STATE_LENGTH, description="EnrolmentState")
    turn = fields.IntField()
    position: int | None = fields.IntField(null=True)
    offered_until: datetime | None = UtcDatetimeField(null=True)
    rank: int | None = fields.SmallIntField(null=True)
    draw_id: UUID | None = fields.UUIDField(null=True)
    source = fields.CharEnumField(Source, max_length=16, description="Source")
    consent_how = fields.CharEnumField(ConsentHow, max_length=16, null=True, description="ConsentHow")
    entered_by: UUID | None = fields.UUIDField(null=True)
    active_key = fields.CharField(max_length=73, null=True, unique=True)

    class Meta:
        table = "after_school_enrolment"
        indexes = (
            Index(fields=("pupil_id", "state"), name="idx_after_school_pupil"),
            Index(fields=("programme_id", "state"), name="idx_after_school_course"),
            Index(fields=("pool_id", "state", "turn"), name="idx_after_school_line"),
            Index(fields=("state", "offered_until"), name="idx_after_school_offer"),
            Index(fields=("party_id",), name="idx_after_school_party"),
        )


class AfterSchoolEnrolmentEvent(Record):
    """What became of an enrolment, append-only: no words, only ids and states, so that nothing has to be taken out
    when the enrolment itself goes. `from_state` None: the beginning; `by_person` None: nobody, a moment passed."""

    enrolment_id: UUID = fields.UUIDField(db_index=True)
    at: datetime = UtcDatetimeField()
    from_state = fields.CharEnumField(EnrolmentState, max_length=_STATE_LENGTH, null=True, description="EnrolmentState")
    to_state = fields.CharEnumField(EnrolmentState, max_length=_STATE_LENGTH, description="EnrolmentState")
    by_person: UUID | None = fields.UUIDField(null=True)
    via = fields.CharEnumField(Source, max_length=16, description="Source")

    class Meta:
        table = "after_school_enrolment_event"


class AfterSchoolDraw(Record):
    """A draw that was held: the published rule and the seed from which anybody comes to the same result."""

    plan_id: UUID = fields.UUIDField(db_index=True)
    # Each with its pool, and how many places that had when the draw was held: what a draw is recomputed from.
    programme_ids: Any = fields.JSONField()
    seed = fields.CharField(max_length=64)
    rule_version = fields.SmallIntField()
    held_at: datetime = UtcDatetimeField()
    held_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "after_school_draw"


class AfterSchoolDrawn(Record):
    """What a draw gave one family, and why: its turn, the choice it got (None: none), and what had no room before."""

    draw: fields.ForeignKeyRelation[AfterSchoolDraw] = fields.ForeignKeyField(
        "models.AfterSchoolDraw", related_name="results", on_delete=fields.CASCADE
    )
    draw_id: UUID
    party_id: UUID = fields.UUIDField(db_index=True)
    turn = fields.IntField()
    choice: int | None = fields.SmallIntField(null=True)
    choices: Any = fields.JSONField()
    refused: Any = fields.JSONField()
    missed_before = fields.BooleanField(default=False)

    class Meta:
        table = "after_school_drawn"
        unique_together = (("draw", "party_id"),)


# --------------------------------------------------------------------------------------------------- what families said
class AfterSchoolStatement(Record):
    """One thing said for a child, whichever way it came: a later one never overwrites an earlier one. `reason`: why
    not, in the family's words. `settles`: the family was asked about all that had been said, and this is the end of it.
    `intake_id`: the list it came with. What was a mistake is taken back, never removed: how a list stood on an
    earlier day can still be told."""

    plan_id: UUID = fields.UUIDField()
    pupil_id: UUID = fields.UUIDField(db_index=True)
    wish = fields.CharEnumField(Wish, max_length=16, description="Wish")
    programme_id: UUID | None = fields.UUIDField(null=True)
    source = fields.CharEnumField(Source, max_length=16, description="Source")
    said_at: datetime = UtcDatetimeField()
    said_by: UUID | None = fields.UUIDField(null=True)
    entered_by: UUID | None = fields.UUIDField(null=True)
    consent_how = fields.CharEnumField(ConsentHow, max_length=16, null=True, description="ConsentHow")
    reason = EncryptedText(null=True)
    settles = fields.BooleanField(default=False, db_default=False)
    intake_id: UUID | None = fields.UUIDField(null=True)
    taken_back_at: datetime | None = UtcDatetimeField(null=True)
    taken_back_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "after_school_statement"
        indexes = (Index(fields=("plan_id", "pupil_id", "said_at"), name="idx_after_school_said"),)


class AfterSchoolTally(Record):
    """A class's list, closed with a signature or opened again with a reason: append-only. `counts` as they stood."""

    plan_id: UUID = fields.UUIDField()
    class_id: UUID = fields.UUIDField()
    number = fields.SmallIntField()
    move = fields.CharEnumField(TallyMove, max_length=16, description="TallyMove")
    counts: Any = fields.JSONField()
    signed_by: UUID = fields.UUIDField()
    at: datetime = UtcDatetimeField()
    reason = fields.CharField(max_length=200, default="")

    class Meta:
        table = "after_school_tally"
        unique_together = (("plan_id", "class_id", "number"),)
