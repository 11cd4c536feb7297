"""Rules of reminders: when each goes out, which words mean which day, what may be said. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Protocol

from bot.clock import SHANGHAI, to_utc
from bot.errors import Conflict, InvalidInput

EVE: Final = "eve"
DAY_ITSELF: Final = "0"
CORRECTION: Final = "correction"
# Holidays between the last lead and the day: by then it is forgotten.
LONGEST_SILENCE: Final = timedelta(days=7)
LONGEST_TEXT: Final = 120
MOST_OWN: Final = 20
FURTHEST: Final = timedelta(days=366)
# What must not stand on a phone that others look at.
LABELS: Final = (
    "留守", "贫困", "困难学生", "困难家庭", "特困", "低保", "减免", "建档立卡", "孤儿", "单亲", "残疾", "服刑", "欠费",
    "传染病", "艾滋", "抑郁",
)  # fmt: skip


class Days(Protocol):
    """What is asked of a calendar."""

    def nth_school_day(self, day: date, n: int) -> date | None:
        """The n-th school day after the day, or before it for a negative n; None: the terms do not reach so far."""
        ...

    def is_provisional(self, day: date, until: date | None = None) -> bool:
        """Whether a year without a table lies between."""
        ...


class Timing(Protocol):
    """When reminders of a reason go out: a rule, as capabilities give it."""

    @property
    def leads(self) -> tuple[int, ...]:
        """How many school days before, largest first; 0 is the day itself."""
        ...

    @property
    def at(self) -> time:
        """When on the days before."""
        ...

    @property
    def at_day(self) -> time:
        """When on the day itself."""
        ...

    @property
    def until(self) -> time:
        """When on the day itself it is over."""
        ...

    @property
    def eve(self) -> bool:
        """Whether holidays before the day bring one more."""
        ...


class ReminderState(StrEnum):
    """Of a reminder that somebody set."""

    ACTIVE = "active"
    CANCELLED = "cancelled"


class DayUnclear(InvalidInput):
    """No day could be read."""

    code = "day_unclear"
    default_message = "没看懂是哪一天。请写成“9月4日”“明天”或“周五”这样，再试一次。"


class DayPast(InvalidInput):
    """The day is over."""

    code = "day_past"
    default_message = "这一天已经过了，不能再提醒。请写一个以后的日期。"


class DayTooFar(InvalidInput):
    """More than a year ahead."""

    code = "day_too_far"
    default_message = "这一天在一年以后，太远了。请写一年以内的日期。"


class TextInvalid(InvalidInput):
    """Nothing to remind of, or too much."""

    code = "reminder_text_invalid"
    default_message = "请写清楚提醒什么事，不超过 120 个字。"


class LabelFound(InvalidInput):
    """The text tells something about a family that nobody else may read."""

    code = "reminder_label_found"
    default_message = "提醒会显示在手机上，别人也可能看到，请不要写“{label}”这样的字眼，改一改再发。"


class NoDateThere(InvalidInput):
    """The last answer names no day that can be reminded of."""

    code = "no_date_there"
    default_message = "刚才的回答里没有还没到的日期，我没法替您记。您可以这样写：提醒我 9月4日 交材料。"


class NotReachable(Conflict):
    """Nobody the records know, and not in the chat: no reminder would ever arrive."""

    code = "reminder_not_reachable"
    default_message = "还不知道往哪里提醒您。请先绑定孩子，或在公众号里回复“提醒我”。"


class TooMany(Conflict):
    """Somebody has set as many as may be kept."""

    code = "too_many_reminders"
    default_message = "您已经记了 20 条提醒，先回复“我的提醒”取消几条再记。"


# ------------------------------------------------------------------------------------------------------------- when
@dataclass(frozen=True, slots=True)
class Window:
    """The time of one lead: it goes out from `not_before`, and never after `expires_at`, when the next lead's time has
    come or the matter is over."""

    lead: str
    not_before: datetime
    expires_at: datetime
    is_provisional: bool = False

    def is_open(self, now: datetime) -> bool:
        """Whether it may still go out."""
        return now < self.expires_at


def windows(rule: Timing, day: date, calendar: Days, leads: Sequence[int] | None = None) -> list[Window]:
    """All leads of an occurrence on a day, in the order of their times. `leads` instead of the rule's."""
    wanted = sorted(set(rule.leads if leads is None else leads), reverse=True)
    begins: list[tuple[str, date]] = [(str(lead), _before(calendar, day, lead)) for lead in wanted if lead > 0]
    if rule.eve and begins and day - begins[-1][1] > LONGEST_SILENCE:
        begins.append((EVE, day - timedelta(days=1)))
    moments = [(lead, moment(on, rule.at)) for lead, on in begins]
    if 0 in wanted:
        moments.append((DAY_ITSELF, moment(day, rule.at_day)))
    ends = [*(at for _, at in moments[1:]), moment(day, rule.until)]
    return [
        Window(lead, at, end, calendar.is_provisional(day, to_day(at)))
        for (lead, at), end in zip(moments, ends, strict=True)
        if at < end
    ]


def _before(calendar: Days, day: date, lead: int) -> date:
    """Where the stated terms do not reach, plain days are counted: better early than not at all."""
    return calendar.nth_school_day(day, -lead) or day - timedelta(days=lead)


def moment(day: date, at: time) -> datetime:
    """The moment of a time of day in China, in UTC."""
    return to_utc(datetime.combine(day, at, SHANGHAI))


def to_day(at: datetime) -> date:
    """The day in China."""
    return at.astimezone(SHANGHAI).date()


# ------------------------------------------------------------------------------------------------------ days in words
_WEEKDAYS: Final = "一二三四五六日"
_RELATIVE: Final[Mapping[str, int]] = {"今天": 0, "今日": 0, "明天": 1, "明日": 1, "后天": 2, "大后天": 3}
_HAN: Final = {sign: number for number, sign in enumerate("〇一二三四五六七八九")} | {"零": 0}
_NUMBER: Final = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
_DAY_FORMS: Final = re.compile(
    rf"(?P<full>(?P<year>\d{{4}})[年./-](?P<month>\d{{1,2}})[月./-](?P<day>\d{{1,2}})[日号]?)"
    rf"|(?P<short>(?P<m>{_NUMBER})月(?P<d>{_NUMBER})[日号]?)"
    r"|(?P<dotted>(?P<dm>\d{1,2})[./-](?P<dd>\d{1,2})(?!\d))"
    r"|(?P<relative>大后天|今天|今日|明天|明日|后天)"
    r"|(?P<week>下?下?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天末1-7]))"
    rf"|(?P<dom>(?P<dom_day>{_NUMBER})[日号])"
)
_BETWEEN: Final = " \t\u3000，,。：:、的要得请"


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody wants to be said on which day."""

    day: date
    text: str


def read_said(words: str, today: date) -> Said:
    """A day and what to say, the day in front. Raises DayUnclear, DayPast, DayTooFar, TextInvalid, LabelFound."""
    words = words.strip(_BETWEEN)
    match = _DAY_FORMS.match(words)
    if match is None:
        raise DayUnclear
    day = check_day(_day_of(match, today), today)
    return Said(day, check_text(words[match.end() :].lstrip(_BETWEEN)))


def begins_with_day(words: str) -> bool:
    """Whether a day stands in front."""
    return _DAY_FORMS.match(words.strip(_BETWEEN)) is not None


def check_day(day: date, today: date) -> date:
    """The day. Raises DayPast, DayTooFar."""
    if day < today:
        raise DayPast
    if day - today > FURTHEST:
        raise DayTooFar
    return day


def check_text(text: str) -> str:
    """The text without blanks around, on one line. Raises TextInvalid, LabelFound."""
    plain = " ".join(text.split())
    if not 0 < len(plain) <= LONGEST_TEXT:
        raise TextInvalid
    found = next((label for label in LABELS if label in plain), None)
    if found is not None:
        raise LabelFound(LabelFound.default_message.format(label=found))
    return plain


def _day_of(match: re.Match[str], today: date) -> date:
    """The day meant: without a year the next such day; a weekday is the next one, today's too."""
    try:
        if match["full"]:
            return date(int(match["year"]), int(match["month"]), int(match["day"]))
        if match["short"]:
            return _next(today, number(match["m"]), number(match["d"]))
        if match["dotted"]:
            return _next(today, int(match["dm"]), int(match["dd"]))
        if match["dom"]:
            return _next_of_month(today, number(match["dom_day"]))
    except ValueError:
        raise DayUnclear from None
    if match["relative"]:
        ahead = _RELATIVE[match["relative"]]
        return today + timedelta(days=ahead)
    return _weekday(match["week"], match["weekday"], today)


def _next(today: date, month: int, day: int) -> date:
    """A day without a year: of this year, unless it lies more than a month back."""
    meant = date(today.year, month, day)
    return meant if meant >= today - timedelta(days=31) else date(today.year + 1, month, day)


def _next_of_month(today: date, day: int) -> date:
    if day >= today.day:
        return today.replace(day=day)
    first = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    return first.replace(day=day)


def _weekday(words: str, name: str, today: date) -> date:
    wanted = int(name) if name.isdigit() else {"天": 7, "末": 6}.get(name) or _WEEKDAYS.index(name) + 1
    weeks = words.count("下")
    if weeks:
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
        return monday + timedelta(days=wanted - 1)
    return today + timedelta(days=(wanted - today.isoweekday()) % 7)


def number(text: str) -> int:
    """4, 四, 十, 十二, 二十, 二十一. Raises ValueError."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.partition("十")
    if not ten:
        if len(text) != 1:
            raise ValueError(text)
        return _HAN[text]
    return (_HAN[tens] if tens else 1) * 10 + (_HAN[ones] if ones else 0)


def spoken(day: date, today: date | None = None) -> str:
    """9月4日（周五）; with the year when it is not that of `today`."""
    year = f"{day.year}年" if today is not None and day.year != today.year else ""
    return f"{year}{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"


def distance(day: date, today: date) -> str:
    """今天, 明天, 后天, 还有5天."""
    ahead = (day - today).days
    return {0: "今天", 1: "明天", 2: "后天"}.get(ahead, f"还有{ahead}天")
