"""Questions a dialogue asks: what a good answer is, and what to say when it is none.

A prompt reads the person's text and gives a value. `NotUnderstood` carries the sentence that asks again; the dispatcher
says it and the person stays at the step.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Generic, TypeVar

from bot.dialogue import texts
from bot.errors import InvalidInput

_DIGITS = str.maketrans("〇一二三四五六七八九", "0123456789")
_TENS = re.compile(r"([1-9]?)十([1-9]?)")
_MARKS = " \t\r\n\u3000。.！!？?，,、"
_FULL_DATE = re.compile(r"(\d{4})[年/.\-](\d{1,2})[月/.\-](\d{1,2})[日号]?")
_SHORT_DATE = re.compile(r"(\d{1,2})[月/.\-](\d{1,2})[日号]?")
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_LANDLINE = re.compile(r"(0\d{2,3})(\d{7,8})")
_YES = frozenset(
    {"是", "是的", "对", "对的", "好", "好的", "嗯", "可以", "同意", "确认", "确定", "行", "中", "y", "yes", "ok", "1"}
)
_NO = frozenset({"不", "不是", "不对", "不好", "不用", "不了", "不可以", "不同意", "否", "取消", "别", "n", "no", "2"})


class NotUnderstood(InvalidInput):
    """The answer is none to this question; `message` asks again and names the way out."""

    code: ClassVar[str] = "not_understood"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence + texts.LEAVE_HINT)


@dataclass(frozen=True, slots=True)
class FreeText:
    """Any text of `least` to `most` characters."""

    least: int = 1
    most: int = 500

    def read(self, text: str) -> str:
        """The text without blanks around. Raises NotUnderstood."""
        value = text.strip()
        if not value:
            raise NotUnderstood(texts.EMPTY)
        if len(value) < self.least:
            raise NotUnderstood(texts.TOO_SHORT.format(least=self.least))
        if len(value) > self.most:
            raise NotUnderstood(texts.TOO_LONG.format(most=self.most, length=len(value)))
        return value


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """One of the options, by its number or by its words."""

    options: Sequence[tuple[str, T]]

    def ask(self, lead: str) -> str:
        """The question with its options numbered from 1."""
        lines = [f"{number}. {label}" for number, (label, _) in enumerate(self.options, 1)]
        return "\n".join([lead, *lines])

    def read(self, text: str) -> T:
        """The value chosen. Raises NotUnderstood."""
        plain = text.strip(_MARKS)
        number = re.fullmatch(r"(?:第|选)?(\d{1,2})(?:个|项|号)?", _in_digits(plain))
        if number and 1 <= int(number[1]) <= len(self.options):
            return self.options[int(number[1]) - 1][1]
        for label, value in self.options:
            if plain == label:
                return value
        raise NotUnderstood(texts.CHOOSE.format(count=len(self.options)))


@dataclass(frozen=True, slots=True)
class Confirm:
    """Yes or no."""

    def read(self, text: str) -> bool:
        """True for yes. Raises NotUnderstood."""
        plain = text.strip(_MARKS).lower()
        if plain in _YES:
            return True
        if plain in _NO:
            return False
        raise NotUnderstood(texts.YES_OR_NO)


@dataclass(frozen=True, slots=True)
class DateInput:
    """A day, not before `first` and not after `last` (None: no bound). A day without a year is of `today`'s."""

    today: date
    first: date | None = None
    last: date | None = None

    def read(self, text: str) -> date:
        """The day. Raises NotUnderstood."""
        day = self._parsed(re.sub(r"\s+", "", _in_digits(text)).strip(_MARKS))
        if self.first and day < self.first:
            raise NotUnderstood(texts.DATE_TOO_EARLY.format(first=_spoken(self.first)))
        if self.last and day > self.last:
            raise NotUnderstood(texts.DATE_TOO_LATE.format(last=_spoken(self.last)))
        return day

    def _parsed(self, text: str) -> date:
        relative = {"今天": 0, "明天": 1, "后天": 2}.get(text)
        if relative is not None:
            return date.fromordinal(self.today.toordinal() + relative)
        try:
            if match := _FULL_DATE.fullmatch(text):
                return date(int(match[1]), int(match[2]), int(match[3]))
            if match := _SHORT_DATE.fullmatch(text):
                return date(self.today.year, int(match[1]), int(match[2]))
        except ValueError:
            pass
        raise NotUnderstood(texts.BAD_DATE)


@dataclass(frozen=True, slots=True)
class PhoneInput:
    """A telephone number of mainland China."""

    def read(self, text: str) -> str:
        """Digits only; a landline as area code, hyphen, number. Raises NotUnderstood."""
        digits = re.sub(r"[\s\-—()]", "", unicodedata.normalize("NFKC", text)).strip(_MARKS)
        if match := _MOBILE.fullmatch(digits):
            return match[1]
        if match := _LANDLINE.fullmatch(digits):
            return f"{match[1]}-{match[2]}"
        raise NotUnderstood(texts.BAD_PHONE)


def _in_digits(text: str) -> str:
    """Wide characters and Chinese numerals up to 99 as plain ones."""
    plain = unicodedata.normalize("NFKC", text).translate(_DIGITS)
    return _TENS.sub(lambda found: f"{found[1] or 1}{found[2] or 0}", plain)


def _spoken(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
