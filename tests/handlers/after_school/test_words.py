"""Which messages want something done: told apart from questions, which stay questions of the knowledge."""

from __future__ import annotations

import pytest

from handlers.after_school.domain.words import Wanted, reason_in, wanted_by
from knowledge.evaluation import read_bank
from tests.knowledge.gate import BANKS, wordings

DONE = {
    Wanted.SIGN_UP: (
        "报名", "报个名", "我要报名", "孩子报名", "给娃报名", "给孩子报个名。", "想报课后班", "我想报个课后服务",
        "帮娃报晚托", "给我家娃报个名吧", "课后服务报名", "暴名", "报各名",
        "想报个晚拖", "我想给孩子报名，", "我要报课候服务",
    ),
    Wanted.OWN: ("我的报名", "我家的报名", "我娃的报名情况", "查报名", "我报的课"),
    Wanted.LEAVE: ("退报", "退课", "退抱", "我想退晚托", "退出课后服务", "取消报名"),
    Wanted.ACCEPT: ("要", "接受", "要名额"),
    Wanted.DRAWN: ("抽签结果", "查抽签结果"),
    Wanted.DECLINE: ("不要", "不接受", "放弃"),
    Wanted.OPT_OUT: (
        "不参加", "不参加 爷爷接", "我家娃不参加课后服务，因为家里有人", "不参加课后服务",
        "不参加，没时间",
    ),
}  # fmt: skip
ASKED = (
    "课后服务怎么报名", "报名要什么材料", "报名时间", "课后服务报名时间", "一年级报名", "给孩子报名上小学",
    "报名截止了吗",    "不参加可以吗", "不参加要不要写条子", "不参加行不", "不上晚托要交钱不", "不上了，钱能要回来不",
    "中途不想上托管了 三百块退不退",
    "能报名吗", "报名费多少", "退费", "要材料", "我家不参加托管要不要写个条子", "孩子不上学了", "退出",
)  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), [(text, wanted) for wanted, all_of in DONE.items() for text in all_of])
def test_what_is_to_be_done_is_understood(text: str, wanted: Wanted) -> None:
    assert wanted_by(text) is wanted


@pytest.mark.parametrize("text", ASKED)
def test_a_question_stays_a_question(text: str) -> None:
    assert wanted_by(text) is None


def test_no_question_of_the_knowledge_is_taken_away() -> None:
    asked = {question.text for question in read_bank(BANKS / "dev.jsonl")}
    asked |= {text for entry in wordings() for text in (entry.question, *entry.phrasings, *entry.near_misses)}
    assert len(asked) > 30_000
    assert [text for text in asked if wanted_by(text) is not None] == []


def test_the_reason_is_what_follows() -> None:
    assert reason_in("不参加 爷爷在家接。") == "爷爷在家接"
    assert reason_in("不参加课后服务") == ""
    assert reason_in("课后服务怎么报名") is None
