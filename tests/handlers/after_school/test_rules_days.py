"""The rules of days, months, bills and polls, with no database behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.after_school.domain.bills import (
    AmountInvalid,
    Lessons,
    PaymentKind,
    Span,
    balance,
    fen_of,
    lessons_of,
    settlement_of,
)
from handlers.after_school.domain.days import CheckInvalid, CheckPoint, Presence, checked_points, moves
from handlers.after_school.domain.fees import Fee, FeeBasis
from handlers.after_school.domain.months import (
    Given,
    Line,
    MonthFiled,
    MonthInvalid,
    MonthMove,
    MonthNotShown,
    MonthState,
    ObjectionsOpen,
    checked_filing,
    digest_of,
    lines_of,
    month_key,
    state_of,
)
from handlers.after_school.domain.plans import SettleBy
from handlers.after_school.domain.polls import SMALLEST_CELL, AnswersInvalid, checked_answers, satisfied_percent, shown

CHILDREN = ("a", "b", "c")
presences = st.sampled_from(Presence)
rosters = st.dictionaries(st.sampled_from(CHILDREN), presences)
FIRST = date(2026, 9, 7)
days = st.sets(st.integers(0, 120).map(lambda n: FIRST + timedelta(days=n)), max_size=60)


lists = st.lists(st.builds(Line, st.sampled_from(["t1", "t2"]), st.integers(0, 9), st.integers(0, 9)), max_size=3)


# ------------------------------------------------------------------------------------------------------------ rosters
@given(known=rosters, said=st.fixed_dictionaries(dict.fromkeys(CHILDREN, presences)), leave=st.sets(
    st.sampled_from(CHILDREN)))  # fmt: skip
def test_a_roster_twice_changes_nothing_and_who_has_leave_is_never_missed(
    known: dict[str, Presence], said: dict[str, Presence], leave: set[str]
) -> None:
    first = moves(known, said, leave, CHILDREN)
    after = known | {move.child: move.after for move in first}
    assert moves(after, said, leave, CHILDREN) == []
    assert all(move.before is not move.after for move in first)
    assert not any(move.is_missing_now and move.child in leave for move in first)
    assert all(after[child] is said[child] or child in leave for child in CHILDREN)


def test_what_is_not_in_order_needs_a_word() -> None:
    everything = [point.value for point in CheckPoint]
    assert checked_points(everything, "") == (list(CheckPoint), "")
    assert checked_points(everything[1:], " 两人迟到 ")[1] == "两人迟到"
    for points in (everything[1:], []):
        with pytest.raises(CheckInvalid):
            checked_points(points, " ")


# ------------------------------------------------------------------------------------------------------------- months
@given(st.lists(st.builds(Given, st.sampled_from(["t1", "t2", "t3"]), st.booleans()), max_size=40))
def test_every_lesson_is_counted_once_for_who_gave_it(lessons: list[Given]) -> None:
    lines = lines_of(lessons)
    assert sum(line.lessons for line in lines) == len(lessons)
    assert sum(line.substituted for line in lines) == sum(lesson.is_substitute for lesson in lessons)
    assert digest_of(lines) == digest_of(list(reversed(lines))) == digest_of(lines_of(list(reversed(lessons))))


@given(lists, lists)
def test_two_lists_have_one_fingerprint_only_when_they_are_the_same(one: list[Line], other: list[Line]) -> None:
    assert (digest_of(one) == digest_of(other)) is (sorted(one) == sorted(other))


def test_only_what_was_shown_without_an_open_objection_is_filed() -> None:
    assert state_of(None, 0) is MonthState.COUNTED
    assert state_of(MonthMove.SHOWN, 1) is MonthState.OBJECTED
    assert state_of(MonthMove.FILED, 1) is MonthState.FILED
    checked_filing(MonthState.SHOWN, "x", "x")
    for state, shown_as, fault in (
        (MonthState.COUNTED, "", MonthNotShown),
        (MonthState.SHOWN, "y", MonthNotShown),
        (MonthState.OBJECTED, "x", ObjectionsOpen),
        (MonthState.FILED, "x", MonthFiled),
    ):
        with pytest.raises(fault):
            checked_filing(state, shown_as, "x")


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "26-01", "", "２０２６-０１", "2026-01-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    assert month_key("2026-10") == (2026, 10)
    with pytest.raises(MonthInvalid):
        month_key(text)


# -------------------------------------------------------------------------------------------------------------- bills
fees = st.one_of(
    st.builds(Fee, st.just(FeeBasis.PER_LESSON), st.integers(1, 2000), st.just("clause")),
    st.builds(Fee, st.just(FeeBasis.PER_TERM), st.integers(1, 100_000), st.just("clause")),
)


@st.composite
def counted(draw: st.DrawFn) -> Lessons:
    planned = draw(st.integers(0, 110))
    own = draw(st.integers(0, planned))
    held = draw(st.integers(0, own))
    return Lessons(planned, own, held, draw(st.integers(0, held)))


@given(fee=fees, rule=st.sampled_from(SettleBy), lessons=counted(), percent=st.integers(0, 100), paid=st.integers(
    0, 200_000))  # fmt: skip
def test_every_fen_that_was_paid_is_owed_or_comes_back(
    fee: Fee, rule: SettleBy, lessons: Lessons, percent: int, paid: int
) -> None:
    found = settlement_of(fee, rule, lessons, percent, paid)
    due = found.charge.due_fen
    assert paid - found.refund_fen + found.open_fen == due
    assert min(found.refund_fen, found.open_fen) == 0
    assert 0 <= due <= fee.of_term(max(lessons.planned, 1))
    if percent == 100 or not lessons.own:
        assert due == 0


@given(fee=fees, lessons=counted(), percent=st.integers(0, 100))
def test_nobody_pays_more_for_fewer_lessons(fee: Fee, lessons: Lessons, percent: int) -> None:
    by = {rule: settlement_of(fee, rule, lessons, percent, 0).charge.due_fen for rule in SettleBy}
    assert by[SettleBy.ATTENDED] <= by[SettleBy.HELD] <= by[SettleBy.PLANNED]
    more = Lessons(lessons.planned, lessons.own, lessons.held, min(lessons.attended + 1, lessons.held))
    assert settlement_of(fee, SettleBy.ATTENDED, more, percent, 0).charge.due_fen >= by[SettleBy.ATTENDED]
    waived = settlement_of(fee, SettleBy.HELD, lessons, min(percent + 1, 100), 0).charge.due_fen
    assert waived <= by[SettleBy.HELD]


@given(planned=days, held=days, since=st.integers(0, 60), length=st.integers(0, 60))
def test_only_lessons_while_the_child_had_its_place_are_counted_but_for_those_it_was_at(
    planned: set[date], held: set[date], since: int, length: int
) -> None:
    start = FIRST + timedelta(days=since)
    spans = [Span(start, start + timedelta(days=length))]
    attended = {day for day in held if day.day % 3 == 0}
    found = lessons_of(spans, planned, held, attended)
    inside = {day for day in held if start <= day < start + timedelta(days=length)}
    assert (found.planned, found.held, found.attended) == (len(planned), len(inside | attended), len(attended))
    assert found.own <= found.planned
    assert lessons_of([Span(FIRST)], planned, held, attended).held == len(held)


@given(st.lists(st.tuples(st.sampled_from(PaymentKind), st.integers(1, 10_000)), max_size=10))
def test_the_balance_does_not_depend_on_the_order(payments: Sequence[tuple[PaymentKind, int]]) -> None:
    assert balance(payments) == balance(list(reversed(payments)))


@given(st.integers(1, 9_999_999))
def test_an_amount_is_read_to_the_fen(fen: int) -> None:
    assert fen_of(f"{fen // 100}.{fen % 100:02}") == fen


@pytest.mark.parametrize("text", ["", "0", "0.00", "-3", "3.001", "1e3", "三百", "3.", "100000", ".5", "３"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    assert [fen_of(good) for good in ("300", "300.5", "300.50")] == [30_000, 30_050, 30_050]
    with pytest.raises(AmountInvalid):
        fen_of(text)


# -------------------------------------------------------------------------------------------------------------- polls
@given(st.dictionaries(st.integers(1, 4), st.integers(0, 40)))
def test_no_count_points_at_somebody_and_none_can_be_worked_out(times: dict[int, int]) -> None:
    cells = shown(times)
    if cells is None:
        assert sum(times.values()) < SMALLEST_CELL
        return
    told = [cell for cell in cells if cell.times is not None]
    hidden = len(cells) - len(told)
    assert all(not 0 < (cell.times or 0) < SMALLEST_CELL for cell in told)
    assert hidden != 1, "who knows the total could subtract"


@given(st.dictionaries(st.integers(1, 4), st.integers(0, 40)))
def test_a_share_is_told_only_where_neither_side_is_small(times: dict[int, int]) -> None:
    percent = satisfied_percent(times)
    happy, total = times.get(1, 0) + times.get(2, 0), sum(times.values())
    if percent is None:
        assert total < SMALLEST_CELL or 0 < happy < SMALLEST_CELL or 0 < total - happy < SMALLEST_CELL
    else:
        assert percent * total <= happy * 100 < (percent + 1) * total


@pytest.mark.parametrize("answers", [{}, {"a": 1}, {"a": 1, "b": 5}, {"a": 1, "b": 0}, {"a": 1, "b": 2, "c": 1}])
def test_every_question_has_one_of_its_answers(answers: dict[str, int]) -> None:
    assert checked_answers(["a", "b"], {"b": 4, "a": 1}) == {"a": 1, "b": 4}
    with pytest.raises(AnswersInvalid):
        checked_answers(["a", "b"], answers)
