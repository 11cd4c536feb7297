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
_BREAKS = re.compile(r"(?:(?<!\d),|,(?!\d{3})|[，。;；?？!！\n、])+|\s+")
_CALL = re.compile(r"^\s*(?:各位)?(?:老师|校长|主任|同志|领导|师傅)[,，、!！:：~\s]+")
_FILLERS = re.compile(
    r"^(?:你好|您好|老师好|老师您好|老师你好|请问一下|请问下|请问|麻烦问一下|麻烦问下|问一下|问下|想问一下|想问下|想问|"
    r"咨询一下|咨询下|打扰一下|打扰了|那个|嗯+|额+(?![外定度])|呃+|哎+|唉+|喂+(?![奶养饭])|就是说|我想知道|"
    r"帮我查一下|帮我查下|查一下|说说|讲讲)+"
)
_TAIL = re.compile(
    r"(?:谢谢您|谢谢你|谢谢|谢了|多谢|急急急|(?<![着应紧心危救])急|在线等|呀|啊|呢|哦|哈|啦|哩|噢|喔|哇)+$"
)
_HAN_DIGIT = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_UNIT = {"十": 10, "百": 100, "千": 1000}
_DIGITS = "零〇一二三四五六七八九两"
_PERCENT = re.compile(r"百分之([零〇一二三四五六七八九十百两点.\d]+)")
_TENTHS = re.compile(r"(?<!\d)(\d)成(?=$|[的以左上吧吗以多])")
_NUMERAL = re.compile(
    rf"(?<![第{_DIGITS}十百千万周期拜几数\d.])(?<!(?<!最)[初高])[{_DIGITS}十百千万]+"
    r"(?=([几多来余]?)(元|块|周岁|岁|点|时|分|刻|个月|个|月|号|日|天|年(?!级)|人|名|所|亩|米|平|节|次|成|倍|册|台|学期|学年|"
    r"小时|分钟|公里|项|条|位|间|幢|栋|套|组|种|本|班(?!班)|周)?)"
)
_VAGUE = frozenset("点个项条位间套组种本班块平周刻")
"""Units before which 一 is an article (一个, 一种) or part of a word (一点), not a number."""
_NO_NUMBER = frozenset(("万", "千", "百", "千万", "万千", "万一", "百千"))
_COUNTS = re.compile(r".[十百千万]|[十百千万].")
"""A numeral that is one without a unit: 三百, 十五; single characters are parts of words (一致, 百姓)."""
_LOOSE_WORD = re.compile(r"^(?:十一|十[五六七八九]大|二十大)")
"""National day and party congresses."""
_DECIMAL = re.compile(
    r"([零一二三四五六七八九]|\d+)点([零一二三四五六七八九]{1,2}|\d{1,2})(?=[元块万米平亩倍岁%]|公里|个百分)"
    r"|(零)点([一二三四五六七八九]{1,2})(?!分)"
)
_DIGIT_RUN = re.compile(rf"^[{_DIGITS}]{{2,}}$")
"""Digits in a row: a year or number read out (二〇二〇), else about so many (两三年) or two things (五个一、三个会)."""
_POINTS = re.compile(r"^点(?:要求|建议|意见|措施|内容|原则|不足|问题|希望|做法|好处|注意|理由|经验|打算)")
_HOUR_OF_ONE = re.compile(r"点(?:钟|半|整|[一三]刻|[零〇一二三四五六七八九十\d]|到|放|上|下课|接|开)")
_POINT_ZERO = re.compile(r"点零([一二三四五六七八九])(?=分|$|[^十百千万])")
_PART_OF_DAY = r"(?P<part>下午|傍晚|晚上|今晚|夜里|晚|中午|上午|早上|早晨|清早|凌晨)?"
_CLOCK = re.compile(
    _PART_OF_DAY + r"(?<!\d)(?P<hour>\d{1,2})(?:点钟?|时)(?!间|候)"
    r"(?:(?P<half>半)|(?P<quarter>[一三13]刻)|(?P<minute>\d{1,2})分?|整)?"
)
_COLON = re.compile(r"(?P<part>下午|傍晚|晚上|今晚|夜里)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?!\d)")
_AFTERNOON = frozenset(("下午", "傍晚", "晚上", "今晚", "夜里", "晚"))
_TEN_THOUSANDS = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)万(?=$|[^千百一二三四五六七八九])")
_DAY = re.compile(r"(?<=月)(\d{1,2})号")
_UNITS = (("㎡", "平方米"), ("平米", "平方米"), ("m2", "平方米"), ("块钱", "元"), ("公分", "厘米"), ("礼拜", "星期"))
_MONEY = re.compile(r"(?<=\d)([多来]?)块(?!钱|地|牌|展|板|屏|场|黑|白|砖|石|田|区|玻|草|菜|表|电|标|橱|宣|匾|操)")


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
            if digit:
                return None  # 三四十 says about how many
            digit = _HAN_DIGIT[c]
        else:
            unit = _HAN_UNIT[c]
            total += (digit or 1) * unit
            digit = 0
    trailing = digit * (unit // 10) if text[-1] in _HAN_DIGIT and len(text) > 1 and text[-2] in "百千" else digit
    return total + trailing


def _percent(match: re.Match[str]) -> str:
    whole, point, part = match[1].replace(".", "点").partition("点")
    value = int(whole) if whole.isdecimal() else han_number(whole)
    decimals = "".join(c if c.isdecimal() else str(_HAN_DIGIT.get(c, "")) for c in part)
    if value is None or (point and not decimals):
        return match[0]
    return f"{value}.{decimals}%" if decimals else f"{value}%"


def _numeral(match: re.Match[str]) -> str:
    text, about, unit = match[0], match[1], match[2]
    after = match.string[match.end() :]
    before = match.string[match.start() - 1 : match.start()]
    if text in _NO_NUMBER or (not unit and (_LOOSE_WORD.match(text + after[:1]) or not _COUNTS.search(text))):
        return text
    if unit == "分" and len(text) == 1 and before not in {"点", "时"} and not after.startswith("分钟"):
        return text  # 十分 is "very" far oftener than ten points
    if _DIGIT_RUN.match(text) and len(text) != 4 and not ({"零", "〇"} & set(text)):
        return text
    if about and text[-1] in _DIGITS:
        return text
    if unit == "点" and (_POINTS.match(after) or (text == "一" and not _HOUR_OF_ONE.match(after))):
        return text
    if text == "一" and unit in _VAGUE - {"点"}:
        return text
    value = han_number(text)
    return text if value is None else str(value)


def _decimal(match: re.Match[str]) -> str:
    whole, part = ("".join(str(_HAN_DIGIT.get(c, c)) for c in group) for group in match.groups() if group)
    return f"{whole}.{part}"


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match["hour"]), match["minute"]
    quarter = match["quarter"]
    minutes = "30" if match["half"] else "00"
    if quarter:
        minutes = "45" if quarter[0] in "三3" else "15"
    elif minute:
        minutes = f"{int(minute):02d}"
    if hour > 24 or int(minutes) > 59:
        return match[0]
    return _of_day(match["part"], hour, minutes)


def _colon(match: re.Match[str]) -> str:
    return _of_day(match["part"], int(match["hour"]), match["minute"])


def _of_day(part: str | None, hour: int, minutes: str) -> str:
    """A time of day; 下午5:30 becomes 17:30, a word for morning or noon stays, as 5:30 alone leaves it open."""
    if part in _AFTERNOON:
        return f"{hour + 12 if hour < 12 else hour}:{minutes}"
    return f"{part or ''}{hour}:{minutes}"


def _ten_thousands(match: re.Match[str]) -> str:
    value = float(match[1]) * 10_000
    return str(round(value)) if abs(value - round(value)) < 1e-6 else match[0]


def numerals(text: str) -> str:
    """Han numerals that count, percentages, money, dates and clock times in digits: 五点半 → 5:30, 百分之三十 → 30%."""
    for old, new in _UNITS:
        text = text.replace(old, new)
    text = _PERCENT.sub(_percent, text)
    text = _DECIMAL.sub(_decimal, text)
    text = _POINT_ZERO.sub(lambda match: f"点0{_HAN_DIGIT[match[1]]}", text)
    text = _NUMERAL.sub(_numeral, text)
    text = _COLON.sub(_colon, _CLOCK.sub(_clock, text))
    text = _TEN_THOUSANDS.sub(_ten_thousands, text)
    text = _TENTHS.sub(r"\g<1>0%", text)
    return _DAY.sub(r"\1日", _MONEY.sub(r"\1元", text))


def clean(text: str) -> str:
    """Widths, case, simplified characters; control characters and emoji gone; spaces and punctuation kept."""
    text = unicodedata.normalize("NFKC", text[: MAX_QUESTION * 4])
    text = "".join(c if unicodedata.category(c)[0] not in "CS" or c in "\n%+~<>=" else " " for c in text)
    return simplified(text.lower())[:MAX_QUESTION]


def squeeze(text: str) -> str:
    """Cleaned `text` without spaces, punctuation, fillers and particles; numerals as digits."""
    text = _PUNCTUATION.sub("", _CALL.sub("", text).replace("_", ""))
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
