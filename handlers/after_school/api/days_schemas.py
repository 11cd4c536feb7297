"""JSON in and out for the days of the after-school service."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from handlers.after_school.domain.days import LONGEST_REASON, CollectBy


class LeaveIn(BaseModel):
    """A child stays away from `first_day` to `last_day` (both included), from one programme or (null) from all."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    student_id: str = Field(max_length=64)
    first_day: date
    last_day: date
    programme_id: str | None = Field(default=None, max_length=64)
    reason: str = Field(default="", max_length=LONGEST_REASON)


class LeaveOut(BaseModel):
    """A leave that stands."""

    id: str
    student_id: str
    student: str
    first_day: str
    last_day: str
    programme_id: str | None


class LeavesOut(BaseModel):
    """What stands from today on, the nearest first."""

    items: list[LeaveOut]
    next_cursor: str | None = None


class LeaveGone(BaseModel):
    """It is withdrawn."""

    id: str
    status: str = "withdrawn"


class PickUpIn(BaseModel):
    """Who collects a child on a day: a guardian (`person_id`), somebody else (`name`, `phone`), or nobody."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    student_id: str = Field(max_length=64)
    day: date
    how: CollectBy
    person_id: str | None = Field(default=None, max_length=64)
    name: str = Field(default="", max_length=64)
    phone: str = Field(default="", max_length=32)


class PickUpOut(BaseModel):
    """What counts for the day now."""

    student_id: str
    day: str
    how: CollectBy
    name: str
