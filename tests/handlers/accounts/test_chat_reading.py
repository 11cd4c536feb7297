"""Names, dates of birth and numbers, however a family writes them."""

from __future__ import annotations

from datetime import date

import pytest

from handlers.accounts.chat.reading import Said, read_child, read_name, read_phone_end

WHOLE = Said("王小明", date(2018, 3, 5))


@pytest.mark.parametrize(
    "text",
    [
        "王小明 2018年3月5日",
        "王小明，20180305",
        "王小明2018.3.5",
        "王小明 2018-03-05",
        "王小明 2018/3/5",
        "王小明 18.3.5",
        "王小明 180305",
        "2018 3 5 王小明",
        "２０１８年３月５日 王小明",
        "2018年3月5日出生的王小明",
        "王 小明 2018年3月5日",
        "王小明 二零一八年三月五号",
        "王小明，一八年三月五日",
        "王小明 2018年三月五日",
        "孩子叫王小明，生日是2018年3月5号",
        "姓名：王小明 出生日期：2018/3/5",
        "我儿子王小明 2018年3月5日生。",
        "我家娃叫王小明，2018年3月5日的",
        "“王小明 2018年3月5日”",
    ],
)
def test_name_and_date_of_birth_in_one_message(text: str) -> None:
    assert read_child(text) == WHOLE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("王小明", Said(name="王小明")),
        ("孩子叫王小明", Said(name="王小明")),
        ("2018年3月5日", Said(birth=date(2018, 3, 5))),
        ("生日是2018年12月31日", Said(birth=date(2018, 12, 31))),
        ("二〇一八年十二月三十一日", Said(birth=date(2018, 12, 31))),
        ("阿依古丽·买买提 2018.3.5", Said("阿依古丽·买买提", date(2018, 3, 5))),
        ("王三 2018年3月5日", Said("王三", date(2018, 3, 5))),
        ("G321302201803051234", Said(roster_number="G321302201803051234")),
        ("学籍号：g3213 0220 1803 0512 34", Said(roster_number="G321302201803051234")),
        ("学籍号是L0012", Said(roster_number="L0012")),
    ],
)
def test_a_part_of_it_or_the_number_on_the_roster(text: str, said: Said) -> None:
    assert read_child(text) == said


@pytest.mark.parametrize(
    "text", ["不知道", "忘了", "2018年13月5日", "2018年2月30日", "？", "😀", "13812345678", "1" * 200]
)
def test_what_is_neither_is_nothing(text: str) -> None:
    assert read_child(text).name is None
    assert read_child(text).birth is None


@pytest.mark.parametrize("text", ["李梅", "我叫李梅", "我是李梅。", "本人李梅", "我的名字是李梅", " 李 梅 "])
def test_one_s_own_name(text: str) -> None:
    assert read_name(text) == "李梅"


@pytest.mark.parametrize("text", ["", "李梅 13812345678", "1", "你好", "这个名字实在是太长了不可能有人叫这个名字吧"])
def test_no_name(text: str) -> None:
    assert read_name(text) is None


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("5678", "5678"),
        ("尾号5678", "5678"),
        ("五六七八", "5678"),
        ("５６７８", "5678"),
        ("138 1234 5678", "13812345678"),
        ("+86 138-1234-5678", "8613812345678"),
        ("567", None),
        ("不记得了", None),
        ("13812345678，尾号5678", None),
    ],
)
def test_the_end_of_a_phone_number(text: str, digits: str | None) -> None:
    assert read_phone_end(text) == digits
