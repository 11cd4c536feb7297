"""The values of the knowledge base: plans, entries, facts, places, citations.

Everything here is immutable. The content files (`knowledge/content/*.yaml`) are their source; `knowledge.loader` reads
those and is the only maker of `Plan` and `Entry` outside the tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path


class Stage(StrEnum):
    """School stage an entry speaks of."""

    KINDERGARTEN = "幼儿园"
    PRIMARY = "小学"
    JUNIOR = "初中"
    SENIOR = "高中"


class Audience(StrEnum):
    """Who asks; the values are the words of the content files."""

    PARENT = "家长"
    TEACHER = "教师"
    HEAD = "班主任"
    ADMIN = "管理员"


ROLE_CODES: dict[str, Audience] = {
    "parent": Audience.PARENT,
    "teacher": Audience.TEACHER,
    "head": Audience.HEAD,
    "admin": Audience.ADMIN,
}
"""Role words of the command line and the question banks → audience."""


class PlanStatus(StrEnum):
    """How a plan may be used."""

    IN_FORCE = "有效"
    ENDED = "已结束"
    UNDATED = "未注明"
    TEMPLATE = "范本"
    SCOPE = "服务范围"
    """No plan of any place: what this service itself does not hold, and whom to ask instead."""


class FactKind(StrEnum):
    """Type of a checked fact in an answer."""

    MONEY = "金额"
    DATE = "日期"
    TIME = "时间"
    COUNT = "数量"
    SHARE = "比例"
    AGE = "年龄"
    DOCUMENT = "文件"
    PLACE = "地点"
    PHONE = "电话"
    PERSON = "人员"
    STEPS = "步骤"
    SCHOOL = "学校"
    TERM = "期限"


class Attribute(StrEnum):
    """What kind of thing a question asks for. An entry lists those it can satisfy."""

    MONEY = "金额"
    DATE = "日期"
    TIME = "时间"
    TERM = "期限"
    COUNT = "数量"
    SHARE = "比例"
    AGE = "年龄"
    PLACE = "地点"
    PHONE = "电话"
    PERSON = "人员"
    DOCUMENTS = "材料"
    STEPS = "步骤"
    ELIGIBILITY = "资格"
    CONTENT = "内容"
    LIST = "名单"
    BASIS = "依据"
    REASON = "原因"
    CONSEQUENCE = "后果"
    DEFINITION = "定义"
    EXISTENCE = "有无"
    STANDARD = "标准"
    CONTACT = "联系人"


@dataclass(frozen=True, slots=True)
class Fact:
    """One checked value of an answer: its type, the value as written, and what it is the value of."""

    kind: FactKind
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class DatedEvent:
    """A date in an entry, as data. `start` and `end` are `YYYY-MM-DD`, or `MM-DD` where the plan names no year."""

    what: str
    start: str
    end: str | None
    whom: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """What the plan does not say (`missing`), and whom to ask about it."""

    missing: str
    ask: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plan applies, widest level first; `None` for a level the source does not name."""

    province: str | None = None
    city: str | None = None
    county: str | None = None
    town: str | None = None
    school: str | None = None

    @property
    def levels(self) -> tuple[str, ...]:
        """The named levels, widest first; empty for a plan that names no place."""
        chain = (self.province, self.city, self.county, self.town, self.school)
        return tuple(level for level in chain if level)

    @property
    def name(self) -> str | None:
        """The narrowest named level, the one people call the place by; `None` for an unplaced plan."""
        return self.levels[-1] if self.levels else None


@dataclass(frozen=True, slots=True)
class Validity:
    """Status of a plan and the span it was written for; both ends may be unknown."""

    status: PlanStatus
    year: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    def on(self, today: date) -> PlanStatus:
        """Status as of `today`: a plan whose last day is past has ended, whatever its file says."""
        if self.status in (PlanStatus.TEMPLATE, PlanStatus.SCOPE):
            return self.status
        if self.valid_to is not None and self.valid_to < today:
            return PlanStatus.ENDED
        return self.status


@dataclass(frozen=True, slots=True)
class Citation:
    """Where an answer stands: shape of contract `citations`."""

    plan: str
    section: str
    place: str | None
    status: str
    valid_from: str | None
    valid_to: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """One curated plan (one content file)."""

    id: str
    title: str
    short_title: str
    place: Place
    validity: Validity
    ask: str
    issuer: str | None = None
    number: str | None = None
    aliases: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    confidence: tuple[tuple[str, str], ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One askable fact or procedure. `key` is unique over the whole base: `plan.id/entry id`."""

    key: str
    plan: Plan
    question: str
    answer: str
    section: str
    facts: tuple[Fact, ...] = ()
    dates: tuple[DatedEvent, ...] = ()
    stages: frozenset[Stage] = frozenset()
    audience: frozenset[Audience] = frozenset()
    topics: tuple[str, ...] = ()
    attributes: frozenset[Attribute] = frozenset()
    phrasings: tuple[str, ...] = ()
    near_misses: tuple[str, ...] = ()
    gap: Gap | None = None
    line: int = field(default=0, compare=False)

    @property
    def is_gap(self) -> bool:
        """Whether this entry records something the plan does not say."""
        return self.gap is not None


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in the content, with the place a clerk has to look at."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"
