"""The columns of each sheet: their heads, the words a school may write instead, and how wide they are drawn."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from handlers.accounts.domain import APPOINTMENT_WORDS, PLACE_OF_APPOINTMENT, RELATION_WORDS, PlaceKind, Relation
from handlers.rosters import texts
from handlers.rosters.domain import RosterKind

GUARDIANS: Final = 3
YES: Final = "是"
NO: Final = "否"
PROBLEM: Final = "问题"
SYSTEM_ID: Final = "系统编号"

_HINT: Final = re.compile(r"[(（\[【].*?[)）\]】]|[\s*＊:：]")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `choices` become a list to pick from; `note` is told on the sheet of instructions."""

    key: str
    head: str
    width: int
    note: str
    others: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    is_needed: bool = False


def _guardian_columns(number: int) -> tuple[Column, ...]:
    who, notes = f"监护人{number}", texts.COLUMN_NOTES
    relations = tuple(RELATION_WORDS[relation] for relation in Relation)
    return (
        Column(f"name{number}", f"{who}姓名", 12, notes["guardian_name"], (f"家长{number}姓名",)),
        Column(f"relation{number}", f"{who}关系", 12, notes["relation"], (f"家长{number}关系",), relations),
        Column(f"phone{number}", f"{who}电话", 15, notes["phone"], (f"家长{number}电话", f"{who}手机号")),
        Column(f"acting{number}", f"{who}实际照看", 14, notes["acting"], (), (YES, NO)),
    )


_NOTES: Final = texts.COLUMN_NOTES
_SCHOOL: Final = Column("school", "学校", 18, _NOTES["school"], ("学校名称", "所在学校"))
_PERSON_ID: Final = Column("id_number", "身份证号", 22, _NOTES["id_number"], ("身份证", "身份证号码", "身份证件号"))
_SYSTEM: Final = Column("system_id", SYSTEM_ID, 38, _NOTES["system_id"])
APPOINTMENTS_HERE: Final = tuple(
    kind for kind in APPOINTMENT_WORDS if PLACE_OF_APPOINTMENT[kind] in (PlaceKind.CLASS, PlaceKind.SCHOOL)
)

COLUMNS: Final[Mapping[RosterKind, Sequence[Column]]] = {
    RosterKind.PUPILS: (
        _SCHOOL,
        Column("class", "班级", 12, _NOTES["class"], ("年级班级", "所在班级", "班别"), is_needed=True),
        Column("name", "姓名", 12, _NOTES["name"], ("学生姓名", "孩子姓名"), is_needed=True),
        Column("sex", "性别", 6, _NOTES["sex"], (), ("男", "女")),
        Column("birth_date", "出生日期", 14, _NOTES["birth_date"], ("生日", "出生年月日")),
        _PERSON_ID,
        Column("roster_number", "学籍号", 24, _NOTES["roster_number"], ("全国学籍号", "学籍号码", "学号")),
        *(column for number in range(1, GUARDIANS + 1) for column in _guardian_columns(number)),
        _SYSTEM,
    ),
    RosterKind.STAFF: (
        _SCHOOL,
        Column("name", "姓名", 12, _NOTES["name"], ("教师姓名", "教职工姓名"), is_needed=True),
        Column("phone", "电话", 15, _NOTES["phone"], ("手机号", "手机", "联系电话", "电话号码")),
        _PERSON_ID,
        Column(
            "kind",
            "任职",
            16,
            _NOTES["kind"],
            ("职务", "岗位"),
            tuple(APPOINTMENT_WORDS[kind] for kind in APPOINTMENTS_HERE),
            is_needed=True,
        ),
        Column("class", "班级", 12, _NOTES["class_of_staff"], ("任教班级", "所带班级")),
        Column("subject", "学科", 12, _NOTES["subject"], ("任教学科", "科目")),
        Column("since", "开始日期", 14, _NOTES["since"], ("任职开始", "起始日期")),
        Column("until", "结束日期", 14, _NOTES["until"], ("任职结束", "终止日期")),
        _SYSTEM,
    ),
}
# A cell of these keeps its zeros and all its digits.
NUMBERS: Final = frozenset({"id_number", "roster_number", "phone", *(f"phone{n}" for n in range(1, GUARDIANS + 1))})


def plain_head(text: str) -> str:
    """A head as it is compared: without stars, hints in brackets and breaks."""
    return _HINT.sub("", unicodedata.normalize("NFKC", text))


def places(kind: RosterKind, head: Sequence[str]) -> dict[str, int]:
    """Where each column of ours stands in a head; the first of two alike counts."""
    return places_of(COLUMNS[kind], head)


def places_of(columns: Sequence[Column], head: Sequence[str]) -> dict[str, int]:
    """The same for columns of another form."""
    found: dict[str, int] = {}
    wanted = {plain_head(name): column.key for column in columns for name in (column.head, *column.others)}
    for place, name in enumerate(head):
        key = wanted.get(plain_head(name))
        if key is not None:
            found.setdefault(key, place)
    return found


def missing(kind: RosterKind, head: Sequence[str]) -> list[str]:
    """Heads of the columns a sheet cannot do without, and this one has not."""
    return missing_of(COLUMNS[kind], head)


def missing_of(columns: Sequence[Column], head: Sequence[str]) -> list[str]:
    """The same for columns of another form."""
    found = places_of(columns, head)
    return [column.head for column in columns if column.is_needed and column.key not in found]


def head_of(kind: RosterKind, key: str) -> str:
    """The head of a column."""
    return next((column.head for column in COLUMNS[kind] if column.key == key), "")
