"""The lexicon as shipped: concepts, attributes, homophones."""

from __future__ import annotations

import random
from time import process_time

import pytest

from knowledge.entry import Attribute
from knowledge.loader import load, shipped_folders
from knowledge.normalise import normalise
from knowledge.tokenizer import Tokenizer
from knowledge.words import Lexicon, WordTable, rows

QUESTION_BUDGET = 600e-6
"""CPU seconds a question may cost for correction, concepts and attributes: four times the goal, for slow machines."""

SLIPS = {
    "课后服务咋暴名": "课后服务咋报名",
    "农村教师代遇": "农村教师待遇",
    "危方改造": "危房改造",
    "住宿肥多少": "住宿费多少",
    "随牵子女": "随迁子女",
    "入学绿多少": "入学率多少",
    "控绰保学": "控辍保学",
    "均横发展": "均衡发展",
    "学历达镖率": "学历达标率",
    "大班鹅消除": "大班额消除",
    "报名财料": "报名材料",
    "布局归划": "布局规划",
    "因才施教": "因材施教",
    "外出陪训": "外出培训",
    "差异细数": "差异系数",
    "结队帮扶": "结对帮扶",
}

MEANT = (
    "学校占地多少",
    "提质增效阶段干啥",
    "标语贴多少条才够",
    "户口不在这里",
    "冬天天黑了怎么回去",
    "学校怎么宣传轮岗",
    "两免一补给谁",
    "五龙小学有多少老师",
    "娃要上小班",
    "教师怎么配齐",
    "2010年初中多少所",
    "规则意识教育",
    "新教室几时盖",
    "一星期就留一两回",
)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(["三雷镇", "勤锋学校"])


@pytest.fixture(scope="module")
def phrasings() -> list[str]:
    return sorted({normalise(text) for entry in load(shipped_folders()) for text in entry.phrasings})


@pytest.mark.parametrize(
    ("question", "concept"),
    [
        ("晚托到几点", "课后服务"),
        ("四点半以后谁管娃", "课后服务"),
        ("娃跟着他奶过", "留守儿童"),
        ("不念了咋办", "控辍保学"),
        ("茅厕蹲坑够不够", "厕所"),
        ("老师会到屋头来看看吗", "家访"),
        ("没摇上咋整", "电脑派位"),
        ("俺外乡来打工的", "随迁子女"),
        ("特岗工资谁发", "特岗待遇"),
        ("特岗工资谁发", "特岗教师"),
        ("挤得要命", "班额"),
        ("村小撤不撤", "布局调整"),
    ],
)
def test_everyday_words_mean_policy_terms(lexicon: Lexicon, question: str, concept: str) -> None:
    assert concept in lexicon.concepts_in(normalise(question))


@pytest.mark.parametrize(
    ("question", "attribute"),
    [
        ("晚托要交多少米", Attribute.MONEY),
        ("报名是几号", Attribute.DATE),
        ("几点放学", Attribute.TIME),
        ("特岗要干几年", Attribute.TERM),
        ("有多少学生", Attribute.COUNT),
        ("巩固率要多少", Attribute.SHARE),
        ("几岁能上一年级", Attribute.AGE),
        ("东关小学的初中阿里念", Attribute.PLACE),
        ("电话多少", Attribute.PHONE),
        ("组长是谁", Attribute.PERSON),
        ("报名带啥", Attribute.DOCUMENTS),
        ("咋办手续", Attribute.STEPS),
        ("外地娃能报不", Attribute.ELIGIBILITY),
        ("有哪些学校", Attribute.LIST),
        ("依据哪份文件", Attribute.BASIS),
        ("为啥要撤", Attribute.REASON),
        ("造假会咋样", Attribute.CONSEQUENCE),
        ("啥叫1+1", Attribute.DEFINITION),
        ("有没有校车", Attribute.EXISTENCE),
        ("一个班最多多少人", Attribute.STANDARD),
        ("这事问谁", Attribute.CONTACT),
    ],
)
def test_what_is_asked_is_recognised(lexicon: Lexicon, question: str, attribute: Attribute) -> None:
    assert attribute in lexicon.attributes_in(normalise(question))


@pytest.mark.parametrize(
    ("question", "attribute"),
    [
        ("一学期多少钱", Attribute.COUNT),
        ("操场多大", Attribute.AGE),
        ("七年级几年级几班", Attribute.TERM),
        ("报名到哪天截止", Attribute.PLACE),
        ("定制了几块展板", Attribute.MONEY),
    ],
)
def test_a_likely_mistake_about_what_is_asked_is_not_made(
    lexicon: Lexicon, question: str, attribute: Attribute
) -> None:
    assert attribute not in lexicon.attributes_in(normalise(question))


@pytest.mark.parametrize(("typed", "meant"), SLIPS.items())
def test_a_slip_of_the_same_sound_is_put_right(lexicon: Lexicon, typed: str, meant: str) -> None:
    corrected = lexicon.corrected(normalise(typed))
    # a slip that stands in the table itself is understood without being rewritten
    assert corrected == meant or lexicon.concepts_in(corrected) >= lexicon.concepts_in(meant)


def test_a_name_is_heard(lexicon: Lexicon) -> None:
    assert lexicon.corrected("三类镇小学毕业上哪") == "三雷镇小学毕业上哪"
    assert lexicon.corrected("琴锋学校毕业的") == "勤锋学校毕业的"


@pytest.mark.parametrize("question", MEANT)
def test_what_makes_sense_is_left_alone(lexicon: Lexicon, question: str) -> None:
    text = normalise(question)
    assert lexicon.corrected(text) == text


def test_correcting_twice_changes_nothing_more(lexicon: Lexicon, phrasings: list[str]) -> None:
    for text in random.Random(1).sample(phrasings, 500):
        once = lexicon.corrected(text)
        assert lexicon.corrected(once) == once


def test_few_phrasings_of_the_content_are_rewritten(lexicon: Lexicon, phrasings: list[str]) -> None:
    """One phrasing in twenty-six is a slip on purpose and put right; far more rewritten than that would be damage."""
    changed = [text for text in phrasings if lexicon.corrected(text) != text]
    assert len(changed) / len(phrasings) < 0.05


def test_a_question_is_understood_within_its_budget(lexicon: Lexicon, phrasings: list[str]) -> None:
    texts = phrasings[:2_000]
    start = process_time()
    for text in texts:
        corrected = lexicon.corrected(text)
        lexicon.concepts_in(corrected)
        lexicon.attributes_in(corrected)
    assert (process_time() - start) / len(texts) < QUESTION_BUDGET


def test_the_longest_word_at_a_place_wins() -> None:
    table = WordTable([("学费", "收费"), ("学费减免", "减免"), ("费", "其他")])
    assert [(mention.word, mention.concept) for mention in table.find("学费减免吗")] == [("学费减免", "减免")]


def test_a_concept_stands_on_one_line_only_and_has_no_single_characters() -> None:
    concepts = [cells[0] for _, cells in rows("concepts.tsv")]
    assert len(concepts) == len(set(concepts))
    words = [(cells[0], word) for _, cells in rows("concepts.tsv") for word in cells[1].split()]
    assert {word for _, word in words if len(word) < 2} <= {"瘫", "聋", "盲"}


def test_a_wider_concept_is_a_concept() -> None:
    lines = [cells for _, cells in rows("concepts.tsv")]
    concepts = {cells[0] for cells in lines}
    assert {wider for cells in lines for wider in (cells[2].split() if len(cells) > 2 else ())} <= concepts


def test_every_attribute_has_patterns() -> None:
    assert {cells[0] for _, cells in rows("attributes.tsv")} == {attribute.value for attribute in Attribute}


def test_dictionary_words_are_kept_whole(lexicon: Lexicon) -> None:
    tokenizer: Tokenizer = lexicon.tokenizer
    for _, cells in rows("dictionary.txt"):
        assert tokenizer.is_word(cells[0])
