"""What may have to be reported to the police: recognised in what somebody writes, so that they are asked. Pure.

The words only ask. Whether it is so a person says, and a person ticks what no word gives away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Trigger(StrEnum):
    """What a school has to report."""

    ALONE = "alone"
    """A child lives without anybody who looks after it."""
    MISSING = "missing"
    UNFIT = "unfit"
    """Whoever looks after the child cannot, or must not."""
    VIOLENCE = "violence"
    ABUSE = "abuse"
    """Abused, abandoned, sexually hurt."""
    SELF_HARM = "self_harm"


_CHILD: Final = "(?:孩子|娃|学生|小孩|他|她|姐弟|兄妹|姐妹|兄弟)"
_ELDER: Final = "(?:奶奶|爷爷|外公|外婆|姥姥|姥爷|监护人|照看人|老人|爸爸?|妈妈?|父亲|母亲)"
_FAMILY: Final = (
    "(?:爸爸?|妈妈?|爹|娘|父亲|母亲|爷爷|奶奶|外公|外婆|姥姥|姥爷|继父|继母|后妈|后爸|叔叔?|舅舅?|姑姑?|姑父|姨)"
)
# No telephone is beaten, and nobody who works away: what 打 may not be followed by.
_NO_BLOW: Final = "(?!的?电话|的?手机|工|听|算|扫|扰|针|疫苗|卡|球|牌|牌|字|印|招呼|游戏|车|断)"

_WORDS: Final[Mapping[Trigger, tuple[str, ...]]] = {
    Trigger.ALONE: (
        "(?:一个人|独自|自己)(?:一人|一个)?(?:在家|过夜|住|生活|睡家里)",
        "(?<!作业)(?<!学习)(?<!功课)(?<!手机)(?:没有?人|无人)(?:照看|照料|照顾|看管|监护)(?!.{0,2}(?:作业|学习))",
        f"{_CHILD}.{{0,3}}(?:没有?人|无人)管",
        "家里(?:就|只|只有|只剩)?(?:他|她|孩子|娃|姐弟|兄妹|姐妹|兄弟)(?:们)?(?:一个人|自己|俩|两个)(?!.{0,3}(?:听话|高兴))",
        "家里没有?大人",
    ),
    Trigger.MISSING: (
        "失踪|走失|走丢|离家出走|下落不明|被拐|拐卖",
        f"{_CHILD}.{{0,3}}(?:不见了|联系不上|没影)",
        "(?:找不到|找不着)(?:孩子|娃|他人|她人|人了|人在)",
        "(?:一夜|整夜|一晚|几天|两天|三天|昨晚).{0,3}(?:没回家|没回来|未归|没归)|夜不归宿",
    ),
    Trigger.UNFIT: (
        f"{_ELDER}.{{0,5}}(?:瘫|卧床|昏迷|坐牢|服刑|被抓|被拘|拘留|吸毒|贩毒|酗酒|天天喝醉|总喝醉|赌博|精神病|精神失常|精神有问题|失能|痴呆|病重|重病|病危)",
        f"{_ELDER}.{{0,3}}(?:没有?能力|没法|无法|无力|不能|不愿意?|不肯)(?:再)?(?:照顾|照看|监护|抚养|带孩子|养)",
        f"{_ELDER}.{{0,3}}(?:照顾不了|照看不了|不管孩子|不要孩子)",
        f"{_ELDER}.{{0,4}}(?:去世|过世)",
    ),
    Trigger.VIOLENCE: (
        f"(?:被|遭|遭到).{{0,5}}(?:打{_NO_BLOW}|揍|抽打|踢|踹|掐|殴|扇)",
        "挨了?(?:一顿)?(?:打|揍)|家暴|家庭暴力|毒打|殴打|打伤|打骂|暴打|吊起来",
        "(?:身上|脸上|手上|腿上|胳膊上?|背上).{0,4}(?:有伤|伤痕|淤青|瘀青|淤血|红肿|烫伤|一块块?青|青紫|好多伤|是伤)",
        f"{_FAMILY}.{{0,6}}(?:打(?:了)?(?:他|她|孩子|娃|小孩){_NO_BLOW}|动手打|揍|抽(?:他|她|孩子|娃))",
        "皮带(?:抽|打)|烟头烫|往死里打|拿(?:棍|刀|皮带|鞭)",
    ),
    Trigger.ABUSE: (
        "虐待|猥亵|性侵|强奸|强暴|性骚扰|动手动脚|裸照|隐私部位|遗弃|弃养|抛弃|被卖|卖给",
        "不给(?:他|她|孩子|娃)?(?:饭吃|吃饭|饭|水喝)(?!店)",
        "(?:锁|反锁|关)(?:在|起来)(?:屋|家|房|柴房|里)?",
        f"摸{_CHILD}|摸.{{0,3}}(?:下身|下面|隐私|胸|屁股|大腿)",
        "(?<!妈妈)(?<!母亲)(?<!婶婶)(?<!嫂子)(?<!阿姨)(?<!老师)(?<!后妈)(?<!她妈)(?<!他妈)怀孕",
    ),
    Trigger.SELF_HARM: (
        "不想活(?!动)|活着没意思|活够了|活不下去|轻生|自杀|自残|自伤(?!害)|自虐|遗书|寻短见|一了百了",
        "(?<!别)想死(?!你|我|他|她|爸|妈|爷|奶|了你)|去死(?!记)|结束(?:自己的?)?生命",
        "割(?:了)?(?:腕|脉|手)|划(?:了)?(?:手腕|胳膊|手臂)|(?:割|划|掐|打|烫)(?:了)?自己|伤害自己",
        "跳楼(?!价)|跳河|跳桥|跳井|喝农药|吃农药|安眠药|站在?(?:楼顶|天台)",
    ),
}
# What is said not to be so, or asked after, right before the words.
_NOT: Final = re.compile(
    r"(?:没有?|未|不是|不会|不再|从未|无|否认|防止|预防|避免|别)(?:再|发现|出现|听说|发生|任何|让)*$"
)
_AFTER: Final = re.compile(r"^的?(?:预防|教育|讲座|宣传|危害|知识|案例)")
_PATTERNS: Final = {trigger: tuple(map(re.compile, words)) for trigger, words in _WORDS.items()}


def recognised(text: str) -> frozenset[Trigger]:
    """What the words may mean. Empty: nothing that would be asked after."""
    plain = re.sub(r"\s+", "", text)
    return frozenset(trigger for trigger, found in _PATTERNS.items() if any(_is_said(each, plain) for each in found))


def _is_said(pattern: re.Pattern[str], plain: str) -> bool:
    return any(
        not _NOT.search(plain[: found.start()]) and not _AFTER.match(plain[found.end() :])
        for found in pattern.finditer(plain)
    )
