"""JSON in and out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from handlers.policy.domain import MAX_PLACE


class QuestionIn(BaseModel):
    """A question. `place` is where the asker is, in their own words."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    text: str = Field(min_length=1, max_length=1000, examples=["课后服务多少钱"])
    place: str | None = Field(default=None, max_length=50, examples=["宿城区"])


class PlaceIn(BaseModel):
    """Where the caller is, in their own words; null for nowhere in particular."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    place: str | None = Field(title="地方", min_length=2, max_length=MAX_PLACE, examples=["宿城区"])


class PlaceOut(BaseModel):
    """Where the caller is; null while unknown."""

    place: str | None


class CitationOut(BaseModel):
    """Where an answer comes from. `place` is null when the plan names none; dates are YYYY-MM-DD."""

    plan: str
    section: str
    place: str | None
    status: str
    valid_from: str | None
    valid_to: str | None


class AnswerOut(BaseModel):
    """An answer. `article` names the entry answered from, or the known gap."""

    answer: str
    outcome: Literal["answered", "clarify", "declined", "handed_off", "small_talk"]
    citations: list[CitationOut]
    article: str | None
