"""Tables of the calendar. Everything belongs to a township, or to one of its schools where that differs."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from bot.storage.base import Record
from handlers.calendar.domain import Effect, LocalKind


class SchoolTerm(Record):
    """A term. Those of a school take the place of the terms of its township that share days with them."""

    township_id: UUID = fields.UUIDField()
    school_id: UUID | None = fields.UUIDField(null=True)
    name = fields.CharField(max_length=64)
    first_day: date = fields.DateField()
    last_day: date = fields.DateField()

    class Meta:
        table = "calendar_term"
        indexes = (Index(fields=("township_id", "first_day"), name="idx_calendar_term_town"),)


class LocalDays(Record):
    """Days a township or a school keeps otherwise than the country. Those of a school outweigh those of its
    township."""

    township_id: UUID = fields.UUIDField()
    school_id: UUID | None = fields.UUIDField(null=True)
    kind = fields.CharEnumField(LocalKind, max_length=16, description="LocalKind")
    effect = fields.CharEnumField(Effect, max_length=8, description="Effect")
    name = fields.CharField(max_length=64)
    first_day: date = fields.DateField()
    last_day: date = fields.DateField()

    class Meta:
        table = "calendar_local_day"
        indexes = (Index(fields=("township_id", "first_day"), name="idx_calendar_local_town"),)


class SchoolWeek(Record):
    """On which days of the week there are lessons, 1 for Monday, as in 12345."""

    # The school, or the township for all of its schools that have no row of their own.
    owner_id: UUID = fields.UUIDField(unique=True)
    township_id: UUID = fields.UUIDField(db_index=True)
    weekdays = fields.CharField(max_length=7)

    class Meta:
        table = "calendar_week"


class YearRow(Record):
    """The table of a year as somebody entered it, instead of the shipped one."""

    township_id: UUID = fields.UUIDField()
    year = fields.IntField()
    source = fields.CharField(max_length=128)
    holidays: Any = fields.JSONField()
    make_up_days: Any = fields.JSONField()

    class Meta:
        table = "calendar_year"
        unique_together = (("township_id", "year"),)


class CalendarState(Record):
    """How often the calendars of a township were changed. It only rises. Whoever changes one locks it first."""

    township_id: UUID = fields.UUIDField(unique=True)
    changes = fields.IntField(default=0)

    class Meta:
        table = "calendar_state"
