"""A contact as it is filled in, field by field, in the chat or on a page: the same words, so that a draft begun in one
can be finished in the other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from handlers.contacts.domain.card import Holder
from handlers.contacts.domain.numbers import OTHER
from handlers.contacts.domain.records import Contact, ContactOutcome, DayPart, Met, RecordInvalid, Topic, Way

KEY: Final = "key"
FIELDS: Final = (
    KEY, "day", "part", "way", "outcome", "met", "topics", "finding", "sealed", "follow_up", "follow_up_on", "next_on",
    "called",
)  # fmt: skip
"""What a draft keeps; several of one field are joined."""
LISTS: Final = ("met", "topics")
WRITTEN: Final = ("finding", "sealed", "follow_up")
"""What somebody says in words of their own."""
_BETWEEN: Final = ","
_DAY_WRONG: Final = "日期没有填对，请重新选，再保存。"

W = TypeVar("W", bound=StrEnum)


def joined(words: Iterable[str]) -> str:
    """Several words as one field."""
    return _BETWEEN.join(sorted(words))


def parted(field: str) -> list[str]:
    """The words of such a field."""
    return [word for word in field.split(_BETWEEN) if word]


def contact_of(filled: Mapping[str, str]) -> Contact:
    """The contact that was filled in. Raises RecordInvalid for what no form of ours sends, or what is missing."""
    way, outcome = _one(Way, filled.get("way")), _one(ContactOutcome, filled.get("outcome"))
    day = _day(filled.get("day", ""))
    if way is None:
        raise RecordInvalid("请选怎么联系的，再保存。")
    if outcome is None:
        raise RecordInvalid("请选有没有联系上，再保存。")
    if day is None:
        raise RecordInvalid(_DAY_WRONG)
    is_reached = outcome is ContactOutcome.REACHED
    return Contact(
        client_key=filled.get(KEY, ""),
        happened_on=day,
        way=way,
        outcome=outcome,
        day_part=_one(DayPart, filled.get("part")),
        met=_several(Met, filled.get("met", "")) if is_reached else frozenset(),
        topics=_several(Topic, filled.get("topics", "")),
        finding=filled.get("finding", ""),
        sealed_part=filled.get("sealed", ""),
        follow_up=filled.get("follow_up", ""),
        follow_up_on=_day(filled.get("follow_up_on", "")),
        next_on=_day(filled.get("next_on", "")),
        called=_one(Holder, filled.get("called")),
        is_other_number=filled.get("called") == OTHER,
    )


def _one(kind: type[W], word: str | None) -> W | None:
    return next((each for each in kind if each.value == word), None)


def _several(kind: type[W], field: str) -> frozenset[W]:
    words = set(parted(field))
    return frozenset(each for each in kind if each.value in words)


def _day(text: str) -> date | None:
    """Raises RecordInvalid for what is no day; None for nothing."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise RecordInvalid(_DAY_WRONG) from None
