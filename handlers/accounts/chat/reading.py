"""What people write as a name, a date of birth, a number on the roster: in their own order and in their own words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import Final

_NUMERALS: Final = {
    sign: value
    for value, signs in enumerate(("零〇○", "一", "二两", "三", "四", "五", "六", "七", "八", "九"))
    for sign in signs
}
_N: Final = "[0-9零〇○一二两三四五六七八九十]"
_DATE: Final = re.compile(
    rf"(?<![0-9])(?P<year>{_N}{{2,4}})(?P<gap>\s*[年/.\-,、\s]\s*)(?P<month>{_N}{{1,3}})\s*[月/.\-,、\s]\s*(?P<day>{_N}{{1,3}})"
    r"\s*[日号]?(?![0-9])"
)
_RUN: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:(?P<long>(?:19|20)[0-9]{6})|(?P<short>[0-9]{6}))(?:日|号)?(?![0-9A-Za-z])"
)
_ROSTER: Final = re.compile(r"(?<![0-9A-Za-z])(?P<number>[A-Za-z]?[0-9][0-9A-Za-z]{11,30})(?![0-9A-Za-z])")
_NAMED_ROSTER: Final = re.compile(r"学(?:籍)?号(?:码)?\s*[:是为]?\s*(?P<number>[0-9A-Za-z][0-9A-Za-z\- ]{2,34})")
_BEFORE: Final = re.compile(
    r"^(?:(?:我家|我们家|我的|我|本人)?(?:孩子|小孩|娃娃|娃|宝宝|儿子|女儿|外孙女|外孙|孙子|孙女|学生|小朋友)?的?"
    r"(?:姓名|名字|大名)?(?:叫做|名叫|叫|是|为|:)?)\s*[:,]?\s*"
)
_AFTER: Final = re.compile(
    r"[\s,;、\u3002.]*(?:的)?(?:出生日期|出生年月日|出生年月|出生时间|生日|出生于|生于|出生|日期)?(?:是|为|:)?[\s,;、\u3002.:]*$"
)
_AFTER_DATE: Final = re.compile(r"^(?:生的|出生的|出生|生|的)?[\s,;、\u3002.:]*")
_NAME: Final = re.compile(r"[一-鿿㐀-䶿·]{2,15}|[A-Za-z][A-Za-z .·]{1,40}")
_PUNCTUATION: Final = "\t\r\n .。,;!?、:~\"'“”‘’「」()"
_NO_NAMES: Final = frozenset({"不知道", "不清楚", "忘了", "没有", "在哪里", "怎么办", "绑定", "帮助", "你好", "您好"})


@dataclass(frozen=True, slots=True)
class Said:
    """What was found in a text; None where nothing was."""

    name: str | None = field(default=None, repr=False)
    birth: date | None = field(default=None, repr=False)
    roster_number: str | None = field(default=None, repr=False)

    @property
    def is_empty(self) -> bool:
        """Nothing was found."""
        return self == Said()


def read_child(text: str) -> Said:
    """The child's name, date of birth and number on the roster, as far as the text has them."""
    plain = unicodedata.normalize("NFKC", text).strip()
    number = _NAMED_ROSTER.search(plain) or _ROSTER.search(plain)
    if number is not None:
        found = re.sub(r"\s", "", number["number"]).upper()
        return Said(roster_number=found)
    span, birth = _birth(plain)
    if birth is None or span is None:
        return Said(name=_name(plain))
    before, after = plain[: span[0]], plain[span[1] :]
    return Said(_name(_AFTER.sub("", before)) or _name(_AFTER_DATE.sub("", after)), birth)


def read_name(text: str) -> str | None:
    """A grown-up's or a child's name; None when it is none."""
    return _name(unicodedata.normalize("NFKC", text).strip())


def read_phone_end(text: str) -> str | None:
    """Four digits, or a whole number, in a text; None when there is neither."""
    plain = unicodedata.normalize("NFKC", text)
    digits = "".join(str(_NUMERALS.get(sign, sign)) for sign in plain)
    found = re.findall(r"[0-9]+", re.sub(r"(?<=[0-9])[\s\-]+(?=[0-9])", "", digits))
    return found[0] if len(found) == 1 and len(found[0]) in (4, 11, 13) else None


def _name(text: str) -> str | None:
    said = text.strip(_PUNCTUATION)
    said = _AFTER.sub("", _BEFORE.sub("", said, count=1)).strip(_PUNCTUATION)
    joined = re.sub(r"(?<=[一-鿿])\s+(?=[一-鿿])", "", said)
    if joined in _NO_NAMES or not _NAME.fullmatch(joined):
        return None
    return joined


def _birth(text: str) -> tuple[tuple[int, int] | None, date | None]:
    """Where a date of birth stands in the text, and which it is."""
    for found in _DATE.finditer(text):
        day = _day(_year(found["year"]), _count(found["month"]), _count(found["day"]))
        if day is not None:
            return found.span(), day
    for found in _RUN.finditer(text):
        digits = found["long"] or "20" + found["short"]
        day = _day(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        if day is not None:
            return found.span(), day
    return None, None


def _day(year: int | None, month: int | None, day: int | None) -> date | None:
    try:
        return date(year or 0, month or 0, day or 0)
    except ValueError:
        return None


def _year(text: str) -> int | None:
    """2018, 二零一八, 18, 一八: two digits are of this century."""
    digits = "".join(str(_NUMERALS.get(sign, sign)) for sign in text)
    if not digits.isascii() or not digits.isdecimal() or len(digits) == 3:
        return None
    return int(digits) + (2000 if len(digits) == 2 else 0)


def _count(text: str) -> int | None:
    """5, 05, 五, 十五, 二十, 二十五."""
    if text.isascii():
        return int(text) if text.isdecimal() and len(text) < 3 else None
    tens, ten, ones = text.rpartition("十")
    if not ten:
        digits = "".join(str(_NUMERALS.get(sign, sign)) for sign in text)
        return int(digits) if digits.isdecimal() and len(digits) < 3 else None
    values = [_NUMERALS.get(part, 0) if part else default for part, default in ((tens, 1), (ones, 0))]
    return values[0] * 10 + values[1]
