"""Tables of people, their parts, and how they prove who they are.

Names are in clear, so that lists can be sorted and searched; numbers that identify and dates of birth are encrypted,
with a blind index where they must be found.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.identity import Hat
from bot.storage.base import BLIND_INDEX_LENGTH, EncryptedText, Record, UtcDatetimeField
from handlers.accounts.domain import (
    Account,
    AppointmentKind,
    BindingState,
    BindingWay,
    InvitationKind,
    PlacementReason,
    PupilStatus,
    Relation,
    SchoolKind,
    SessionKind,
)


class Township(Record):
    """The office a deployment works for: a county keeps several."""

    name = fields.CharField(max_length=64, unique=True)
    county = fields.CharField(max_length=64, default="")
    province = fields.CharField(max_length=64, default="")

    class Meta:
        table = "accounts_township"


class School(Record):
    """A school, or a teaching point under one. `place` is the name the knowledge knows its place by."""

    township: fields.ForeignKeyRelation[Township] = fields.ForeignKeyField(
        "models.Township", related_name="schools", on_delete=fields.RESTRICT
    )
    township_id: UUID
    parent: fields.ForeignKeyNullableRelation[School] = fields.ForeignKeyField(
        "models.School", related_name="points", null=True, on_delete=fields.RESTRICT
    )
    parent_id: UUID | None
    name = fields.CharField(max_length=64)
    kind = fields.CharEnumField(SchoolKind, max_length=16, description="SchoolKind")
    place = fields.CharField(max_length=64, default="")
    closed_on: date | None = fields.DateField(null=True)

    class Meta:
        table = "accounts_school"
        unique_together = (("township", "name"),)


class SchoolClass(Record):
    """A class in one school year. `school_year` is the year it began in, `grade` -2…0 kindergarten, 1…9, `number` in
    the grade."""

    school: fields.ForeignKeyRelation[School] = fields.ForeignKeyField(
        "models.School", related_name="classes", on_delete=fields.RESTRICT
    )
    school_id: UUID
    school_year = fields.SmallIntField()
    grade = fields.SmallIntField()
    number = fields.SmallIntField()
    promoted_from: fields.ForeignKeyNullableRelation[SchoolClass] = fields.ForeignKeyField(
        "models.SchoolClass", related_name="promoted_to", null=True, on_delete=fields.SET_NULL
    )
    promoted_from_id: UUID | None

    class Meta:
        table = "accounts_class"
        unique_together = (("school", "school_year", "grade", "number"),)


class Pupil(Record):
    """A child. `roster_number` is what the school registers the child under (学籍号), `match_index` is over name and
    date of birth, for the second proof of a binding and for finding the same child twice."""

    school: fields.ForeignKeyRelation[School] = fields.ForeignKeyField(
        "models.School", related_name="pupils", on_delete=fields.RESTRICT
    )
    school_id: UUID
    school_class: fields.ForeignKeyNullableRelation[SchoolClass] = fields.ForeignKeyField(
        "models.SchoolClass", related_name="pupils", null=True, on_delete=fields.RESTRICT
    )
    school_class_id: UUID | None
    name = fields.CharField(max_length=64, db_index=True)
    sex = fields.CharField(max_length=1, default="")
    birth_date = EncryptedText(null=True)
    match_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, db_index=True)
    roster_number = EncryptedText(null=True)
    roster_number_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, unique=True)
    id_number = EncryptedText(null=True)
    id_number_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, unique=True)
    status = fields.CharEnumField(PupilStatus, max_length=16, description="PupilStatus")
    left_on: date | None = fields.DateField(null=True)
    # Some time after they left nobody looks them up any more, and later nothing tells who they were.
    sealed_at = UtcDatetimeField(null=True)
    reduced_at = UtcDatetimeField(null=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "accounts_pupil"
        indexes = (
            Index(fields=("school_class_id", "status"), name="idx_accounts_pupil_class"),
            Index(fields=("school_id", "status"), name="idx_accounts_pupil_school"),
        )


class Placement(Record):
    """The time of a pupil in a class: `until` is the last day, None while it goes on."""

    pupil: fields.ForeignKeyRelation[Pupil] = fields.ForeignKeyField(
        "models.Pupil", related_name="placements", on_delete=fields.CASCADE
    )
    pupil_id: UUID
    school_class: fields.ForeignKeyRelation[SchoolClass] = fields.ForeignKeyField(
        "models.SchoolClass", related_name="placements", on_delete=fields.RESTRICT
    )
    school_class_id: UUID
    since: date = fields.DateField()
    until: date | None = fields.DateField(null=True)
    reason = fields.CharEnumField(PlacementReason, max_length=16, description="PlacementReason")

    class Meta:
        table = "accounts_placement"
        indexes = (Index(fields=("pupil_id", "until"), name="idx_accounts_placement_pupil"),)


class Person(Record):
    """A grown-up: a guardian, somebody on the staff, or both."""

    name = fields.CharField(max_length=64, db_index=True)
    phone = EncryptedText(null=True)
    phone_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, db_index=True)
    id_number = EncryptedText(null=True)
    id_number_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, unique=True)
    is_erased = fields.BooleanField(default=False)
    version = fields.IntField(default=1)

    class Meta:
        table = "accounts_person"


class Guardianship(Record):
    """Somebody looks after a child. `is_acting`: the one who really does, day by day."""

    pupil: fields.ForeignKeyRelation[Pupil] = fields.ForeignKeyField(
        "models.Pupil", related_name="guardianships", on_delete=fields.CASCADE
    )
    pupil_id: UUID
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "models.Person", related_name="guardianships", on_delete=fields.CASCADE
    )
    person_id: UUID
    relation = fields.CharEnumField(Relation, max_length=24, description="Relation")
    is_acting = fields.BooleanField(default=False)
    # None until the person has proved it; only then they see the child.
    bound_at: datetime | None = UtcDatetimeField(null=True)
    bound_by = fields.CharEnumField(BindingWay, max_length=16, null=True, description="BindingWay")
    ended_on: date | None = fields.DateField(null=True)

    class Meta:
        table = "accounts_guardianship"
        unique_together = (("pupil", "person"),)
        indexes = (Index(fields=("person_id",), name="idx_accounts_guardianship_person"),)


class Bar(Record):
    """An adult who must not come near the record of a child: by order of a court or of the protection lead.

    Found by the person if known, else by name and phone number.
    """

    pupil: fields.ForeignKeyRelation[Pupil] = fields.ForeignKeyField(
        "models.Pupil", related_name="bars", on_delete=fields.CASCADE
    )
    pupil_id: UUID
    person_id: UUID | None = fields.UUIDField(null=True)
    name_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True)
    phone_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True)
    reason = EncryptedText()
    set_by: UUID | None = fields.UUIDField(null=True)
    since: date = fields.DateField()
    until: date | None = fields.DateField(null=True)

    class Meta:
        table = "accounts_bar"
        indexes = (Index(fields=("pupil_id",), name="idx_accounts_bar_pupil"),)


class Appointment(Record):
    """What a person on the staff is charged with, from a day to a day (both included, `until` None: open)."""

    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "models.Person", related_name="appointments", on_delete=fields.CASCADE
    )
    person_id: UUID
    kind = fields.CharEnumField(AppointmentKind, max_length=24, description="AppointmentKind")
    township: fields.ForeignKeyRelation[Township] = fields.ForeignKeyField(
        "models.Township", related_name="appointments", on_delete=fields.RESTRICT
    )
    township_id: UUID
    school: fields.ForeignKeyNullableRelation[School] = fields.ForeignKeyField(
        "models.School", related_name="appointments", null=True, on_delete=fields.RESTRICT
    )
    school_id: UUID | None
    school_class: fields.ForeignKeyNullableRelation[SchoolClass] = fields.ForeignKeyField(
        "models.SchoolClass", related_name="appointments", null=True, on_delete=fields.RESTRICT
    )
    school_class_id: UUID | None
    subject = fields.CharField(max_length=32, default="")
    since: date = fields.DateField()
    until: date | None = fields.DateField(null=True)

    class Meta:
        table = "accounts_appointment"
        indexes = (
            Index(fields=("person_id", "until"), name="idx_accounts_appointment_person"),
            Index(fields=("school_id", "until"), name="idx_accounts_appointment_school"),
            Index(fields=("school_class_id", "until"), name="idx_accounts_appointment_class"),
        )


class ClassHandOver(Record):
    """A class passes from one head teacher to another, with what was open: `duties` counts it by kind."""

    school_class_id: UUID = fields.UUIDField(db_index=True)
    from_person_id: UUID | None = fields.UUIDField(null=True)
    to_person_id: UUID = fields.UUIDField()
    on_day: date = fields.DateField()
    duties: dict[str, int] = fields.JSONField()
    accepted_at = UtcDatetimeField(null=True)

    class Meta:
        table = "accounts_class_hand_over"


class WeChatIdentity(Record):
    """An id somebody has at one of our accounts. Ids of one person meet in `person`, or before that in `unionid`."""

    account = fields.CharEnumField(Account, max_length=16, description="Account")
    openid = EncryptedText()
    openid_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, unique=True)
    unionid_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, null=True, db_index=True)
    person: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "models.Person", related_name="identities", null=True, on_delete=fields.SET_NULL
    )
    person_id: UUID | None
    hat = fields.CharEnumField(Hat, max_length=16, null=True, description="Hat")
    privacy_version = fields.CharField(max_length=16, null=True)
    privacy_agreed_at = UtcDatetimeField(null=True)
    bound_at: datetime | None = UtcDatetimeField(null=True)
    # Wrong second proofs today: codes are short, and children's names are known in a village.
    failed_proofs = fields.IntField(default=0)
    failed_on: date | None = fields.DateField(null=True)

    class Meta:
        table = "accounts_identity"
        indexes = (Index(fields=("person_id",), name="idx_accounts_identity_person"),)


class Invitation(Record):
    """A code to be bound with, once, until a moment. Only its fingerprint is kept."""

    kind = fields.CharEnumField(InvitationKind, max_length=16, description="InvitationKind")
    code_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, unique=True)
    pupil_id: UUID | None = fields.UUIDField(null=True, db_index=True)
    person_id: UUID | None = fields.UUIDField(null=True)
    issued_by: UUID | None = fields.UUIDField(null=True)
    expires_at = UtcDatetimeField()
    used_at: datetime | None = UtcDatetimeField(null=True)
    used_by: UUID | None = fields.UUIDField(null=True)
    revoked_at: datetime | None = UtcDatetimeField(null=True)
    failed_proofs = fields.IntField(default=0)

    class Meta:
        table = "accounts_invitation"


class BindingRequest(Record):
    """Somebody says to be the guardian of a child and could not prove it: the head teacher decides."""

    identity: fields.ForeignKeyRelation[WeChatIdentity] = fields.ForeignKeyField(
        "models.WeChatIdentity", related_name="requests", on_delete=fields.CASCADE
    )
    identity_id: UUID
    # None: the child was not found under what was said; the school the asker named looks for it.
    pupil_id: UUID | None = fields.UUIDField(null=True, db_index=True)
    school_id: UUID | None = fields.UUIDField(null=True)
    class_id: UUID | None = fields.UUIDField(null=True)
    said = EncryptedText()
    relation = fields.CharEnumField(Relation, max_length=24, description="Relation")
    state = fields.CharEnumField(BindingState, max_length=16, description="BindingState")
    decided_by: UUID | None = fields.UUIDField(null=True)
    decided_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "accounts_binding_request"
        indexes = (Index(fields=("state", "class_id"), name="idx_accounts_binding_request_todo"),)


class Session(Record):
    """Somebody is logged in: at the mini-program API with a token, in the console with a cookie. Only the fingerprint
    of the secret is kept."""

    kind = fields.CharEnumField(SessionKind, max_length=16, description="SessionKind")
    secret_index = fields.CharField(max_length=BLIND_INDEX_LENGTH, unique=True)
    identity: fields.ForeignKeyNullableRelation[WeChatIdentity] = fields.ForeignKeyField(
        "models.WeChatIdentity", related_name="sessions", null=True, on_delete=fields.CASCADE
    )
    identity_id: UUID | None
    person: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "models.Person", related_name="sessions", null=True, on_delete=fields.CASCADE
    )
    person_id: UUID | None
    hat = fields.CharEnumField(Hat, max_length=16, null=True, description="Hat")
    device = fields.CharField(max_length=64, default="")
    expires_at = UtcDatetimeField()
    seen_at = UtcDatetimeField()
    revoked_at = UtcDatetimeField(null=True)

    class Meta:
        table = "accounts_session"
        indexes = (Index(fields=("person_id", "expires_at"), name="idx_accounts_session_person"),)
