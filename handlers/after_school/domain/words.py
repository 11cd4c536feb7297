"""What families write when they mean to do something with a sign-up: told apart from questions about the rules, which
belong to the knowledge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final


class Wanted(StrEnum):
    """What is to be done."""

    SIGN_UP = "sign_up"
    OWN = "own"
    LEAVE = "leave"
    ACCEPT = "accept"
    DECLINE = "decline"
    OPT_OUT = "opt_out"
    DRAWN = "drawn"


_SERVICE: Final = (
    r"(?:课后服务|课后服务班|课后班|课后|晚托|晚托班|托管|托管班|延时|延时班|延时服务|兴趣班|兴趣课|社团|社团课)"
)
_CHILD: Final = (
    r"(?:(?:我们?|俺们?|咱们?)?家?的?(?:两个|俩)?"
    r"(?:娃儿?|娃娃|孩子|小孩子?|伢儿?|崽崽?|闺女|姑娘|丫头|妮儿?|儿子|女儿|孙子|孙女|外孙|外孙女|老大|老二|宝宝|宝贝))"
)
_ME: Final = r"(?:我们?|俺们?|咱们?|我家|俺家|咱家)?"
_WISH: Final = r"(?:想要?|要|想着|打算|准备|来|帮忙?|麻烦|请|需要)?"
_END: Final = r"(?:吧|啊|呀|哦|了|啦|一下|哈|咯|嘛)?"
# Whatever asks is for the knowledge, however much it speaks of signing up.
_ASKS: Final = re.compile(
    r"吗|么|怎|咋|哪|啥|谁|几|多少|什么|为何|如何|能不能|可不可以|行不|可以|要不要|是不是|会不会|用不用|好不好|有没有|中不|"
    r"必须|强制|条件|材料|流程|手续|截止|时间|费用|多久|\?|？"
)
_PATTERNS: Final[Mapping[Wanted, re.Pattern[str]]] = {
    Wanted.OWN: re.compile(
        rf"(?:查询?|看看?|查看)?(?:我们?|我家|俺家|咱家)的{_SERVICE}?的?报名"
        rf"|(?:查询?|看看?|查看)?{_ME}(?:{_CHILD})?的?{_SERVICE}?的?(?:报名情况|报名记录|报名结果)"
        rf"|(?:查询?|看看?|查看){_SERVICE}?的?报名|我报的课|我的课|我的课后服务"
    ),
    Wanted.LEAVE: re.compile(
        rf"{_ME}{_WISH}(?:给|帮|把)?(?:{_CHILD})?的?(?:退报|退课|退班|退掉{_SERVICE}|退出{_SERVICE}|退出课程|退{_SERVICE}|退出报名|"
        rf"取消报名|取消{_SERVICE}|撤销报名|{_SERVICE}退了|{_SERVICE}不上了)(?:了|掉)?{_END}"
    ),
    Wanted.SIGN_UP: re.compile(
        rf"{_ME}{_WISH}(?:给|帮|替|为)?(?:{_CHILD})?{_WISH}(?:也)?"
        rf"(?:报个?名|报个?名{_SERVICE}|报名?一?个?{_SERVICE}(?:的?名)?|参加{_SERVICE}|上{_SERVICE}|{_SERVICE}(?:想|要)?报个?名)"
        rf"(?:参加|上)?(?:{_SERVICE})?{_END}"
    ),
}
# Short words, and those that a pattern would take for something else.
_EXACT: Final[Mapping[str, Wanted]] = {
    **dict.fromkeys(("要", "要名额", "我要名额", "接受", "接受名额", "我接受", "要这个名额"), Wanted.ACCEPT),
    **dict.fromkeys(("不要", "不要名额", "不接受", "不要了", "放弃", "放弃名额", "名额不要了"), Wanted.DECLINE),
    **dict.fromkeys(("我的报名", "我的报名记录", "查报名", "我报的名"), Wanted.OWN),
    **dict.fromkeys(("抽签结果", "我的抽签", "我的抽签结果", "查抽签", "查抽签结果", "看抽签结果"), Wanted.DRAWN),
}
# A reason may speak of time and money; it asks for nothing.
_REASON_ASKS: Final = re.compile(
    r"吗|么|怎|咋|哪|啥|谁|几|多少|什么|为何|如何|能不能|可不可以|行不|要不要|是不是|会不会|用不用|有没有|退不|\?|？|(?:不|没|没有)$"
)
_OPTING_OUT: Final = re.compile(
    rf"{_ME}(?:{_CHILD})?(?:不参加|不报|不上|不想参加|不想报|不想上|不要上|不打算参加|不打算报)(?P<service>{_SERVICE})?了?"
    r"(?:(?:[\s,，。：:；;]+|因为|因|由于|原因是?)+(?P<reason>.{1,200}))?",
    re.S,
)
# What a slip of the finger makes of the words that matter; longer than this nobody means a command.
_SLIPS: Final[Mapping[str, str]] = {
    "暴名": "报名", "抱名": "报名", "爆名": "报名", "报各名": "报个名", "报明": "报名", "保名": "报名", "报民": "报名",
    "扶务": "服务", "福务": "服务", "服物": "服务", "课候": "课后", "客后": "课后", "课后服务服务": "课后服务",
    "晚拖": "晚托", "拖管": "托管", "脱管": "托管", "延时斑": "延时班", "退抱": "退报", "退暴": "退报",
}  # fmt: skip
_SLIP: Final = re.compile("|".join(sorted(_SLIPS, key=len, reverse=True)))
_BETWEEN: Final = re.compile(r"[\s,，。.!！~～、]+")
_LONGEST: Final = 24
_LONGEST_WITH_REASON: Final = 240
_MARKS: Final = " \t\r\n\u3000。．.！!~～“”\"'「」【】[]（）(),，、"


def without_slips(text: str) -> str:
    """The text as it was meant, where a finger or an ear slipped over a word that matters."""
    return _SLIP.sub(lambda found: _SLIPS[found[0]], text)


@lru_cache(maxsize=4096)
def wanted_by(text: str) -> Wanted | None:
    """What a message wants done; None for one that asks, or is about something else."""
    if len(text) > _LONGEST_WITH_REASON:
        return None
    plain = text.strip(_MARKS)
    if plain in _EXACT:
        return _EXACT[plain]
    if reason_in(text) is not None:
        return Wanted.OPT_OUT
    plain = without_slips(_BETWEEN.sub("", plain))
    if not plain or len(plain) > _LONGEST or _ASKS.search(plain):
        return None
    return next((wanted for wanted, pattern in _PATTERNS.items() if pattern.fullmatch(plain)), None)


def reason_in(text: str) -> str | None:
    """The reason in a message by which a family opts out, "" where it gives none; None when the message is not one."""
    found = _OPTING_OUT.fullmatch(without_slips(text.strip(_MARKS)))
    if found is None or _REASON_ASKS.search(text.strip(_MARKS)):
        return None
    return (found["reason"] or "").strip(_MARKS)
