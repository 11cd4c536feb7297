"""What figures give away: an attacker who has every number shown, all totals, and every rule the numbers obey."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.contacts.domain.figures import Counts
from handlers.contacts.domain.suppression import (
    HIDDEN,
    LEAST,
    NOTHING,
    Few,
    Share,
    Shown,
    TownTable,
    grouped,
    is_small,
    shown_alone,
    shown_in_town,
)

Small = tuple[int, int, int, int]


def cells(counts: Counts) -> Small:
    """What must not be pinned down when it is small."""
    return counts.covered, counts.overdue, counts.on_time, counts.late


@cache
def possible(registered: int) -> tuple[Counts, ...]:
    """Every month a school with so many children can have: who was never late is not overdue at the end, who is
    overdue was late, and nobody is asked for who is not there."""
    return tuple(
        Counts(registered, covered, on_time + late, on_time)
        for covered in range(registered + 1)
        for on_time in range(covered + 1)
        for late in range(registered - covered, registered - on_time + 1)
    )


@st.composite
def month(draw: st.DrawFn, most: int) -> Counts:
    """Few and many alike, and the edges of each often."""
    registered = draw(st.integers(0, most))
    covered = draw(st.integers(0, registered))
    on_time = draw(st.integers(0, covered))
    late = draw(st.integers(registered - covered, registered - on_time))
    return Counts(registered, covered, on_time + late, on_time)


@st.composite
def good_month(draw: st.DrawFn, most: int) -> Counts:
    """Of a school at which few are late, as most are."""
    registered = draw(st.integers(most // 2, most))
    overdue = draw(st.integers(0, 2))
    late = min(registered, overdue + draw(st.integers(0, 2)))
    return Counts(registered, registered - overdue, registered, registered - late)


# ----------------------------------------------------------------------------------------------------------- one school
def test_whoever_knows_the_rules_and_sees_a_school_alone_cannot_tell_a_small_number() -> None:
    """The strongest attacker: every month that a school of up to 14 children can have is turned into what is shown,
    and what is shown turned back."""
    by_shown: dict[Shown | None, list[Counts]] = defaultdict(list)
    for registered in range(15):
        for counts in possible(registered):
            [shown] = shown_alone([counts])
            by_shown[shown].append(counts)
    assert len(by_shown) > 100
    for shown, could_be in by_shown.items():
        for place in range(4):
            values = {cells(each)[place] for each in could_be}
            assert len(values) > 1 or not is_small(*values), shown
        values = {each.registered for each in could_be}
        assert len(values) > 1 or not is_small(*values), shown


def test_a_school_that_is_well_learns_so() -> None:
    assert shown_alone([Counts(20, 20, 12, 12)]) == [Shown(20, Share(20, 20), Share(12, 12))]
    [shown] = shown_alone([Counts(20, 18, 12, 6)])
    assert shown is not None
    assert shown.covered == Share(None, 20, Few.LACKING)
    assert shown.covered.percent == 80
    assert shown.on_time == Share(6, 12)
    assert shown.on_time.percent == 50
    [shown] = shown_alone([Counts(20, 3, 20, 0)])
    assert shown is not None
    assert shown.covered == Share(None, 20, Few.THERE)
    assert shown.covered.percent == 20
    # Whoever is overdue was late: how many were late would say more of how few are covered.
    assert shown.on_time == HIDDEN


def test_a_month_beside_a_hidden_one_hides_what_is_nearly_as_small() -> None:
    months = [Counts(n, n, n, n) for n in (12, 6, 4, 9, 7, 11)]
    assert [each.registered if each else None for each in shown_alone(months)] == [12, None, None, None, None, 11]
    assert shown_alone([None, Counts(4, 4, 4, 4), None]) == [None, NOTHING, None]


# --------------------------------------------------------------------------------------------------------- a township
Sums = frozenset[Counts]


def could_be(rows: Sequence[Shown], total: Shown, least: int) -> list[Sums]:
    """By row, everything it can be in a table that looks like this one: solved over whole numbers, by trying all."""
    among = [_fitting(row, least) for row in rows]
    if total.covered == HIDDEN:
        return among
    found = []
    for at, own in enumerate(among):
        others: Sums = frozenset({Counts()})
        for other in [*among[:at], *among[at + 1 :]]:
            others = frozenset(one + more for one in others for more in other)
        asked, on_time = total.on_time.of or 0, total.on_time.number or 0
        whole = Counts(total.registered or 0, total.covered.number or 0, asked, on_time)
        found.append(frozenset(each for each in own if _less(whole, each) in others))
    return found


def _less(whole: Counts, part: Counts) -> Counts:
    return Counts(
        whole.registered - part.registered, whole.covered - part.covered, whole.asked - part.asked,
        whole.on_time - part.on_time,
    )  # fmt: skip


@cache
def _fitting(shown: Shown, least: int) -> Sums:
    assert shown.registered is not None
    return frozenset(each for each in possible(shown.registered) if _fits(each, shown, least))


def _fits(counts: Counts, shown: Shown, least: int) -> bool:
    pairs = ((counts.covered, counts.registered, shown.covered), (counts.on_time, counts.asked, shown.on_time))
    return (shown.registered is None or counts.registered == shown.registered) and all(
        share == HIDDEN or (share.of == of and _says(share, number, of, least)) for number, of, share in pairs
    )


def _says(share: Share, number: int, of: int, least: int) -> bool:
    if share.few is None:
        return share.number == number
    return is_small(of - number if share.few is Few.LACKING else number, least)


def pinned(table: TownTable, at: int, least: int) -> Iterator[str]:
    """The small numbers of a month that only one value fits."""
    rows = [months[at] for months in table.rows.values()]
    total = table.total[at]
    if total is None or total.registered is None:
        assert all(each is None or each.registered is None for each in rows)
        return
    every = could_be([each for each in rows if each is not None], total, least)
    assert all(every)
    for row, group in enumerate(table.rows):
        for place in range(4):
            values = {cells(each)[place] for each in every[row]}
            if len(values) == 1 and is_small(min(values), least):
                yield f"{group} {place} {values}"


@settings(max_examples=150, deadline=None)
@given(st.lists(month(8) | good_month(9), min_size=1, max_size=3))
def test_no_table_of_a_township_gives_a_small_number_away(rows: list[Counts]) -> None:
    """With 1 and 2 as the small numbers, so that every table that fits can be tried."""
    table = shown_in_town({str(at): [row] for at, row in enumerate(rows)}, least=3)
    assert not list(pinned(table, 0, least=3))


@settings(max_examples=150, deadline=None)
@given(st.lists(month(11), min_size=2, max_size=2))
def test_nor_with_the_small_numbers_as_they_are(rows: list[Counts]) -> None:
    table = shown_in_town({str(at): [row] for at, row in enumerate(rows)})
    assert not list(pinned(table, 0, least=LEAST))


def test_rows_that_say_at_least_are_left_out_where_the_total_would_say_exactly() -> None:
    """Three schools with one child overdue each, where one and two are small: three in all."""
    rows = [Counts(6, 5, 6, 5)] * 3
    alone = [each for row in rows for each in shown_alone([row], least=3)]
    assert [each.covered.few if each else None for each in alone] == [Few.LACKING] * 3
    naive: dict[tuple[str, ...], list[Shown | None]] = {(str(at),): [each] for at, each in enumerate(alone)}
    assert list(pinned(TownTable(naive, [whole(sum(rows, Counts()))]), 0, least=3))
    table = shown_in_town({str(at): [row] for at, row in enumerate(rows)}, least=3)
    assert not list(pinned(table, 0, least=3))
    # With one more of them there is more than one way to come to the total.
    uneven = [Counts(6, 5, 6, 5), Counts(6, 5, 6, 5), Counts(7, 5, 7, 5)]
    table = shown_in_town({str(at): [row] for at, row in enumerate(uneven)}, least=3)
    assert not list(pinned(table, 0, least=3))
    assert [each.covered.few for months in table.rows.values() for each in months if each] == [Few.LACKING] * 3


def test_the_attacker_is_one() -> None:
    """The same tables with no more left out than what is small: then the totals give it away."""
    found = 0
    random = Random(7)
    for _ in range(100):
        rows = [random.choice(possible(random.randint(3, 6))) for _ in range(3)]
        naive: dict[tuple[str, ...], list[Shown | None]] = {
            (str(at),): [Shown(row.registered) if any(is_small(each, 3) for each in cells(row)) else whole(row)]
            for at, row in enumerate(rows)
        }
        found += bool(list(pinned(TownTable(naive, [whole(sum(rows, Counts()))]), 0, least=3)))
    assert found > 5


def whole(row: Counts) -> Shown:
    return Shown(row.registered, Share(row.covered, row.registered), Share(row.on_time, row.asked))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(month(16), min_size=3, max_size=3), min_size=1, max_size=5))
def test_a_row_stands_for_the_same_schools_in_all_months_and_nothing_small_is_shown(lines: list[list[Counts]]) -> None:
    schools = {str(at): months for at, months in enumerate(lines)}
    table = shown_in_town(schools)
    assert sorted(school for group in table.rows for school in group) == sorted(schools)
    for at in range(3):
        shown = [months[at] for months in [*table.rows.values(), table.total]]
        for each in shown:
            assert each is not None
            assert each.registered is None or not is_small(each.registered)
            for share in (each.covered, each.on_time):
                assert share.few in (None, Few.LACKING)
                if share.number is not None and share.of is not None:
                    assert not is_small(share.number)
                    assert not is_small(share.of - share.number)
        total = sum((months[at] for months in lines), Counts())
        if not is_small(total.registered):
            assert_what_is_left_out_is_not_small(table, schools, at, total)


def assert_what_is_left_out_is_not_small(
    table: TownTable, schools: Mapping[str, Sequence[Counts]], at: int, total: Counts
) -> None:
    whole = table.total[at]
    if whole is None or whole.covered == HIDDEN:
        return
    left = [group for group, months in table.rows.items() if (each := months[at]) and each.covered == HIDDEN]
    rest = sum((schools[school][at] for group in left for school in group), Counts())
    assert not any(map(is_small, cells(rest)))
    assert len(left) != 1


def test_small_schools_stand_together_with_one_that_is_not() -> None:
    big, middle, small = ([Counts(n, n, n, n)] * 2 for n in (30, 12, 3))
    assert grouped({"a": big, "b": middle, "c": small}) == [("a",), ("b", "c")]
    assert grouped({"a": big, "b": middle}) == [("a",), ("b",)]
    assert grouped({"c": small, "d": small}) == [("c", "d")]
    # Small in one month only: in all of them together.
    grown = [Counts(4, 4, 4, 4), Counts(9, 9, 9, 9)]
    table = shown_in_town({"a": big, "b": grown})
    assert list(table.rows) == [("a", "b")]
    assert [each.registered if each else None for each in table.total] == [34, 39]


def test_a_township_with_hardly_anybody_shows_nothing() -> None:
    table = shown_in_town({"a": [Counts(3, 3, 2, 1)], "b": [Counts(1, 1, 1, 1)]})
    assert table.total == [NOTHING]
    assert list(table.rows.values()) == [[NOTHING]]
    assert shown_in_town({}) == TownTable({}, [])


@pytest.mark.parametrize("at", [0, 1])
def test_a_month_nobody_counted_is_none(at: int) -> None:
    months: list[Counts | None] = [Counts(9, 9, 9, 9), Counts(9, 9, 9, 9)]
    months[at] = None
    table = shown_in_town({"a": months, "b": list(months)})
    assert table.total[at] is None
    assert [each[at] for each in table.rows.values()] == [None, None]
