"""Values of typed fields (wechat-contract.md §4.4), held against what the emulated platform takes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.clock import SHANGHAI
from bot.emulator.templates import type_of
from bot.emulator.values import fits, shown, units
from bot.wechat.template_values import UnfitValue, Value, ValueType, fit, length, type_of_key

AT = datetime(2026, 11, 21, 7, 1, tzinfo=UTC)
# Everything a person or a faulty program could write, lone surrogates among it.
ANYTHING = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(categories=("Lo", "Nd", "Po", "So", "Cc", "Cs", "Mn", "Zs", "Lu")), max_size=60),
    st.text("家长会明天下午三点abc123 ，。、…\n\t𠮷👨‍👩‍👧❤️́0️⃣", max_size=40),
)
TYPES = st.sampled_from(ValueType)
DATED = {ValueType.THING, ValueType.CHARACTER_STRING, ValueType.TIME, ValueType.DATE}


@pytest.mark.parametrize(
    ("key", "value", "fitted"),
    [
        ("thing1", "家长会", "家长会"),
        ("thing1", "  家长会\r\n在\t三楼 ", "家长会 在 三楼"),
        ("thing1", "长" * 20, "长" * 20),
        ("thing1", "长" * 21, "长" * 19 + "…"),
        ("thing1", "一二三四五六七八九十一二三四五六七八，后面还有", "一二三四五六七八九十一二三四五六七八…"),
        ("thing1", "𠮷" * 11, "𠮷" * 9 + "…"),
        ("thing1", "好🎉了❤️\u200b！", "好了！"),
        ("thing12", 7, "7"),
        ("thing1", AT, "2026年11月21日 15:01"),
        ("character_string1", "编号ＡＢ－１２", "AB-12"),
        ("character_string1", AT, "2026-11-21 15:01"),
        ("character_string1", "x" * 33, "x" * 29 + "..."),
        ("number1", 12, "12"),
        ("number1", Decimal("1E+3"), "1000"),
        ("number1", "1,234.50", "1234.50"),
        ("letter1", "A1b-C", "AbC"),
        ("letter1", "a" * 40, "a" * 32),
        ("symbol1", "a!?…#%&", "!?…#%"),
        ("time2", AT, "2026年11月21日 15:01"),
        ("time2", date(2026, 9, 1), "2026年9月1日 00:00~23:59"),
        ("time2", "15：01", "15:01"),
        ("time2", "2026年9月1日 8:00 ~ 9:30", "2026年9月1日 8:00~9:30"),
        ("date2", AT, "2026年11月21日 15:01"),
        ("date2", date(2026, 11, 21), "2026年11月21日"),
        ("date2", "2026-11-21 15:01", "2026-11-21 15:01"),
        ("date2", "2026年11月21日~2026年11月23日", "2026年11月21日~2026年11月23日"),
        ("amount1", Decimal("240"), "240.00元"),
        ("amount1", "¥1,200.5", "¥1200.50"),
        ("phone_number1", "0527-8888 1234", "0527-8888 1234"),
        ("car_number1", "苏n 12345", "苏N12345"),
        ("name1", "欧阳·热合曼", "欧阳·热合曼"),
        ("name1", "买买提·阿不都热西提·买合木提", "买买提·阿不都热西…"),
        ("name1", "Christopher Robinson Crusoe", "Christopher Robin..."),
        ("name1", "王3大1姐", "王大姐"),
        ("phrase1", "已 通过！", "已通过"),
        ("phrase1", "已经通过审核", "已经通过审"),
        ("const1", "已通过", "已通过"),
        ("enum1", "A", "A"),
        ("short_thing1", "待办", "待办"),
    ],
)
def test_a_value_is_made_to_fit_by_its_types_rule(key: str, value: Value, fitted: str) -> None:
    assert fit(key, value) == fitted
    assert fits(type_of(key), fitted)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("phrase1", date(2026, 9, 1), "no place for a date"),
        ("name1", AT, "no place for a date"),
        ("thing1", "", "empty"),
        ("thing1", " \n\t", "empty"),
        ("thing1", "🎉", "empty"),
        ("character_string1", "只有汉字", "nothing left"),
        ("letter1", "汉字", "nothing left"),
        ("symbol1", "abc", "nothing left"),
        ("phrase1", "abc", "nothing left"),
        ("name1", "123", "nothing left"),
        ("number1", "十二", "another form"),
        ("number1", "1" * 33, "too long"),
        ("time2", "明天下午", "another form"),
        ("time2", "2026年9月1日", "another form"),
        ("time2", "25:00", "another form"),
        ("time2", datetime(2026, 9, 1, 8, 0), "a moment without time zone"),  # noqa: DTZ001 - what is refused
        ("date2", "2026年13月1日", "another form"),
        ("amount1", "很多", "not an amount"),
        ("amount1", Decimal("0.001"), "not an amount"),
        ("amount1", Decimal("12345678901"), "not an amount"),
        ("phone_number1", "1" * 18, "too long"),
        ("phone_number1", "没有", "another form"),
        ("car_number1", "苏N1234567", "too long"),
        ("car_number1", "没有", "another form"),
        ("const1", "长" * 21, "too long"),
        ("hologram1", "x", "unknown type"),
        ("", "x", "unknown type"),
    ],
)
def test_a_value_whose_meaning_would_change_is_refused(key: str, value: Value, why: str) -> None:
    with pytest.raises(UnfitValue) as caught:
        fit(key, value)
    assert caught.value.why == why
    assert str(value) not in str(caught.value.details) or not str(value)


def test_the_type_stands_before_the_number() -> None:
    assert type_of_key("character_string12") is ValueType.CHARACTER_STRING
    assert type_of_key("thing") is ValueType.THING


@given(TYPES, ANYTHING)
@example(ValueType.THING, "\ud83d" * 30)
@example(ValueType.THING, "e" * 18 + "e\u0301" * 5)
@example(ValueType.NAME, "ﬀ" * 15)
@example(ValueType.NAME, "::::::::::¡")
def test_what_fits_is_taken_by_the_platform(value_type: ValueType, text: str) -> None:
    try:
        fitted = fit(value_type, text)
    except UnfitValue:
        return
    assert fits(value_type, fitted)
    assert fitted == fitted.strip() != ""
    fitted.encode()
    assert fit(value_type, fitted) == fitted


@given(st.text(st.characters(categories=("Lo", "Ll", "Nd", "Po"), max_codepoint=0x9FFF), min_size=1, max_size=60))
def test_a_thing_keeps_its_words_and_a_long_one_its_beginning(text: str) -> None:
    fitted = fit("thing", text)
    if len(text) <= 20:
        assert fitted == text
    else:
        assert len(fitted) <= 20
        assert fitted.endswith("…")
        assert text.startswith(fitted[:-1])
    assert fits("thing", fitted)
    assert shown(fitted) == fitted


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.sampled_from(["time", "date", "thing"]))  # noqa: DTZ001
def test_every_moment_is_told_in_local_time(naive: datetime, value_type: str) -> None:
    at = naive.replace(tzinfo=UTC)
    local = at.astimezone(SHANGHAI)
    fitted = fit(value_type, at)
    assert fits(value_type, fitted)
    assert fitted == f"{local.year:04}年{local.month}月{local.day}日 {local:%H:%M}"


@given(st.dates(), TYPES)
def test_every_day_is_told_or_refused(day: date, value_type: ValueType) -> None:
    if value_type not in DATED:
        with pytest.raises(UnfitValue, match="填不进"):
            fit(value_type, day)
        return
    fitted = fit(value_type, day)
    assert fits(value_type, fitted)
    assert str(day.year) in fitted


@given(st.one_of(st.integers(-(10**30), 10**30), st.decimals(allow_nan=False, allow_infinity=False, places=2)))
def test_numbers_keep_their_value_or_are_refused(number: int | Decimal) -> None:
    try:
        fitted = fit("number", number)
    except UnfitValue:
        assert len(format(number, "f")) > 32 if isinstance(number, Decimal) else len(str(number)) > 32
        return
    assert Decimal(fitted) == number


@given(st.text(max_size=40))
def test_lengths_are_counted_alike_on_both_sides(text: str) -> None:
    assert length(text) == units(text)
