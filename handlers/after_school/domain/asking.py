"""Which of a family's own matters a question is about: by its words, or by what the entry is about that answers it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from handlers.after_school.domain.words import without_slips


class Matter(StrEnum):
    """What is asked."""

    HOURS = "hours"
    STANDING = "standing"
    FEE = "fee"
    WAIVER = "waiver"


RULES: Final[Mapping[Matter, str]] = {
    Matter.HOURS: "课后服务各年级几点结束？",
    Matter.STANDING: "课后服务怎么报名？",
    Matter.FEE: "课后服务费什么时候交？",
    Matter.WAIVER: "家庭困难的孩子上课后服务要不要交钱？",
}
"""The question whose answer is the rule that goes with it."""
OVERVIEW: Final = "课后服务总的怎么安排：到几点、多少钱、困难家庭免不免？"
"""The same for a question about more than one of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, and of whom: a name, "" for a child that needs none."""

    matter: Matter
    who: str = ""


_SERVICE: Final = r"(?:课后服务|课后班?|晚托班?|托管班?|延时班?|延时服务|兴趣班|兴趣课|社团课?|课)"
_CHILD: Final = (
    r"(?:娃儿?|娃娃|孩子|小孩子?|伢儿?|崽崽?|闺女|姑娘|丫头|妮儿?|儿子|女儿|孙子|孙女|外孙女?|老大|老二|"
    r"宝宝|宝贝|两个|俩|他|她)"
)
# A name is two to four signs, none of which stands in the words that are asked with.
_NAME: Final = (
    r"(?P<who>(?![\u4e00-\u9fff]{0,2}(?:今天|明天|后天|现在|平时|小学|中学|学生|学费|老师|初中|初[一二三]|高中|中专|暑|寒|"
    r"周[一二三四五六日末]|星期|儿童|家庭|下雪|电脑|大班|中班|小班|大的|小的))"
    r"(?:(?![免减交缴报排抽几点的有没不上课托费钱级纪校班户午假饭餐本卡园那段])[\u4e00-\u9fff]){2,4}?)"
)
_OF: Final = rf"(?:我们?家?|俺们?家?|咱们?家?|家里)?的?(?:{_CHILD}{{1,2}}|{_NAME})?的?"
_DAY: Final = r"(?:今天|明天|今儿个?|今日|后天|平时|每天|星期[一二三四五]|周[一二三四五])?(?:下午|晚上)?的?"
_WHEN: Final = r"(?:是|要|该|得)?(?:几点钟?|啥时候|啥时间|什么时候|什么时间|几时|多会儿?|好久|多早晚)"
_GO: Final = r"(?:能|可以|才|就|去|来|该|到|学校|校门口|门口|我)*"
_DONE: Final = r"(?:了没有?|没有?|了吗|了么|了不|吗|么|不|没得|了啵|了没呀?)"
_END: Final = r"(?:啊|呀|呢|哦|哈|咯|来着|合适|嘛|吧)?"
_PATTERNS: Final[tuple[tuple[Matter, re.Pattern[str]], ...]] = (
    (
        Matter.HOURS,
        re.compile(
            rf"{_DAY}{_OF}{_DAY}{_SERVICE}?{_WHEN}{_GO}"
            rf"(?:放学|下课|离校|散|散学|结束|完|出来|回家|放|接|去接|来接)(?:{_CHILD}|人)?{_END}"
        ),
    ),
    (
        Matter.HOURS,
        re.compile(
            rf"(?:今天|今儿个?|今日|明天)(?:下午|晚上)?{_OF}(?:(?:有没有|上不上|还上不上){_SERVICE}|(?:还)?(?:有|上){_SERVICE}(?:吗|么|没|不)){_END}"
        ),
    ),
    (
        Matter.STANDING,
        re.compile(rf"{_OF}{_SERVICE}?(?:报名?|选|抽|抽签|录|录取)(?:上|到|好|成功|成|中|进)了?{_DONE}{_END}"),
    ),
    (
        Matter.STANDING,
        re.compile(rf"{_OF}{_SERVICE}?(?:排|候补|排队|轮)(?:到|在)?了?第?(?:几|哪|多少)(?:了|位|名|号|个)*{_END}"),
    ),
    (Matter.STANDING, re.compile(rf"(?:轮|排)到{_OF}了?{_DONE}{_END}")),
    (Matter.STANDING, re.compile(rf"{_OF}报了?(?:哪些|哪几门|哪门|什么|啥|几门)(?:{_SERVICE}|班)?{_END}")),
    (
        Matter.STANDING,
        re.compile(rf"{_OF}抽签(?:的?结果)?(?:出来|公布|有)?(?:了没有?|了吗|没有?|怎么样|咋样|中了吗|中没中){_END}"),
    ),
    (Matter.FEE, re.compile(rf"{_OF}{_SERVICE}?的?(?:钱|费|费用)?(?:交|缴)(?:了|过|清|齐|上)*{_DONE}{_END}")),
    (
        Matter.FEE,
        re.compile(rf"{_OF}{_SERVICE}?的?(?:还)?(?:欠|差|该交|要交|得交|应交)了?(?:多少|好多|几多)(?:钱|费)?{_END}"),
    ),
    (
        Matter.WAIVER,
        re.compile(
            rf"{_OF}{_SERVICE}?(?:的)?(?:钱|费|费用)?(?:能|可以|给)?(?:不能)?(?:免不免|减不减|免没免|减免|减|免)(?:钱|费|了|过|到|下来|成)*"
            rf"(?:{_DONE}|到?哪一?步了?)?{_END}"
        ),
    ),
    (
        Matter.WAIVER,
        re.compile(
            rf"{_OF}(?:申请)?(?:的)?减免(?:申请|的事|手续)?(?:批|办|审|审核|审批|通过|过|弄)(?:了|好|下来|完|过|成)*{_DONE}{_END}"
        ),
    ),
)
# Without one of these a wording of waivers is but the word itself.
_WAIVER_ASKS: Final = re.compile(r"免不免|减不减|免没免|[吗么没不]|哪一?步")
_BETWEEN: Final = re.compile(r"[\s,，。.!！~～、?？]+")
_LONGEST: Final = 20
_SHORTEST: Final = 3
# What is enough once the question before it has said what it is about: 几点放学，多少钱.
_FURTHER: Final[tuple[tuple[Matter, re.Pattern[str]], ...]] = (
    (
        Matter.FEE,
        re.compile(rf"(?:又|还|还有|一共|总共|和|跟)?(?:要|得|该|要交|收|交)?(?:多少|好多|几多|几个)(?:钱|费){_END}"),
    ),
    (Matter.HOURS, re.compile(rf"(?:又|还|还有|和|跟)?(?:到|上到|托到|搞到)?(?:几点钟?|啥时候|什么时候|几时){_END}")),
)


def rule_of(found: Sequence[Asked]) -> str:
    """The question whose answer is the rule that goes with what is asked."""
    return RULES[found[0].matter] if len(found) == 1 else OVERVIEW


@lru_cache(maxsize=4096)
def asked(text: str) -> tuple[Asked, ...]:
    """The matters, two at most, of a question that is about one's own and nothing else; none for any other."""
    if len(text) > 2 * _LONGEST:
        return ()
    plain = without_slips(_BETWEEN.sub("", text))
    if not _SHORTEST <= len(plain) <= _LONGEST:
        return ()
    if (only := _one(plain)) is not None:
        return (only,)
    for cut in range(_SHORTEST, len(plain) - 1):
        first, second = _one(plain[:cut]), None
        if first is not None:
            second = _further(plain[cut:]) or _one(plain[cut:])
        if first is not None and second is not None and second.matter is not first.matter and not second.who:
            return (first, Asked(second.matter, first.who))
    return ()


def _one(plain: str) -> Asked | None:
    for matter, pattern in _PATTERNS:
        found = pattern.fullmatch(plain)
        if found is not None and (matter is not Matter.WAIVER or _WAIVER_ASKS.search(plain)):
            return Asked(matter, found.groupdict().get("who") or "")
    return None


def _further(plain: str) -> Asked | None:
    return next((Asked(matter) for matter, pattern in _FURTHER if pattern.fullmatch(plain)), None)


# Topics of entries, and what a question has to ask for.
_TOPICS: Final[tuple[tuple[Matter, frozenset[str], frozenset[str]], ...]] = (
    (Matter.HOURS, frozenset({"课后服务时间"}), frozenset({"时间", "地点"})),
    (Matter.STANDING, frozenset({"课后服务报名"}), frozenset({"步骤", "日期", "期限"})),
    (Matter.FEE, frozenset({"课后服务收费"}), frozenset({"金额", "时间"})),
    (Matter.WAIVER, frozenset({"课后服务减免"}), frozenset({"资格", "金额", "材料", "步骤"})),
)


# What in a question asks for a matter, where the entry that answers it is about several.
_WORDS: Final[Mapping[Matter, re.Pattern[str]]] = {
    Matter.HOURS: re.compile(r"几点|几时|多晚|多早|时间|放学|下课|离校|散学|结束|接[娃孩人他她]|到(?:啥|什么)时候"),
    Matter.STANDING: re.compile(r"报名|报上|咋报|怎么报|排到|候补|抽签|录取"),
    Matter.FEE: re.compile(r"钱|费|多少元|几块|多少块|贵"),
    Matter.WAIVER: re.compile(r"免(?!费)|减|困难|贫困|穷|低保|脱贫|监测|特困|孤儿|残疾|烈士|优惠|补助|资助"),
}


def touched(question: str, topics: Collection[str], attributes: Collection[str]) -> Sequence[Matter]:
    """The matters an entry is about that answers a question: of several only those the question has words for, and a
    waiver, which not everybody wants to be told of, never without."""
    found = [
        matter
        for matter, about, wanted in _TOPICS
        if not about.isdisjoint(topics) and not wanted.isdisjoint(attributes)
    ]
    if len(found) < 2:
        return found
    named = [matter for matter in found if _WORDS[matter].search(question)]
    return named or [matter for matter in found if matter is not Matter.WAIVER]
