"""Which figures and documents of an answer are not among its typed facts.

The guard behind "quote numbers only from typed facts": an editor cannot change a figure in the sentence and forget it
in the data that reminders and lists are made from, or the other way round.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_NUMBER = re.compile(r"\d+(?:[.:]\d+)*")
_HAN = "一二三四五六七八九十百千万两几数"
_HAN_COUNT = re.compile(
    rf"(?<![第{_HAN}])(?:[二三四五六七八九十百千两][{_HAN}]*"
    r"(?:元|周岁|岁|亩|平方米|公里|个月|课时|小时|分钟|成|倍|学年|学期|周年|年(?!级)|天|周|次|名|人(?!民)|所|册|台|套|间|栋)"
    r"|一(?:元|个月|小时|学年|学期))"
)  # a lone 一 before other units is mostly an article (一次交清, 一人一案)
_TITLE = re.compile(r"《([^》]+)》")


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    return re.sub(r"(?<=\d)[,，](?=\d{3})|\s", "", text)


def unbacked(answer: str, values: Iterable[str]) -> list[str]:
    """Numbers (digits, or Han numerals before a unit) and 《titles》 of `answer` that no fact value holds, in order."""
    backing = _plain("|".join(values))
    numbers = set(_NUMBER.findall(backing))
    text = _plain(answer)
    missing = [token for token in _NUMBER.findall(text) if token not in numbers]
    missing += [token for token in _HAN_COUNT.findall(text) if token not in backing]
    missing += [f"《{title}》" for title in _TITLE.findall(text) if title not in backing]
    return list(dict.fromkeys(missing))
