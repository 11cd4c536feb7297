"""What is pure of looking past one's own and of taking things out: who watches, what moves, how a password is made."""

from __future__ import annotations

import itertools
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.contacts.domain.exports import (
    LEAST_PURPOSE,
    LONGEST_PURPOSE,
    ExportEvent,
    ExportNotReady,
    ExportState,
    PurposeMissing,
    advance,
    checked_purpose,
    is_over,
    new_password,
)
from handlers.contacts.domain.glass import LEAST_REASON, LONGEST_REASON, ReasonMissing, checked_reason, watchers

PEOPLE = st.lists(st.sampled_from("abcdef"), unique=True, max_size=4)


@given(st.sampled_from("abcdef"), st.lists(PEOPLE, min_size=3, max_size=3), PEOPLE)
def test_nobody_watches_over_themselves_and_the_nearest_who_can_do(
    opener: str, levels: list[list[str]], told: list[str]
) -> None:
    found = watchers(opener, levels, told)
    assert opener not in found
    assert set(found).isdisjoint(told)
    free = [[person for person in level if person != opener and person not in told] for level in levels]
    assert list(found) == next((level for level in free if level), [])


def test_a_reason_and_a_purpose_are_words_in_one_line() -> None:
    assert checked_reason("  他昨晚没回家，\n邻居说一个人在家 ") == "他昨晚没回家， 邻居说一个人在家"
    for words in ("急", " " * 50, "看" * (LEAST_REASON - 1), "看" * (LONGEST_REASON + 1)):
        with pytest.raises(ReasonMissing):
            checked_reason(words)
    assert checked_purpose("县局检查") == "县局检查"
    for words in ("", "看" * (LEAST_PURPOSE - 1), "看" * (LONGEST_PURPOSE + 1)):
        with pytest.raises(PurposeMissing):
            checked_purpose(words)


def test_an_export_moves_one_way_only() -> None:
    allowed = {
        (ExportState.WAITING, ExportEvent.RELEASE): ExportState.RELEASED,
        (ExportState.WAITING, ExportEvent.REFUSE): ExportState.REFUSED,
        (ExportState.RELEASED, ExportEvent.MAKE): ExportState.MADE,
    }
    for state, event in itertools.product(ExportState, ExportEvent):
        if (state, event) in allowed:
            assert advance(state, event) is allowed[state, event]
        else:
            with pytest.raises(ExportNotReady):
                advance(state, event)


def test_it_is_over_when_its_time_is_or_it_was_refused() -> None:
    now = datetime(2026, 9, 8, tzinfo=UTC)
    later, before = now + timedelta(seconds=1), now - timedelta(seconds=1)
    assert not is_over(ExportState.MADE, later, now)
    assert is_over(ExportState.MADE, now, now)
    assert is_over(ExportState.WAITING, before, now)
    assert is_over(ExportState.REFUSED, later, now)


def test_a_password_can_be_copied_by_hand_and_is_another_each_time() -> None:
    found = {new_password(secrets.randbelow) for _ in range(200)}
    assert len(found) == 200
    assert {len(each) for each in found} == {19}
    assert not set("0O1Il") & set("".join(found))
    assert new_password(lambda below: below - 1) == "9999-9999-9999-9999"
