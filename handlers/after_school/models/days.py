"""Tables of every day: lessons and who came, leave, who collects the child, who is on duty, and what happened."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import EncryptedText, Record, UtcDatetimeField
from handlers.after_school.domain.days import CollectBy, DutyRole, Presence
from handlers.after_school.domain.statements import Source


class AfterSchoolSession(Record):
    """A lesson of a group that was held, or did not take place (`is_held`): there is a row once somebody has said so.

    `class_id` None: the programme is one group. `group_key`: day and class, unique within the programme. `teacher_id`:
    who really gave it, whoever was planned.
    """

    programme_id: UUID = fields.UUIDField()
    plan_id: UUID = fields.UUIDField()
    class_id: UUID | None = fields.UUIDField(null=True)
    day: date = fields.DateField()
    group_key = fields.CharField(max_length=47)
    is_held = fields.BooleanField(default=True)
    why_not = fields.CharField(max_length=64, default="")
    teacher_id: UUID | None = fields.UUIDField(null=True)
    is_substitute = fields.BooleanField(default=False)
    taken_by: UUID | None = fields.UUIDField(null=True)
    taken_at: datetime = UtcDatetimeField()

    class Meta:
        table = "after_school_session"
        unique_together = (("programme_id", "group_key"),)
        indexes = (Index(fields=("plan_id", "day"), name="idx_after_school_session"),)


class AfterSchoolAttendance(Record):
    """Whether a child was there, as it is known now. What was written before is in the events."""

    session: fields.ForeignKeyRelation[AfterSchoolSession] = fields.ForeignKeyField(
        "models.AfterSchoolSession", related_name="attendances", on_delete=fields.RESTRICT
    )
    session_id: UUID
    enrolment_id: UUID = fields.UUIDField(db_index=True)
    pupil_id: UUID = fields.UUIDField(db_index=True)
    presence = fields.CharEnumField(Presence, max_length=16, description="Presence")

    class Meta:
        table = "after_school_attendance"
        unique_together = (("session", "pupil_id"),)


class AfterSchoolAttendanceEvent(Record):
    """What was written of a child's attendance, append-only: it names no child, so it need not go with one."""

    attendance_id: UUID = fields.UUIDField(db_index=True)
    at: datetime = UtcDatetimeField()
    before = fields.CharEnumField(Presence, max_length=16, null=True, description="Presence")
    after = fields.CharEnumField(Presence, max_length=16, description="Presence")
    by_person: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "after_school_attendance_event"


class AfterSchoolLeave(Record):
    """A family keeps a child away, from a day to a day, from one programme or (None) from all. `live_key` names child,
    programme and days while the leave stands: asked twice it is one."""

    pupil_id: UUID = fields.UUIDField()
    programme_id: UUID | None = fields.UUIDField(null=True)
    first_day: date = fields.DateField()
    last_day: date = fields.DateField()
    reason = EncryptedText(null=True)
    asked_by: UUID | None = fields.UUIDField(null=True)
    entered_by: UUID | None = fields.UUIDField(null=True)
    via = fields.CharEnumField(Source, max_length=16, description="Source")
    asked_at: datetime = UtcDatetimeField()
    withdrawn_at: datetime | None = UtcDatetimeField(null=True)
    live_key = fields.CharField(max_length=96, null=True, unique=True)

    class Meta:
        table = "after_school_leave"
        indexes = (Index(fields=("pupil_id", "last_day"), name="idx_after_school_leave"),)


class AfterSchoolCollection(Record):
    """Who collects a child on a day, the last said being what counts. `name`, `phone`: of somebody who is no guardian
    on the roster."""

    pupil_id: UUID = fields.UUIDField()
    day: date = fields.DateField()
    how = fields.CharEnumField(CollectBy, max_length=16, description="CollectBy")
    person_id: UUID | None = fields.UUIDField(null=True)
    name = EncryptedText(null=True)
    phone = EncryptedText(null=True)
    said_by: UUID | None = fields.UUIDField(null=True)
    entered_by: UUID | None = fields.UUIDField(null=True)
    via = fields.CharEnumField(Source, max_length=16, description="Source")
    said_at: datetime = UtcDatetimeField()

    class Meta:
        table = "after_school_collection"
        indexes = (Index(fields=("pupil_id", "day"), name="idx_after_school_collection"),)


class AfterSchoolDutySlot(Record):
    """Somebody is on duty at a school on a day."""

    school_id: UUID = fields.UUIDField()
    day: date = fields.DateField()
    role = fields.CharEnumField(DutyRole, max_length=16, description="DutyRole")
    person_id: UUID = fields.UUIDField(db_index=True)
    set_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        table = "after_school_duty_slot"
        unique_together = (("school_id", "day", "role", "person_id"),)


class AfterSchoolDayCheck(Record):
    """What whoever leads the duty of a day has looked at (`points`: names of what was in order) and noted."""

    school_id: UUID = fields.UUIDField()
    day: date = fields.DateField()
    points: Any = fields.JSONField()
    note = EncryptedText(null=True)
    checked_by: UUID | None = fields.UUIDField(null=True)
    checked_at: datetime = UtcDatetimeField()

    class Meta:
        table = "after_school_day_check"
        unique_together = (("school_id", "day"),)


class AfterSchoolIncident(Record):
    """Something happened. `done`: what was done about it, without which it stays open."""

    school_id: UUID = fields.UUIDField()
    day: date = fields.DateField()
    pupil_id: UUID | None = fields.UUIDField(null=True, db_index=True)
    text = EncryptedText(null=True)
    done = EncryptedText(null=True)
    reported_by: UUID | None = fields.UUIDField(null=True)
    reported_at: datetime = UtcDatetimeField()
    closed_by: UUID | None = fields.UUIDField(null=True)
    closed_at: datetime | None = UtcDatetimeField(null=True)

    class Meta:
        table = "after_school_incident"
        indexes = (Index(fields=("school_id", "day"), name="idx_after_school_incident"),)
