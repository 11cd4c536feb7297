"""What the school and a family that lives apart agree on: a word a month, a call at a fixed hour. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from bot.clock import SHANGHAI, to_local, to_utc
from bot.errors import Conflict, InvalidInput
from handlers.contacts.domain.card import FactSource, Holder
from handlers.contacts.domain.notes import day_ahead
from handlers.contacts.domain.triggers import recognised

LONGEST_WORD: Final = 100
FIRST_HOUR: Final = time(8, 0)
LAST_HOUR: Final = time(20, 30)
"""Nobody is called at night, and nobody is reminded in the quiet hours."""
FARTHEST: Final = timedelta(days=60)
REMINDED_BEFORE: Final = timedelta(hours=1)
OLDEST_HEARD: Final = timedelta(days=60)
LABELS: Final = (
    "留守", "单亲", "离异", "离婚", "孤儿", "贫困", "低保", "建档立卡", "家庭困难", "困难家庭", "困难学生", "残疾",
    "特殊家庭", "特殊儿童", "问题学生", "问题儿童", "差生", "后进生", "无人抚养", "帮扶", "关爱档案", "关爱对象",
)  # fmt: skip
"""What no word to a family says of a child."""
_EVENING: Final = re.compile(r"下午|晚上|今晚|晚|夜里|中午")
_CLOCK: Final = re.compile(r"(\d{1,2})\s*(?:[:：]\s*(\d{2})|[点时](半|1刻|3刻|(\d{1,2})分?)?)")
_NUMERALS: Final = str.maketrans("零一二两三四五六七八九", "01223456789")
_NOON: Final = 12


class WishHow(StrEnum):
    """How it is known what a parent wants."""

    CHAT = "chat"
    SIGNED_PAPER = "signed_paper"
    BY_PHONE = "by_phone"
    IN_PERSON = "in_person"


class CallState(StrEnum):
    """How far a call has come that somebody proposed."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    CANCELLED = "cancelled"
    DONE = "done"
    MISSED = "missed"


OPEN: Final = frozenset({CallState.PROPOSED, CallState.AGREED})


class HeardWay(StrEnum):
    """How parents were in touch with their child themselves."""

    CALL = "call"
    VIDEO = "video"
    HOME = "home"


class WordInvalid(InvalidInput):
    """It cannot be sent like this; the sentence says why."""

    code = "contacts_word_invalid"
    default_message = f"请写一句话，最多{LONGEST_WORD}个字，再保存。"


class WordSent(Conflict):
    """The month's word has gone out."""

    code = "contacts_word_sent"
    default_message = "这个月的话已经发出去了，下个月再写。"


class NotWanted(Conflict):
    """The parent has not agreed, or not any more."""

    code = "contacts_not_wanted"
    default_message = "这位家长还没有同意。请先问本人，同意了再登记，然后再约。"


class CallInvalid(InvalidInput):
    """No call can be then."""

    code = "contacts_call_invalid"
    default_message = "通话请约在今天以后两个月内、早上8点到晚上8点半之间，改好后再试。"


class CallOver(Conflict):
    """It is over, or was changed meanwhile."""

    code = "contacts_call_over"
    default_message = "这次通话已经改过或取消了，请看最新的时间再办。"


class CallBooked(Conflict):
    """One with this parent is booked."""

    code = "contacts_call_booked"
    default_message = "和这位家长已经约了一次通话，可以改时间，或先取消再约。"


class HeardInvalid(InvalidInput):
    """What was noted cannot be."""

    code = "contacts_heard_invalid"
    default_message = "请选父母中的哪一位、怎么联系的，日期不能晚于今天、不早于两个月前，再保存。"


def month_of(day: date) -> date:
    """Its first day."""
    return day.replace(day=1)


def check_word(words: str, send_on: date, today: date) -> str:
    """As it is kept. Raises WordInvalid for what is too long, says what a child is, or should be reported."""
    said = " ".join(words.split())
    if not 0 < len(said) <= LONGEST_WORD:
        raise WordInvalid
    if any(label in said for label in LABELS):
        raise WordInvalid("请不要写孩子属于哪一类，只写在校的情况，改好后再保存。")
    if recognised(said):
        raise WordInvalid("这样的情况请打电话当面说，不要写在这里。孩子有危险，先打110。")
    if not today <= send_on or month_of(send_on) != month_of(today):
        raise WordInvalid("哪天发请选这个月里今天或以后的日子，再保存。")
    return said


def check_call(at: datetime, now: datetime) -> datetime:
    """Raises CallInvalid."""
    if not now < at <= now + FARTHEST or not FIRST_HOUR <= to_local(at).time() <= LAST_HOUR:
        raise CallInvalid
    return at


def check_heard(holder: Holder, source: FactSource, happened_on: date, today: date) -> None:
    """Raises HeardInvalid."""
    is_parent = holder in (Holder.PARENT_1, Holder.PARENT_2)
    if not is_parent or source is FactSource.VILLAGE or not today - OLDEST_HEARD <= happened_on <= today:
        raise HeardInvalid


def moment_at(day: date, at: time) -> datetime:
    """A time of day in China."""
    return to_utc(datetime.combine(day, at, SHANGHAI))


def moment_in(text: str, today: date) -> datetime | None:
    """The moment a message names (9月20日19:30, 后天晚上7点半); None: day or hour is missing."""
    day, clock = day_ahead(text, today), _clock_in(text)
    return moment_at(day, clock) if day is not None and clock is not None else None


def _clock_in(text: str) -> time | None:
    plain = re.sub(r"十([一二三四五六七八九])", lambda found: f"1{found[1]}", text).replace("十", "10")
    found = _CLOCK.search(plain.translate(_NUMERALS))
    if found is None:
        return None
    hour = int(found[1])
    minute = int(found[2] or found[4] or {"半": 30, "1刻": 15, "3刻": 45}.get(found[3] or "", 0))
    if hour < _NOON and _EVENING.search(text):
        hour += _NOON
    return time(hour, minute) if hour < 24 and minute < 60 else None
