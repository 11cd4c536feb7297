"""Text as people type it → one form to match on.

Widths, case, traditional characters, emoji, punctuation, fillers, Han numerals, clock and unit forms. The original text
is kept by the caller for logs and for what is shown.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Protocol

MAX_QUESTION = 200
"""Characters of a question that are looked at; a longer one is a letter, and its first lines say what it is about."""

_PUNCTUATION = re.compile(r"[^\w%:./+\-~]+", re.UNICODE)
_LOOSE_MARKS = re.compile(r"(?<![0-9a-z])[.:/+\-~]+|[.:/+\-~]+(?![0-9a-z])")
_BREAKS = re.compile(r"[,，。;；?？!！\n、]+|\s{1,}")
_FILLERS = re.compile(
    r"^(?:你好|您好|老师好|老师您好|老师你好|请问一下|请问下|请问|麻烦问一下|麻烦问下|问一下|问下|想问一下|想问下|想问|"
    r"咨询一下|咨询下|打扰一下|打扰了|那个|嗯+|额+|呃+|哎+|唉+|喂+|就是说|我想知道|帮我查一下|帮我查下|查一下|说说|讲讲)+"
)
_TAIL = re.compile(r"(?:谢谢您|谢谢你|谢谢|谢了|多谢|急急急|急|在线等|呀|啊|呢|哦|哈|啦|哩|噢|喔|哇)+$")
_HAN_DIGIT = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_UNIT = {"十": 10, "百": 100, "千": 1000}
_PERCENT = re.compile(r"百分之([零〇一二三四五六七八九十百两点\d]+)")
_NUMERAL = re.compile(
    r"(?<![第一二三四五六七八九十零〇周星期])([零〇一二三四五六七八九十百千万两]+)"
    r"(?=元|块|岁|周岁|点|时|分|个月|月|号|日|天|年(?!级)|人|名|所|亩|米|平|节|次|成|倍|册|台|学期|学年|小时|分钟|公里)"
)
_CLOCK = re.compile(r"(?<!\d)(\d{1,2})(?:点钟?|时)(?!间|候)(?:(半)|(\d{1,2})分?|(一刻)|整)?")
_UNITS = (("㎡", "平方米"), ("平米", "平方米"), ("块钱", "元"), ("公分", "厘米"), ("礼拜", "星期"))
_MONEY = re.compile(r"(?<=\d)块(?!钱)")


class Converter(Protocol):
    """Traditional → simplified; `opencc.OpenCC("t2s")` is one."""

    def convert(self, text: str) -> str:
        """`text` in simplified characters."""


@lru_cache(maxsize=1)
def _converter() -> Converter:
    # imported on the first traditional character only: most townships never send one, and it costs memory
    from opencc import OpenCC

    return OpenCC("t2s")


def simplified(text: str) -> str:
    """`text` in simplified characters."""
    try:
        text.encode("gb2312")  # GB 2312 holds simplified characters only, so nothing is left to convert
    except UnicodeEncodeError:
        return _converter().convert(text)
    return text


def han_number(text: str) -> int | None:
    """The value of a Han numeral such as 三百二十 or 一万五; `None` if it is none."""
    if not text or any(c not in _HAN_DIGIT and c not in _HAN_UNIT and c != "万" for c in text):
        return None
    if all(c in _HAN_DIGIT for c in text):
        return int("".join(str(_HAN_DIGIT[c]) for c in text))
    high, sep, low = text.rpartition("万")
    if sep:
        upper, lower = han_number(high or "一"), han_number(low) if low else 0
        if upper is None or lower is None:
            return None
        return upper * 10_000 + (lower * 1000 if len(low) == 1 and low in _HAN_DIGIT else lower)
    total, digit, unit = 0, 0, 1
    for c in text:
        if c in _HAN_DIGIT:
            digit = _HAN_DIGIT[c]
        else:
            unit = _HAN_UNIT[c]
            total += (digit or 1) * unit
            digit = 0
    trailing = digit * (unit // 10) if text[-1] in _HAN_DIGIT and len(text) > 1 and text[-2] in "百千" else digit
    return total + trailing


def _percent(match: re.Match[str]) -> str:
    text = match[1]
    value = int(text) if text.isdigit() else han_number(text)
    return match[0] if value is None else f"{value}%"


def _numeral(match: re.Match[str]) -> str:
    value = han_number(match[1])
    return match[0] if value is None else str(value)


def _clock(match: re.Match[str]) -> str:
    minutes = "30" if match[2] else "15" if match[4] else f"{int(match[3]):02d}" if match[3] else "00"
    return f"{int(match[1])}:{minutes}" if int(match[1]) < 25 else match[0]


def numerals(text: str) -> str:
    """Han numerals before a unit, percentages and clock times as digits: 五点半 → 5:30, 百分之三十 → 30%."""
    text = _PERCENT.sub(_percent, text)
    text = _NUMERAL.sub(_numeral, text)
    text = _CLOCK.sub(_clock, text)
    text = _MONEY.sub("元", text)
    for old, new in _UNITS:
        text = text.replace(old, new)
    return text


def clean(text: str) -> str:
    """Widths, case, simplified characters; control characters and emoji gone; spaces and punctuation kept."""
    text = unicodedata.normalize("NFKC", text[: MAX_QUESTION * 4])
    text = "".join(c if unicodedata.category(c)[0] not in "CS" or c in "\n%+~<>=" else " " for c in text)
    return simplified(text.lower())[:MAX_QUESTION]


def squeeze(text: str) -> str:
    """Cleaned `text` without spaces, punctuation, fillers and particles; numerals as digits."""
    text = _PUNCTUATION.sub("", text.replace("_", ""))
    text = _LOOSE_MARKS.sub("", text)
    stripped = _TAIL.sub("", _FILLERS.sub("", text))
    return numerals(stripped or text)


def normalise(text: str) -> str:
    """The matching form of a question; two texts with the same form are the same question."""
    return squeeze(clean(text))


def segments(text: str) -> list[str]:
    """Parts of a question at commas, question marks and spaces, each in matching form; empty parts left out."""
    parts = (squeeze(part) for part in _BREAKS.split(clean(text)))
    return [part for part in parts if part]
