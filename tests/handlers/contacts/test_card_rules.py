"""Rules of the register, the card and what is suggested: pure."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.contacts.domain.card import OF_HOLDER, FactInvalid, FactKind, Holder, check_value
from handlers.contacts.domain.clears import WANTED, About, Known, clears
from handlers.contacts.domain.records import ContactOutcome, Met, RecordInvalid, check
from handlers.contacts.domain.register import Level, RegisterInvalid, check_review, turns_of_age
from handlers.contacts.domain.suggestions import CALM_IN_A_ROW, FAILED_IN_A_ROW, Seen, Sign, suggestions
from tests.handlers.contacts.stage import TODAY, contact

EVERYTHING = [Known(holder, kind, TODAY) for holder, kinds in WANTED.items() for kind in kinds]


# -------------------------------------------------------------------------------------------------------- three clears
def test_a_whole_card_is_clear_three_times() -> None:
    found = clears(EVERYTHING, TODAY)
    assert all(each.is_clear for each in found.values())
    assert [each.oldest for each in found.values()] == [0, 0, 0]


def test_an_empty_card_lacks_everything_but_a_second_parent_nobody_noted() -> None:
    found = clears([], TODAY)
    assert not any(each.is_clear for each in found.values())
    assert all(holder is Holder.PARENT_1 for holder, _ in found[About.PARENTS].lacking)
    both = clears([], TODAY, is_parent_2_there=True)[About.PARENTS]
    assert {holder for holder, _ in both.lacking} == {Holder.PARENT_1, Holder.PARENT_2}


@pytest.mark.parametrize("left_out", range(len(EVERYTHING)))
def test_each_missing_fact_is_named_and_only_it(left_out: int) -> None:
    missing = EVERYTHING[left_out]
    found = clears([fact for fact in EVERYTHING if fact is not missing], TODAY, is_parent_2_there=True)
    assert [each for clear in found.values() for each in clear.lacking] == [(missing.holder, missing.kind)]


def test_a_number_nobody_answers_is_not_known_and_its_age_is_told() -> None:
    old = [
        Known(fact.holder, fact.kind, TODAY - timedelta(days=40), is_stale=fact.kind is FactKind.PHONE)
        for fact in EVERYTHING
    ]
    found = clears(old, TODAY)
    assert (Holder.CARER, FactKind.PHONE) in found[About.CARER].lacking
    assert found[About.CARER].oldest == 40


@given(st.sets(st.sampled_from(range(len(EVERYTHING)))), st.sets(st.sampled_from(range(len(EVERYTHING)))))
def test_to_know_more_never_makes_it_less_clear(some: set[int], more: set[int]) -> None:
    def lacking(numbers: set[int]) -> set[tuple[Holder, FactKind]]:
        found = clears([EVERYTHING[number] for number in numbers], TODAY, is_parent_2_there=True)
        return {each for clear in found.values() for each in clear.lacking}

    assert lacking(some | more) <= lacking(some)


def test_what_the_three_clears_ask_for_is_on_the_card() -> None:
    assert all(kind in OF_HOLDER[holder] for holder, kinds in WANTED.items() for kind in kinds)


@pytest.mark.parametrize(
    ("holder", "kind", "value"),
    [
        (Holder.CHILD, FactKind.WORKPLACE, "东莞"),
        (Holder.CARER, FactKind.NAME, "  "),
        (Holder.CARER, FactKind.NAME, "长" * 201),
        (Holder.PARENT_1, FactKind.LAST_HOME, "去年春节"),
        (Holder.PARENT_1, FactKind.LAST_HOME, "2026-12-01"),
    ],
)
def test_what_cannot_be_on_the_card_is_refused(holder: Holder, kind: FactKind, value: str) -> None:
    with pytest.raises(FactInvalid):
        check_value(holder, kind, value, TODAY)


# ------------------------------------------------------------------------------------------------------------ register
def test_of_age_is_the_sixteenth_birthday_also_of_a_child_of_a_leap_day() -> None:
    assert turns_of_age(date(2010, 9, 8)) == date(2026, 9, 8)
    assert turns_of_age(date(2012, 2, 29)) == date(2028, 2, 29)
    assert turns_of_age(date(2084, 2, 29)) == date(2100, 3, 1)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_review_is_after_today_and_within_a_year(days: int) -> None:
    with pytest.raises(RegisterInvalid):
        check_review(TODAY + timedelta(days=days), TODAY)
    assert check_review(TODAY + timedelta(days=366), TODAY)


# ---------------------------------------------------------------------------------------------------------- suggestion
def test_nothing_special_suggests_nothing() -> None:
    assert all(suggestions(level, Seen()) == () for level in (None, *Level))


def test_what_is_grave_speaks_for_red_until_it_is_red() -> None:
    seen = Seen(has_open_report=True, failed=FAILED_IN_A_ROW)
    assert [(each.level, each.sign) for each in suggestions(Level.GREEN, seen)] == [
        (Level.RED, Sign.OPEN_REPORT),
        (Level.YELLOW, Sign.NOBODY_REACHED),
    ]
    assert suggestions(Level.RED, seen) == ()


def test_calm_speaks_for_one_step_down_and_never_beside_a_worry() -> None:
    calm = Seen(reached=CALM_IN_A_ROW)
    assert [each.level for each in suggestions(Level.RED, calm)] == [Level.YELLOW]
    assert suggestions(Level.GREEN, calm) == ()
    assert suggestions(Level.RED, Seen(reached=CALM_IN_A_ROW, is_carer_known=False)) == ()


def test_nothing_is_suggested_that_is_in_force() -> None:
    for level, report, unfit, paired in product(Level, (True, False), (True, False), (True, False)):
        seen = Seen(has_open_report=report, is_carer_unfit=unfit, is_paired=paired, reached=CALM_IN_A_ROW)
        assert all(each.level is not level for each in suggestions(level, seen))


# -------------------------------------------------------------------------------------------------------------- record
@pytest.mark.parametrize(
    "values",
    [
        {"client_key": ""},
        {"client_key": "k" * 65},
        {"happened_on": TODAY + timedelta(days=1)},
        {"happened_on": TODAY - timedelta(days=61)},
        {"met": frozenset()},
        {"outcome": ContactOutcome.FAILED},
        {"finding": "长" * 1001},
        {"follow_up": "再去一趟"},
        {"follow_up_on": TODAY},
        {"follow_up": "再去", "follow_up_on": TODAY - timedelta(days=1)},
        {"next_on": TODAY + timedelta(days=367)},
    ],
)
def test_what_cannot_be_written_down_is_named(values: dict[str, object]) -> None:
    with pytest.raises(RecordInvalid) as refused:
        check(contact(**values), TODAY)  # type: ignore[arg-type]
    assert refused.value.message.endswith("。")


def test_an_attempt_needs_nobody_and_a_contact_somebody() -> None:
    check(contact(outcome=ContactOutcome.FAILED, met=frozenset(), finding=""), TODAY)
    check(contact(met=frozenset({Met.PARENT}), follow_up="再打一次", follow_up_on=TODAY), TODAY)
