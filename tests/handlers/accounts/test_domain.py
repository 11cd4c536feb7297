"""Rules of people: school years, names of classes, names and numbers as they are kept, and masking."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from handlers.accounts.domain import (
    APPOINTMENT_WORDS,
    HIGHEST_GRADE,
    LOWEST_GRADE,
    PLACE_OF_APPOINTMENT,
    RELATION_WORDS,
    AppointmentKind,
    ClassNameInvalid,
    IdNumberInvalid,
    NameInvalid,
    PhoneInvalid,
    Relation,
    RosterNumberInvalid,
    birth_date_of,
    class_name,
    grade_name,
    id_check_digit,
    is_mobile,
    lasts,
    mask_name,
    mask_number,
    mask_phone,
    match_text,
    normalise_id_number,
    normalise_name,
    normalise_phone,
    normalise_roster_number,
    parse_class_name,
    school_year_days,
    school_year_of,
    sex_of,
)


def test_the_school_year_begins_in_september() -> None:
    assert [school_year_of(day) for day in (date(2026, 8, 31), date(2026, 9, 1), date(2027, 1, 1))] == [
        2025,
        2026,
        2026,
    ]
    first, last = school_year_days(2026)
    assert (first, last) == (date(2026, 9, 1), date(2027, 8, 31))
    assert school_year_of(last) == school_year_of(first) == school_year_of(last + timedelta(days=1)) - 1


def test_first_and_last_day_count() -> None:
    since, until = date(2026, 9, 1), date(2026, 9, 2)
    days = [date(2026, 8, 31), since, until, date(2026, 9, 3)]
    assert [lasts(since, until, day) for day in days] == [False, True, True, False]
    assert [lasts(since, None, day) for day in days] == [False, True, True, True]


# ------------------------------------------------------------------------------------------------- names of classes
@pytest.mark.parametrize(
    "text",
    [
        "三(2)班", "三（２）班", "(三)2班", "三年级2班", "三年级二班", "三年级（2）班", "三年级第2班",
        "三年2班", "三 年级 2 班",
        "3年级2班", "302班", "302", "0302", "０３０２", "三2班", "三二班", "三.2班", "3-2班", "3—2", "三、2班",
        "三年级02班",
        "三【2】班",
    ],
)  # fmt: skip
def test_one_class_has_many_names(text: str) -> None:
    assert parse_class_name(text) == (3, 2)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("小班", "小1班"), ("小(2)班", "小2班"), ("小班2班", "小2班"), ("中一班", "中1班"), ("大班", "大1班"),
        ("幼儿园大(3)班", "大3班"), ("学前班", "大1班"), ("一年级", "一年级1班"),
        ("三年级十二班", "三年级12班"), ("112", "一年级12班"),
        ("初一(3)班", "七年级3班"), ("初三1班", "九年级1班"), ("七（3）班", "七年级3班"),
        ("九年级二十一班", "九年级21班"),
    ],
)  # fmt: skip
def test_names_are_written_one_way(text: str, name: str) -> None:
    assert str(parse_class_name(text)) == name


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "三", "三班", "32", "32班", "二十班", "三十二班", "十年级1班", "10年级1班", "1012",
        "三年级0班", "三年级100班", "2024级2班",
        "高一2班", "大大班", "٣02", "三年级2班三年级2班", "班", "0002", "三年级٣班",
    ],
)  # fmt: skip
def test_what_could_mean_anything_is_refused(text: str) -> None:
    with pytest.raises(ClassNameInvalid):
        parse_class_name(text)


@given(some.integers(LOWEST_GRADE, HIGHEST_GRADE), some.integers(1, 99))
def test_what_is_written_is_read_back(grade: int, number: int) -> None:
    assert parse_class_name(class_name(grade, number)) == (grade, number)


@given(some.text(max_size=12))
def test_anything_else_is_refused_by_name(text: str) -> None:
    try:
        parse_class_name(text)
    except ClassNameInvalid:
        return


def test_grades_have_names() -> None:
    assert [grade_name(grade) for grade in (-2, -1, 0, 1, 9)] == ["小班", "中班", "大班", "一年级", "九年级"]
    for grade in (-3, 10):
        with pytest.raises(ClassNameInvalid):
            grade_name(grade)


# ------------------------------------------------------------------------------------------------ names and numbers
@pytest.mark.parametrize(
    ("text", "name"),
    [
        (" 张　三 ", "张三"), ("欧阳 娜娜", "欧阳娜娜"), ("阿依古丽 • 买买提", "阿依古丽·买买提"),
        ("买买提．艾力", "买买提·艾力"),
        ("张三\u200b", "张三"), ("Anna  Maria", "Anna Maria"), ("Ａｎｎａ", "Anna"), ("·张三·", "张三"),
    ],
)  # fmt: skip
def test_names_are_kept_one_way(text: str, name: str) -> None:
    assert normalise_name(text) == name
    assert normalise_name(name) == name


@pytest.mark.parametrize("text", ["", " ", "·", "张3", "张三13800001234", "张" * 65])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(NameInvalid):
        normalise_name(text)


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800001234", "13800001234"), ("+86 138 0000 1234", "13800001234"), ("0086-138-0000-1234", "13800001234"),
        ("8613800001234", "13800001234"), ("１３８００００１２３４", "13800001234"),
        ("(010) 62345678", "01062345678"),
        ("0527-84231234", "052784231234"),
    ],
)  # fmt: skip
def test_phones_are_kept_one_way(text: str, phone: str) -> None:
    assert normalise_phone(text) == phone
    assert is_mobile(phone) is phone.startswith("1")


@pytest.mark.parametrize("text", ["", "1380000123", "138000012345", "12800001234", "+1 5550000000", "张三", "٠١٢٣"])
def test_what_is_no_phone_is_refused(text: str) -> None:
    with pytest.raises(PhoneInvalid):
        normalise_phone(text)


def test_identity_numbers_carry_a_check_digit_and_a_birth_date() -> None:
    number = normalise_id_number(" １１０１０５19491231 002x ")
    assert number == "11010519491231002X"
    assert id_check_digit(number[:17]) == "X"
    assert (birth_date_of(number), sex_of(number)) == (date(1949, 12, 31), "女")


@given(some.integers(0, 17), some.integers(1, 9))
def test_one_wrong_digit_is_noticed(place: int, shift: int) -> None:
    number = "110105201605060016"
    number = number[:17] + id_check_digit(number[:17])
    digits = "0123456789"
    wrong = digits[(digits.index(number[place]) + shift) % 10] if number[place] != "X" else digits[shift]
    with pytest.raises(IdNumberInvalid):
        normalise_id_number(number[:place] + wrong + number[place + 1 :])


@pytest.mark.parametrize("text", ["", "1101051949123100", "11010519491331002", "０" * 18, "11010519490230002X"])
def test_what_is_no_identity_number_is_refused(text: str) -> None:
    with pytest.raises(IdNumberInvalid):
        normalise_id_number(text)


def test_a_day_that_never_was_is_refused_whatever_its_check_digit() -> None:
    first = "11010520170230001"
    with pytest.raises(IdNumberInvalid):
        normalise_id_number(first + id_check_digit(first))


def test_roster_numbers_keep_their_leading_zeros() -> None:
    assert normalise_roster_number(" '００１２３ ") == "00123"
    assert normalise_roster_number("g110105201605060016") == "G110105201605060016"
    for text in ("", "1", "学籍123", "12 3!", "-123", "1" * 33):
        with pytest.raises(RosterNumberInvalid):
            normalise_roster_number(text)


def test_the_second_proof_is_over_the_name_as_it_is_kept() -> None:
    assert match_text(" 张　三", date(2017, 5, 6)) == "张三|2017-05-06"


# --------------------------------------------------------------------------------------------------------- masking
def test_masks_show_enough_to_tell_apart_and_no_more() -> None:
    assert [mask_phone(each) for each in ("13812345678", "01062345678", "", None)] == [
        "138****5678",
        "010****5678",
        "",
        "",
    ]
    assert mask_number("11010519491231002X") == "110*************2X"
    assert [mask_number(each) for each in ("0012", "1234567", "", None)] == ["****", "*******", "", ""]
    assert [mask_name(each) for each in ("张三", "欧阳娜娜", "")] == ["张*", "欧***", ""]


def test_every_kind_has_its_words() -> None:
    assert set(RELATION_WORDS) == set(Relation)
    assert set(APPOINTMENT_WORDS) == set(PLACE_OF_APPOINTMENT) == set(AppointmentKind)
