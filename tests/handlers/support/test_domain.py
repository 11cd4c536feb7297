"""States of a hand-over, who gets one, how it is shown."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.clock import SHANGHAI
from handlers.support import texts
from handlers.support.domain import (
    MOVES,
    PAGE,
    HandOverClosed,
    HandOverEvent,
    HandOverState,
    Owner,
    advance,
    age,
    owner_for,
    page_of,
    shortened,
    tag_of,
)

S, E = HandOverState, HandOverEvent
TOWN = Owner("town", "t", "镇上", ("柳溪镇",))
COUNTY = Owner("county", "c", "县里", ("青石县",))
ANYWHERE = Owner("anywhere", "a", "哪里都行")


def test_the_usual_course() -> None:
    assert advance(S.OPEN, E.CLAIM) is S.CLAIMED
    assert advance(S.CLAIMED, E.ANSWER) is S.ANSWERED
    assert advance(S.ANSWERED, E.CLOSE) is S.CLOSED


def test_an_answer_needs_no_claim_before_it() -> None:
    assert advance(S.OPEN, E.ANSWER) is S.ANSWERED
    assert advance(S.URGENT, E.ANSWER) is S.ANSWERED


def test_an_answered_matter_is_not_taken_back_by_a_claim() -> None:
    assert advance(S.ANSWERED, E.CLAIM) is S.ANSWERED


@pytest.mark.parametrize("event", list(E))
def test_nothing_moves_a_closed_matter(event: HandOverEvent) -> None:
    with pytest.raises(HandOverClosed):
        advance(S.CLOSED, event)


def test_every_state_but_the_last_takes_every_event() -> None:
    assert {state for state, _ in MOVES} == set(S) - {S.CLOSED}
    assert len(MOVES) == 4 * len(E)


def test_every_state_has_its_word() -> None:
    assert set(texts.STATES) == {state.value for state in S}


@pytest.mark.parametrize(
    ("place", "owner"),
    [
        ("柳溪镇", TOWN),
        ("柳溪镇河东村", TOWN),
        ("青石县柳溪镇", TOWN),
        ("青石县", COUNTY),
        ("鹤山镇", ANYWHERE),
        (None, ANYWHERE),
    ],
)
def test_the_owner_is_chosen_by_place(place: str | None, owner: Owner) -> None:
    assert owner_for([TOWN, COUNTY, ANYWHERE], place, {}) is owner


def test_of_several_the_one_with_the_least_to_do_is_chosen_and_among_equals_the_first() -> None:
    first, second = Owner("1", "1", "一"), Owner("2", "2", "二")
    assert owner_for([first, second], None, {}) is first
    assert owner_for([first, second], None, {"1": 2, "2": 1}) is second


def test_somebody_is_better_than_nobody() -> None:
    assert owner_for([TOWN], "鹤山镇", {}) is TOWN
    assert owner_for([], "柳溪镇", {}) is None


def test_a_long_text_is_shown_in_pages() -> None:
    text = "长" * (PAGE + 5)
    assert page_of(text, 1) == ("长" * PAGE, True)
    assert page_of(text, 2) == ("长" * 5, False)
    assert page_of(text, 3) == ("", False)


def test_a_list_shows_one_line_of_a_text() -> None:
    assert shortened("第一行\n第二行", 20) == "第一行 第二行"
    assert shortened("长" * 50, 10) == "长" * 9 + "…"


def test_an_age_is_never_negative() -> None:
    now = datetime(2026, 9, 1, 8, tzinfo=SHANGHAI)
    assert age(now + timedelta(minutes=5), now) == timedelta(0)


def test_a_tag_tells_askers_apart_and_nothing_more() -> None:
    assert tag_of("_aB-3xYz") == "ab3x"
