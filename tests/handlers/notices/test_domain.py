"""States of a notice, and when a child's confirmation is complete."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.notices.domain import (
    MOVES,
    OUT,
    AnswerInvalid,
    Confirmed,
    Deed,
    IllegalNoticeMove,
    NoticeState,
    Question,
    QuestionKind,
    Who,
    advance,
    checked_answers,
    is_satisfied,
)

S, D = NoticeState, Deed


@pytest.mark.parametrize("state", list(NoticeState))
@pytest.mark.parametrize("deed", list(Deed))
def test_only_the_moves_of_the_table_are_made(state: NoticeState, deed: Deed) -> None:
    if (state, deed) in MOVES:
        assert advance(state, deed) is MOVES[state, deed]
    else:
        with pytest.raises(IllegalNoticeMove):
            advance(state, deed)


def test_nothing_goes_out_past_the_second_signature() -> None:
    """From waiting there is no way out but approval, and back to the author."""
    assert {MOVES[S.WAITING, deed] for deed in Deed if (S.WAITING, deed) in MOVES} == {S.SCHEDULED, S.DRAFT}
    assert [deed for deed in Deed if MOVES.get((S.WAITING, deed)) is S.SCHEDULED] == [D.APPROVE]


def test_what_is_out_never_becomes_a_draft_again() -> None:
    assert all(following in OUT for (state, _), following in MOVES.items() if state in OUT)


FAMILY = (Confirmed("a", True, False), Confirmed("b", False, True))


@pytest.mark.parametrize(("who", "is_done"), [(Who.ANY, True), (Who.EACH, False), (Who.ACTING, False)])
def test_who_must_confirm(who: Who, is_done: bool) -> None:
    assert is_satisfied(who, FAMILY) is is_done
    assert is_satisfied(who, FAMILY, by_hand=True)
    assert not is_satisfied(who, [])


def test_where_nobody_acts_any_guardian_may() -> None:
    assert is_satisfied(Who.ACTING, [Confirmed("b", False, True)])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=4))
def test_each_is_never_easier_than_any(family: list[tuple[bool, bool]]) -> None:
    people = [Confirmed(str(at), acting, done) for at, (acting, done) in enumerate(family)]
    assert is_satisfied(Who.ANY, people) or not is_satisfied(Who.EACH, people)
    assert is_satisfied(Who.ANY, people) or not is_satisfied(Who.ACTING, people)


@given(st.dictionaries(st.sampled_from(["c", "t", "d", "x"]), st.text(max_size=8)))
def test_answers_are_kept_as_the_form_knows_them_or_refused(given_answers: dict[str, str]) -> None:
    form = (
        Question("c", QuestionKind.CHOICE, "选", ("甲", "乙")),
        Question("t", QuestionKind.TEXT, "写", is_required=False),
        Question("d", QuestionKind.DATE, "哪天", is_required=False),
    )
    try:
        kept = checked_answers(form, given_answers)
    except AnswerInvalid:
        return
    assert kept["c"] in ("甲", "乙")
    assert set(kept) <= {"c", "t", "d"}
    assert checked_answers(form, kept) == kept
