"""When duties fall due, over calendars of all kinds; and the rules of rules."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.accounts.domain import AppointmentKind
from handlers.calendar.domain import (
    Effect,
    Facts,
    Holiday,
    LocalDay,
    LocalKind,
    SchoolCalendar,
    Term,
    YearTable,
)
from handlers.duties.domain import (
    ABOVE,
    LONGEST_NOTE,
    OWNERS,
    NoteTooLong,
    Rhythm,
    Rule,
    RuleInvalid,
    Schedule,
    checked_note,
    dues,
    ladder_from,
    upcoming,
)

YEAR = (date(2025, 9, 1), date(2026, 8, 31))
DAY = timedelta(days=1)


# ------------------------------------------------------------------------------------------------------------ calendars
@st.composite
def calendars(draw: st.DrawFn) -> SchoolCalendar:
    """A school year with holidays, make-up days, market days and weeks of five or six days; a table or none."""
    autumn = date(2025, 8, 28) + timedelta(days=draw(st.integers(0, 8)))
    spring = date(2026, 2, 20) + timedelta(days=draw(st.integers(0, 14)))
    terms = (
        Term(autumn, date(2026, 1, 15) + timedelta(days=draw(st.integers(0, 15))), "秋季学期"),
        Term(spring, date(2026, 7, 1) + timedelta(days=draw(st.integers(0, 12))), "春季学期"),
    )
    whole = st.dates(date(2025, 8, 20), date(2026, 7, 20))
    holidays = [
        Holiday(first, first + timedelta(days=draw(st.integers(0, 10))), "放假")
        for first in draw(st.lists(whole, max_size=4, unique=True))
    ]
    make_up = tuple(sorted(day for day in draw(st.sets(whole, max_size=5)) if day.isoweekday() > 5))
    local = []
    for first in draw(st.lists(whole, max_size=3, unique=True)):
        effect = draw(st.sampled_from(Effect))
        local.append(LocalDay(first, first + timedelta(days=draw(st.integers(0, 3))), LocalKind.MARKET, effect, "赶集"))
    known = draw(st.sampled_from([(2025, 2026), (2025,)]))
    years = {
        year: YearTable(
            year,
            "通知",
            tuple(each for each in holidays if each.first_day.year == year),
            tuple(day for day in make_up if day.year == year),
        )
        for year in known
    }
    weekdays = draw(st.sampled_from([frozenset(range(1, 6)), frozenset(range(1, 7))]))
    return SchoolCalendar(Facts(terms=terms, weekdays=weekdays, years=years, local_days=tuple(local)))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    rhythm = draw(st.sampled_from(Rhythm))
    numbers = {Rhythm.WEEKLY: st.integers(1, 7), Rhythm.MONTH_DAY: st.integers(1, 31)}
    return Schedule(rhythm, draw(numbers.get(rhythm, st.just(0))), draw(st.integers(0, 6)), draw(st.integers(1, 6)))


def period(schedule: Schedule, day: date) -> tuple[date, date]:
    """The week or the month a day lies in."""
    if schedule.rhythm is Rhythm.WEEKLY:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - DAY


@given(calendars(), schedules())
def test_every_day_is_a_school_day_and_the_days_around_it_are_in_order(
    calendar: SchoolCalendar, schedule: Schedule
) -> None:
    for due in dues(schedule, calendar, *YEAR):
        assert calendar.is_school_day(due.due_on)
        assert due.remind_on <= due.due_on < due.late_on <= due.escalate_on
        if due.due_on > calendar.terms[0].first_day + timedelta(days=60):
            assert calendar.count(due.remind_on, due.due_on - DAY) <= schedule.remind_before


@given(calendars(), schedules())
def test_every_period_with_school_has_exactly_one_time_and_one_without_has_none(
    calendar: SchoolCalendar, schedule: Schedule
) -> None:
    found = dues(schedule, calendar, *YEAR)
    assert max(Counter(due.occurrence for due in found).values(), default=1) == 1
    if schedule.rhythm is Rhythm.TERM_START:
        begins = [day for term in calendar.terms if (day := calendar.first_school_day(term))]
        # A term may begin some days before the school year does.
        for due, day in zip(dues(schedule, calendar, date(2025, 8, 1), YEAR[1]), begins, strict=True):
            assert day <= due.due_on < day + timedelta(days=7)
        return
    in_period = Counter(period(schedule, due.due_on) for due in found)
    wanted = {
        period(schedule, day)
        for day in calendar.school_days(YEAR[0], YEAR[1])
        if YEAR[0] <= period(schedule, day)[0] and period(schedule, day)[1] <= YEAR[1]
    }
    assert wanted <= set(in_period)
    assert set(in_period.values()) <= {1}


@given(calendars())
def test_the_month_s_last_school_day_is_the_calendar_s(calendar: SchoolCalendar) -> None:
    for due in dues(Schedule(Rhythm.MONTH_END), calendar, *YEAR):
        assert due.due_on == calendar.last_school_day_of_month(due.due_on.year, due.due_on.month)


@given(calendars(), schedules(), st.dates(*YEAR))
def test_two_spans_that_meet_have_what_the_whole_has(
    calendar: SchoolCalendar, schedule: Schedule, middle: date
) -> None:
    """So a planner that runs every day, or after a week asleep, finds the same."""
    first, last = YEAR
    parts = dues(schedule, calendar, first, middle) + dues(schedule, calendar, middle + DAY, last)
    assert parts == dues(schedule, calendar, first, last)


@given(calendars(), schedules())
def test_what_touches_a_year_without_a_table_is_provisional(calendar: SchoolCalendar, schedule: Schedule) -> None:
    for due in dues(schedule, calendar, *YEAR):
        assert due.is_provisional == calendar.is_provisional(due.due_on, due.escalate_on)


@given(calendars(), schedules(), st.dates(*YEAR))
def test_the_preview_is_what_comes_next(calendar: SchoolCalendar, schedule: Schedule, today: date) -> None:
    found = upcoming(schedule, calendar, today)
    assert found == dues(schedule, calendar, today + DAY, today + timedelta(days=400))[:4]


# -------------------------------------------------------------------------------------------- by hand: autumn of 2026
def autumn() -> SchoolCalendar:
    """National Day off from the 1st to the 7th, made up for on Saturday 10 October."""
    table = YearTable(2026, "通知", (Holiday(date(2026, 10, 1), date(2026, 10, 7), "国庆节"),), (date(2026, 10, 10),))
    return SchoolCalendar(Facts((Term(date(2026, 9, 1), date(2027, 1, 22), "秋季学期"),), years={2026: table}))


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        (Schedule(Rhythm.MONTH_END), ["2026-09-30", "2026-10-30", "2026-11-30", "2026-12-31"]),
        (Schedule(Rhythm.TERM_START), ["2026-09-07"]),
        (Schedule(Rhythm.WEEKLY, 5), ["2026-09-04", "2026-09-11", "2026-09-18", "2026-09-25"]),
        (Schedule(Rhythm.MONTH_DAY, 3), ["2026-09-03", "2026-10-08", "2026-11-03", "2026-12-03"]),
        (Schedule(Rhythm.MONTH_DAY, 31), ["2026-09-30", "2026-10-30", "2026-11-30", "2026-12-31"]),
    ],
)
def test_the_days_of_an_autumn(schedule: Schedule, days: list[str]) -> None:
    assert [due.due_on.isoformat() for due in upcoming(schedule, autumn(), date(2026, 8, 31))] == days


def test_a_week_of_holidays_has_no_friday_and_a_broken_one_has_another_day() -> None:
    found = dues(Schedule(Rhythm.WEEKLY, 5), autumn(), date(2026, 9, 28), date(2026, 10, 11))
    assert [due.due_on for due in found] == [date(2026, 9, 30), date(2026, 10, 9)]
    monday = dues(Schedule(Rhythm.WEEKLY, 1), autumn(), date(2026, 10, 5), date(2026, 10, 11))
    assert [due.due_on for due in monday] == [date(2026, 10, 8)]


def test_the_days_around_a_day_are_counted_in_school_days() -> None:
    [due] = dues(Schedule(Rhythm.MONTH_END, 0, 3, 2), autumn(), date(2026, 9, 1), date(2026, 9, 30))
    assert (due.remind_on, due.due_on) == (date(2026, 9, 25), date(2026, 9, 30))
    assert (due.late_on, due.escalate_on) == (date(2026, 10, 8), date(2026, 10, 9))


def test_a_term_that_is_moved_by_some_days_is_the_same_time() -> None:
    schedule = Schedule(Rhythm.TERM_START)
    moved = SchoolCalendar(Facts((Term(date(2026, 9, 3), date(2027, 1, 22), "秋季学期"),)))
    one, other = dues(schedule, autumn(), *_AUTUMN)[0], dues(schedule, moved, *_AUTUMN)[0]
    assert one.occurrence == other.occurrence
    assert one.due_on < other.due_on


_AUTUMN = (date(2026, 9, 1), date(2027, 1, 31))


# -------------------------------------------------------------------------------------------------------------- rules
@pytest.mark.parametrize(
    ("rhythm", "number", "before", "after"),
    [
        (Rhythm.WEEKLY, 0, 3, 2),
        (Rhythm.WEEKLY, 8, 3, 2),
        (Rhythm.MONTH_DAY, 32, 3, 2),
        (Rhythm.MONTH_END, 1, 3, 2),
        (Rhythm.MONTH_END, 0, -1, 2),
        (Rhythm.MONTH_END, 0, 3, 0),
        (Rhythm.MONTH_END, 0, 21, 2),
    ],
)
def test_impossible_rules_are_refused(rhythm: Rhythm, number: int, before: int, after: int) -> None:
    with pytest.raises(RuleInvalid):
        Schedule(rhythm, number, before, after)


def test_a_rule_has_a_title_and_an_owner_who_can_have_one() -> None:
    schedule = Schedule(Rhythm.MONTH_END)
    for title, owner in (
        (" ", AppointmentKind.DUTY),
        ("查", AppointmentKind.EDITOR),
        ("查" * 41, AppointmentKind.DUTY),
    ):
        with pytest.raises(RuleInvalid):
            Rule(title, "", owner, schedule)


def test_notes_are_one_line_and_short() -> None:
    assert checked_note("  交给\n王校长 ") == "交给 王校长"
    with pytest.raises(NoteTooLong):
        checked_note("长" * (LONGEST_NOTE + 1))


def test_every_ladder_ends_at_the_township() -> None:
    for owner in OWNERS:
        assert list(ladder_from(owner))[-1] is AppointmentKind.TOWNSHIP_ADMINISTRATOR
    assert AppointmentKind.TOWNSHIP_ADMINISTRATOR not in ABOVE
