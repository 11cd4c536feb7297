"""School days and counting in them: examples of the real calendar, and rules that hold for every calendar."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.errors import InvalidInput
from handlers.calendar.domain import (
    FIXED_HOLIDAYS,
    DayKind,
    Effect,
    Facts,
    Holiday,
    LocalDay,
    LocalDayInvalid,
    LocalDaysContradict,
    LocalKind,
    SchoolCalendar,
    Term,
    TermInvalid,
    TermsOverlap,
    WeekInvalid,
    YearTable,
    check_local_day,
    check_table,
    check_term,
    check_week,
    month_of,
    working_days_off,
)
from handlers.calendar.service.tables import shipped

DAY = timedelta(days=1)
# Without a deadline: a busy machine breaks no rule of the calendar.
property_test = settings(max_examples=40, deadline=None)
YEAR = (
    Term(date(2025, 9, 1), date(2026, 1, 30), "2025年秋季学期"),
    Term(date(2026, 3, 2), date(2026, 7, 10), "2026年春季学期"),
    Term(date(2026, 9, 1), date(2027, 1, 22), "2026年秋季学期"),
)
REAL = SchoolCalendar(Facts(terms=YEAR, years=shipped()), 3)
UNKNOWN = SchoolCalendar(Facts(terms=(Term(date(2027, 1, 1), date(2029, 12, 31), "三年"),), years=shipped()))


# ---------------------------------------------------------------------------------------------------- the real calendar
@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2025, 9, 1), DayKind.LESSONS),
        (date(2025, 9, 28), DayKind.MAKE_UP),
        (date(2025, 10, 1), DayKind.HOLIDAY),
        (date(2025, 10, 8), DayKind.HOLIDAY),
        (date(2025, 10, 9), DayKind.LESSONS),
        (date(2025, 10, 11), DayKind.MAKE_UP),
        (date(2025, 10, 12), DayKind.WEEKEND),
        (date(2026, 1, 4), DayKind.MAKE_UP),
        (date(2026, 4, 6), DayKind.HOLIDAY),
        (date(2026, 5, 9), DayKind.MAKE_UP),
        (date(2026, 2, 14), DayKind.VACATION),
        (date(2026, 2, 17), DayKind.HOLIDAY),
        (date(2026, 7, 13), DayKind.VACATION),
        (date(2026, 9, 20), DayKind.MAKE_UP),
        (date(2027, 1, 1), DayKind.HOLIDAY),
        (date(2027, 1, 4), DayKind.LESSONS),
    ],
)
def test_the_school_years_2025_and_2026_are_as_the_notices_say(day: date, kind: DayKind) -> None:
    view = REAL.view(day)
    assert view.kind is kind
    assert view.is_school_day is (kind in {DayKind.LESSONS, DayKind.MAKE_UP}) is REAL.is_school_day(day)


def test_school_days_are_counted_over_holidays_make_up_days_and_vacations() -> None:
    # Three school days before the first one after the National Day, and the first after the holidays of winter.
    assert REAL.nth_school_day(date(2025, 10, 9), -3) == date(2025, 9, 28)
    assert REAL.nth_school_day(date(2026, 9, 19), 1) == date(2026, 9, 20)
    assert REAL.nth_school_day(date(2026, 1, 30), 1) == date(2026, 3, 2)
    assert REAL.nth_school_day(date(2026, 2, 10), -1) == date(2026, 1, 30)
    assert REAL.last_school_day_of_month(2025, 9) == date(2025, 9, 30)
    assert REAL.last_school_day_of_month(2026, 1) == date(2026, 1, 30)
    assert REAL.last_school_day_of_month(2026, 5) == date(2026, 5, 29)
    assert REAL.last_school_day_of_month(2026, 2) is None
    assert REAL.school_day_on_or_before(date(2025, 10, 5)) == date(2025, 9, 30)
    assert REAL.school_day_on_or_after(date(2025, 10, 5)) == date(2025, 10, 9)


def test_the_terms_have_ends_and_weeks() -> None:
    autumn, spring, _ = REAL.terms
    assert (REAL.first_school_day(autumn), REAL.last_school_day(autumn)) == (date(2025, 9, 1), date(2026, 1, 30))
    assert REAL.term_of(date(2025, 10, 3)) == autumn
    assert REAL.term_of(date(2026, 2, 3)) is None
    assert [REAL.week_of_term(day) for day in (date(2025, 9, 1), date(2025, 9, 7), date(2025, 9, 8))] == [1, 1, 2]
    assert REAL.week_of_term(date(2026, 7, 10)) == 19
    assert REAL.week_of_term(date(2026, 8, 1)) is None
    assert REAL.first_school_day(Term(date(2026, 8, 1), date(2026, 8, 2), "无")) is None
    assert spring.first_day in spring


def test_beyond_the_stated_terms_there_is_no_school_day_and_nothing_crashes() -> None:
    assert REAL.nth_school_day(date(2027, 1, 22), 1) is None
    assert REAL.nth_school_day(date(2025, 9, 1), -1) is None
    assert REAL.school_day_on_or_after(date(2027, 2, 1)) is None
    assert REAL.school_day_on_or_before(date(2027, 9, 1)) == date(2027, 1, 22)
    with pytest.raises(ValueError, match="0th"):
        REAL.nth_school_day(date(2026, 9, 1), 0)


def test_a_year_without_a_table_keeps_the_holidays_of_fixed_date_and_is_provisional() -> None:
    calendar = SchoolCalendar(Facts(terms=(Term(date(2027, 2, 22), date(2027, 7, 9), "春"),), years=shipped()))
    assert not calendar.is_school_day(date(2027, 5, 1))
    days = calendar.school_days(date(2027, 4, 26), date(2027, 5, 7))
    assert [day.day for day in days] == [26, 27, 28, 29, 30, 3, 4, 5, 6, 7]
    # Qingming follows the sun: whether the 5th is off is said by the table only.
    assert calendar.is_school_day(date(2027, 4, 5))
    assert calendar.is_provisional(date(2027, 4, 5))
    assert calendar.is_provisional(date(2026, 12, 31), date(2027, 1, 1))
    assert not calendar.is_provisional(date(2026, 12, 31))


def test_the_table_s_arrival_takes_the_provisional_mark_away() -> None:
    table = YearTable(2027, "通知", (Holiday(date(2027, 1, 1), date(2027, 1, 3), "元旦"),), (date(2027, 1, 9),))
    calendar = SchoolCalendar(Facts(terms=YEAR, years={**shipped(), 2027: table}))
    assert not calendar.is_provisional(date(2027, 1, 9))
    assert calendar.is_school_day(date(2027, 1, 9))
    assert not REAL.is_school_day(date(2027, 1, 9))


def test_the_nearest_arrangement_counts_school_before_township_before_country() -> None:
    def local(effect: Effect, day: date) -> LocalDay:
        return LocalDay(day, day, LocalKind.MARKET, effect, "集")

    monday, make_up, holiday = date(2025, 9, 8), date(2025, 9, 28), date(2025, 10, 1)
    calendar = SchoolCalendar(
        Facts(
            terms=YEAR,
            years=shipped(),
            town_days=(local(Effect.OFF, monday), local(Effect.OFF, make_up), local(Effect.ON, holiday)),
            local_days=(local(Effect.ON, monday),),
        )
    )
    assert calendar.view(monday).kind is DayKind.LOCAL_ON
    assert [calendar.is_school_day(day) for day in (monday, make_up, holiday)] == [True, False, True]
    assert calendar.view(make_up).name == "集"


def test_a_school_of_six_days_has_lessons_on_saturdays() -> None:
    calendar = SchoolCalendar(Facts(terms=YEAR, weekdays=frozenset(range(1, 7)), years=shipped()))
    assert calendar.is_school_day(date(2025, 9, 6))
    assert not calendar.is_school_day(date(2025, 9, 7))


# ---------------------------------------------------------------------------------------- what holds for every calendar
days_near = st.dates(date(2024, 6, 1), date(2028, 3, 1))


@st.composite
def spans(draw: st.DrawFn, longest: int) -> tuple[date, date]:
    first = draw(days_near)
    return first, first + timedelta(days=draw(st.integers(0, longest)))


@st.composite
def tables(draw: st.DrawFn, year: int) -> YearTable:
    """A table of the year, as odd as may be; it may reach back into the last days of the year before."""
    inside = st.dates(date(year - 1, 12, 25), date(year, 12, 20))
    holidays = tuple(
        Holiday(first, first + timedelta(days=draw(st.integers(0, 9))), "节")
        for first in draw(st.lists(inside, max_size=6))
    )
    return YearTable(year, "通知", holidays, tuple(draw(st.lists(inside, max_size=6))))


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Of any calendar: terms, tables for some of the years, local days, weeks."""
    terms = tuple(Term(*draw(spans(160)), f"第{n}学期") for n in range(draw(st.integers(1, 5))))
    years = {year: draw(tables(year)) for year in draw(st.sets(st.integers(2024, 2028)))}
    kinds, effects = st.sampled_from(LocalKind), st.sampled_from(Effect)
    local = [
        tuple(LocalDay(*draw(spans(12)), draw(kinds), draw(effects), "本地") for _ in range(draw(st.integers(0, 4))))
        for _ in range(2)
    ]
    weekdays = draw(st.frozensets(st.integers(1, 7), min_size=1))
    return Facts(terms, weekdays, years, local[0], local[1])


def calendars() -> st.SearchStrategy[SchoolCalendar]:
    """Any calendar."""
    return facts().map(SchoolCalendar)


numbers = st.integers(1, 60)


@property_test
@given(calendars(), days_near, numbers)
def test_so_many_days_after_and_as_many_before_lead_back(calendar: SchoolCalendar, day: date, n: int) -> None:
    start = calendar.school_day_on_or_after(day)
    assume(start is not None)
    assert start is not None
    after = calendar.nth_school_day(start, n)
    if after is not None:
        assert calendar.nth_school_day(after, -n) == start
        assert calendar.count(start, after) == n + 1
    before = calendar.nth_school_day(start, -n)
    if before is not None:
        assert calendar.nth_school_day(before, n) == start


@property_test
@given(calendars(), days_near, numbers, numbers)
def test_steps_add_up(calendar: SchoolCalendar, day: date, one: int, two: int) -> None:
    middle = calendar.nth_school_day(day, one)
    if middle is not None:
        assert calendar.nth_school_day(middle, two) == calendar.nth_school_day(day, one + two)


@property_test
@given(calendars(), days_near, numbers)
def test_what_is_counted_to_is_a_school_day_with_just_so_many_between(
    calendar: SchoolCalendar, day: date, n: int
) -> None:
    after, before = calendar.nth_school_day(day, n), calendar.nth_school_day(day, -n)
    if after is not None:
        assert after > day
        assert calendar.is_school_day(after)
        assert calendar.count(day + DAY, after) == n
    if before is not None:
        assert before < day
        assert calendar.is_school_day(before)
        assert calendar.count(before, day - DAY) == n


@property_test
@given(calendars(), days_near, days_near, days_near)
def test_counts_of_spans_that_meet_add_up(calendar: SchoolCalendar, one: date, two: date, three: date) -> None:
    first, middle, last = sorted((one, two, three))
    parts = calendar.count(first, middle) + calendar.count(middle + DAY, last)
    assert calendar.count(first, last) == parts
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    assert list(calendar.school_days(first, last)) == [day for day in every if calendar.is_school_day(day)]


@property_test
@given(calendars(), st.integers(2024, 2028), st.integers(1, 12))
def test_the_month_s_last_school_day_is_one_and_none_comes_later(
    calendar: SchoolCalendar, year: int, month: int
) -> None:
    first, last = month_of(year, month)
    assert (first.day, last + DAY) == (1, date(year + month // 12, month % 12 + 1, 1))
    found = calendar.last_school_day_of_month(year, month)
    if found is None:
        assert calendar.count(first, last) == 0
        return
    assert (found.year, found.month) == (year, month)
    assert calendar.is_school_day(found)
    assert calendar.count(found + DAY, last) == 0


@property_test
@given(calendars(), days_near)
def test_the_nearest_school_day_is_the_day_itself_or_has_none_between(calendar: SchoolCalendar, day: date) -> None:
    before, after = calendar.school_day_on_or_before(day), calendar.school_day_on_or_after(day)
    if calendar.is_school_day(day):
        assert before == after == day
    if before is not None:
        assert calendar.is_school_day(before)
        assert calendar.count(before, day) == 1
    if after is not None:
        assert calendar.count(day, after) == 1


@property_test
@given(calendars(), days_near)
def test_school_days_lie_in_terms_and_weeks_rise_by_mondays(calendar: SchoolCalendar, day: date) -> None:
    if calendar.is_school_day(day):
        assert calendar.term_of(day) is not None
    for term in calendar.terms[:1]:
        days = [term.first_day + timedelta(days=n) for n in range((term.last_day - term.first_day).days + 1)]
        weeks = [calendar.week_of_term(each) or 0 for each in days if calendar.term_of(each) == term]
        assert all(0 <= later - earlier <= 1 for earlier, later in pairwise(weeks))
        start = calendar.first_school_day(term)
        if start is not None and calendar.term_of(start) == term:
            assert calendar.week_of_term(start) == 1


@property_test
@given(calendars(), days_near)
def test_provisional_is_exactly_what_lies_in_a_year_without_a_table(calendar: SchoolCalendar, day: date) -> None:
    years = {2024, 2025, 2026, 2027, 2028}
    without = {year for year in years if calendar.is_provisional(date(year, 6, 1))}
    assert calendar.is_provisional(day) is calendar.view(day).is_provisional is (day.year in without)
    kind = calendar.view(day).kind
    if day.year in without and (day.month, day.day) in FIXED_HOLIDAYS:
        assert kind in {DayKind.HOLIDAY, DayKind.LOCAL_ON, DayKind.LOCAL_OFF, DayKind.MAKE_UP}


@property_test
@given(st.dates(date(2027, 1, 1), date(2029, 12, 31)))
def test_without_a_table_school_days_are_monday_to_friday_but_for_fixed_holidays(day: date) -> None:
    plain = day.isoweekday() <= 5 and (day.month, day.day) not in FIXED_HOLIDAYS
    assert UNKNOWN.is_school_day(day) is plain
    assert UNKNOWN.is_provisional(day)


# ------------------------------------------------------------------------------------------------------ what is refused
def term(first: str, last: str, name: str = "学期") -> Term:
    return Term(date.fromisoformat(first), date.fromisoformat(last), name)


def test_terms_have_a_length_and_share_no_day() -> None:
    check_term(term("2026-09-01", "2027-01-20"), [term("2027-02-22", "2027-07-02")])
    for wrong in (
        term("2026-09-01", "2026-08-31"),
        term("2026-09-01", "2026-09-01"),
        term("2026-09-01", "2027-07-10"),
        term("2026-09-01", "2027-01-20", ""),
        term("0026-09-01", "0027-01-20"),
    ):
        with pytest.raises(TermInvalid):
            check_term(wrong, [])
    with pytest.raises(TermsOverlap):
        check_term(term("2026-09-01", "2027-01-20"), [term("2027-01-20", "2027-07-02")])


def test_local_days_do_not_contradict_each_other() -> None:
    off = LocalDay(date(2026, 10, 12), date(2026, 10, 14), LocalKind.HARVEST, Effect.OFF, "农忙")
    on = LocalDay(date(2026, 10, 14), date(2026, 10, 14), LocalKind.EXAM, Effect.ON, "考试")
    check_local_day(off, [off])
    with pytest.raises(LocalDaysContradict):
        check_local_day(on, [off])
    long = LocalDay(date(2026, 9, 1), date(2026, 11, 1), LocalKind.OTHER, Effect.OFF, "长")
    nameless = LocalDay(date(2026, 9, 1), date(2026, 9, 1), LocalKind.OTHER, Effect.OFF, "")
    for wrong in (long, nameless):
        with pytest.raises(LocalDayInvalid):
            check_local_day(wrong, [])
    check_week(frozenset({1, 7}))
    for days in (frozenset[int](), frozenset({0}), frozenset({8})):
        with pytest.raises(WeekInvalid):
            check_week(days)


FIXED = (
    Holiday(date(2027, 1, 1), date(2027, 1, 3), "元旦"),
    Holiday(date(2027, 5, 1), date(2027, 5, 3), "劳动节"),
    Holiday(date(2027, 10, 1), date(2027, 10, 7), "国庆节"),
)


def test_a_table_is_checked_against_what_the_law_and_the_week_say() -> None:
    check_table(YearTable(2027, "通知", FIXED, (date(2027, 10, 9),)))
    check_table(YearTable(2027, "通知", (Holiday(date(2026, 12, 31), date(2027, 1, 3), "元旦"), *FIXED[1:]), ()))
    wrong = (
        YearTable(2027, " ", FIXED, ()),
        YearTable(2027, "通知", FIXED[1:], ()),
        YearTable(2027, "通知", FIXED, (date(2027, 10, 11),)),
        YearTable(2027, "通知", FIXED, (date(2027, 10, 2),)),
        YearTable(2027, "通知", FIXED, (date(2028, 1, 2),)),
        YearTable(2027, "通知", (*FIXED, Holiday(date(2028, 1, 1), date(2028, 1, 1), "元旦")), ()),
        YearTable(2027, "通知", (*FIXED, Holiday(date(2027, 3, 2), date(2027, 3, 1), "反")), ()),
    )
    codes = set()
    for table in wrong:
        with pytest.raises(InvalidInput) as caught:
            check_table(table)
        codes.add(caught.value.code)
    assert codes == {"table_without_source", "table_outside", "make_up_invalid", "fixed_holiday_missing"}


def test_the_days_off_by_law_are_what_a_table_comes_to() -> None:
    assert {year: working_days_off(table) for year, table in shipped().items()} == {2024: 11, 2025: 13, 2026: 13}
