"""JSON in and out."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class ReminderIn(BaseModel):
    """What to be reminded of: a date of an entry (`article` as an answer names it, `event` the number of the date in
    it, null: the first to come), or a `day` with a `text` of one's own."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    article: str | None = Field(default=None, max_length=128, examples=["sucheng-enrolment/primary-enrol"])
    event: int | None = Field(default=None, ge=0, le=99)
    day: date | None = None
    text: str | None = Field(default=None, max_length=400, examples=["交材料"])


class ReminderOut(BaseModel):
    """Something the caller is reminded of. `article` null: in their own words."""

    id: str
    day: str
    text: str
    article: str | None


class RemindersOut(BaseModel):
    """What is still to come, the nearest first."""

    items: list[ReminderOut]
    next_cursor: str | None = None


class ReminderGone(BaseModel):
    """It is cancelled."""

    id: str
    status: str = "cancelled"
