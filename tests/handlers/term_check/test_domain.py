"""The rules of the check: what may become of a case, who is on a list, who is told when, and what the rates are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.calendar.domain import Facts, SchoolCalendar, Term
from handlers.term_check.domain.cases import (
    DROPPED,
    MOVES,
    OPEN,
    STAGES,
    CaseEvent,
    CaseInvalid,
    CaseState,
    IllegalCaseMove,
    Stage,
    advance,
    checked_back,
    checked_words,
)
from handlers.term_check.domain.figures import Child, Level, Rate, RateName, counted, figures, of_year
from handlers.term_check.domain.rolls import Found, Sat, key_of, list_day, listed, year_of
from handlers.term_check.domain.rules import CheckRuleInvalid, Ladder, Limits, in_force, in_percent, thousandths

S, E = CaseState, CaseEvent
TODAY = date(2026, 9, 3)


# --------------------------------------------------------------------------------------------------------------- cases
@pytest.mark.parametrize(("state", "event"), list(product(CaseState, CaseEvent)))
def test_a_case_moves_only_as_the_table_says(state: CaseState, event: CaseEvent) -> None:
    if (state, event) in MOVES:
        assert advance(state, event) is MOVES[state, event]
    else:
        with pytest.raises(IllegalCaseMove):
            advance(state, event)


def test_every_child_can_come_back_and_no_ending_is_the_last_word() -> None:
    for state in CaseState:
        assert (state, E.RETURN) in MOVES or state is S.RETURNED
        assert (state, E.REOPEN) in MOVES or state in OPEN


def test_words_are_asked_for_and_kept_in_one_piece() -> None:
    assert checked_words(" 见到 奶奶，\n说下周来 ") == "见到 奶奶， 说下周来"
    for wrong in ("", "   ", "嗯嗯嗯", "长" * 501):
        with pytest.raises(CaseInvalid):
            checked_words(wrong)


@pytest.mark.parametrize("back_on", [None, TODAY, TODAY - timedelta(days=1), TODAY + timedelta(days=201)])
def test_an_ill_child_is_expected_on_a_day_to_come(back_on: date | None) -> None:
    with pytest.raises(CaseInvalid):
        checked_back(back_on, TODAY)


# --------------------------------------------------------------------------------------------------------------- rules
def test_the_ladder_is_climbed_by_school_days() -> None:
    ladder = Ladder(1, 3, 5)
    assert [ladder.stage(days) for days in range(7)] == [
        Stage.CLASS, Stage.SCHOOL, Stage.SCHOOL, Stage.CENTRE, Stage.CENTRE, Stage.TOWNSHIP, Stage.TOWNSHIP,
    ]  # fmt: skip


@given(st.tuples(*[st.integers(1, 60)] * 3), st.integers(0, 90), st.integers(0, 90))
def test_a_case_never_climbs_down(steps: tuple[int, ...], one: int, other: int) -> None:
    ladder = Ladder(*sorted(steps))
    low, high = sorted((one, other))
    assert STAGES.index(ladder.stage(low)) <= STAGES.index(ladder.stage(high))


@pytest.mark.parametrize("days", [(0, 1, 2), (3, 2, 5), (1, 5, 4), (1, 2, 61)])
def test_an_impossible_ladder_is_none(days: tuple[int, int, int]) -> None:
    with pytest.raises(CheckRuleInvalid):
        Ladder(*days)


@pytest.mark.parametrize(("text", "share"), [("2", 20), ("2%", 20), ("2.5％", 25), ("0", 0), (" 100 ", 1000)])
def test_shares_are_read_exactly(text: str, share: int) -> None:
    assert thousandths(text) == share
    assert thousandths(in_percent(share)) == share


@pytest.mark.parametrize("text", ["", "二", "-1", "2.55", "1001", "2.", ".5"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(CheckRuleInvalid):
        thousandths(text)


def test_a_limit_is_at_most_everybody() -> None:
    with pytest.raises(CheckRuleInvalid):
        Limits(20, 1001)


def test_a_rule_holds_from_its_first_day_to_its_last() -> None:
    day = date(2026, 9, 1)
    assert in_force(day, None, day)
    assert in_force(day, day, day)
    assert not in_force(day, day, day + timedelta(days=1))
    assert not in_force(day, None, day - timedelta(days=1))


# --------------------------------------------------------------------------------------------------------------- lists
def sat(room: str, grade: int, school: str = "s") -> Sat:
    return Sat(room, school, grade)


def found(**values: object) -> Found:
    known: dict[str, object] = {"rooms": {"k3": 3, "k4": 4}, "now": {}, "before": {}, "heirs": {}, "graduated": ()}
    return Found(**(known | values))  # type: ignore[arg-type]


def test_who_was_on_last_term_s_list_is_asked_for_though_the_roster_has_lost_them() -> None:
    known = found(now={"a": sat("k3", 3)}, before={"a": sat("o2", 2), "b": sat("o2", 2)}, heirs={"o2": "k3"})
    entries = listed("s", known, has_promoted=True)
    assert {child: (each.class_id, each.is_new) for child, each in entries.items()} == {
        "a": ("k3", False), "b": ("k3", False),
    }  # fmt: skip


def test_new_children_are_told_apart_and_a_kindergarten_counts_as_nothing() -> None:
    known = found(
        rooms={"k1": 1, "k2": 2},
        now={"a": sat("k1", 1), "b": sat("k2", 2), "c": sat("k2", 2)},
        before={"a": sat("big", 0), "c": sat("x1", 1, "another"), "z": sat("k1", 1)},
    )
    assert {child: each.is_new for child, each in listed("s", known, has_promoted=True).items()} == {
        "a": True, "b": True, "c": False, "z": False,
    }  # fmt: skip


def test_a_school_without_a_list_of_last_term_goes_by_the_grade() -> None:
    known = found(rooms={"k1": 1, "k2": 2}, now={"a": sat("k1", 1), "b": sat("k2", 2)})
    assert {child: each.is_new for child, each in listed("s", known, has_promoted=True).items()} == {
        "a": True,
        "b": False,
    }


def test_who_graduated_or_sits_elsewhere_is_not_asked_for_here() -> None:
    known = found(
        now={"b": sat("x7", 7, "junior"), "c": sat("big", 0)},
        before={"a": sat("o6", 6), "b": sat("o6", 6), "d": sat("y2", 2, "another")},
        graduated={"a"},
    )
    assert listed("s", known, has_promoted=True) == {}


def test_a_class_that_is_no_more_is_asked_for_in_the_nearest() -> None:
    known = found(before={"a": sat("gone", 3), "b": sat("gone", 8)})
    assert {child: each.grade for child, each in listed("s", known, has_promoted=True).items()} == {"a": 4, "b": 4}
    assert listed("s", known, has_promoted=False)["a"].grade == 3


def test_without_classes_nobody_is_asked_for() -> None:
    assert listed("s", found(rooms={}, before={"a": sat("o2", 2)}), has_promoted=True) == {}


def test_terms_are_named_by_their_half_of_the_year() -> None:
    august, march = Term(date(2026, 8, 28), date(2027, 1, 20), ""), Term(date(2027, 3, 1), date(2027, 7, 9), "")
    assert (key_of(august), year_of(august)) == ("2026-autumn", 2026)
    assert (key_of(march), year_of(march)) == ("2027-spring", 2026)
    calendar = SchoolCalendar(Facts(terms=(august, march)))
    assert list_day(calendar, march) == calendar.last_school_day(august)
    assert list_day(calendar, august) == date(2026, 8, 27)


# ------------------------------------------------------------------------------------------------------------- figures
STATES = st.none() | st.sampled_from(CaseState)
CHILDREN = st.lists(st.builds(Child, st.integers(1, 9), st.booleans(), STATES), max_size=40)


@given(CHILDREN)
def test_the_rates_are_what_their_definitions_say(children: Sequence[Child]) -> None:
    known = figures(children)
    for level, grades in ((Level.PRIMARY, range(1, 7)), (Level.JUNIOR, range(7, 10))):
        own = [each for each in children if each.grade in grades and each.state is not S.TRANSFERRED]
        for name, among, is_in in (
            (RateName.ENROLMENT, [each for each in own if each.is_new], lambda each: each.state not in DROPPED),
            (RateName.RETENTION, [each for each in own if not each.is_new], lambda each: each.state not in DROPPED),
            (RateName.DROP_OUT, own, lambda each: each.state in DROPPED),
        ):
            rate = known[level].rate(name)
            assert (rate.part, rate.whole) == (sum(map(is_in, among)), len(among))


@given(st.lists(STATES, max_size=60))
def test_nobody_is_lost_in_the_counts(states: list[CaseState | None]) -> None:
    counts = counted(states)
    assert counts.listed == len(states) == counts.here + counts.open + counts.transferred + counts.ill + counts.other
    assert counts + counted([]) == counts


@given(st.integers(0, 2000), st.integers(1, 2000), st.integers(0, 1000))
def test_a_share_is_compared_exactly_and_never_rounded_to_all_or_nothing(part: int, whole: int, limit: int) -> None:
    part = min(part, whole)
    rate = Rate(part, whole)
    assert rate.is_below(limit) == (Fraction(part, whole) < Fraction(limit, 1000))
    assert (rate.words == "100.00%") == (part == whole)
    assert (rate.words == "0.00%") == (part == 0)


def test_a_share_of_nobody_is_none() -> None:
    assert (Rate(0, 0).words, Rate(0, 0).is_below(20), Rate(0, 0).thousandths) == ("—", None, None)


def test_writing_other_makes_no_figure_better() -> None:
    absent, other = [figures([Child(3, False, state), Child(3, False, None)]) for state in (S.ABSENT, S.OTHER)]
    for name in RateName:
        assert absent[Level.PRIMARY].rate(name) == other[Level.PRIMARY].rate(name)


def test_a_year_counts_everybody_once_as_their_last_term_left_them() -> None:
    autumn = {"a": Child(3, True, None), "b": Child(3, False, S.OTHER), "c": Child(3, False, S.ABSENT)}
    spring = {"a": Child(3, False, S.ABSENT), "c": Child(3, False, None), "d": Child(3, True, None)}
    assert of_year([autumn, spring]) == {
        "a": Child(3, True, S.ABSENT), "b": Child(3, False, S.OTHER), "c": Child(3, False, None),
        "d": Child(3, True, None),
    }  # fmt: skip
