"""The contact card: about whom something is known, and what."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput


class Holder(StrEnum):
    """Whom a fact of the card is about."""

    CHILD = "child"
    PARENT_1 = "parent_1"
    PARENT_2 = "parent_2"
    CARER = "carer"
    """Who looks after the child while the parents are away."""
    VILLAGE = "village"
    """The contact of the village."""


class FactKind(StrEnum):
    """What is known."""

    NAME = "name"
    RELATION = "relation"
    PHONE = "phone"
    ADDRESS = "address"
    WORKPLACE = "workplace"
    EMPLOYER = "employer"
    LAST_HOME = "last_home"
    AGE = "age"
    HEALTH = "health"
    ENTRUSTMENT = "entrustment"
    BARRED = "barred"


class FactSource(StrEnum):
    """Who said it."""

    CHILD = "child"
    PARENT = "parent"
    CARER = "carer"
    VILLAGE = "village"
    SCHOOL = "school"


class Fitness(StrEnum):
    """How a check of the carer came out."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


CONFIDENTIAL: Final = frozenset({FactKind.AGE, FactKind.HEALTH, FactKind.BARRED})
"""What says whether somebody is fit to look after a child: the protection lead's alone."""

CALLS_UNTIL_STALE: Final = 2
"""A phone number nobody answered so often has to be asked for anew."""
LONGEST_VALUE: Final = 200
_DATED: Final = frozenset({FactKind.LAST_HOME, FactKind.ENTRUSTMENT})
"""Their value is a day."""
OF_HOLDER: Final = {
    Holder.CHILD: (FactKind.ADDRESS, FactKind.PHONE, FactKind.HEALTH),
    Holder.PARENT_1: (
        FactKind.NAME, FactKind.RELATION, FactKind.PHONE, FactKind.WORKPLACE, FactKind.EMPLOYER, FactKind.LAST_HOME,
    ),
    Holder.PARENT_2: (
        FactKind.NAME, FactKind.RELATION, FactKind.PHONE, FactKind.WORKPLACE, FactKind.EMPLOYER, FactKind.LAST_HOME,
    ),
    Holder.CARER: (
        FactKind.NAME, FactKind.RELATION, FactKind.PHONE, FactKind.ADDRESS, FactKind.ENTRUSTMENT, FactKind.AGE,
        FactKind.HEALTH, FactKind.BARRED,
    ),
    Holder.VILLAGE: (FactKind.NAME, FactKind.PHONE),
}  # fmt: skip
"""What may be known of whom."""


class FactInvalid(InvalidInput):
    """What was filled in cannot be: the sentence says what and why."""

    code = "contacts_fact_invalid"
    default_message = "这一项填得不对，请改正后再保存。"


class FactReplaced(Conflict):
    """A newer version is in force."""

    code = "contacts_fact_replaced"
    default_message = "这一项已经有更新的内容，请刷新后再办。"


def check_value(holder: Holder, kind: FactKind, value: str, today: date) -> str:
    """As it is kept: a day is `2026-09-01`. Raises FactInvalid."""
    said = value.strip()
    if kind not in OF_HOLDER[holder]:
        raise FactInvalid("联系卡上没有这一项，请重新选择。")
    if not said or len(said) > LONGEST_VALUE:
        raise FactInvalid(f"请填好内容，最多{LONGEST_VALUE}个字，再保存。")
    return _day(said, today) if kind in _DATED else said


def check_stated(day: date, today: date) -> date:
    """When somebody said it. Raises FactInvalid."""
    if day > today:
        raise FactInvalid("了解到的日期不能晚于今天，请改正后再保存。")
    return day


def _day(text: str, today: date) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise FactInvalid("日期请写成2026-09-01这样，再保存。") from None
    if day > today:
        raise FactInvalid("这个日期不能晚于今天，请改正后再保存。")
    return day.isoformat()
