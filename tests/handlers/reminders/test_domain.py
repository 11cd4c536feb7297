"""Rules of reminders: lead times, days in words, what may be said, which dates remind whom."""

from __future__ import annotations

from datetime import date, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock import SHANGHAI
from bot.delivery.reminding import Rule
from handlers.calendar.domain import Effect, Facts, LocalDay, LocalKind, SchoolCalendar, Term
from handlers.calendar.service.tables import shipped
from handlers.reminders.domain import (
    DayPast,
    DayTooFar,
    DayUnclear,
    LabelFound,
    TextInvalid,
    Window,
    check_text,
    distance,
    read_said,
    spoken,
    windows,
)
from handlers.reminders.service.dated import Group, announced, concerned, day_of
from knowledge.entry import PlanStatus, Validity
from tests.handlers.reminders.content import base_of, entry, plan

TERMS = (
    Term(date(2025, 9, 1), date(2026, 1, 30), "上"), Term(date(2026, 3, 2), date(2026, 7, 10), "下"),
    Term(date(2026, 9, 1), date(2027, 1, 22), "上"), Term(date(2027, 3, 1), date(2027, 7, 9), "下"),
)  # fmt: skip
TUESDAY = date(2026, 9, 1)

days_of_the_years = st.dates(date(2025, 10, 1), date(2027, 7, 31))
leads = st.sets(st.integers(0, 8), min_size=1, max_size=4).map(lambda found: tuple(sorted(found, reverse=True)))


@st.composite
def calendars(draw: st.DrawFn) -> SchoolCalendar:
    """With the shipped tables (none for 2027), any week, and some local days."""
    locals_ = []
    for first in draw(st.lists(st.dates(date(2025, 9, 1), date(2027, 7, 9)), max_size=4)):
        effect = draw(st.sampled_from(Effect))
        locals_.append(
            LocalDay(first, first + timedelta(days=draw(st.integers(0, 6))), LocalKind.OTHER, effect, "本地")
        )
    weekdays = frozenset(draw(st.sets(st.integers(1, 7), min_size=4, max_size=6)))
    return SchoolCalendar(Facts(TERMS, weekdays=weekdays, years=shipped(), local_days=tuple(locals_)))


def on(window: Window) -> date:
    return window.not_before.astimezone(SHANGHAI).date()


def test_where_the_stated_terms_do_not_reach_plain_days_are_counted() -> None:
    calendar = SchoolCalendar(Facts(TERMS[2:], years=shipped()))
    assert [on(each) for each in windows(Rule(), date(2026, 9, 3), calendar)] == [date(2026, 8, 31), date(2026, 9, 2)]


@pytest.mark.parametrize(("day", "eve"), [(date(2026, 2, 6), []), (date(2026, 2, 7), [date(2026, 2, 6)])])
def test_a_week_of_silence_is_borne_and_a_day_more_is_not(day: date, eve: list[date]) -> None:
    # The last school day before is the 30th of January.
    calendar = SchoolCalendar(Facts(TERMS, years=shipped()))
    found = windows(Rule(), day, calendar)
    assert [on(each) for each in found if each.lead == "eve"] == eve


@settings(deadline=None)
@given(calendars(), days_of_the_years, leads)
def test_each_lead_lies_so_many_school_days_before(
    calendar: SchoolCalendar, day: date, wanted: tuple[int, ...]
) -> None:
    for window in windows(Rule(leads=wanted, eve=False), day, calendar):
        if window.lead == "0":
            assert on(window) == day
            continue
        between = calendar.school_days(on(window), day - timedelta(days=1))
        if between and between[0] == on(window):
            assert len(between) == int(window.lead)
        else:
            assert calendar.nth_school_day(day, -int(window.lead)) is None, "the terms do not reach so far"


@settings(deadline=None)
@given(calendars(), days_of_the_years, leads, st.booleans())
def test_leads_follow_each_other_without_a_gap_until_the_end(
    calendar: SchoolCalendar, day: date, wanted: tuple[int, ...], eve: bool
) -> None:
    rule = Rule(leads=wanted, eve=eve)
    found = windows(rule, day, calendar)
    assert found
    assert [each.lead for each in found if each.lead.isdigit()] == [str(lead) for lead in wanted]
    for earlier, later in pairwise(found):
        assert earlier.expires_at == later.not_before
        assert earlier.not_before < later.not_before
    last = found[-1].expires_at.astimezone(SHANGHAI)
    assert (last.date(), last.time()) == (day, rule.until)
    assert all(each.not_before.astimezone(SHANGHAI).time() in (rule.at, rule.at_day) for each in found)


@settings(deadline=None)
@given(calendars(), days_of_the_years)
def test_nobody_waits_longer_than_a_week_after_the_last_reminder(calendar: SchoolCalendar, day: date) -> None:
    assert day - on(windows(Rule(), day, calendar)[-1]) <= timedelta(days=7)


@settings(deadline=None)
@given(calendars(), days_of_the_years)
def test_what_rests_on_a_year_without_a_table_is_marked(calendar: SchoolCalendar, day: date) -> None:
    for window in windows(Rule(), day, calendar):
        assert window.is_provisional == (day.year == 2027)


def test_a_make_up_day_counts() -> None:
    """11 October 2025, a Saturday, is worked for the National Day."""
    calendar = SchoolCalendar(Facts(TERMS, years=shipped()))
    found = windows(Rule(leads=(1,)), date(2025, 10, 13), calendar)
    assert [on(each) for each in found] == [date(2025, 10, 11)]


def test_a_month_that_ends_on_a_weekend() -> None:
    calendar = SchoolCalendar(Facts(TERMS, years=shipped()))
    assert [on(each) for each in windows(Rule(leads=(3, 1)), date(2026, 5, 31), calendar)] == [
        date(2026, 5, 27), date(2026, 5, 29),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "day", "text"),
    [
        ("9月4日 交材料", date(2026, 9, 4), "交材料"),
        ("九月四号交材料", date(2026, 9, 4), "交材料"),
        ("9.4 交材料", date(2026, 9, 4), "交材料"),
        ("2026-12-31，元旦放假", date(2026, 12, 31), "元旦放假"),
        ("明天带跳绳", date(2026, 9, 2), "带跳绳"),
        ("大后天 带跳绳", date(2026, 9, 4), "带跳绳"),
        ("周五带跳绳", date(2026, 9, 4), "带跳绳"),
        ("下周一 开家长会", date(2026, 9, 7), "开家长会"),
        ("下下周三，体检", date(2026, 9, 16), "体检"),
        ("星期天 值日", date(2026, 9, 6), "值日"),
        ("周二 升旗", date(2026, 9, 1), "升旗"),
        ("15号 交钱", date(2026, 9, 15), "交钱"),
        ("3月2日 开学", date(2027, 3, 2), "开学"),
        ("十二月二十一日 演出", date(2026, 12, 21), "演出"),
    ],
)
def test_a_day_and_what_to_say_are_read(words: str, day: date, text: str) -> None:
    said = read_said(words, TUESDAY)
    assert (said.day, said.text) == (day, text)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("交材料", DayUnclear),
        ("2月30日 交材料", DayUnclear),
        ("31号 交钱", DayUnclear),
        ("8月20日 交材料", DayPast),
        ("2027-10-01 交材料", DayTooFar),
        ("明天", TextInvalid),
        ("明天 " + "很" * 121, TextInvalid),
        ("明天 留守儿童家访", LabelFound),
        ("明天 交减免申请", LabelFound),
    ],
)
def test_what_cannot_be_kept_is_said_so(words: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_said(words, TUESDAY)


@settings(deadline=None)
@given(st.text(max_size=60), days_of_the_years)
def test_any_text_is_read_or_refused_in_words(words: str, today: date) -> None:
    try:
        said = read_said(words, today)
    except (DayUnclear, DayPast, DayTooFar, TextInvalid, LabelFound):
        return
    else:
        assert today <= said.day <= today + timedelta(days=366)
        assert check_text(said.text) == said.text


def test_days_are_told_as_people_say_them() -> None:
    assert spoken(date(2026, 9, 4), TUESDAY) == "9月4日（周五）"
    assert spoken(date(2027, 1, 4), TUESDAY) == "2027年1月4日（周一）"
    assert [distance(TUESDAY + timedelta(days=ahead), TUESDAY) for ahead in (0, 1, 2, 5)] == [
        "今天", "明天", "后天", "还有5天",
    ]  # fmt: skip
    assert Rule().at == time(18)


# ---------------------------------------------------------------------------------------------------------- which dates
YEAR = Validity(PlanStatus.IN_FORCE, 2026)
SPAN = Validity(PlanStatus.IN_FORCE, 2026, date(2026, 9, 1), date(2027, 7, 10))


@pytest.mark.parametrize(
    ("text", "validity", "day"),
    [
        ("2026-07-24", Validity(PlanStatus.IN_FORCE), date(2026, 7, 24)),
        ("07-24", YEAR, date(2026, 7, 24)),
        ("03-05", SPAN, date(2027, 3, 5)),
        ("10-05", SPAN, date(2026, 10, 5)),
        ("07-24", Validity(PlanStatus.IN_FORCE), None),
        ("02-29", YEAR, None),
    ],
)
def test_a_date_without_a_certain_year_is_none(text: str, validity: Validity, day: date | None) -> None:
    assert day_of(text, validity) == day


@pytest.mark.parametrize(
    ("whom", "asked", "group"),
    [
        ("", "家长", Group.GUARDIANS),
        ("学生家长", "家长", Group.GUARDIANS),
        ("小学新生家长", "家长", Group.NEWCOMERS),
        ("全体教师", "教师", Group.TEACHERS),
        ("班主任", "班主任", Group.HEADS),
        ("学校和中心校", "管理员", Group.LEADERS),
        ("随迁子女家长", "家长", None),
        ("报民办小学的家长", "家长", None),
        ("未录取的小学新生家长", "家长", None),
    ],
)
def test_only_those_the_roster_can_tell_are_reminded_by_themselves(whom: str, asked: str, group: Group | None) -> None:
    files = plan(entry("one", "小学报名", "2026-09-17", whom=whom, asked=asked))
    found = [each for one in base_of(files).entries for each in announced(one, TUESDAY)]
    assert [set(each.groups) for each in found] == ([{group}] if group else [])


def test_newcomers_are_looked_for_in_the_grade_before() -> None:
    files = plan(entry("one", "小学报名", "2026-09-17", whom="小学新生家长"))
    (found,) = [each for one in base_of(files).entries for each in announced(one, TUESDAY)]
    assert [(each.group, each.grades) for each in concerned(found)] == [(Group.NEWCOMERS, (0, 0))]


def test_a_plan_that_has_ended_announces_nothing() -> None:
    base = base_of(plan(entry("one", "小学报名", "2026-09-17"), until="2026-08-31"))
    assert [each for one in base.entries for each in announced(one, TUESDAY)] == []


def test_a_long_span_is_told_at_its_end_too() -> None:
    base = base_of(plan(entry("one", "小学报名", "2026-09-10", "2026-09-17")))
    found = [each for one in base.entries for each in announced(one, TUESDAY)]
    assert [(each.id, each.day) for each in found] == [
        ("plan/one@2026#0", date(2026, 9, 10)), ("plan/one@2026#0.last", date(2026, 9, 17)),
    ]  # fmt: skip
