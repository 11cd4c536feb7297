"""The contact clock over calendars of all kinds: against a plain walk, and what never may happen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.calendar.domain import Effect, Facts, LocalDay, LocalKind, SchoolCalendar, Term
from handlers.contacts.domain.clock import (
    LONGEST_HOLIDAY,
    LONGEST_VACATION,
    SUGGESTED,
    Beat,
    CadenceInvalid,
    ClauseMissing,
    ClockRule,
    Contact,
    ContactDays,
    History,
    checked_clause,
    due_days,
)
from handlers.contacts.domain.records import Way
from handlers.contacts.domain.register import Level, Stage
from handlers.contacts.domain.stages import (
    REPEATED_AFTER,
    STAGES,
    Part,
    Told,
    is_below,
    is_repeated,
    kept_stage,
    messages_of,
    next_stage,
    stage_on,
)
from tests.handlers.calendar.test_domain import calendars as any_calendars

DAY = timedelta(days=1)
TODAY = date(2026, 4, 15)
TERMS = (
    Term(date(2025, 9, 1), date(2026, 1, 23), "秋季学期"),
    Term(date(2026, 3, 2), date(2026, 7, 3), "春季学期"),
)
PLAIN = ContactDays(SchoolCalendar(Facts(terms=TERMS)))
property_test = settings(max_examples=40, deadline=None)

near = st.dates(date(2025, 6, 1), date(2026, 12, 31))
past = st.dates(date(2025, 6, 1), TODAY)
grids = any_calendars().map(ContactDays)


@st.composite
def rules(draw: st.DrawFn) -> ClockRule:
    contact = sorted(draw(st.lists(st.integers(1, 90), min_size=3, max_size=3)), reverse=True)
    visit = sorted(draw(st.lists(st.integers(1, 200), min_size=3, max_size=3)), reverse=True)
    without = draw(st.integers(0, 3))
    beats = [Beat(c, v if n >= without else None) for n, (c, v) in enumerate(zip(contact, visit, strict=True))]
    first = draw(st.integers(0, 3))
    second = first + draw(st.integers(1, 4))
    return ClockRule(
        id="r",
        since=draw(past),
        cadence=dict(zip(Level, beats, strict=True)),
        teacher_grace=first,
        lead_after=second,
        leader_after=second + draw(st.integers(1, 4)),
        daily_cap=draw(st.integers(1, 3)),
    )


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    on = draw(past)
    agreed = draw(st.none() | st.integers(1, 60))
    return Contact(on, draw(st.sampled_from(Way)), draw(st.booleans()), on + timedelta(days=agreed) if agreed else None)


@st.composite
def histories(draw: st.DrawFn) -> History:
    levels = sorted(draw(st.lists(st.tuples(past, st.sampled_from(Level)), max_size=4)), key=lambda each: each[0])
    return History(draw(past), levels, draw(st.lists(contacts(), max_size=5)))


def rule(since: date = date(2025, 6, 1), steps: tuple[int, int, int] = (0, 3, 6), cap: int = 1) -> ClockRule:
    first, second, third = steps
    return ClockRule(
        id="r",
        since=since,
        cadence=SUGGESTED,
        teacher_grace=first,
        lead_after=second,
        leader_after=third,
        daily_cap=cap,
    )


# ---------------------------------------------------------------------------------------------------------------- days
def runs_of(calendar: SchoolCalendar, day: date) -> tuple[bool, bool]:
    """Whether a day is counted and whether it is open, by walking back from it."""
    if not calendar.terms:
        return True, True
    in_term = calendar.term_of(day) is not None
    free, walked = 0, day
    while free <= LONGEST_VACATION and (calendar.term_of(walked) is not None) is in_term:
        if in_term and calendar.is_school_day(walked):
            break
        free, walked = free + 1, walked - DAY
        if not in_term and walked < calendar.terms[0].first_day:
            return True, True
    if in_term:
        return True, calendar.is_school_day(day) or free > LONGEST_HOLIDAY
    return free > LONGEST_VACATION, free > LONGEST_VACATION


@property_test
@given(any_calendars(), near, st.integers(1, 120))
def test_counting_comes_to_where_walking_does(calendar: SchoolCalendar, day: date, n: int) -> None:
    grid = ContactDays(calendar)
    walked, counted, opened, first_open = day, 0, 0, None
    while counted < n:
        walked += DAY
        is_counted, is_open = runs_of(calendar, walked)
        counted, opened = counted + is_counted, opened + is_open
        first_open = first_open or (walked if is_open else None)
        assert grid.is_open(walked) is is_open
        assert grid.open_since(day, walked) == opened
    assert grid.counted_after(day, n) == walked
    if first_open:
        assert grid.open_after(day, 1) == first_open
    assert grid.open_after(day, opened) <= walked if opened else True


def test_a_vacation_stops_the_count_and_a_holiday_or_a_weekend_does_not() -> None:
    before, n = date(2026, 1, 19), 10
    assert PLAIN.counted_after(before, n) == date(2026, 3, 7)  # four days of January, six of March
    assert PLAIN.open_on_or_after(date(2026, 3, 7)) == date(2026, 3, 9)
    assert PLAIN.counted_after(date(2026, 3, 9), 7) == date(2026, 3, 16)


def test_without_a_next_term_the_clock_waits_as_long_as_a_vacation_lasts_and_no_longer() -> None:
    last = TERMS[-1].last_day
    again = last + timedelta(days=LONGEST_VACATION + 1)
    assert PLAIN.counted_after(last, 1) == PLAIN.open_on_or_after(last + DAY) == again
    assert PLAIN.counted_after(last, 30) == again + timedelta(days=29)


def test_a_term_that_is_missing_between_two_stops_nothing_either() -> None:
    grid = ContactDays(SchoolCalendar(Facts(terms=(TERMS[0], Term(date(2026, 9, 1), date(2027, 1, 20), "秋季学期")))))
    assert grid.is_open(TERMS[0].last_day + timedelta(days=LONGEST_VACATION + 1))
    assert not grid.is_open(TERMS[0].last_day + timedelta(days=LONGEST_VACATION))


def test_a_school_that_is_closed_for_weeks_in_a_term_keeps_its_children_in_sight() -> None:
    closed = tuple(
        LocalDay(first, first + timedelta(days=19), LocalKind.WEATHER, Effect.OFF, "停课")
        for first in (date(2026, 3, 9), date(2026, 3, 29))
    )
    grid = ContactDays(SchoolCalendar(Facts(terms=TERMS, local_days=closed)))
    assert not grid.is_open(date(2026, 3, 10))
    # The weekend before the closure belongs to it.
    assert grid.open_on_or_after(date(2026, 3, 9)) == date(2026, 3, 7) + timedelta(days=LONGEST_HOLIDAY)


# ----------------------------------------------------------------------------------------------------------------- due
@property_test
@given(grids, histories(), st.lists(rules(), max_size=3))
def test_what_is_due_is_due_on_an_open_day_within_the_days_of_the_rule(
    grid: ContactDays, history: History, given_rules: list[ClockRule]
) -> None:
    found = due_days(history, given_rules, grid, TODAY)
    if found is None:
        assert all(each.since > TODAY for each in given_rules)
        return
    beat = found.rule.cadence[found.level]
    changes = [history.entered_on, *(each.since for each in given_rules), *(day for day, _ in history.levels)]
    latest = max(found.counted_from, *(day for day in changes if day <= TODAY), history.entered_on)
    assert grid.is_open(found.due_on)
    # Never later than the rule asks, or the day on which it was asked.
    assert found.due_on <= max(
        grid.open_on_or_after(grid.counted_after(found.counted_from, beat.contact_days)), grid.open_on_or_after(latest)
    )
    assert found.due_on > found.counted_from or history.entered_on == found.counted_from or found.due_on >= latest
    assert (found.visit_due_on is None) is (beat.visit_days is None)
    assert found.visit_counted_from <= found.counted_from
    if found.visit_due_on:
        assert grid.is_open(found.visit_due_on)
        assert found.first == min(found.due_on, found.visit_due_on)


@property_test
@given(grids, histories(), st.lists(rules(), min_size=1, max_size=3), contacts())
def test_a_failed_attempt_resets_nothing_and_can_only_bring_the_day_forward(
    grid: ContactDays, history: History, given_rules: list[ClockRule], attempt: Contact
) -> None:
    failed = replace(attempt, is_reached=False)
    before = due_days(history, given_rules, grid, TODAY)
    after = due_days(replace(history, contacts=[*history.contacts, failed]), given_rules, grid, TODAY)
    plain = replace(failed, next_on=None)
    assert due_days(replace(history, contacts=[*history.contacts, plain]), given_rules, grid, TODAY) == before
    if before and after:
        assert after.due_on <= before.due_on
        assert replace(after, due_on=before.due_on) == before


@property_test
@given(grids, histories(), st.lists(rules(), min_size=1, max_size=3), contacts(), st.permutations(range(6)))
def test_a_contact_that_reached_somebody_never_makes_the_next_one_due_earlier_than_from_an_older_one(
    grid: ContactDays, history: History, given_rules: list[ClockRule], made: Contact, order: list[int]
) -> None:
    plain = replace(history, contacts=[replace(each, next_on=None) for each in history.contacts])
    reached = replace(made, is_reached=True, next_on=None)
    more = [*plain.contacts, reached]
    before = due_days(plain, given_rules, grid, TODAY)
    after = due_days(replace(plain, contacts=more), given_rules, grid, TODAY)
    shuffled = [more[n] for n in order if n < len(more)]
    assert due_days(replace(plain, contacts=shuffled), given_rules, grid, TODAY) == after
    if before and after:
        assert after.due_on >= before.due_on
        assert after.counted_from == max(before.counted_from, reached.on)
        # A call is no visit, and a contact before the register, or older than another, changes nothing.
        if reached.way is not Way.VISIT:
            assert after.visit_due_on == before.visit_due_on
        if reached.on <= before.counted_from:
            assert after.due_on == before.due_on


@property_test
@given(grids, histories(), rules(), st.dates(date(2025, 6, 1), TODAY))
def test_a_stricter_rule_is_never_later_and_never_due_before_it_was_made(
    grid: ContactDays, history: History, first: ClockRule, since: date
) -> None:
    first = replace(first, since=date(2025, 6, 1))
    cadence = {
        level: Beat((beat.contact_days + 1) // 2, (beat.visit_days + 1) // 2 if beat.visit_days else None)
        for level, beat in first.cadence.items()
    }
    stricter = replace(first, id="s", since=since, cadence=cadence)
    history = replace(history, levels=[])
    before = due_days(history, [first], grid, TODAY)
    after = due_days(history, [first, stricter], grid, TODAY)
    assert before
    assert after
    wanted = max(since, history.entered_on)
    assert after.due_on <= max(before.due_on, grid.open_on_or_after(wanted))
    plain = replace(history, contacts=[replace(each, next_on=None) for each in history.contacts])
    strict = due_days(plain, [first, stricter], grid, TODAY)
    old = due_days(plain, [first], grid, TODAY)
    assert strict
    assert old
    assert strict.due_on >= min(old.due_on, grid.open_on_or_after(wanted))


@property_test
@given(grids, histories(), st.lists(rules(), min_size=1, max_size=3), st.sampled_from(Level))
def test_the_level_given_again_changes_nothing(
    grid: ContactDays, history: History, given_rules: list[ClockRule], level: Level
) -> None:
    """So nobody makes what is overdue due anew by setting what is set."""
    once = replace(history, levels=[*(each for each in history.levels if each[0] < TODAY - DAY), (TODAY - DAY, level)])
    twice = replace(once, levels=[*once.levels, (TODAY, level)])
    assert due_days(once, given_rules, grid, TODAY) == due_days(twice, given_rules, grid, TODAY)


def test_a_higher_level_is_due_on_the_day_it_is_given_at_the_earliest() -> None:
    history = History(date(2026, 3, 2), [(date(2026, 3, 2), Level.YELLOW)], [Contact(date(2026, 3, 9), Way.CALL, True)])
    red = replace(history, levels=[*history.levels, (TODAY, Level.RED)])
    found = due_days(red, [rule()], PLAIN, TODAY)
    assert found
    assert (found.due_on, found.counted_from) == (TODAY, date(2026, 3, 9))
    calmer = replace(red, levels=[*red.levels, (TODAY, Level.GREEN)])
    found = due_days(calmer, [rule()], PLAIN, TODAY)
    assert found
    assert found.due_on == date(2026, 5, 8)


def test_who_is_entered_again_is_counted_from_that_day() -> None:
    history = History(TODAY, [(date(2025, 9, 1), Level.RED)], [Contact(date(2025, 9, 3), Way.VISIT, True)])
    found = due_days(history, [rule()], PLAIN, TODAY)
    assert found
    assert (found.counted_from, found.due_on) == (TODAY, date(2026, 4, 22))


def test_without_a_rule_nothing_is_due_and_a_later_rule_is_not_in_force_yet() -> None:
    assert due_days(History(TODAY), [], PLAIN, TODAY) is None
    assert due_days(History(TODAY), [rule(TODAY + DAY)], PLAIN, TODAY) is None
    first = due_days(History(date(2025, 9, 1)), [rule(TODAY)], PLAIN, TODAY)
    assert first
    assert first.due_on == TODAY


def test_what_was_agreed_brings_the_day_forward_until_somebody_is_reached() -> None:
    agreed = Contact(date(2026, 4, 1), Way.CALL, True, next_on=date(2026, 4, 11))
    history = History(date(2026, 3, 2), [], [agreed])
    found = due_days(history, [rule()], PLAIN, TODAY)
    assert found
    assert found.due_on == date(2026, 4, 13)  # a Saturday was agreed
    later = replace(history, contacts=[agreed, Contact(date(2026, 4, 14), Way.CALL, True)])
    found = due_days(later, [rule()], PLAIN, TODAY)
    assert found
    assert found.due_on == date(2026, 6, 15)


# -------------------------------------------------------------------------------------------------------------- stages
@property_test
@given(grids, rules(), near, st.integers(0, 60))
def test_stages_rise_with_the_days(grid: ContactDays, asked: ClockRule, day: date, n: int) -> None:
    due_on = grid.open_on_or_after(day)
    today = due_on + timedelta(days=n)
    one, other = stage_on(asked, due_on, grid, today), stage_on(asked, due_on, grid, today + DAY)
    assert STAGES.index(one) <= STAGES.index(other)
    assert stage_on(asked, due_on, grid, due_on - DAY) is Stage.NONE
    assert stage_on(asked, due_on, grid, grid.open_after(due_on, asked.leader_after)) is Stage.LEADER


@property_test
@given(grids, rules(), near, st.sets(st.integers(0, 80)), st.sets(st.integers(0, 80)))
def test_no_stage_is_left_out_and_none_told_twice_however_often_somebody_looks(
    grid: ContactDays, asked: ClockRule, day: date, looked: set[int], unreached: set[int]
) -> None:
    due_on, told, steps = grid.open_on_or_after(day), Told(), list[Stage]()
    for n in sorted(looked):
        today = due_on + timedelta(days=n)
        wanted = stage_on(asked, due_on, grid, today)
        reached = next_stage(told, wanted, today)
        assert not is_below(reached, told.stage)
        if reached is not told.stage:
            steps.append(reached)
            told = Told(reached, today)
            # Somebody looks once more on the same day.
            assert next_stage(told, wanted, today) is reached
            if n in unreached and reached is not Stage.LEADER:
                told = Told(reached)
                assert next_stage(told, wanted, today) is STAGES[STAGES.index(reached) + 1]
    assert steps == list(STAGES[1 : len(steps) + 1])


@property_test
@given(grids, rules(), near)
def test_whoever_looks_every_open_day_tells_everybody_on_the_day_of_the_rule(
    grid: ContactDays, asked: ClockRule, day: date
) -> None:
    due_on, told = grid.open_on_or_after(day), Told()
    for n in range(asked.leader_after + 1):
        today = grid.open_after(due_on, n)
        wanted = stage_on(asked, due_on, grid, today)
        reached = next_stage(told, wanted, today)
        assert reached is wanted
        told = Told(reached, today if reached is not told.stage else told.on)


@property_test
@given(grids, rules(), near, near, st.sampled_from(STAGES), near)
def test_a_day_that_moves_later_takes_back_what_was_told_and_one_that_moves_earlier_does_not(
    grid: ContactDays, asked: ClockRule, one: date, other: date, stage: Stage, today: date
) -> None:
    before, after = sorted((grid.open_on_or_after(one), grid.open_on_or_after(other)))
    told = Told(stage, before)
    assert kept_stage(told, after, before, stage_on(asked, before, grid, today)) == told
    wanted = stage_on(asked, after, grid, today)
    kept = kept_stage(told, before, after, wanted)
    assert kept == told if before == after else not is_below(wanted, kept.stage)
    assert kept_stage(kept, after, after, wanted) == kept


def test_a_stage_on_which_nobody_was_reached_is_not_waited_for_not_even_below_the_days() -> None:
    assert next_stage(Told(Stage.TEACHER), Stage.TEACHER, TODAY) is Stage.LEAD
    assert next_stage(Told(Stage.LEADER), Stage.LEADER, TODAY) is Stage.LEADER
    assert next_stage(Told(Stage.TEACHER, TODAY), Stage.TEACHER, TODAY) is Stage.TEACHER


def test_whoever_was_told_is_told_again_after_a_week_of_school() -> None:
    days = [day for n in range(40) if PLAIN.is_open(day := TODAY + timedelta(days=n))]
    again = [PLAIN.open_since(TODAY, day) for day in days if is_repeated(TODAY, day, PLAIN)]
    assert again == [n for n in range(1, len(days)) if n % REPEATED_AFTER == 0]


@pytest.mark.parametrize("cap", [1, 2, 3])
def test_nobody_gets_more_messages_than_the_cap_and_none_of_the_parts_is_lost(cap: int) -> None:
    for wanted in (set[Part](), {Part.OWN}, {Part.OWN, Part.LEADER}, set(Part)):
        found = messages_of(wanted, cap)
        assert len(found) <= cap
        assert [part for each in found for part in each] == [part for part in Part if part in wanted]
        assert all(found)


# --------------------------------------------------------------------------------------------------------------- rules
@pytest.mark.parametrize("steps", [(-1, 3, 6), (0, 0, 6), (3, 3, 6), (0, 3, 3), (0, 7, 6), (0, 3, 21)])
def test_a_rule_that_tells_the_wrong_one_first_is_refused(steps: tuple[int, int, int]) -> None:
    with pytest.raises(CadenceInvalid):
        rule(steps=steps)


@pytest.mark.parametrize("cap", [0, 4])
def test_a_rule_that_tells_nobody_or_too_often_is_refused(cap: int) -> None:
    with pytest.raises(CadenceInvalid):
        rule(cap=cap)


def test_a_rule_that_has_ended_asks_for_nothing_and_the_next_begins_anew() -> None:
    ended = replace(rule(), until=date(2026, 3, 31))
    assert due_days(History(date(2025, 9, 1)), [ended], PLAIN, TODAY) is None
    found = due_days(History(date(2025, 9, 1)), [ended, rule(TODAY)], PLAIN, TODAY)
    assert found
    assert found.due_on == TODAY


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {**SUGGESTED, Level.RED: Beat(0, 30)},
        {**SUGGESTED, Level.RED: Beat(31, 30)},
        {**SUGGESTED, Level.RED: Beat(7, 91)},
        {**SUGGESTED, Level.RED: Beat(7, None)},
        {**SUGGESTED, Level.GREEN: Beat(201, 180)},
        {**SUGGESTED, Level.GREEN: Beat(60, 401)},
    ],
)
def test_a_higher_level_never_asks_for_less(wrong: dict[Level, Beat]) -> None:
    with pytest.raises(CadenceInvalid):
        replace(rule(), cadence=wrong)
    replace(rule(), cadence={**SUGGESTED, Level.GREEN: Beat(60, None)})


def test_a_rule_says_where_it_comes_from() -> None:
    assert checked_clause(" 镇教〔2026〕3号 \n 第二条 ") == "镇教〔2026〕3号 第二条"
    for wrong in ("", " ", "x" * 301):
        with pytest.raises(ClauseMissing):
            checked_clause(wrong)
