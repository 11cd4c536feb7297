"""JSON in and out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DecisionWord = Literal["given", "refused", "withdrawn"]
StandingWord = Literal["unasked", "given", "refused", "withdrawn", "outdated"]


class NoticeSectionOut(BaseModel):
    """One section of the notice."""

    title: str
    text: str


class NoticeOut(BaseModel):
    """The notice about children's data in force. `short` has at most 300 characters."""

    version: str
    title: str
    sections: list[NoticeSectionOut]
    short: str
    officer: str
    officer_phone: str
    complaint: str


class ConsentIn(BaseModel):
    """A decision. `version` is that of the notice the guardian saw; a withdrawal needs none."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    decision: DecisionWord
    version: str | None = Field(default=None, max_length=16, examples=["1.92ea.e7b9"])


class ConsentOut(BaseModel):
    """How consent for a child stands. `own_*`: what the caller decided last, null for nothing; `stopped_by_another`:
    another guardian stands against it. `message` says the same in words."""

    child_id: str
    standing: StandingWord
    needs_answer: bool
    own_decision: DecisionWord | None
    own_version: str | None
    own_at: str | None
    stopped_by_another: bool
    notice_version: str
    message: str


class FieldOut(BaseModel):
    """A label and what stands under it, both in words."""

    label: str
    value: str


class SectionOut(BaseModel):
    """One heading of a child's data, and its records."""

    title: str
    records: list[list[FieldOut]]


class FileOut(BaseModel):
    """A file as text, to be saved under the name."""

    name: str
    content_type: str
    content: str


class ChildDataOut(BaseModel):
    """A child's data. `sentence` is the same for every child. `file` is null unless it was asked for."""

    child_id: str
    made_at: str
    sentence: str
    sections: list[SectionOut]
    file: FileOut | None


class ErasureIn(BaseModel):
    """`confirm` false: only say what would go and what would stay."""

    model_config = ConfigDict(extra="forbid")

    confirm: bool = False


class ErasureOut(BaseModel):
    """What went (or would go) and what stays, in words."""

    done: bool
    gone: list[str]
    kept: list[str]
    message: str
