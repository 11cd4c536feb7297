"""The knowledge base answers, clarifies, declines, hands over: on small content whose right answers are plain."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.answer import Answer, Outcome
from knowledge.base import KnowledgeBase
from knowledge.compose import LIMIT
from knowledge.entry import Stage
from knowledge.frame import Asker
from knowledge.safety import Alarm
from tests.knowledge.content import small_base

TODAY = date(2026, 11, 21)


@pytest.fixture
def base() -> KnowledgeBase:
    return small_base()


def ask(base: KnowledgeBase, question: str, place: str | None = None, *, last: str | None = None) -> Answer:
    answer = base.answer(question, Asker(TODAY, place), last_question=last)
    assert len(answer.text.encode()) <= LIMIT
    return answer


def test_a_curated_phrasing_is_answered_with_its_source(base: KnowledgeBase) -> None:
    answer = ask(base, "晚托多少钱")
    assert answer.outcome is Outcome.ANSWERED
    assert answer.article == "care/fee"
    assert answer.text.startswith("每学期300元")
    assert "《一所未写校名的学校的课后服务方案》" in answer.text
    assert answer.citations[0].section == "三"


def test_traditional_forms_spaces_emoji_and_a_homophone_change_nothing(base: KnowledgeBase) -> None:
    for question in ("晚託多少錢", "晚托 多少钱😭", "  晚托，多少钱？？", "晚托多少前"):
        assert ask(base, question).article == "care/fee"


def test_an_ended_plan_says_its_year_and_whom_to_ask_now(base: KnowledgeBase) -> None:
    answer = ask(base, "小学报名是几号", "柳溪镇")
    assert answer.article == "liuxi/register-primary"
    assert answer.text.startswith("这是2021年的安排")
    assert "柳溪镇教育办公室" in answer.text
    assert answer.citations[0].status == "已结束"


def test_places_that_differ_are_listed_apart(base: KnowledgeBase) -> None:
    answer = ask(base, "一个班最多多少人")
    assert answer.outcome is Outcome.ANSWERED
    assert "【柳溪镇】" in answer.text
    assert "【鹤山镇】" in answer.text
    assert {citation.place for citation in answer.citations} == {"江北省青石县柳溪镇", "江南省白云县鹤山镇"}


@pytest.mark.parametrize(("place", "figure", "other"), [("柳溪镇", "45人", "40人"), ("鹤山镇", "40人", "45人")])
def test_a_known_place_never_gets_another_places_figure(
    base: KnowledgeBase, place: str, figure: str, other: str
) -> None:
    answer = ask(base, "一个班最多多少人", place)
    assert figure in answer.text
    assert other not in answer.text


def test_the_place_in_the_question_goes_before_the_profile(base: KnowledgeBase) -> None:
    assert "40人" in ask(base, "鹤山镇一个班最多多少人", "柳溪镇").text


def test_own_plans_silent_is_said_before_an_unplaced_plan_speaks(base: KnowledgeBase) -> None:
    answer = ask(base, "晚托多少钱", "柳溪镇")
    assert answer.text.startswith("柳溪镇的方案里没有写这一点")
    assert "300元" in answer.text
    assert "只供参考" in answer.text


def test_another_places_plan_never_speaks_for_a_known_place(base: KnowledgeBase) -> None:
    answer = ask(base, "一年级有作业吗", "柳溪镇")
    assert answer.outcome is Outcome.DECLINED
    assert "不布置" not in answer.text


def test_an_unknown_place_is_told_so(base: KnowledgeBase) -> None:
    answer = ask(base, "一年级有作业吗", "火星镇")
    assert answer.outcome is Outcome.DECLINED
    assert "没有收录火星镇" in answer.text


def test_a_known_gap_says_what_is_missing_and_whom_to_ask(base: KnowledgeBase) -> None:
    answer = ask(base, "不上晚托了能退钱吗")
    assert answer.outcome is Outcome.DECLINED
    assert answer.article == "care/gap-refund"
    assert "没有写" in answer.text
    assert "班主任" in answer.text
    assert "300" not in answer.text


def test_a_subject_nobody_wrote_of_is_declined_with_somebody_to_ask(base: KnowledgeBase) -> None:
    answer = ask(base, "明天会不会下冰雹")
    assert answer.outcome is Outcome.DECLINED
    assert answer.article is None
    assert "人工" in answer.text


def test_without_a_stage_both_stages_are_listed(base: KnowledgeBase) -> None:
    answer = ask(base, "报名是哪几天", "柳溪镇")
    assert "7月24日" in answer.text
    assert "7月20日" in answer.text


def test_a_follow_up_keeps_the_matter_and_changes_the_stage(base: KnowledgeBase) -> None:
    answer = ask(base, "那初中呢", "柳溪镇", last="小学报名是几号")
    assert answer.article == "liuxi/register-junior"


def test_without_the_question_before_it_a_follow_up_is_no_question(base: KnowledgeBase) -> None:
    assert ask(base, "那初中呢", "鹤山镇").outcome is not Outcome.ANSWERED


def test_the_stage_of_the_profile_decides(base: KnowledgeBase) -> None:
    answer = base.answer("报名是哪几天", Asker(TODAY, "柳溪镇", stage=Stage.JUNIOR))
    assert answer.article == "liuxi/register-junior"


def test_several_questions_at_once_are_answered_one_by_one(base: KnowledgeBase) -> None:
    answer = ask(base, "晚托到几点，多少钱？")
    assert "17:30" in answer.text
    assert "300元" in answer.text


def test_an_option_is_answered_as_its_entry(base: KnowledgeBase) -> None:
    declined = ask(base, "晚托老师凶不凶")
    if not declined.options:
        pytest.skip("nothing near enough to offer")
    chosen = base.choose(declined.options[0], declined.question, Asker(TODAY))
    assert chosen.article == declined.options[0].key


@pytest.mark.parametrize(
    ("text", "alarm", "outcome"),
    [
        ("孩子说不想活了", Alarm.SELF_HARM, Outcome.HANDED_OFF),
        ("转人工", Alarm.PERSON, Outcome.HANDED_OFF),
        ("王老师手机号发我", Alarm.OTHERS_DATA, Outcome.DECLINED),
    ],
)
def test_some_words_go_before_all_knowledge(base: KnowledgeBase, text: str, alarm: Alarm, outcome: Outcome) -> None:
    answer = ask(base, text)
    assert (answer.alarm, answer.outcome) == (alarm, outcome)


def test_small_talk_is_no_question(base: KnowledgeBase) -> None:
    assert ask(base, "在吗").outcome is Outcome.SMALL_TALK
    assert ask(base, "😀").outcome is Outcome.SMALL_TALK


def test_any_text_gets_a_reply_within_the_limit(base: KnowledgeBase) -> None:
    for text in ("", "啊" * 5000, "\x00\x01", "<xml>]]>", "１２３", "?" * 50, "🀄" * 700, "a" * 3000):
        assert ask(base, text).text


def test_every_reply_ends_with_a_next_step(base: KnowledgeBase) -> None:
    for question in ("晚托多少钱", "明天会不会下冰雹", "在吗", "一个班最多多少人", "不上晚托了能退钱吗"):
        assert any(word in ask(base, question).text.splitlines()[-1] for word in ("人工", "问", "回复", "打字"))


def test_the_trace_names_what_was_weighed(base: KnowledgeBase) -> None:
    _, trace = base.explain("晚托要交几多钱", Asker(TODAY))
    assert trace.frame is not None
    assert "课后服务" in trace.frame.concepts
    assert trace.decision is not None
    assert trace.matches[0].features["phrasing"] > 0
