"""What a teacher types about a contact, read as far as it can be: who was met and how, what follows, all of it in one
message. Pure; `today` is an argument. What is not understood is left for a question."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from handlers.contacts.domain.records import ContactOutcome, Met, Topic, Way

WAYS: Final = (Way.VISIT, Way.CALL, Way.VIDEO, Way.SCHOOL)
"""By their numbers from 1 on."""
MET: Final = (Met.CHILD, Met.CARER, Met.PARENT)
"""By the numbers that follow."""
_WAY_WORDS: Final[Mapping[Way, str]] = {
    Way.VIDEO: "视频(?:电话|通话|聊天)?|微信视频",
    Way.VISIT: "家访|上门|登门|走访|入户|去(?:了)?(?:他|她|孩子)?家(?:里)?|到(?:他|她)?家里?",
    Way.CALL: "打?(?:了|过)?(?:个|的)?电话(?:联系)?|通(?:了)?电话|电话访?|通话|语音",
    Way.SCHOOL: "在校|到校|来校|来学校|在学校|校内|校访|面谈|谈话",
}
_CARERS: Final = (
    "奶奶|爷爷|外公|外婆|姥姥|姥爷|公公|婆婆|阿婆|阿公|家婆|家公|大伯|伯伯|伯父|伯母|叔叔|婶婶|婶子|舅舅|舅妈|姑姑|姑妈"
    "|姑父|姨妈|小姨|大姨|姨父|亲戚|照看人|照看的人|监护人|委托人|老人|哥哥|姐姐"
)
_MET_WORDS: Final[Mapping[Met, str]] = {
    Met.CHILD: "孩子(?:本人)?|本人|学生|小孩|娃娃?|小朋友",
    Met.CARER: _CARERS,
    Met.PARENT: "爸爸?|妈妈?|父亲|母亲|父母|爹|娘|家长",
}
_FAILED: Final = (
    "没(?:有)?(?:人)?接|不接|无人接听?|(?:没|未)打通|打不通|关机|停机|空号|(?:没|不)在家|没(?:有)?人(?:在家|开门|应|在)"
    "|家里没(?:有)?人|扑(?:了)?(?:个)?空|没见[到着]|没联系[上到]|联系不上|未接|锁(?:着)?门|没遇到"
)
_TOPIC_WORDS: Final[Mapping[Topic, str]] = {
    Topic.LIFE: "吃|穿|住|睡|生活|身体|生病|感冒|衣|饭|零花|钱|家务|病|腰|洗澡",
    Topic.STUDY: "作业|学习|成绩|功课|考试|上课|读书|写字|数学|语文|英语|听讲|背书|阅读",
    Topic.MIND: "心理|情绪|想(?:爸|妈|家|念)|哭|孤单|胆小|内向|高兴|开心|不说话|脾气|烦|压力|害怕|沉默|性格",
    Topic.SAFETY: "安全|溺水|下河|游泳|玩水|交通|骑车|用电|用火|陌生人|网络|手机|游戏|防火|煤气|摩托",
}
_AROUND: Final = " \t\r\n\u3000。.！!，,、；;：:"
_SPLIT: Final = re.compile(r"[\s，,。；;、！!：:]+")
_WIDE: Final = str.maketrans("０１２３４５６７８９", "0123456789")
_NUMERALS: Final = str.maketrans("〇零一二两三四五六七八九", "001223456789")
_TENS: Final = re.compile(r"(\d?)十(\d?)")
_NOTHING: Final = frozenset(
    {
        "没有",
        "无",
        "没",
        "没了",
        "不用",
        "不用了",
        "暂无",
        "暂时没有",
        "暂时不用",
        "不需要",
        "没事",
        "没啥",
        "无后续",
        "0",
    }
)
_HALF_A_YEAR: Final = timedelta(days=183)
_BARE_DAY: Final = 6
"""A longer part is a sentence that names a day, not a day."""
_MET_ANY: Final = "|".join(_MET_WORDS.values())
_MET_PART: Final = re.compile(
    rf"(?:只|就)?(?:见到|见了|见着|见|碰到|碰见|遇到|遇见|找到|和|跟|与|同|对)?了?(?:{_MET_ANY})"
    rf"(?:(?:和|跟|与|还有)?(?:{_MET_ANY}))*"
    r"(?:接的?|接了|接电话|聊了?聊?|说了?话|谈了?话?|在家|都在|见了?面|都见到?了?)?"
)
_WAY_PART: Final = re.compile("(?:" + "|".join(_WAY_WORDS.values()) + ")(?:联系)?(?:了|过)?")
_FAILED_PART: Final = re.compile(rf"(?:打了|去了|电话|家里|又|都|还是|但|但是)*(?:{_FAILED})(?:电话|人|了|的)*")


@dataclass(frozen=True, slots=True)
class How:
    """Way, who was met, whether anybody was. None: it was not said."""

    way: Way | None = None
    met: frozenset[Met] = frozenset()
    outcome: ContactOutcome | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to ask."""
        return self.way is not None and self.outcome is not None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What is to be done, and when; both empty: nothing is."""

    words: str = field(default="", repr=False)
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """All that one message says. `child_id` None: no child of the teller's was named, or several could be meant."""

    child_id: str | None = None
    how: How = How()
    happened_on: date | None = None
    finding: str = field(default="", repr=False)
    follow_up: FollowUp = FollowUp()


# ------------------------------------------------------------------------------------------------------------------ how
def how_of(text: str, way: Way | None = None) -> How:
    """Way and who was met, by numbers (`16`: visit, the carer) or by words. `way`: the one known already."""
    plain = text.translate(_WIDE).strip(_AROUND)
    digits = re.sub(r"[\s，,、+和.。]+", "", plain)
    if digits.isdigit():
        return _by_numbers(digits, way)
    found = next((each for each in WAYS if re.search(_WAY_WORDS[each], plain)), way)
    if re.search(_FAILED, plain):
        return How(found, frozenset(), ContactOutcome.FAILED)
    met = frozenset(each for each, words in _MET_WORDS.items() if re.search(words, plain))
    return How(found, met, ContactOutcome.REACHED if met else None)


def _by_numbers(digits: str, way: Way | None) -> How:
    numbers = {int(each) for each in digits}
    ways = [each for number, each in enumerate(WAYS, 1) if number in numbers]
    met = frozenset(each for number, each in enumerate(MET, len(WAYS) + 1) if number in numbers)
    if len(ways) > 1 or numbers - set(range(len(WAYS) + len(MET) + 1)):
        return How()
    found = ways[0] if ways else way
    if 0 in numbers:
        return How(found, frozenset(), ContactOutcome.FAILED) if not met else How()
    return How(found, met, ContactOutcome.REACHED if met else None)


def topics_of(text: str) -> frozenset[Topic]:
    """What a sentence speaks of, as a first guess that is shown."""
    return frozenset(topic for topic, words in _TOPIC_WORDS.items() if re.search(words, text))


# ----------------------------------------------------------------------------------------------------------------- days
def day_ahead(text: str, today: date) -> date | None:
    """The first day to come that a text names; None: it names none."""
    plain = _digits(text)
    for words, days in (("大后天", 3), ("后天", 2), ("明天", 1), ("明日", 1), ("今天", 0), ("今晚", 0)):
        if words in plain:
            return today + timedelta(days=days)
    if found := re.search(r"(\d{1,3})(?:个)?(天|日|周|星期|礼拜|月)(?:以)?后", plain):
        return _later(today, int(found[1]), found[2])
    if found := re.search(r"(下下|下|这|本)?个?(?:周|星期|礼拜)([1-6日天])", plain):
        return _weekday(today, found[1] or "", found[2])
    if "月底" in plain or "月末" in plain:
        base = _month_after(today, 1) if re.search(r"下(?:个)?月", plain) else today
        return _month_after(base.replace(day=1), 1) - timedelta(days=1)
    if found := re.search(r"(?:(20\d\d)[年/.\-])?(\d{1,2})[月/.\-](\d{1,2})[日号]?", plain):
        return _dated(today, found[1], int(found[2]), int(found[3]))
    if found := re.search(r"(下(?:个)?月)?(\d{1,2})[号日]", plain):
        base = _month_after(today.replace(day=1), 1) if found[1] else today
        day = _of_month(base, int(found[2]))
        return day if day is None or day >= today else _of_month(_month_after(today.replace(day=1), 1), int(found[2]))
    if re.search(r"下(?:个)?(?:周|星期|礼拜)", plain):
        return today + timedelta(days=7 - today.weekday())
    return _month_after(today, 1) if re.search(r"下(?:个)?月", plain) else None


def day_before(text: str, today: date) -> date | None:
    """The day a contact was, when a text is nothing but a day that has been; None otherwise."""
    plain = _digits(text).strip(_AROUND)
    plain = re.sub(r"(?:上午|下午|晚上|中午|早上|晚)$", "", plain)
    words = {"今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "昨": 1, "前天": 2, "大前天": 3}
    if plain in words:
        return today - timedelta(days=words[plain])
    if found := re.fullmatch(r"(上)?个?(?:周|星期|礼拜)([1-6日天])", plain):
        monday = today - timedelta(days=today.weekday() + (7 if found[1] else 0))
        day = monday + timedelta(days=_number_of(found[2]))
        return day if day <= today else day - timedelta(days=7)
    if found := re.fullmatch(r"(?:(20\d\d)[年/.\-])?(\d{1,2})[月/.\-](\d{1,2})[日号]?", plain):
        that = _real(int(found[1]) if found[1] else today.year, int(found[2]), int(found[3]))
        if that is not None and that > today and not found[1]:
            that = _real(today.year - 1, int(found[2]), int(found[3]))
        return that if that is not None and that <= today else None
    return None


def follow_up_of(text: str, today: date) -> FollowUp | None:
    """What is to be done and when; None: something is, and the day is missing."""
    words = text.strip().strip(_AROUND)
    if words in _NOTHING:
        return FollowUp()
    day = day_ahead(words, today)
    return FollowUp(words, day) if day is not None else None


def _digits(text: str) -> str:
    plain = re.sub(r"\s+", "", text.translate(_WIDE)).translate(_NUMERALS)
    return _TENS.sub(lambda found: f"{found[1] or 1}{found[2] or 0}", plain)


def _number_of(weekday: str) -> int:
    return 6 if weekday in "日天" else int(weekday) - 1


def _weekday(today: date, which: str, weekday: str) -> date:
    monday, number = today - timedelta(days=today.weekday()), _number_of(weekday)
    weeks = {"下下": 2, "下": 1}.get(which, 0)
    day = monday + timedelta(days=7 * weeks + number)
    # A weekday by itself is the next one: on a Friday 周三 is that of next week.
    return day if weeks or day > today else day + timedelta(days=7)


def _later(today: date, count: int, unit: str) -> date:
    if unit == "月":
        return _month_after(today, count)
    return today + timedelta(days=count * (1 if unit in "天日" else 7))


def _month_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _dated(today: date, year: str | None, month: int, day: int) -> date | None:
    if year:
        return _real(int(year), month, day)
    found = _real(today.year, month, day)
    if found is None or found >= today:
        return found
    following = _real(today.year + 1, month, day)
    # In December 1月5日 is to come; 9月3日 on the day after it is a slip.
    return following if following is not None and following - today <= _HALF_A_YEAR else None


def _of_month(base: date, day: int) -> date | None:
    return _real(base.year, base.month, day)


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


# ---------------------------------------------------------------------------------------------------------- one message
def note_of(text: str, children: Mapping[str, str], today: date, way: Way | None = None) -> Note:
    """What a message says: `children` are the teller's, name by id. `way`: as the word before it said."""
    child_id, rest = _child_in(text, children)
    parts = [part for part in _SPLIT.split(rest.translate(_WIDE)) if part]
    parts, follow_up = _follow_up_in(parts, today)
    met: frozenset[Met] = frozenset()
    finding, failed, happened_on, found_way = [], False, None, None
    for part in parts:
        if happened_on is None and (day := day_before(part, today)) is not None:
            happened_on = day
        elif found_way is None and _WAY_PART.fullmatch(part):
            found_way = how_of(part).way
        elif _FAILED_PART.fullmatch(part):
            failed = True
        elif _MET_PART.fullmatch(part):
            met |= how_of(part).met
        else:
            finding.append(part)
    # Somebody was met: that one phone was off the hook is no failure of the whole.
    outcome = ContactOutcome.REACHED if met else ContactOutcome.FAILED if failed else None
    return Note(
        child_id=child_id,
        how=How(found_way or way, met, outcome),
        happened_on=happened_on,
        finding="，".join(finding),
        follow_up=follow_up,
    )


def named(text: str, children: Mapping[str, str]) -> Sequence[str]:
    """The ids of the children a short answer may mean: the whole name, else a part of it."""
    plain = text.strip().strip(_AROUND)
    whole = [child for child, name in children.items() if name == plain]
    return whole or [child for child, name in children.items() if len(plain) >= 2 and plain in name]


def _child_in(text: str, children: Mapping[str, str]) -> tuple[str | None, str]:
    found = sorted({name for name in children.values() if name in text}, key=len, reverse=True)
    if not found:
        return None, text
    longest = found[0]
    ids = [child for child, name in children.items() if name == longest]
    rest = text.replace(longest, " ", 1)
    others = [name for name in found[1:] if name in rest]
    return (ids[0] if len(ids) == 1 and not others else None), rest


def _follow_up_in(parts: list[str], today: date) -> tuple[list[str], FollowUp]:
    """The end of a message that names a day to come is what follows."""
    for length in (1, 2):
        if len(parts) < length:
            break
        end = parts[-length:]
        day = day_ahead(end[0], today)
        if day is not None and day > today and (length == 1 or len(end[0]) <= _BARE_DAY):
            return parts[:-length], FollowUp(" ".join(end), day)
    if parts and parts[-1] in _NOTHING:
        return parts[:-1], FollowUp()
    return parts, FollowUp()
