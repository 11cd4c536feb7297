"""Which messages say where somebody is, and what is kept between two messages."""

from __future__ import annotations

import pytest

from handlers.policy.domain import (
    OfferedOption,
    Remembered,
    from_note,
    looks_like_place,
    picked_number,
    place_said,
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("我在宿城区", "宿城区"),
        ("我在宿城区。", "宿城区"),
        ("我家在柳溪镇的", "柳溪镇"),
        ("我是柳溪小学的", "柳溪小学"),
        ("俺在柳溪镇哈", "柳溪镇"),
        ("我们在 鹤山镇", "鹤山镇"),
        ("换地方 鹤山镇", "鹤山镇"),
        ("换地方：鹤山镇", "鹤山镇"),
    ],
)
def test_a_message_that_says_only_a_place(text: str, place: str) -> None:
    assert place_said(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "我在外地打工，孩子能回老家上学吗",
        "我在宿城区上班孩子能上学吗",
        "我在哪",
        "我在想这个事",
        "我在外地打工",
        "在宿城区",
        "宿城区",
        "换地方",
        "我在宿城区，孩子上一年级",
        "我是要报名的",
    ],
)
def test_a_message_that_says_or_asks_more(text: str) -> None:
    assert place_said(text) is None


@pytest.mark.parametrize(("name", "is_place"), [
    ("西桥镇", True), ("育才小学", True), ("某某县", True), ("学校", False), ("小学", False), ("老师", False),
    ("随便吧", False),
])  # fmt: skip
def test_what_reads_like_a_place(name: str, is_place: bool) -> None:
    assert looks_like_place(name) is is_place


@pytest.mark.parametrize(("word", "number"), [
    ("2", 2), ("二", 2), ("第2个", 2), ("选3", 3), ("回复1", 1), ("0", None), ("12", None), ("二年级", None),
    ("", None),
])  # fmt: skip
def test_a_number_is_picked_only_by_a_message_that_is_one(word: str, number: int | None) -> None:
    assert picked_number(word) == number


def test_what_is_remembered_survives_its_note() -> None:
    remembered = Remembered(
        "一个班多少人", (OfferedOption("柳溪镇", place="柳溪镇"), OfferedOption("班额", key="a/b")), "a/b", "id"
    )
    assert from_note(remembered.to_note()) == remembered


@pytest.mark.parametrize("note", [None, "", "{}", "[1]", "null", '["问题", 7, null, null]'])
def test_a_note_that_is_none_is_nothing(note: str | None) -> None:
    assert from_note(note) is None
