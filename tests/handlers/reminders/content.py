"""A town's plan with dates of all kinds, as a file the real loader reads."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from knowledge.base import KnowledgeBase
from tests.knowledge.content import write

_PLAN = """
方案:
  编号: {id}
  标题: {town}义务教育招生方案
  称呼: {town}招生方案
  地方: {{省: 江北省, 县: {county}, 乡镇: {town}}}
  年份: {year}
  有效: {{起: {year}-01-01, 止: {until}}}
  状态: 有效
  询问: {town}教育办公室
条目:
"""
_ENTRY = """  - 编号: {id}
    问题: {question}？
    答: {answer}。
    事实: [{{类: 日期, 值: {value}, 项: {what}}}]
    日期: [{{事: {what}, 起: {start}, 止: {end}{whom}}}]
    章节: 三
    学段: [{stage}]
    对象: [{asked}]
    话题: [{what}]
    所问: [日期]
    问法: [{what}是哪天, 哪天{what}, {what}的日子是几号]
    不是: [{what}要带什么]
"""


def entry(
    id: str, what: str, start: str, end: str = "", *, stage: str = "小学", whom: str = "", asked: str = "家长"
) -> str:
    """One entry with one date."""
    value = start if not end or end == start else f"{start}至{end}"
    return _ENTRY.format(
        id=id, what=what, question=f"{what}是什么时候", answer=f"{what}在{value}", value=value, start=start,
        end=end or start, stage=stage, whom=f", 对象: {whom}" if whom else "", asked=asked,
    )  # fmt: skip


def plan(
    *entries: str, town: str = "柳溪镇", county: str = "青石县", year: int = 2026, until: str = ""
) -> dict[str, str]:
    """The files of one plan."""
    head = _PLAN.format(id="plan", town=town, county=county, year=year, until=until or f"{year}-12-31")
    return {"plan.yaml": head + "".join(entries)}


def base_of(files: dict[str, str]) -> KnowledgeBase:
    """The knowledge of files."""
    return _base(tuple(sorted(files.items())))


@cache
def _base(files: tuple[tuple[str, str], ...]) -> KnowledgeBase:
    with TemporaryDirectory() as folder:
        return KnowledgeBase.load([write(Path(folder), dict(files))])
