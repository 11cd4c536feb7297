"""What must be asked after, and what must not: sentences as teachers write them."""

from __future__ import annotations

from datetime import date

import pytest

from handlers.contacts.domain.records import Contact, ContactOutcome, Way
from handlers.contacts.domain.reports import TriggerAsked
from handlers.contacts.domain.triggers import Trigger, recognised
from handlers.contacts.service.recording.recording import Asked, judged

T = Trigger
ASKED = [
    (T.ALONE, "奶奶住院了，孩子一个人在家住了三天"),
    (T.ALONE, "到家时只有姐弟俩，家里没有大人"),
    (T.ALONE, "孩子没人管，饭都吃不上"),
    (T.ALONE, "独自在家过夜"),
    (T.ALONE, "爷爷下地，白天无人看管"),
    (T.MISSING, "孩子昨晚没回家，联系不上"),
    (T.MISSING, "奶奶说娃不见了"),
    (T.MISSING, "听说离家出走了"),
    (T.MISSING, "几天没回来了，不知道在哪"),
    (T.UNFIT, "爷爷天天喝醉，赌博输了钱"),
    (T.UNFIT, "奶奶瘫在床上，自己都要人照顾"),
    (T.UNFIT, "外婆没有能力照顾两个孩子"),
    (T.UNFIT, "爸爸坐牢，妈妈走了"),
    (T.UNFIT, "奶奶上个月去世"),
    (T.VIOLENCE, "胳膊上有淤青，说是爸爸打的"),
    (T.VIOLENCE, "爸爸喝酒后打了孩子"),
    (T.VIOLENCE, "在家被打，不敢回去"),
    (T.VIOLENCE, "背上好多伤"),
    (T.VIOLENCE, "爷爷拿皮带抽他"),
    (T.ABUSE, "奶奶不给饭吃，锁在屋里"),
    (T.ABUSE, "邻居动手动脚，摸她大腿"),
    (T.ABUSE, "怀疑被猥亵"),
    (T.ABUSE, "初二女生怀孕"),
    (T.SELF_HARM, "孩子说活着没意思"),
    (T.SELF_HARM, "手腕上划了手臂好几道，说不想活了"),
    (T.SELF_HARM, "作文里写了遗书"),
    (T.SELF_HARM, "说要跳楼"),
]
NOT_ASKED = [
    "作业没人管，奶奶腰疼",
    "爸爸妈妈在广东打工，过年回来",
    "妈妈打电话回来了，孩子很高兴",
    "爸爸打他电话没人接",
    "想死妈妈了，天天盼着过年",
    "家访时孩子在写作业，奶奶在做饭",
    "手机不见了，奶奶很着急",
    "作业本找不到了",
    "学习没有人辅导，作业没人看管",
    "身体很好，没有被打，没有独自在家",
    "奶奶打扫得很干净",
    "妈妈怀孕了，孩子要当姐姐",
    "爸爸的电话打不通，联系不上爸爸",
    "和孩子说了防溺水、防家暴的宣传",
    "爷爷管不了他玩手机",
    "性格内向，不爱说话，成绩中等",
    "孩子打球摔了一跤，已经好了",
    "被同学打电话叫去玩",
    "家里养了一只狗，孩子天天陪它",
    "给孩子打预防针",
]


@pytest.mark.parametrize(("trigger", "sentence"), ASKED)
def test_what_may_have_to_be_reported_is_asked_after(trigger: Trigger, sentence: str) -> None:
    assert trigger in recognised(sentence)


@pytest.mark.parametrize("sentence", NOT_ASKED)
def test_what_teachers_write_every_day_is_not(sentence: str) -> None:
    assert recognised(sentence) == frozenset()


def contact(finding: str, sealed: str = "") -> Contact:
    return Contact(
        client_key="k", happened_on=date(2026, 9, 8), way=Way.VISIT, outcome=ContactOutcome.REACHED, finding=finding,
        sealed_part=sealed,
    )  # fmt: skip


def test_the_words_only_ask() -> None:
    told = contact("孩子说不想活了")
    with pytest.raises(TriggerAsked) as question:
        judged(told, Asked())
    assert question.value.triggers == {T.SELF_HARM}
    assert judged(told, Asked(frozenset({T.SELF_HARM}))) == told
    denied = judged(told, Asked(is_denied=True))
    assert "轻生" in denied.sealed_part, "that somebody said no is for the protection lead to see"
    assert denied.finding == told.finding


def test_that_somebody_said_no_fits_beside_a_long_confidential_part() -> None:
    denied = judged(contact("孩子说不想活了", "长" * 1000), Asked(is_denied=True))
    assert len(denied.sealed_part) <= 1000
    assert denied.sealed_part.endswith("答：不是。")


def test_what_the_chat_hears_in_danger_is_asked_after_too() -> None:
    with pytest.raises(TriggerAsked):
        judged(contact("被高年级的几个人堵在厕所打"), Asked())
    assert judged(contact("孩子有点感冒发烧"), Asked()).sealed_part == ""
