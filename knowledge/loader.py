"""Content files → plans and entries. Every fault of every file is reported at once, with file and line.

The format is described in `knowledge/content/README.md`; its keys are Chinese because a school clerk edits it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from knowledge import document
from knowledge.document import Faults, Node
from knowledge.entry import (
    Attribute,
    Audience,
    DatedEvent,
    Entry,
    Fact,
    FactKind,
    Fault,
    Gap,
    Place,
    Plan,
    PlanStatus,
    Stage,
    Validity,
)
from knowledge.facts import unbacked

CONTENT = Path(__file__).parent / "content"
MIN_PHRASINGS = 3
MIN_NEAR_MISSES = 1
MAX_ANSWER = 450  # characters; the reply adds citation and year and must stay within 2,048 bytes

_ROOT_KEYS = frozenset({"方案", "条目"})
_PLAN_KEYS = frozenset(
    {"编号", "标题", "称呼", "发文", "文号", "地方", "别名", "辖内", "年份", "有效", "状态", "把握", "询问", "来源"}
)
_PLACE_KEYS = frozenset({"省", "市", "县", "乡镇", "学校"})
_ENTRY_KEYS = frozenset(
    {"编号", "问题", "答", "事实", "日期", "章节", "学段", "对象", "话题", "所问", "问法", "不是", "缺口"}
)
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")
_DAY = re.compile(r"(?:\d{4}-)?\d{2}-\d{2}")

_Word = TypeVar("_Word", bound=StrEnum)


class ContentFaults(Exception):
    """The content cannot be used; `faults` lists everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def shipped_folders() -> list[Path]:
    """The content folder that comes with the package."""
    return [CONTENT]


def load(folders: Iterable[Path]) -> tuple[Entry, ...]:
    """All entries of all `*.yaml` files in `folders`, files in name order.

    Raises:
        ContentFaults: anything in any file is wrong, or there is no file at all.
    """
    faults: list[Fault] = []
    entries: list[Entry] = []
    plans: dict[str, Path] = {}
    for path in _files(folders, faults):
        reader = PlanReader(path)
        found = reader.read()
        faults.extend(reader.faults.items)
        for plan_id in {entry.plan.id for entry in found}:
            if plan_id in plans:
                faults.append(Fault(path, 1, f"方案编号“{plan_id}”已在 {plans[plan_id].name} 用过"))
            plans[plan_id] = path
        entries.extend(found)
    if faults:
        raise ContentFaults(faults)
    return tuple(entries)


def _files(folders: Iterable[Path], faults: list[Fault]) -> list[Path]:
    paths: list[Path] = []
    for folder in folders:
        found = sorted(folder.glob("*.yaml"))
        if not found:
            faults.append(Fault(folder, 1, "这个文件夹里没有 .yaml 知识文件"))
        paths.extend(found)
    return paths


class PlanReader:
    """Reads one content file; `faults` holds what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults = Faults(path)

    def read(self) -> list[Entry]:
        """The entries of the file; on faults, those that could still be read."""
        root = document.read(self.path, self.faults)
        if root is None:
            return []
        top = self.faults.keys(root, _ROOT_KEYS, "文件")
        if "方案" not in top or "条目" not in top:
            self.faults.add(root.line, "文件要有“方案”和“条目”两部分")
            return []
        plan = self._plan(top["方案"])
        entries = [self._entry(node, plan) for node in self.faults.items_of(top["条目"], "条目")]
        self._check_unique(entries)
        return entries

    # -- the plan ---------------------------------------------------------------------------------------------------

    def _plan(self, node: Node) -> Plan:
        faults, keys = self.faults, self.faults.keys(node, _PLAN_KEYS, "方案")
        for needed in ("编号", "标题", "称呼", "状态", "询问"):
            if not faults.text(keys.get(needed), needed):
                faults.add(node.line, f"方案缺“{needed}”")
        plan_id = faults.text(keys.get("编号"), "编号", default=self.path.stem)
        if not _SLUG.fullmatch(plan_id):
            faults.add(node.line, f"方案编号“{plan_id}”只能用小写字母、数字和-")
        sure = keys.get("把握")
        return Plan(
            id=plan_id,
            title=faults.text(keys.get("标题"), "标题"),
            short_title=faults.text(keys.get("称呼"), "称呼"),
            issuer=faults.text(keys.get("发文"), "发文") or None,
            number=faults.text(keys.get("文号"), "文号") or None,
            place=self._place(keys.get("地方")),
            validity=self._validity(keys, node.line),
            ask=faults.text(keys.get("询问"), "询问"),
            aliases=faults.texts(keys.get("别名"), "别名"),
            inside=faults.texts(keys.get("辖内"), "辖内"),
            confidence=self._pairs(sure, "把握"),
            source="/".join(value for _, value in self._pairs(keys.get("来源"), "来源")),
        )

    def _pairs(self, node: Node | None, where: str) -> tuple[tuple[str, str], ...]:
        if node is None or not isinstance(node.value, dict):
            return ()
        return tuple((key, self.faults.text(child, where)) for key, child in node.value.items())

    def _place(self, node: Node | None) -> Place:
        if node is None or node.value == "":
            return Place()
        keys = self.faults.keys(node, _PLACE_KEYS, "地方")
        level = {key: self.faults.text(child, key) or None for key, child in keys.items()}
        return Place(
            province=level.get("省"),
            city=level.get("市"),
            county=level.get("县"),
            town=level.get("乡镇"),
            school=level.get("学校"),
        )

    def _validity(self, keys: dict[str, Node], line: int) -> Validity:
        year_text = self.faults.text(keys.get("年份"), "年份")
        if year_text and not re.fullmatch(r"\d{4}", year_text):
            self.faults.add(keys["年份"].line, f"年份“{year_text}”应当是四位数字")
            year_text = ""
        span: dict[str, Node] = {}
        node = keys.get("有效")
        if node is not None and node.value != "":
            span = self.faults.keys(node, frozenset({"起", "止"}), "有效")
        status = self._word(PlanStatus, keys.get("状态"), "状态") or PlanStatus.UNDATED
        return Validity(
            status=status,
            year=int(year_text) if year_text else None,
            valid_from=self._day(span.get("起")),
            valid_to=self._day(span.get("止")),
        )

    def _day(self, node: Node | None) -> date | None:
        text = self.faults.text(node, "有效")
        if node is None or not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.faults.add(node.line, f"日期“{text}”应当写成 2021-07-24 的样子")
            return None

    # -- entries ----------------------------------------------------------------------------------------------------

    def _entry(self, node: Node, plan: Plan) -> Entry:
        faults, keys = self.faults, self.faults.keys(node, _ENTRY_KEYS, "条目")
        for needed in ("编号", "问题", "答"):
            if not faults.text(keys.get(needed), needed):
                faults.add(node.line, f"条目缺“{needed}”")
        slug = faults.text(keys.get("编号"), "编号", default=f"line-{node.line}")
        if not _SLUG.fullmatch(slug):
            faults.add(node.line, f"条目编号“{slug}”只能用小写字母、数字和-")
        entry = Entry(
            key=f"{plan.id}/{slug}",
            plan=plan,
            question=faults.text(keys.get("问题"), "问题"),
            answer=faults.text(keys.get("答"), "答"),
            section=faults.text(keys.get("章节"), "章节"),
            facts=self._facts(keys.get("事实")),
            dates=self._dates(keys.get("日期")),
            stages=frozenset(self._words(Stage, keys.get("学段"), "学段")),
            audience=frozenset(self._words(Audience, keys.get("对象"), "对象")),
            topics=faults.texts(keys.get("话题"), "话题"),
            attributes=frozenset(self._words(Attribute, keys.get("所问"), "所问")),
            phrasings=faults.texts(keys.get("问法"), "问法"),
            near_misses=faults.texts(keys.get("不是"), "不是"),
            gap=self._gap(keys.get("缺口")),
            line=node.line,
        )
        self._check(entry)
        return entry

    def _facts(self, node: Node | None) -> tuple[Fact, ...]:
        facts = []
        for item in self.faults.items_of(node, "事实"):
            keys = self.faults.keys(item, frozenset({"类", "值", "项"}), "事实")
            kind = self._word(FactKind, keys.get("类"), "类")
            value = self.faults.text(keys.get("值"), "值")
            if kind is None or not value:
                self.faults.add(item.line, "事实要写“类”和“值”")
                continue
            facts.append(Fact(kind, value, self.faults.text(keys.get("项"), "项")))
        return tuple(facts)

    def _dates(self, node: Node | None) -> tuple[DatedEvent, ...]:
        events = []
        for item in self.faults.items_of(node, "日期"):
            keys = self.faults.keys(item, frozenset({"事", "起", "止", "对象"}), "日期")
            start, end = (self.faults.text(keys.get(key), key) for key in ("起", "止"))
            for text in filter(None, (start, end)):
                if not _is_day(text):
                    self.faults.add(item.line, f"日期“{text}”应当写成 2021-07-24，没有年份时写 07-24")
            if not start:
                self.faults.add(item.line, "日期要写“起”")
            what, whom = (self.faults.text(keys.get(key), key) for key in ("事", "对象"))
            events.append(DatedEvent(what, start, end or None, whom or None))
        return tuple(events)

    def _gap(self, node: Node | None) -> Gap | None:
        if node is None or node.value == "":
            return None
        keys = self.faults.keys(node, frozenset({"缺", "问"}), "缺口")
        missing, ask = (self.faults.text(keys.get(key), key) for key in ("缺", "问"))
        if not missing or not ask:
            self.faults.add(node.line, "缺口要写“缺”（缺什么）和“问”（问谁）")
        return Gap(missing, ask)

    def _word(self, kind: type[_Word], node: Node | None, where: str) -> _Word | None:
        text = self.faults.text(node, where)
        if node is None or not text:
            return None
        try:
            return kind(text)
        except ValueError:
            self.faults.add(node.line, f"“{where}”里不认识“{text}”，可用：{'、'.join(kind)}")
            return None

    def _words(self, kind: type[_Word], node: Node | None, where: str) -> Iterable[_Word]:
        found = (self._word(kind, item, where) for item in self.faults.items_of(node, where))
        return [word for word in found if word is not None]

    # -- checks -----------------------------------------------------------------------------------------------------

    def _check(self, entry: Entry) -> None:
        faults, line = self.faults, entry.line
        if len(entry.phrasings) < MIN_PHRASINGS:
            faults.add(line, f"{entry.key}：问法少于{MIN_PHRASINGS}种")
        if len(entry.near_misses) < MIN_NEAR_MISSES:
            faults.add(line, f"{entry.key}：“不是”（不该命中的问法）少于{MIN_NEAR_MISSES}条")
        if not entry.attributes:
            faults.add(line, f"{entry.key}：缺“所问”")
        if not entry.topics:
            faults.add(line, f"{entry.key}：缺“话题”")
        if len(entry.answer) > MAX_ANSWER:
            faults.add(line, f"{entry.key}：答案{len(entry.answer)}字，超过{MAX_ANSWER}字")
        missing = unbacked(entry.answer, [fact.value for fact in entry.facts])
        if missing and not entry.is_gap:
            faults.add(line, f"{entry.key}：答案里的 {'、'.join(missing)} 不在“事实”里")

    def _check_unique(self, entries: Sequence[Entry]) -> None:
        seen_keys: dict[str, Entry] = {}
        seen_phrasings: dict[str, Entry] = {}
        for entry in entries:
            if entry.key in seen_keys:
                self.faults.add(entry.line, f"条目编号 {entry.key} 重复（第{seen_keys[entry.key].line}行）")
            seen_keys[entry.key] = entry
            for phrasing in entry.phrasings:
                other = seen_phrasings.setdefault(phrasing, entry)
                if other is not entry:
                    self.faults.add(entry.line, f"问法“{phrasing}”也写在 {other.key}（第{other.line}行）")


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text if len(text) == 10 else f"2024-{text}")
    except ValueError:
        return False
    return True
