"""Fitting texts into WeChat's limit (wechat-contract.md §2.3), and remembered replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wechat.errors import MalformedMessage
from bot.wechat.replies import MAX_TEXT_BYTES, NO_REPLY, TextReply, fit_text, from_stored, to_stored


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=3000), st.integers(30, 2048))
def test_result_is_within_the_limit_and_a_beginning_of_the_text(text: str, limit: int) -> None:
    fitted = fit_text(text, limit)
    assert len(fitted.encode()) <= limit
    if len(text.encode()) > limit and fitted.endswith("…"):
        assert fit_text(text, 10**6).startswith(fitted[:-1])


def test_text_that_fits_is_left_alone() -> None:
    text = "好" * 682 + "ab"
    assert len(text.encode()) == MAX_TEXT_BYTES
    assert fit_text(text) == text


def test_one_byte_too_many_is_cut() -> None:
    assert fit_text("好" * 682 + "abc") == "好" * 681 + "…"


def test_cut_comes_after_a_whole_sentence() -> None:
    fitted = fit_text("第一句。" * 300)
    assert fitted.endswith("第一句。…")


def test_closing_quote_stays_with_its_sentence() -> None:
    text = "他说：“好。”" + "长" * 30
    assert fit_text(text, 62) == "他说：“好。”" + "长" * 12 + "…"
    assert fit_text("问" * 10 + "“好。”" + "长" * 30, 62) == "问" * 10 + "“好。”…"


def test_without_a_sentence_end_a_clause_serves() -> None:
    assert fit_text("甲，" * 700).endswith("甲，…")


def test_early_sentence_end_does_not_throw_half_the_text_away() -> None:
    assert len(fit_text("好。" + "长" * 1000)) > 600


@pytest.mark.parametrize("unit", ["👨‍👩‍👧", "👍🏽", "é", "❤️"])
def test_characters_of_several_parts_stay_whole(unit: str) -> None:
    for limit in range(60, 90):
        fitted = fit_text(unit * 40, limit)
        assert fitted.removesuffix("…") == unit * (len(fitted.removesuffix("…")) // len(unit))


def test_link_is_left_out_whole() -> None:
    text = "说" * 20 + '<a href="https://school.example/very/long/address/that/goes/on">点这里</a>'
    assert fit_text(text, 100) == "说" * 20 + "…"


def test_whole_link_before_the_cut_stays() -> None:
    text = '<a href="https://x.example">点</a>' + "说" * 700
    assert fit_text(text).startswith('<a href="https://x.example">点</a>说')


@pytest.mark.parametrize("reply", [NO_REPLY, TextReply(""), TextReply("-"), TextReply("答复\n“好”")])
def test_remembered_reply_comes_back(reply: object) -> None:
    assert isinstance(reply, TextReply | type(NO_REPLY))
    assert from_stored(to_stored(reply)) == reply


@pytest.mark.parametrize("stored", [b"", b"x", b"t\xff", b"--"])
def test_foreign_bytes_are_refused(stored: bytes) -> None:
    with pytest.raises(MalformedMessage):
        from_stored(stored)
