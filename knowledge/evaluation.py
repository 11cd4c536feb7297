"""A question bank → pass rates by kind.

Bank line: `{"id", "q", "role", "place", "kind", "expect"}` with
`expect` = `{"all_of": [[alternative, …], …], "none_of": […], "abstain": bool}`.
A reply passes when every list of `all_of` has one alternative in it and no `none_of` string occurs. Where `abstain`
is set it must instead decline or hand over, say that it does not know, and name somebody to ask.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge.answer import Answer, Outcome

READ = 680
"""Characters of a reply that are looked at, about what WeChat shows of 2,048 bytes."""

_SAYS_UNKNOWN = re.compile(
    "不知道|不清楚|没有?找到|没有?查到|没写|没有写|未写|空着|没提|没有规定|没有收录|没收录|不能|无法|查不到|看不到|不提供|不敢乱说|残缺|空白"
)
_NAMES_SOMEBODY = re.compile(
    "人工|老师|班主任|学校|校长|教育局|办公室|热线|电话|民政|派出所|医院|窗口|中心|村委|1[12]\\d{1,3}|咨询|联系|请问"
)
_RANGE = str.maketrans("—–～~至到", "------")
_MARKS = str.maketrans("，、。：；", ",,.:;")
_QUOTES = re.compile("[\\s\"'“”‘’《》〈〉「」〔〕\\[\\]【】]")


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a bank."""

    id: str
    text: str
    role: str | None
    place: str | None
    kind: str
    all_of: tuple[tuple[str, ...], ...]
    none_of: tuple[str, ...]
    abstain: bool


@dataclass(slots=True)
class Report:
    """Pass rates of one run."""

    passed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    asked: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    answerable: list[bool] = field(default_factory=list)
    unanswerable: list[bool] = field(default_factory=list)
    false_declines: int = 0
    failures: list[tuple[Question, str, str]] = field(default_factory=list)

    def add(self, question: Question, answer: Answer) -> None:
        """Judge one answer."""
        fault = judge(question, answer.text, answer.outcome)
        self.asked[question.kind] += 1
        self.passed[question.kind] += fault is None
        (self.unanswerable if question.abstain else self.answerable).append(fault is None)
        if fault is not None:
            self.failures.append((question, fault, answer.text))
            self.false_declines += not question.abstain and answer.outcome is Outcome.DECLINED

    def summary(self) -> dict[str, Any]:
        """Figures as JSON-ready values; rates are 0 to 1, `None` where nothing was asked."""
        everything = self.answerable + self.unanswerable
        return {
            "questions": len(everything),
            "passed": _rate(everything),
            "answerable": _rate(self.answerable),
            "unanswerable": _rate(self.unanswerable),
            "false_declines": self.false_declines / len(self.answerable) if self.answerable else None,
            "by_kind": {kind: [self.passed[kind], self.asked[kind]] for kind in sorted(self.asked)},
        }


def read_bank(path: Path) -> list[Question]:
    """The questions of a bank file.

    Raises:
        ValueError: a line is not a bank line; the message names it.
    """
    questions = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            questions.append(_question(json.loads(line)))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}:{number}: 不是题库的一行（{error}）") from error
    return questions


def _question(item: Mapping[str, Any]) -> Question:
    expect = item["expect"]
    return Question(
        id=str(item["id"]),
        text=item["q"],
        role=item.get("role"),
        place=item.get("place"),
        kind=item["kind"],
        all_of=tuple(tuple(alternatives) for alternatives in expect.get("all_of", ())),
        none_of=tuple(expect.get("none_of", ())),
        abstain=bool(expect.get("abstain")),
    )


def evaluate(questions: Iterable[Question], answer: Callable[[Question], Answer]) -> Report:
    """Ask every question and judge the replies."""
    report = Report()
    for question in questions:
        report.add(question, answer(question))
    return report


def judge(question: Question, text: str, outcome: Outcome) -> str | None:
    """Why the reply fails, or `None` if it passes."""
    shown = text[:READ]
    for bad in question.none_of:
        if _holds(shown, bad):
            return f"出现了“{bad}”"
    if question.abstain:
        if outcome in (Outcome.ANSWERED, Outcome.CLARIFY):
            return f"应当说不知道，却是{outcome}"
        if not _SAYS_UNKNOWN.search(shown):
            return "没有说明不知道"
        if not _NAMES_SOMEBODY.search(shown):
            return "没有指明问谁"
    for alternatives in question.all_of:
        if not any(_holds(shown, alternative) for alternative in alternatives):
            return f"缺 {'／'.join(alternatives[:3])}"
    return None


def _holds(text: str, needle: str) -> bool:
    return _strict(needle) in _strict(text) or _loose(needle) in _loose(text)


def _loose(text: str) -> str:
    return _QUOTES.sub("", unicodedata.normalize("NFKC", text).lower())


def _strict(text: str) -> str:
    return _loose(text).translate(_RANGE).translate(_MARKS)


def _rate(rows: list[bool]) -> float | None:
    return sum(rows) / len(rows) if rows else None
