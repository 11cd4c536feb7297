"""Prompts: good answers become values, bad ones a polite question with the way out."""

from __future__ import annotations

from datetime import date

import pytest

from bot.dialogue import texts
from bot.dialogue.prompts import Choice, Confirm, DateInput, FreeText, NotUnderstood, PhoneInput

TODAY = date(2026, 9, 1)
FRUIT = Choice((("苹果", "a"), ("梨", "b"), ("桃", "c")))


def test_free_text_is_taken_without_blanks_around() -> None:
    assert FreeText().read("  转学的事 \n") == "转学的事"


@pytest.mark.parametrize(
    ("answer", "words"), [("", "没有看到"), ("  ", "没有看到"), ("一", "2个字以上"), ("长" * 9, "8个字以内")]
)
def test_free_text_of_the_wrong_length_is_asked_for_again(answer: str, words: str) -> None:
    with pytest.raises(NotUnderstood, match=words):
        FreeText(least=2, most=8).read(answer)


@pytest.mark.parametrize(
    ("answer", "value"),
    [("1", "a"), ("２", "b"), ("三", "c"), ("第2个", "b"), ("选3", "c"), ("2。", "b"), ("梨", "b"), (" 桃！", "c")],
)
def test_a_choice_is_made_by_number_or_by_words(answer: str, value: str) -> None:
    assert FRUIT.read(answer) == value


@pytest.mark.parametrize("answer", ["0", "4", "香蕉", "", "一二", "1.5"])
def test_a_choice_that_is_none_is_asked_for_again(answer: str) -> None:
    with pytest.raises(NotUnderstood, match="1到3"):
        FRUIT.read(answer)


def test_a_choice_asks_with_numbers() -> None:
    assert FRUIT.ask("要哪个？") == "要哪个？\n1. 苹果\n2. 梨\n3. 桃"


@pytest.mark.parametrize(
    ("answer", "value"), [("是", True), ("好的！", True), ("OK", True), ("不是", False), ("否。", False)]
)
def test_yes_and_no_are_understood(answer: str, value: bool) -> None:
    assert Confirm().read(answer) is value


def test_anything_else_is_no_yes() -> None:
    with pytest.raises(NotUnderstood):
        Confirm().read("也许")


@pytest.mark.parametrize(
    ("answer", "day"),
    [
        ("2026年9月10日", date(2026, 9, 10)),
        ("2026-09-10", date(2026, 9, 10)),
        ("2026/9/10", date(2026, 9, 10)),
        ("9月10号", date(2026, 9, 10)),
        ("九月十日", date(2026, 9, 10)),
        ("十二月三十一日", date(2026, 12, 31)),
        ("９．１０", date(2026, 9, 10)),
        ("明天", date(2026, 9, 2)),
    ],
)
def test_days_are_read_as_people_write_them(answer: str, day: date) -> None:
    assert DateInput(TODAY).read(answer) == day


@pytest.mark.parametrize("answer", ["2月30日", "十三月一日", "下周", "2026", "", "1234567890123"])
def test_a_day_that_is_none_is_asked_for_again(answer: str) -> None:
    with pytest.raises(NotUnderstood, match="没看懂"):
        DateInput(TODAY).read(answer)


def test_a_day_out_of_bounds_says_the_bound() -> None:
    prompt = DateInput(TODAY, first=TODAY, last=date(2026, 12, 31))
    with pytest.raises(NotUnderstood, match="2026年9月1日"):
        prompt.read("8月31日")
    with pytest.raises(NotUnderstood, match="2026年12月31日"):
        prompt.read("2027-01-01")
    assert prompt.read("9月1日") == TODAY


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("13812345678", "13812345678"),
        ("138 1234 5678", "13812345678"),
        ("+86 138-1234-5678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("0557-1234567", "0557-1234567"),
        ("（0557）12345678", "0557-12345678"),
    ],
)
def test_telephone_numbers_are_read_as_people_write_them(answer: str, number: str) -> None:
    assert PhoneInput().read(answer) == number


@pytest.mark.parametrize("answer", ["1381234567", "23812345678", "138123456789", "电话", "110", ""])
def test_a_number_that_is_none_is_asked_for_again(answer: str) -> None:
    with pytest.raises(NotUnderstood, match="电话号码不对"):
        PhoneInput().read(answer)


def test_every_question_that_is_asked_again_names_the_way_out() -> None:
    with pytest.raises(NotUnderstood) as caught:
        Confirm().read("也许")
    assert caught.value.message.endswith(texts.LEAVE_HINT)
