"""From the cells of a row to what they say, or what is wrong with them. Pure: today is an argument."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, TypeVar

from bot.errors import InvalidInput
from handlers.accounts.domain import (
    APPOINTMENT_WORDS,
    PLACE_OF_APPOINTMENT,
    RELATION_WORDS,
    AppointmentKind,
    ClassName,
    PlaceKind,
    Relation,
    birth_date_of,
    normalise_id_number,
    normalise_name,
    normalise_phone,
    normalise_roster_number,
    parse_class_name,
    sex_of,
)
from handlers.rosters import texts
from handlers.rosters.domain import Cell, Remark, RosterKind
from handlers.rosters.service.columns import APPOINTMENTS_HERE, GUARDIANS, NO, NUMBERS, YES, head_of

# A number in a cell has 15 digits at most; what had more has lost the rest.
_SAFE: Final = 10**15
_SCIENTIFIC: Final = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_CUT_SHORT: Final = re.compile(r"[1-9]\d{14}000")
_DAY: Final = re.compile(
    r"(\d{4})(?:[-/.年]|(?=\d{4}$))(\d{1,2})(?:[-/.月]|(?=\d{2}$))(\d{1,2})日?(?:[ T]00:00(?::00)?)?"
)
_EXCEL_EPOCH: Final = date(1899, 12, 30)
_FIRST_SERIAL, _LAST_SERIAL = 10_000, 60_000
_YOUNGEST, _OLDEST = 2, 20
_RELATIONS: Final[Mapping[str, Relation]] = {
    **{words: relation for relation, words in RELATION_WORDS.items()},
    **dict.fromkeys(("父亲", "父", "父子", "父女"), Relation.FATHER),
    **dict.fromkeys(("母亲", "母", "母子", "母女", "妈"), Relation.MOTHER),
    **dict.fromkeys(("祖父", "公公"), Relation.PATERNAL_GRANDFATHER),
    **dict.fromkeys(("祖母", "婆婆"), Relation.PATERNAL_GRANDMOTHER),
    **dict.fromkeys(("外祖父", "姥爷"), Relation.MATERNAL_GRANDFATHER),
    **dict.fromkeys(("外祖母", "姥姥"), Relation.MATERNAL_GRANDMOTHER),
    **dict.fromkeys(
        (
            "其他",
            "其它",
            "亲属",
            "叔叔",
            "伯父",
            "姑姑",
            "姑妈",
            "舅舅",
            "阿姨",
            "姨妈",
            "哥哥",
            "姐姐",
            "继父",
            "继母",
        ),
        Relation.OTHER,
    ),
}
_KINDS: Final[Mapping[str, AppointmentKind]] = {
    **{words: kind for kind, words in APPOINTMENT_WORDS.items()},
    **dict.fromkeys(("科任教师", "任课老师", "科任老师", "教师"), AppointmentKind.SUBJECT_TEACHER),
    **dict.fromkeys(("校长", "负责人", "教学点负责人", "园长"), AppointmentKind.SCHOOL_LEADER),
    **dict.fromkeys(("值班", "值班老师", "值班教师"), AppointmentKind.DUTY),
    **dict.fromkeys(("保护负责人", "关爱保护负责人", "儿童保护专员"), AppointmentKind.PROTECTION_LEAD),
}
_YES: Final = frozenset({YES, "√", "✓", "1", "有", "对", "y", "Y"})
_NO: Final = frozenset({NO, "×", "0", "无", "n", "N"})

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class GuardianEntry:
    """One guardian in a row. None: the cell is empty, leave it as it is."""

    place: int
    name: str
    relation: Relation | None
    phone: str | None
    is_acting: bool | None


@dataclass(frozen=True, slots=True)
class PupilEntry:
    """What a row says about a pupil. None: the cell is empty, leave it as it is."""

    row: int
    system_id: str | None
    school: str | None
    school_class: ClassName
    name: str
    sex: str | None
    birth_date: date | None
    id_number: str | None
    roster_number: str | None
    guardians: tuple[GuardianEntry, ...]


@dataclass(frozen=True, slots=True)
class StaffEntry:
    """What a row says about somebody on the staff and one thing they are charged with."""

    row: int
    system_id: str | None
    school: str | None
    name: str
    phone: str | None
    id_number: str | None
    kind: AppointmentKind
    school_class: ClassName | None
    subject: str | None
    since: date | None
    until: date | None


@dataclass(slots=True)
class Parsed:
    """A row after reading: `entry` is None when it has faults."""

    row: int
    entry: PupilEntry | StaffEntry | None
    name: str
    place: str
    faults: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)


class _Row:
    """The cells of one row by column, and what was found wrong with them."""

    def __init__(self, kind: RosterKind, number: int, cells: tuple[Cell, ...], places: Mapping[str, int]) -> None:
        self._kind = kind
        self.number = number
        self._cells = cells
        self._places = places
        self.faults: list[Remark] = []
        self.warnings: list[Remark] = []

    def cell(self, key: str) -> Cell:
        place = self._places.get(key)
        return "" if place is None or place >= len(self._cells) else self._cells[place]

    def text(self, key: str) -> str:
        cell = self.cell(key)
        if isinstance(cell, str):
            return cell
        return str(int(cell)) if cell.is_integer() and abs(cell) < _SAFE else repr(cell)

    def fault(self, key: str, text: str) -> None:
        self.faults.append(Remark(head_of(self._kind, key), text))

    def warn(self, key: str, text: str) -> None:
        self.warnings.append(Remark(head_of(self._kind, key), text))

    def read(self, key: str, convert: Callable[[str], Value], wrong: str, *, is_needed: bool = False) -> Value | None:
        """The value of a cell; None when it is empty or wrong, which is then noted."""
        if key in NUMBERS and self._is_damaged(key):
            self.fault(key, texts.NUMBER_DAMAGED)
            return None
        text = self.text(key)
        if not text:
            if is_needed:
                self.fault(key, texts.NEEDED)
            return None
        try:
            return convert(text)
        except (InvalidInput, ValueError, KeyError):
            self.fault(key, wrong)
            return None

    def _is_damaged(self, key: str) -> bool:
        cell = self.cell(key)
        if isinstance(cell, float):
            return abs(cell) >= _SAFE or not cell.is_integer()
        if _SCIENTIFIC.fullmatch(cell):
            return True
        return key == "id_number" and bool(_CUT_SHORT.fullmatch(cell)) and not _is_id_number(cell)


def _is_id_number(text: str) -> bool:
    try:
        normalise_id_number(text)
    except InvalidInput:
        return False
    return True


def parse_day(text: str) -> date:
    """2017-05-06, 2017/5/6, 2017年5月6日, 20170506, or the number Excel keeps a day as. Raises ValueError."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.isdigit() and len(plain) == 5 and _FIRST_SERIAL < int(plain) < _LAST_SERIAL:
        return _EXCEL_EPOCH + timedelta(days=int(plain))
    found = _DAY.fullmatch(plain)
    if not found:
        raise ValueError(text)
    return date(*map(int, found.groups()))


def parse(kind: RosterKind, row: tuple[int, tuple[Cell, ...]], places: Mapping[str, int], today: date) -> Parsed:
    """What one row says."""
    cells = _Row(kind, *row, places)
    entry = _pupil(cells, today) if kind is RosterKind.PUPILS else _staff(cells)
    place = " ".join(filter(None, (cells.text("school"), _shown_class(cells))))
    good = None if cells.faults else entry
    return Parsed(cells.number, good, cells.text("name"), place, cells.faults, cells.warnings)


def _shown_class(row: _Row) -> str:
    try:
        return str(_class(row.text("class")))
    except InvalidInput:
        return row.text("class")


@lru_cache(maxsize=256)
def _class(text: str) -> ClassName:
    # 0302 as a number has lost its first zero, and 302 means the same.
    return parse_class_name(text)


def _pupil(row: _Row, today: date) -> PupilEntry | None:
    name = row.read("name", normalise_name, texts.NAME_WRONG, is_needed=True)
    school_class = row.read("class", _class, texts.CLASS_WRONG, is_needed=True)
    sex = row.read("sex", _sex, texts.SEX_WRONG)
    birth = row.read("birth_date", parse_day, texts.DATE_WRONG)
    id_number = row.read("id_number", normalise_id_number, texts.ID_WRONG)
    roster_number = row.read("roster_number", normalise_roster_number, texts.ROSTER_NUMBER_WRONG)
    if roster_number and isinstance(row.cell("roster_number"), float):
        row.warn("roster_number", texts.ZEROS_LOST)
    if id_number:
        birth, sex = _agreed(row, id_number, birth, sex)
    if birth is not None and birth > today:
        row.fault("birth_date", texts.BIRTH_IN_FUTURE)
    guardians = tuple(filter(None, (_guardian(row, place) for place in range(1, GUARDIANS + 1))))
    if len({(each.name, each.phone) for each in guardians}) < len(guardians):
        row.fault("name2", texts.GUARDIAN_TWICE)
    if name is None or school_class is None:
        return None
    if birth is not None and not _YOUNGEST <= (today - birth).days / 365.25 <= _OLDEST:
        row.warn("birth_date", texts.ODD_AGE)
    if sum(each.is_acting is True for each in guardians) > 1:
        row.fault("acting1", texts.SEVERAL_ACTING)
    return PupilEntry(
        row.number, row.text("system_id") or None, row.text("school") or None, school_class, name, sex, birth,
        id_number, roster_number, guardians,
    )  # fmt: skip


def _agreed(row: _Row, id_number: str, birth: date | None, sex: str | None) -> tuple[date, str]:
    """Date of birth and sex as the number says them; what the row says besides must be the same."""
    if birth is not None and birth != birth_date_of(id_number):
        row.fault("birth_date", texts.BIRTH_NOT_ID)
    if sex is not None and sex != sex_of(id_number):
        row.fault("sex", texts.SEX_NOT_ID)
    return birth_date_of(id_number), sex_of(id_number)


def _guardian(row: _Row, place: int) -> GuardianEntry | None:
    keys = [f"{part}{place}" for part in ("name", "relation", "phone", "acting")]
    if not any(row.text(key) for key in keys):
        return None
    name = row.read(keys[0], normalise_name, texts.NAME_WRONG)
    if not row.text(keys[0]):
        if row.text(keys[3]) in _NO and not row.text(keys[1]) and not row.text(keys[2]):
            return None  # a column filled down to the end
        row.fault(keys[0], texts.GUARDIAN_NAME_NEEDED)
    relation = row.read(keys[1], _relation, texts.RELATION_WRONG)
    phone = row.read(keys[2], normalise_phone, texts.PHONE_WRONG)
    acting = row.read(keys[3], _yes_or_no, texts.YES_OR_NO)
    return None if name is None else GuardianEntry(place, name, relation, phone, acting)


def _staff(row: _Row) -> StaffEntry | None:
    name = row.read("name", normalise_name, texts.NAME_WRONG, is_needed=True)
    phone = row.read("phone", normalise_phone, texts.PHONE_WRONG)
    id_number = row.read("id_number", normalise_id_number, texts.ID_WRONG)
    kind = row.read("kind", _kind, texts.KIND_WRONG, is_needed=True)
    school_class = row.read("class", _class, texts.CLASS_WRONG)
    since = row.read("since", parse_day, texts.DATE_WRONG)
    until = row.read("until", parse_day, texts.DATE_WRONG)
    if since and until and until < since:
        row.fault("until", texts.DAYS_REVERSED)
    if name is None or kind is None:
        return None
    if kind not in APPOINTMENTS_HERE:
        row.fault("kind", texts.KIND_NOT_YOURS)
    if PLACE_OF_APPOINTMENT[kind] is PlaceKind.CLASS and not row.text("class"):
        row.fault("class", texts.CLASS_NEEDED)
    placed = school_class if PLACE_OF_APPOINTMENT[kind] is PlaceKind.CLASS else None
    return StaffEntry(
        row.number, row.text("system_id") or None, row.text("school") or None, name, phone, id_number, kind, placed,
        row.text("subject") or None, since, until,
    )  # fmt: skip


def _sex(text: str) -> str:
    return {"男": "男", "女": "女", "男性": "男", "女性": "女", "男孩": "男", "女孩": "女"}[text]


def _relation(text: str) -> Relation:
    return _RELATIONS[text]


def _kind(text: str) -> AppointmentKind:
    return _KINDS[text]


def _yes_or_no(text: str) -> bool:
    if text in _YES or text in _NO:
        return text in _YES
    raise ValueError(text)
