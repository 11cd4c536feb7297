"""Whose word counts, where sources disagree, and how that ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.after_school.domain.ledger import (
    Channel,
    IllegalTallyMove,
    ReasonMissing,
    SignUp,
    Standing,
    Voice,
    WishInvalid,
    checked_entry,
    checked_reason,
    counted,
    heard,
    next_move,
)
from handlers.after_school.domain.statements import ConsentHow, Source, TallyMove, Wish
from handlers.after_school.domain.states import EnrolmentState

START = datetime(2026, 9, 8, 1, tzinfo=UTC)
S = EnrolmentState


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def voice(wish: Wish, source: Source, minutes: int, **values: Any) -> Voice:
    return Voice(wish, source, at(minutes), at(minutes), **values)


def sign_up(
    state: EnrolmentState, source: Source = Source.CHAT, begun: int = 0, moved: int = 0, **values: Any
) -> SignUp:
    return SignUp("chorus", state, source, at(begun), at(moved), values.pop("via", source), **values)


def test_silence_is_no_answer() -> None:
    assert heard([], []).standing is Standing.UNANSWERED


def test_the_last_word_of_one_source_counts() -> None:
    found = heard([voice(Wish.NOT_JOIN, Source.CHAT, 0), voice(Wish.JOIN, Source.MINIPROGRAM, 1)], [])
    assert found.standing is Standing.WANTS


def test_two_sources_that_disagree_are_both_kept() -> None:
    found = heard([voice(Wish.JOIN, Source.CHAT, 0), voice(Wish.NOT_JOIN, Source.PAPER, 5)], [])
    assert found.standing is Standing.DISAGREEING
    assert found.latest[Channel.FAMILY].joins
    assert not found.latest[Channel.TEACHER].joins
    assert [each.source for each in found.voices] == [Source.PAPER, Source.CHAT]


def test_a_course_and_the_service_as_such_do_not_disagree() -> None:
    found = heard([voice(Wish.JOIN, Source.CHAT, 0), voice(Wish.COURSE, Source.IMPORT, 1, programme_id="chess")], [])
    assert found.standing is Standing.WANTS
    assert found.wanted == ("chess",)


@pytest.mark.parametrize(("wish", "standing"), [(Wish.NOT_JOIN, Standing.NOT_JOINING), (Wish.JOIN, Standing.WANTS)])
def test_having_asked_the_family_is_the_end_of_it_until_somebody_says_more(wish: Wish, standing: Standing) -> None:
    said = [
        voice(Wish.JOIN, Source.CHAT, 0),
        voice(Wish.NOT_JOIN, Source.IMPORT, 5),
        voice(wish, Source.PHONE, 9, settles=True),
    ]
    assert heard(said, []).standing is standing
    other = Wish.JOIN if wish is Wish.NOT_JOIN else Wish.NOT_JOIN
    assert heard([*said, voice(other, Source.CHAT, 20)], []).standing is Standing.DISAGREEING


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        (S.ENROLLED, Standing.SIGNED_UP),
        (S.WAITLISTED, Standing.WAITING),
        (S.SUBMITTED, Standing.WAITING),
        (S.OFFERED, Standing.WAITING),
        (S.DECLINED, Standing.WANTS),
    ],
)
def test_signing_up_is_an_answer(state: EnrolmentState, standing: Standing) -> None:
    assert heard([], [sign_up(state)]).standing is standing


def test_leaving_the_last_course_is_a_no_whoever_entered_it() -> None:
    left = sign_up(S.OPTED_OUT, moved=30, via=Source.PHONE)
    assert heard([], [left]).standing is Standing.NOT_JOINING


def test_leaving_one_course_of_two_is_no_no() -> None:
    assert heard([], [sign_up(S.WITHDRAWN, moved=30), sign_up(S.ENROLLED)]).standing is Standing.SIGNED_UP


def test_paper_against_a_sign_up_is_shown_and_nobody_is_thrown_out() -> None:
    found = heard([voice(Wish.NOT_JOIN, Source.PAPER, 5)], [sign_up(S.ENROLLED)])
    assert found.standing is Standing.DISAGREEING
    assert not found.must_leave


def test_a_settled_no_with_a_sign_up_that_still_stands_says_so() -> None:
    found = heard([voice(Wish.NOT_JOIN, Source.PHONE, 5, settles=True)], [sign_up(S.ENROLLED)])
    assert found.standing is Standing.NOT_JOINING
    assert found.must_leave


def test_a_deed_and_the_word_said_with_it_are_one_voice() -> None:
    said = voice(Wish.COURSE, Source.CHAT, 0, programme_id="chorus", id="1")
    assert heard([said], [sign_up(S.ENROLLED)]).voices == (said,)
    gone = voice(Wish.NOT_JOIN, Source.PHONE, 9, id="2")
    found = heard([said, gone], [sign_up(S.OPTED_OUT, moved=9, via=Source.PHONE)])
    assert [each.id for each in found.voices] == ["2", "1"]
    assert found.standing is Standing.NOT_JOINING, "a deed is the end of it"


def test_a_moment_that_passes_says_nothing() -> None:
    assert heard([], [sign_up(S.DECLINED, moved=9, via=Source.SYSTEM)]).standing is Standing.WANTS


def test_all_standings_are_counted_even_those_nobody_has() -> None:
    assert sum(counted([Standing.WANTS, Standing.WANTS]).values()) == 2
    assert set(counted([])) == {standing.value for standing in Standing}


def test_what_a_teacher_enters_says_how_the_family_agreed() -> None:
    assert checked_entry(Wish.NOT_JOIN, Source.PAPER, ConsentHow.SIGNED_PAPER, " 自己  接 ") == "自己 接"
    assert checked_entry(Wish.JOIN, Source.PHONE, ConsentHow.BY_PHONE, "没有用") == "", "a reason is of a no"
    for source, how in ((Source.PAPER, ConsentHow.BY_PHONE), (Source.PHONE, None), (Source.CHAT, ConsentHow.IN_PERSON)):
        with pytest.raises(WishInvalid):
            checked_entry(Wish.JOIN, source, how, "")


@pytest.mark.parametrize("reason", ["", "  ", "长" * 201])
def test_opening_a_signed_list_wants_a_reason(reason: str) -> None:
    with pytest.raises(ReasonMissing):
        checked_reason(reason)


def test_a_list_is_closed_and_opened_in_turns() -> None:
    closed, reopened = TallyMove.CLOSED, TallyMove.REOPENED
    assert next_move(None, closed) is closed
    assert next_move(closed, reopened) is reopened
    assert next_move(reopened, closed) is closed
    for last, wanted in ((None, reopened), (closed, closed), (reopened, reopened)):
        with pytest.raises(IllegalTallyMove):
            next_move(last, wanted)
