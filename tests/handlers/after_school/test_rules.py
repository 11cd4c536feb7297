"""Rules of the after-school service: states, hours, places, the draw, and money."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, time, timedelta
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.clock import SHANGHAI
from handlers.after_school.domain.draw import Drawn, Entrant, draw, order_of
from handlers.after_school.domain.fees import (
    Cap,
    Fee,
    FeeBasis,
    FeeInvalid,
    cap_in_force,
    charge,
    excesses,
    settle,
)
from handlers.after_school.domain.offers import (
    Hours,
    HoursInvalid,
    ProgrammeStatus,
    Window,
    WindowInvalid,
    days_of,
)
from handlers.after_school.domain.places import Member, Party, Pool, admitted, offers
from handlers.after_school.domain.states import (
    ACTIVE,
    OCCUPYING,
    TRANSITIONS,
    EnrolmentState,
    IllegalEnrolmentMove,
    advance,
)

S = EnrolmentState
SEED = bytes(range(16))


# --------------------------------------------------------------------------------------------------------------- states
def test_every_state_has_a_row_and_what_has_ended_stays_ended() -> None:
    assert set(TRANSITIONS) == set(S)
    assert {state for state, after in TRANSITIONS.items() if not after} == set(S) - ACTIVE
    assert OCCUPYING < ACTIVE


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_a_family_gets_out_of_every_state(state: EnrolmentState) -> None:
    assert advance(state, S.WITHDRAWN) is S.WITHDRAWN
    assert advance(state, S.OPTED_OUT) is S.OPTED_OUT


def test_nobody_comes_from_the_list_to_a_place_without_being_asked() -> None:
    with pytest.raises(IllegalEnrolmentMove):
        advance(S.WAITLISTED, S.ENROLLED)
    with pytest.raises(IllegalEnrolmentMove):
        advance(S.WITHDRAWN, S.ENROLLED)


# ---------------------------------------------------------------------------------------------------------------- hours
def test_the_window_is_open_from_its_first_second_to_the_one_before_its_end() -> None:
    opens = datetime(2026, 9, 1, 8, tzinfo=SHANGHAI)
    window = Window(opens, opens + timedelta(hours=2))
    second = timedelta(seconds=1)
    shown = [window.status(moment) for moment in (opens - second, opens, window.closes_at - second, window.closes_at)]
    P = ProgrammeStatus
    assert shown == [P.UPCOMING, P.OPEN, P.OPEN, P.CLOSED]
    with pytest.raises(WindowInvalid):
        Window(opens, opens)


def hours(days: str, start: str, end: str) -> Hours:
    return Hours(frozenset(map(int, days)), time.fromisoformat(start), time.fromisoformat(end))


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (("135", "16:00", "17:00"), ("24", "16:00", "17:00"), False),
        (("135", "16:00", "17:00"), ("5", "16:30", "17:30"), True),
        (("1", "16:00", "17:00"), ("1", "17:00", "18:00"), False),
        (("12345", "16:00", "17:20"), ("3", "16:10", "16:50"), True),
    ],
)
def test_hours_clash_when_nobody_can_be_at_both(one: tuple[str, ...], other: tuple[str, ...], clash: bool) -> None:
    first, second = hours(*one), hours(*other)
    assert first.clashes_with(second) is second.clashes_with(first) is clash


@pytest.mark.parametrize(
    ("days", "start", "end"), [("", "16:00", "17:00"), ("8", "16:00", "17:00"), ("1", "17:00", "17:00")]
)
def test_hours_that_cannot_be_are_refused(days: str, start: str, end: str) -> None:
    with pytest.raises(HoursInvalid):
        hours(days, start, end)


def test_lessons_are_on_school_days_of_the_weekdays_but_for_those_called_off() -> None:
    class EveryDayButTheHoliday:
        def school_days(self, first: date, last: date) -> list[date]:
            days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
            return [day for day in days if day != date(2026, 9, 25)]

    found = days_of(
        hours("25", "16:00", "17:00"), date(2026, 9, 7), date(2026, 9, 27), EveryDayButTheHoliday(), [date(2026, 9, 8)]
    )
    assert found == [date(2026, 9, 11), date(2026, 9, 15), date(2026, 9, 18), date(2026, 9, 22)]


# --------------------------------------------------------------------------------------------------------------- places
def in_line(drawn: list[list[str]]) -> list[Party]:
    """Parties for these pools, in this order."""
    return [
        Party(str(number), tuple(Member(f"{number}.{place}", pool) for place, pool in enumerate(pools)))
        for number, pools in enumerate(drawn)
    ]


parties = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3), max_size=25).map(in_line)
sizes = st.fixed_dictionaries({name: st.none() | st.integers(0, 9) for name in "abc"})


def test_forty_five_of_two_thousand_get_a_place_in_the_order_in_which_they_came() -> None:
    came = [Party(str(n), (Member(str(n), "course"),)) for n in range(2_000)]
    assert admitted(came, {"course": Pool(45)}) == [True] * 45 + [False] * 1_955


@given(parties, sizes, st.sets(st.sampled_from("abc")))
def test_places_are_exact_and_nobody_is_passed_who_could_use_them(
    came: list[Party], places: dict[str, int | None], awaited: set[str]
) -> None:
    pools = {name: Pool(number, is_awaited=name in awaited) for name, number in places.items()}
    has = admitted(came, pools)
    left: dict[str, float] = {name: pool.free for name, pool in pools.items()}
    for party, got in zip(came, has, strict=True):
        fits = all(left[name] >= number for name, number in party.needs.items())
        assert got is (fits and not awaited & party.needs.keys())
        if got:
            left = {name: number - party.needs.get(name, 0) for name, number in left.items()}
    assert min(left.values()) >= 0


@given(parties, st.fixed_dictionaries({name: st.integers(0, 9) for name in "abc"}))
def test_free_places_go_down_the_line_to_whoever_fits(line: list[Party], free: dict[str, int]) -> None:
    given_out, left = offers(line, free), Counter(free)
    for party in line:
        fits = all(left[name] >= number for name, number in party.needs.items())
        assert (party in given_out) is fits
        if fits:
            left.subtract(party.needs)
    assert min(left.values()) >= 0


def test_siblings_come_together_or_wait_together() -> None:
    pair = Party("pair", (Member("big", "a"), Member("small", "b")))
    one = Party("one", (Member("one", "a"),))
    assert admitted([pair], {"a": Pool(1), "b": Pool(0)}) == [False]
    assert admitted([pair], {"a": Pool(1), "b": Pool(1)}) == [True]
    assert offers([pair, one], {"a": 1, "b": 0}) == [one], "the place does not stand empty"
    assert offers([pair, one], {"a": 1, "b": 1}) == [pair], "and they have kept their place in the line"


# ----------------------------------------------------------------------------------------------------------------- draw
names = st.sampled_from(["chess", "dance", "paint"])
entrants = st.lists(
    st.tuples(st.lists(st.lists(names, min_size=1, max_size=2).map(tuple), max_size=3).map(tuple), st.booleans()),
    max_size=12,
).map(lambda drawn: [Entrant(str(n), choices, missed) for n, (choices, missed) in enumerate(drawn)])
rooms = st.fixed_dictionaries({name: st.integers(0, 4) for name in ["chess", "dance", "paint"]})


def wants_one(key: str, *choices: str, missed: bool = False) -> Entrant:
    return Entrant(key, tuple((each,) for each in choices), missed)


@given(entrants, rooms, st.binary(min_size=16, max_size=16), st.randoms())
def test_the_draw_is_the_same_whoever_came_first(
    families: list[Entrant], places: dict[str, int], seed: bytes, chance: random.Random
) -> None:
    result = draw(families, places, seed)
    chance.shuffle(families)
    assert draw(families, places, seed) == result


@given(entrants, rooms, st.binary(min_size=16, max_size=16))
def test_each_takes_the_first_choice_with_room_and_is_told_why_not_the_ones_before(
    families: list[Entrant], places: dict[str, int], seed: bytes
) -> None:
    by_key = {each.key: each for each in families}
    left = Counter(places)
    result = draw(families, places, seed)
    assert [each.turn for each in result] == list(range(1, len(families) + 1))
    for drawn in result:
        choices = by_key[drawn.key].choices
        with_room = [n for n, own in enumerate(choices, 1) if all(left[k] >= v for k, v in Counter(own).items())]
        assert drawn.choice == (with_room[0] if with_room else None)
        assert [each.choice for each in drawn.refused] == list(range(1, drawn.choice or len(choices) + 1))
        for refusal in drawn.refused:
            taken = [each for each in result[: drawn.turn - 1] if refusal.programme in each.programmes]
            assert refusal.last_turn == (taken[-1].turn if taken else None)
        left.subtract(drawn.programmes)
    assert min(left.values()) >= 0


def test_who_missed_the_last_time_chooses_first() -> None:
    families = [wants_one(str(n), "chess", missed=n % 3 == 0) for n in range(30)]
    order = [each.missed_before for each in order_of(families, SEED)]
    assert order == sorted(order, reverse=True)


def test_every_family_is_as_likely_to_be_first() -> None:
    families = [wants_one(str(n), "chess") for n in range(4)]
    firsts = Counter(order_of(families, n.to_bytes(16, "big"))[0].key for n in range(4_000))
    assert all(850 < firsts[each.key] < 1_150 for each in families)


def test_naming_other_choices_than_the_wanted_ones_gains_nothing() -> None:
    """All ways to fill in the form, for one family among three, under some seeds."""
    wanted = ("chess", "dance", "paint")
    places = {"chess": 1, "dance": 1, "paint": 1}
    others = [wants_one("b", "chess", "dance"), wants_one("c", "dance", "chess")]

    def rank(result: list[Drawn]) -> int:
        (own,) = next(each.programmes for each in result if each.key == "a") or ("nothing",)
        return wanted.index(own) if own in wanted else len(wanted)

    for number in range(12):
        seed = number.to_bytes(16, "big")
        honest = rank(draw([wants_one("a", *wanted), *others], places, seed))
        assert all(
            rank(draw([wants_one("a", *said), *others], places, seed)) >= honest for said in permutations(wanted)
        )


# ---------------------------------------------------------------------------------------------------------------- money
fen = st.integers(1, 100_000)
CLAUSE = "省发改委〔2024〕1号第三条"


@pytest.mark.parametrize(
    ("basis", "amount", "clause"),
    [
        (FeeBasis.FREE, 100, ""),
        (FeeBasis.PER_TERM, 0, CLAUSE),
        (FeeBasis.PER_LESSON, 300, " "),
        (FeeBasis.PER_TERM, -1, CLAUSE),
    ],
)
def test_a_fee_names_its_amount_and_what_allows_it(basis: FeeBasis, amount: int, clause: str) -> None:
    with pytest.raises(FeeInvalid):
        Fee(basis, amount, clause)


def test_the_cap_in_force_is_the_latest_for_the_kind_of_school_else_for_all() -> None:
    day = date(2026, 9, 1)
    for_all = Cap(300, None, date(2025, 9, 1), "甲")
    older, newer, later = (
        Cap(n, None, date(year, 9, 1), "乙", "teaching_point") for n, year in ((100, 2024), (200, 2026), (150, 2027))
    )
    caps = [for_all, later, older, newer]
    assert cap_in_force(caps, "teaching_point", day) is newer
    assert cap_in_force(caps, "school", day) is for_all
    assert cap_in_force([later], "teaching_point", day) is None


def test_neither_a_dearer_lesson_nor_a_dearer_term_hides_behind_the_other_basis() -> None:
    cap = Cap(300, 40_000, date(2025, 9, 1), CLAUSE)
    assert excesses(Fee(FeeBasis.PER_LESSON, 300, CLAUSE), 130, cap) == []
    assert [each.per for each in excesses(Fee(FeeBasis.PER_LESSON, 300, CLAUSE), 134, cap)] == [FeeBasis.PER_TERM]
    assert [each.per for each in excesses(Fee(FeeBasis.PER_TERM, 39_000, CLAUSE), 100, cap)] == [FeeBasis.PER_LESSON]
    assert len(excesses(Fee(FeeBasis.PER_LESSON, 301, CLAUSE), 200, cap)) == 2
    assert excesses(Fee(FeeBasis.FREE), 200, Cap(0, 0, date(2025, 9, 1), CLAUSE)) == []


@given(fen, st.integers(0, 200), st.integers(0, 100))
def test_a_charge_adds_up_and_the_half_fen_is_the_family_s(amount: int, lessons: int, percent: int) -> None:
    owed = charge(Fee(FeeBasis.PER_LESSON, amount, CLAUSE), lessons, percent)
    assert owed.gross_fen == amount * lessons == owed.waived_fen + owed.due_fen
    assert 0 <= owed.due_fen * 100 <= owed.gross_fen * (100 - percent)
    assert owed.due_fen * 100 > owed.gross_fen * (100 - percent) - 100


@given(
    st.sampled_from([FeeBasis.PER_TERM, FeeBasis.PER_LESSON]), fen, st.integers(1, 120), st.data(), st.integers(0, 100),
    st.integers(0, 10**7), st.booleans(),
)  # fmt: skip
def test_a_settlement_gives_back_all_that_was_not_earned(
    basis: FeeBasis, amount: int, planned: int, data: st.DataObject, percent: int, paid: int, by_attendance: bool
) -> None:
    held = data.draw(st.integers(0, planned + 10))
    attended = data.draw(st.integers(0, held))
    own = Fee(basis, amount, CLAUSE)
    rule = {"planned": planned, "by_attendance": by_attendance, "waived_percent": percent, "paid_fen": paid}
    done = settle(own, held=held, attended=attended, **rule)  # type: ignore[arg-type]
    assert done.refund_fen - done.open_fen == paid - done.charge.due_fen
    assert not (done.refund_fen and done.open_fen)
    assert done.charge.gross_fen <= own.of_term(max(planned, held))
    if by_attendance and attended:
        assume(held < planned + 10)
        fewer = settle(own, held=held, attended=attended - 1, **rule)  # type: ignore[arg-type]
        assert fewer.charge.due_fen <= done.charge.due_fen
    if percent == 100:
        assert done.charge.due_fen == 0


def test_a_term_of_which_a_fifth_was_not_held_costs_four_fifths() -> None:
    done = settle(
        Fee(FeeBasis.PER_TERM, 30_000, CLAUSE), planned=80, held=64, attended=60, by_attendance=False,
        waived_percent=50, paid_fen=15_000,
    )  # fmt: skip
    assert (done.charge.gross_fen, done.charge.due_fen, done.refund_fen) == (24_000, 12_000, 3_000)
