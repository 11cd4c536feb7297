"""Kinds, states and rules of people and their parts. No I/O: days and moments are arguments."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from bot.errors import InvalidInput

FIRST_MONTH: Final = 9
LOWEST_GRADE: Final = -2
HIGHEST_GRADE: Final = 9
HIGHEST_CLASS_NUMBER: Final = 99
LONGEST_NAME: Final = 64
# Of the agreement on what the service keeps about its user: raised when its text changes.
PRIVACY_VERSION: Final = "1"
_DIGITS: Final = "零一二三四五六七八九"
_KINDERGARTEN: Final = "小中大"
_COUNT: Final = r"\d{1,2}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九]"
_BREAKS: Final = re.compile(r"[()\[\]【】〔〕.．、\-—第]+")
# What stands between grade and number has become one space. 302, 0302, 112, 0112: the number in two digits.
_CLASS_FORMS: Final = tuple(
    re.compile(form, re.ASCII)
    for form in (
        r"0?(?P<grade>[1-9])(?P<number>\d{2}) ?班?",
        rf"初中?(?P<junior>[一二三123])年?级? ?(?:(?P<number>{_COUNT}) ?班?)?",
        rf"(?:幼儿园|幼)?(?:(?P<kindergarten>[小中大])|(?P<preschool>学前))班? ?(?:(?P<number>{_COUNT}) ?班?)?",
        rf"(?P<grade>[1-9一二三四五六七八九])年级? ?(?:(?P<number>{_COUNT}) ?班?)?",
        rf"(?P<grade>[1-9一二三四五六七八九]) (?P<number>{_COUNT}) ?班?",
        # 三2班 and 三二班, but not 三十二班, which may be the thirty-second.
        r"(?P<grade>[一二三四五六七八九])(?P<number>\d{1,2}|[一二三四五六七八九])班",
    )
)
_DOTS: Final = re.compile(r"\s*[·•・‧∙⋅．.]\s*")
_LATIN: Final = re.compile(r"[A-Za-z]")
_USUAL_NAME: Final = re.compile(r"[\u4e00-\u9fa5]{2,4}")  # plain already, without a compatible form
_INVISIBLE: Final = re.compile(r"[\u200b-\u200f\u2060\ufeff]")
_COUNTRY_CODE: Final = re.compile(r"^(?:\+86|0086|86(?=1\d{10}$))")
_MOBILE: Final = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE: Final = re.compile(r"0\d{2,3}[2-9]\d{6,7}", re.ASCII)
_ROSTER_NUMBER: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{2,30}[A-Z0-9]", re.ASCII)
_ID_NUMBER: Final = re.compile(r"[1-9]\d{16}[\dX]", re.ASCII)


class SchoolKind(StrEnum):
    """What sort of school it is."""

    SCHOOL = "school"
    TEACHING_POINT = "teaching_point"
    KINDERGARTEN = "kindergarten"


class PupilStatus(StrEnum):
    """Whether a pupil is at the school."""

    ENROLLED = "enrolled"
    LEFT = "left"
    GRADUATED = "graduated"


class PlacementReason(StrEnum):
    """Why a pupil came into a class."""

    ENROLLED = "enrolled"
    PROMOTED = "promoted"
    MOVED = "moved"
    TRANSFERRED = "transferred"


class Relation(StrEnum):
    """What a guardian is to a child."""

    FATHER = "father"
    MOTHER = "mother"
    PATERNAL_GRANDFATHER = "paternal_grandfather"
    PATERNAL_GRANDMOTHER = "paternal_grandmother"
    MATERNAL_GRANDFATHER = "maternal_grandfather"
    MATERNAL_GRANDMOTHER = "maternal_grandmother"
    OTHER = "other"


class AppointmentKind(StrEnum):
    """What somebody on the staff is charged with."""

    SUBJECT_TEACHER = "subject_teacher"
    HEAD_TEACHER = "head_teacher"
    DUTY = "duty"
    PROTECTION_LEAD = "protection_lead"
    SCHOOL_LEADER = "school_leader"
    TOWNSHIP_ADMINISTRATOR = "township_administrator"
    EDITOR = "editor"
    REVIEWER = "reviewer"


class Account(StrEnum):
    """At which account of WeChat an id was given."""

    SERVICE = "service"
    MINI_PROGRAM = "mini_program"


class InvitationKind(StrEnum):
    """Who is invited."""

    GUARDIAN = "guardian"
    STAFF = "staff"


class BindingState(StrEnum):
    """How far a request to be bound has come, which a head teacher decides."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class BindingWay(StrEnum):
    """How somebody proved that they are a guardian, or on the staff."""

    INVITATION = "invitation"
    PHONE = "phone"
    APPROVAL = "approval"


class SessionKind(StrEnum):
    """Where a session is used."""

    API = "api"
    CONSOLE = "console"


# ------------------------------------------------------------------------------------------------ words for the kinds
RELATION_WORDS: Final[Mapping[Relation, str]] = {
    Relation.FATHER: "爸爸",
    Relation.MOTHER: "妈妈",
    Relation.PATERNAL_GRANDFATHER: "爷爷",
    Relation.PATERNAL_GRANDMOTHER: "奶奶",
    Relation.MATERNAL_GRANDFATHER: "外公",
    Relation.MATERNAL_GRANDMOTHER: "外婆",
    Relation.OTHER: "其他监护人",
}
APPOINTMENT_WORDS: Final[Mapping[AppointmentKind, str]] = {
    AppointmentKind.SUBJECT_TEACHER: "任课教师",
    AppointmentKind.HEAD_TEACHER: "班主任",
    AppointmentKind.DUTY: "值班人员",
    AppointmentKind.PROTECTION_LEAD: "儿童保护负责人",
    AppointmentKind.SCHOOL_LEADER: "学校负责人",
    AppointmentKind.TOWNSHIP_ADMINISTRATOR: "乡镇管理员",
    AppointmentKind.EDITOR: "知识编辑",
    AppointmentKind.REVIEWER: "知识审核",
}


class PlaceKind(StrEnum):
    """What an appointment is for."""

    CLASS = "class"
    SCHOOL = "school"
    TOWNSHIP = "township"


PLACE_OF_APPOINTMENT: Final[Mapping[AppointmentKind, PlaceKind]] = {
    AppointmentKind.SUBJECT_TEACHER: PlaceKind.CLASS,
    AppointmentKind.HEAD_TEACHER: PlaceKind.CLASS,
    AppointmentKind.DUTY: PlaceKind.SCHOOL,
    AppointmentKind.PROTECTION_LEAD: PlaceKind.SCHOOL,
    AppointmentKind.SCHOOL_LEADER: PlaceKind.SCHOOL,
    AppointmentKind.TOWNSHIP_ADMINISTRATOR: PlaceKind.TOWNSHIP,
    AppointmentKind.EDITOR: PlaceKind.TOWNSHIP,
    AppointmentKind.REVIEWER: PlaceKind.TOWNSHIP,
}


# ------------------------------------------------------------------------------------------------------------- errors
class NameInvalid(InvalidInput):
    """What stands where a name should be is none."""

    code = "name_invalid"
    default_message = "姓名没有填对，请填写真实姓名。"


class PhoneInvalid(InvalidInput):
    """No phone number of China."""

    code = "phone_invalid"
    default_message = "电话号码不对，请填写 11 位手机号，或带区号的座机号。"


class IdNumberInvalid(InvalidInput):
    """No identity number: its length, date of birth or check digit is wrong."""

    code = "id_number_invalid"
    default_message = "身份证号不对，请对照证件核对 18 位号码。"


class RosterNumberInvalid(InvalidInput):
    """No number a school registers a child under."""

    code = "roster_number_invalid"
    default_message = "学籍号不对，只能有字母、数字和短横线，请核对。"


class ClassNameInvalid(InvalidInput):
    """Not understood as the name of a class."""

    code = "class_name_invalid"
    default_message = "班级名称看不懂，请写成“三年级2班”这样。"


class PlaceMissing(InvalidInput):
    """An appointment does not say for which class, school or township it is, or says more than its kind takes."""

    code = "place_missing"
    default_message = "任职要写明是哪个班、哪所学校或哪个乡镇，请补上。"


class DaysReversed(InvalidInput):
    """The last day lies before the first."""

    code = "days_reversed"
    default_message = "结束日期早于开始日期，请改正后再试。"


# --------------------------------------------------------------------------------------------------------- school year
def school_year_of(day: date) -> int:
    """The year in which the school year of that day began, which is on 1 September."""
    return day.year if day.month >= FIRST_MONTH else day.year - 1


def school_year_days(school_year: int) -> tuple[date, date]:
    """Its first and its last day."""
    return date(school_year, FIRST_MONTH, 1), date(school_year + 1, FIRST_MONTH, 1) - timedelta(days=1)


def lasts(since: date, until: date | None, day: date) -> bool:
    """Whether something goes on on a day: the first and the last day count, without a last one it is open."""
    return since <= day and (until is None or day <= until)


# --------------------------------------------------------------------------------------------------- names of classes
class ClassName(NamedTuple):
    """Grade and number of a class; `grade` -2, -1, 0 are the three years of kindergarten."""

    grade: int
    number: int

    def __str__(self) -> str:
        return class_name(self.grade, self.number)


def grade_name(grade: int) -> str:
    """三年级, 七年级, 小班. Raises ClassNameInvalid outside -2…9."""
    if not LOWEST_GRADE <= grade <= HIGHEST_GRADE:
        raise ClassNameInvalid
    return f"{_KINDERGARTEN[grade - LOWEST_GRADE]}班" if grade < 1 else f"{_DIGITS[grade]}年级"


def class_name(grade: int, number: int) -> str:
    """三年级2班, 小1班: the one way the product writes it, which `parse_class_name` reads back."""
    whole = grade_name(grade)
    return f"{whole[0]}{number}班" if grade < 1 else f"{whole}{number}班"


def parse_class_name(text: str) -> ClassName:
    """Reads 三(2)班, 三年级2班, 三年2班, 302班, 0302, 初一3班, 大班, 小(1)班. A grade alone means its class number 1.

    Raises ClassNameInvalid for anything else.
    """
    said = _BREAKS.sub(" ", _plain(text).replace(" ", "")).strip()
    match = next(filter(None, (form.fullmatch(said) for form in _CLASS_FORMS)), None)
    if match is None:
        raise ClassNameInvalid
    parts = match.groupdict()
    number = _number(parts["number"]) if parts["number"] else 1
    name = ClassName(_grade(parts), number)
    if not (LOWEST_GRADE <= name.grade <= HIGHEST_GRADE and 1 <= name.number <= HIGHEST_CLASS_NUMBER):
        raise ClassNameInvalid
    return name


def _grade(parts: Mapping[str, str | None]) -> int:
    if parts.get("junior"):
        return _number(parts["junior"] or "") + 6
    if parts.get("kindergarten"):
        return _KINDERGARTEN.index(parts["kindergarten"] or "") + LOWEST_GRADE
    if parts.get("preschool"):
        return 0
    return _number(parts["grade"] or "0")


def _number(digits: str) -> int:
    """12, 十二, 二十: up to 99."""
    if digits.isascii():
        return int(digits)
    tens, ten, ones = digits.rpartition("十")
    unit = _DIGITS.index(ones) if ones else 0
    return ((_DIGITS.index(tens) if tens else 1) * 10 if ten else 0) + unit


# ------------------------------------------------------------------------------------------------- names and numbers
def normalise_name(text: str) -> str:
    """A name as it is kept and compared: half width, no spaces between characters, `·` between the parts of a name.

    Raises NameInvalid for what is empty, too long, or has digits.
    """
    if _USUAL_NAME.fullmatch(text):
        return text
    name = _DOTS.sub("·", " ".join(_plain(text).split()))
    if not _LATIN.search(name):
        name = name.replace(" ", "")
    name = name.strip("·")
    if not 0 < len(name) <= LONGEST_NAME or any(sign.isdigit() for sign in name):
        raise NameInvalid
    return name


def normalise_phone(text: str) -> str:
    """11 digits of a mobile phone, or a landline with its area code: without +86, spaces and strokes.

    Raises PhoneInvalid.
    """
    digits = re.sub(r"[\s\-()./]", "", _plain(text))
    digits = _COUNTRY_CODE.sub("", digits)
    if not (_MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits)):
        raise PhoneInvalid
    return digits


def is_mobile(phone: str) -> bool:
    """Whether a normalised number is a mobile phone's: only these can be confirmed by WeChat."""
    return bool(_MOBILE.fullmatch(phone))


def normalise_roster_number(text: str) -> str:
    """As it is kept: text with its leading zeros, capitals, no spaces. Raises RosterNumberInvalid."""
    number = re.sub(r"\s", "", _plain(text)).lstrip("'").upper()
    if not _ROSTER_NUMBER.fullmatch(number):
        raise RosterNumberInvalid
    return number


def normalise_id_number(text: str) -> str:
    """18 signs, the last a digit or X. Raises IdNumberInvalid when the date of birth or the check digit is wrong."""
    number = re.sub(r"\s", "", _plain(text)).lstrip("'").upper()
    if not _ID_NUMBER.fullmatch(number) or number[-1] != id_check_digit(number[:17]):
        raise IdNumberInvalid
    birth_date_of(number)
    return number


def id_check_digit(first: str) -> str:
    """The last sign that belongs to the first 17 digits of an identity number (GB 11643)."""
    return "10X98765432"[sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(first)) % 11]


def birth_date_of(id_number: str) -> date:
    """The date of birth within an identity number. Raises IdNumberInvalid when it is no day."""
    try:
        return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError:
        raise IdNumberInvalid from None


def sex_of(id_number: str) -> str:
    """男 or 女, as the number says."""
    return "男" if int(id_number[16]) % 2 else "女"


def match_text(name: str, birth_date: date) -> str:
    """What `match_index` is made over."""
    return f"{normalise_name(name)}|{birth_date.isoformat()}"


# ---------------------------------------------------------------------------------------------------------- masking
def mask_phone(phone: str | None) -> str:
    """138****5678; "" for none."""
    return f"{phone[:3]}****{phone[-4:]}" if phone else ""


def mask_number(number: str | None) -> str:
    """Identity and roster numbers: the first three and the last two signs; "" for none."""
    if not number:
        return ""
    return f"{number[:3]}{'*' * (len(number) - 5)}{number[-2:]}" if len(number) > 7 else "*" * len(number)


def mask_name(name: str) -> str:
    """张*, 欧**: for places where others look on."""
    return name[:1] + "*" * (len(name) - 1)


def _plain(text: str) -> str:
    """Half width, compatible forms made one, without what cannot be seen."""
    return text.strip() if text.isascii() else _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()
