"""Words of a text."""

from __future__ import annotations

import pytest

from knowledge.tokenizer import Tokenizer, grams


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(["控辍保学", "晚托"])


def test_a_domain_word_is_kept_whole(tokenizer: Tokenizer) -> None:
    assert "控辍保学" in tokenizer.words("控辍保学怎么做")
    assert "晚托" in tokenizer.words("晚托到几点")


def test_parts_of_a_long_word_that_are_words_are_found_too(tokenizer: Tokenizer) -> None:
    assert {"义务", "教育"} <= set(tokenizer.words("义务教育"))


def test_a_time_in_the_afternoon_is_also_found_by_the_face_of_the_clock(tokenizer: Tokenizer) -> None:
    assert {"17:30", "5:30"} <= set(tokenizer.words("17:30放学"))
    assert "17:30" not in tokenizer.words("5:30放学")


def test_cuts_lose_nothing(tokenizer: Tokenizer) -> None:
    text = "一年级8月31日报名带什么sdp"
    assert "".join(tokenizer.cuts(text)) == text


def test_a_domain_word_keeps_its_common_frequency(tokenizer: Tokenizer) -> None:
    assert tokenizer.is_word("晚托")
    assert tokenizer.frequency("晚托") == 0
    assert tokenizer.frequency("学校") > 1_000


def test_rare_words_of_the_language_are_left_out(tokenizer: Tokenizer) -> None:
    assert not tokenizer.is_word("龘龘")


def test_grams_stay_within_a_run_of_han_characters() -> None:
    bigrams, characters = grams("报名8月")
    assert bigrams == ["报名"]
    assert characters == ["报", "名", "月"]
