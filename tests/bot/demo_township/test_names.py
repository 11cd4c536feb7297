"""Invented names and numbers: of a form our own checks take, and nobody's."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from bot.demo_township.names import (
    FEMALE,
    MALE,
    TWO_CHARACTER_SURNAMES,
    Names,
    Numbers,
    roster_number,
)
from handlers.accounts.domain import (
    birth_date_of,
    is_mobile,
    normalise_id_number,
    normalise_name,
    normalise_phone,
    normalise_roster_number,
    sex_of,
)

DAY = date(2017, 5, 6)
# The first digits of every province, region and city that gives identity numbers, and of foreigners' cards.
PROVINCES = {"11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43"}
PROVINCES |= {"44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82", "83"}
OPERATORS = {"13", "15", "17", "18", "19", "14", "162", "165", "166", "167"}


@pytest.mark.parametrize("sex", [MALE, FEMALE])
def test_identity_numbers_pass_our_checks_and_are_of_no_place(sex: str) -> None:
    numbers = Numbers()
    made = [numbers.identity_number(DAY, sex) for _ in range(500)]
    assert len(set(made)) == 500
    assert all(normalise_id_number(number) == number for number in made)
    assert all((birth_date_of(number), sex_of(number)) == (DAY, sex) for number in made)
    assert not any(number[:2] in PROVINCES or number[1:3] in PROVINCES for number in made)


def test_roster_numbers_pass_our_checks() -> None:
    number = roster_number(Numbers().identity_number(DAY, MALE))
    assert normalise_roster_number(number) == number


def test_phones_have_a_mobiles_form_and_no_operator() -> None:
    numbers = Numbers()
    made = [numbers.phone() for _ in range(100)]
    assert len(set(made)) == 100
    assert all(normalise_phone(phone) == phone and is_mobile(phone) for phone in made)
    assert not any(phone.startswith(tuple(OPERATORS)) for phone in made)


def test_names_are_plain_and_some_surnames_have_two_characters() -> None:
    names = Names(Random(1))
    surnames = {names.surname() for _ in range(5000)}
    assert surnames & set(TWO_CHARACTER_SURNAMES)
    made = [names.grown_up(names.sex()) for _ in range(500)] + [names.child("欧阳", MALE) for _ in range(500)]
    assert all(normalise_name(name) == name and 2 <= len(name) <= 4 for name in made)


def test_the_same_chance_gives_the_same_names() -> None:
    one, other, third = Names(Random("1")), Names(Random("1")), Names(Random("2"))
    first = [one.grown_up(MALE) for _ in range(20)]
    assert first == [other.grown_up(MALE) for _ in range(20)]
    assert first != [third.grown_up(MALE) for _ in range(20)]
