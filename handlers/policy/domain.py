"""Rules of asking: what is kept between two messages, which words name a place, why an answer did not help."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MAX_PLACE = 30

_BEGINNINGS = frozenset("我俺换")
_LONGEST_SAYING = 40
_SAID = re.compile(
    r"(?:我家在|我们在|我住在|我人在|我住|我在|俺在|俺家在|我是)\s*"
    r"(?P<place>[^\s，。,.!！?？；;、]{2,20}?)(?:的|这边|这里|这|哈|呢|啊)?"
)
_CHANGE = re.compile(r"换(?:个)?地方(?:到|成|为)?\s*[:：]?\s*(?P<place>[^\s，。,.!！?？；;、]{2,30})")
_PLACE_ENDING = re.compile(r"(?:省|市|县|区|镇|乡|街道|村|社区|小学|中学|初中|学校|幼儿园|中心校|一中|二中|三中|实小)$")
# Words by which a message says or asks more than where somebody is.
_ASKING = re.compile(
    r"吗|么|怎|哪|啥|什么|多少|几|能不能|可以|打工|外地|外面|城里|老家|家里|厂|工地|上班|上学|读书|读|想|要|有|被|没"
)


class Reason(StrEnum):
    """Why an answer did not help."""

    WRONG = "wrong"
    MISSING = "missing"
    UNCLEAR = "unclear"
    OTHER = "other"


REASONS = tuple(Reason)
"""In the order of their numbers, from 1."""


@dataclass(frozen=True, slots=True)
class OfferedOption:
    """An option that was offered by its number: the entry it leads to, or the place or stage to ask again with."""

    label: str
    key: str | None = None
    place: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the next message may refer to. `feedback` is the id of a rating that still lacks its reason."""

    question: str
    options: tuple[OfferedOption, ...] = ()
    article: str | None = None
    feedback: str | None = None

    def to_note(self) -> str:
        """As text; `from_note` reads it."""
        options = [[option.label, option.key, option.place, option.stage] for option in self.options]
        return json.dumps([self.question, options, self.article, self.feedback], ensure_ascii=False)


def from_note(note: str | None) -> Remembered | None:
    """What is remembered, None when nothing (readable) is."""
    if note is None:
        return None
    try:
        question, options, article, feedback = json.loads(note)
        return Remembered(question, tuple(OfferedOption(*option) for option in options), article, feedback)
    except (ValueError, TypeError):
        return None


def article_of(note: str | None) -> str | None:
    """The entry the last answer was given from; None when there was none."""
    remembered = from_note(note)
    return remembered.article if remembered else None


_NUMBERS: Mapping[str, int] = {word: number for number, word in enumerate("一二三四五六七八九", 1)}
_LONGEST_NUMBER = len("回复1个")
_NUMBER = re.compile(r"(?:第|选|回复)?([1-9]|[一二三四五六七八九])(?:个|项|号)?")


def picked_number(word: str) -> int | None:
    """The number a short message consists of, None for any other message."""
    found = _NUMBER.fullmatch(word) if len(word) <= _LONGEST_NUMBER else None
    if found is None:
        return None
    return _NUMBERS.get(found[1]) or int(found[1])


def place_said(text: str) -> str | None:
    """The place in a message that says only where somebody is (我在宿城区, 换地方 宿城区), None for any other."""
    plain = text.strip(" \t\r\n\u3000。．.！!～~")
    if plain[:1] not in _BEGINNINGS or len(plain) > _LONGEST_SAYING:
        return None
    if change := _CHANGE.fullmatch(plain):
        return change["place"]
    said = _SAID.fullmatch(plain)
    if said is None or _ASKING.search(said["place"]):
        return None
    return said["place"]


def looks_like_place(name: str) -> bool:
    """Whether a name that no plan knows reads like a place or a school."""
    return bool(_PLACE_ENDING.search(name)) and not _ASKING.search(name) and 3 <= len(name) <= MAX_PLACE
