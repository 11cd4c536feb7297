"""The calendars over a real database: reading, changing with a look before, and being loud about what is missing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime
from uuid import uuid4

import pytest

from bot.audit.models import AuditRow
from bot.clock import SHANGHAI, FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.identity import Role
from bot.metrics import Metrics
from bot.storage.database import transaction
from handlers.accounts.service.places import PlaceService
from handlers.calendar.domain import Effect, Holiday, LocalDay, LocalKind, Term, TermsOverlap, YearTable
from handlers.calendar.service.calendars import CalendarService
from handlers.calendar.service.editing import CalendarChanged
from handlers.calendar.service.keeping import read_town, write_town
from handlers.calendar.service.tables import shipped
from handlers.calendar.service.town import (
    Owner,
    PutDays,
    PutTerm,
    PutWeek,
    PutYear,
    RemoveDays,
    RemoveTerm,
)
from tests import factories
from tests.handlers.calendar.conftest import AUTUMN, HARVEST, SPRING, Planner, Stage, staff

NOTICE_2027 = YearTable(
    2027,
    "国务院办公厅关于2027年部分节假日安排的通知（样例）",
    (
        Holiday(date(2027, 1, 1), date(2027, 1, 3), "元旦"),
        Holiday(date(2027, 5, 1), date(2027, 5, 5), "劳动节"),
        Holiday(date(2027, 10, 1), date(2027, 10, 7), "国庆节"),
    ),
    (date(2027, 1, 9),),
)


# -------------------------------------------------------------------------------------------------------------- reading
async def test_a_school_has_the_township_s_terms_until_it_has_its_own(stage: Stage) -> None:
    own = Term(date(2026, 8, 28), date(2027, 1, 15), "本校秋季学期")
    await stage.do(PutTerm(stage.everywhere, SPRING))
    await stage.do(PutTerm(stage.own, own), stage.leader)
    school, other = await stage.calendars.of(str(stage.school.id)), await stage.calendars.of(str(stage.other.id))
    assert school.terms == (own, SPRING)
    assert other.terms == (AUTUMN, SPRING)
    assert (await stage.calendars.of(None)).terms == other.terms
    assert school.is_school_day(date(2026, 8, 28))
    assert not other.is_school_day(date(2026, 8, 28))


async def test_local_days_and_weeks_of_a_school_are_its_own(stage: Stage) -> None:
    open_market = LocalDay(date(2026, 10, 13), date(2026, 10, 13), LocalKind.EXAM, Effect.ON, "月考")
    await stage.do(PutDays(stage.everywhere, HARVEST))
    await stage.do(PutDays(stage.own, open_market), stage.leader)
    await stage.do(PutWeek(stage.own, frozenset(range(1, 7))), stage.leader)
    school, other = await stage.calendars.of(str(stage.school.id)), await stage.calendars.of(str(stage.other.id))
    assert [school.is_school_day(date(2026, 10, day)) for day in (12, 13, 14, 17)] == [False, True, False, True]
    assert [other.is_school_day(date(2026, 10, day)) for day in (12, 13, 14, 17)] == [False, False, False, False]
    await stage.do(PutWeek(stage.own, None), stage.leader)
    assert not (await stage.calendars.of(str(stage.school.id))).is_school_day(date(2026, 10, 17))


async def test_the_version_rises_with_every_change_and_is_the_same_for_all_processes(stage: Stage) -> None:
    elsewhere = stage.again()
    seen = [await stage.calendars.version()]
    days = LocalDay(date(2026, 11, 6), date(2026, 11, 6), LocalKind.MARKET, Effect.OFF, "赶集")
    for change in (
        PutTerm(stage.everywhere, SPRING),
        PutDays(stage.own, days),
        PutWeek(stage.everywhere, frozenset({1, 2, 3, 4, 5, 6})),
        PutYear(stage.everywhere, 2027, NOTICE_2027),
        PutYear(stage.everywhere, 2027, None),
    ):
        before = await elsewhere.calendars.of(str(stage.school.id))
        assert before.version == seen[-1]
        await stage.do(change)
        seen.append(await stage.calendars.version())
        after = await elsewhere.calendars.of(str(stage.school.id))
        assert after.version == seen[-1] == (await stage.calendars.of(None)).version
        assert after is not before
        assert await elsewhere.calendars.of(str(stage.school.id)) is after
    assert seen == sorted(set(seen))


async def test_a_release_with_another_table_raises_the_version_too(stage: Stage) -> None:
    later = stage.again({**shipped(), 2027: replace(NOTICE_2027)})
    assert await later.calendars.version() == await stage.calendars.version() + 1
    day = date(2027, 1, 9)
    assert (await later.calendars.of(None)).is_school_day(day)
    assert not (await stage.calendars.of(None)).is_school_day(day)
    assert (await stage.calendars.of(None)).is_provisional(day)
    assert not (await later.calendars.of(None)).is_provisional(day)


async def test_what_nobody_has_is_not_found_and_without_a_township_there_is_no_term(stage: Stage) -> None:
    for wrong in (str(uuid4()), "x"):
        with pytest.raises(NotFound):
            await stage.calendars.of(wrong)


async def test_before_anything_is_founded_the_calendar_is_empty(database: object) -> None:
    calendars = CalendarService(PlaceService())
    calendar = await calendars.of(None)
    assert calendar.terms == ()
    assert calendar.nth_school_day(date(2026, 9, 1), 3) is None
    await factories.make_township()
    assert (await calendars.of(None)).terms == ()


# ------------------------------------------------------------------------------------------------------------- changing
async def test_a_look_tells_days_and_messages_and_changes_nothing(stage: Stage) -> None:
    planner = Planner()
    stage.calendars.add_dependents(planner)
    preview = await stage.editing.preview(stage.admin, PutDays(stage.everywhere, HARVEST))
    (found,) = preview.differences
    assert set(found.schools) == {"柳庄小学", "河口小学"}
    assert found.lost == (date(2026, 10, 12), date(2026, 10, 13), date(2026, 10, 14))
    assert found.gained == ()
    assert (preview.moved and preview.moved.messages) == 7
    (changes,) = planner.asked
    assert {change.school_id for change in changes} == {None, str(stage.school.id), str(stage.other.id)}
    assert all(change.before.is_school_day(date(2026, 10, 12)) for change in changes)
    assert not any(change.after.is_school_day(date(2026, 10, 12)) for change in changes)
    assert (await stage.calendars.of(None)).is_school_day(date(2026, 10, 12))


async def test_a_look_at_a_school_s_change_is_about_that_school(stage: Stage) -> None:
    preview = await stage.editing.preview(stage.leader, PutDays(stage.own, HARVEST))
    assert [found.schools for found in preview.differences] == [("柳庄小学",)]
    assert preview.moved is None


async def test_schools_that_change_otherwise_stand_apart(stage: Stage) -> None:
    own = LocalDay(date(2026, 10, 13), date(2026, 10, 13), LocalKind.EXAM, Effect.ON, "月考")
    await stage.do(PutDays(stage.own, own), stage.leader)
    preview = await stage.editing.preview(stage.admin, PutDays(stage.everywhere, HARVEST))
    assert {found.schools: len(found.lost) for found in preview.differences} == {("柳庄小学",): 2, ("河口小学",): 3}


async def test_who_looked_at_an_older_calendar_looks_again(stage: Stage) -> None:
    seen = (await stage.editing.preview(stage.admin, PutTerm(stage.everywhere, SPRING))).changes
    await stage.editing.save(stage.leader, PutDays(stage.own, HARVEST), seen)
    with pytest.raises(CalendarChanged):
        await stage.editing.save(stage.admin, PutTerm(stage.everywhere, SPRING), seen)
    assert (await stage.calendars.of(None)).terms == (AUTUMN,)


async def test_of_two_at_once_one_is_told_to_look_again(stage: Stage) -> None:
    seen = (await stage.editing.preview(stage.admin, PutTerm(stage.everywhere, SPRING))).changes
    days = [LocalDay(date(2026, 11, n), date(2026, 11, n), LocalKind.MARKET, Effect.OFF, "赶集") for n in range(2, 7)]
    results = await asyncio.gather(
        *(stage.editing.save(stage.admin, PutDays(stage.everywhere, one), seen) for one in days),
        return_exceptions=True,
    )
    assert [type(result) for result in results].count(CalendarChanged) == len(days) - 1
    assert results.count(None) == 1
    assert (await stage.editing.preview(stage.admin, PutTerm(stage.everywhere, SPRING))).changes == seen + 1


@pytest.mark.engine("postgres")
async def test_without_the_lock_two_at_once_would_both_find_what_they_looked_at(stage: Stage) -> None:
    """The control: what `hold_town` is for. On SQLite there is one writer anyhow."""
    both_have_read = asyncio.Barrier(2)

    async def careless() -> int:
        async with transaction():
            town = await read_town(str(stage.town.id))
            await both_have_read.wait()
            await write_town(town, replace(town), stage.clock.now())
        return town.changes

    assert list(await asyncio.gather(careless(), careless())) == [1, 1]
    assert (await read_town(str(stage.town.id))).changes == 2, "one of the two changes is not counted"


async def test_terms_and_days_are_changed_and_removed(stage: Stage) -> None:
    place = await stage.desk.township(stage.admin, str(stage.town.id))
    (term,) = (await stage.desk.sheet(place)).terms
    longer = replace(AUTUMN, last_day=date(2027, 1, 29))
    await stage.do(PutTerm(stage.everywhere, longer, term.id))
    await stage.do(PutDays(stage.everywhere, HARVEST))
    sheet = await stage.desk.sheet(place)
    assert [one.term for one in sheet.terms] == [longer]
    (days,) = sheet.days
    await stage.do(PutDays(stage.everywhere, replace(HARVEST, name="秋收假"), days.id))
    assert [one.local.name for one in (await stage.desk.sheet(place)).days] == ["秋收假"]
    await stage.do(RemoveDays(stage.everywhere, days.id))
    await stage.do(RemoveTerm(stage.everywhere, term.id))
    sheet = await stage.desk.sheet(place)
    assert (sheet.terms, sheet.days) == ((), ())


async def test_what_is_another_s_cannot_be_changed_through_one_s_own(stage: Stage) -> None:
    place = await stage.desk.township(stage.admin, str(stage.town.id))
    (term,) = (await stage.desk.sheet(place)).terms
    for change in (
        RemoveTerm(stage.own, term.id),
        PutTerm(stage.own, SPRING, term.id),
        RemoveDays(stage.own, str(uuid4())),
        PutDays(stage.own, HARVEST, str(uuid4())),
        PutYear(stage.everywhere, 2026, None),
    ):
        with pytest.raises(NotFound):
            await stage.editing.preview(stage.admin, change)
    with pytest.raises(TermsOverlap):
        await stage.editing.preview(stage.admin, PutTerm(stage.everywhere, replace(SPRING, first_day=AUTUMN.last_day)))


async def test_a_year_s_table_that_was_entered_outweighs_the_shipped_one(stage: Stage) -> None:
    assert (await stage.calendars.of(None)).is_provisional(date(2027, 1, 4))
    await stage.do(PutYear(stage.everywhere, 2027, NOTICE_2027))
    calendar = await stage.calendars.of(str(stage.school.id))
    assert calendar.is_school_day(date(2027, 1, 9))
    assert not calendar.is_provisional(date(2027, 1, 9))
    place = await stage.desk.township(stage.admin, str(stage.town.id))
    view = await stage.desk.year(place, 2027)
    assert (view.table, view.is_own, view.is_shipped) == (NOTICE_2027, True, False)
    await stage.do(PutYear(stage.everywhere, 2026, replace(shipped()[2026], make_up_days=())))
    assert not (await stage.calendars.of(None)).is_school_day(date(2026, 9, 20))
    await stage.do(PutYear(stage.everywhere, 2026, None))
    assert (await stage.calendars.of(None)).is_school_day(date(2026, 9, 20))


async def test_a_change_is_written_down_with_who_and_whose(stage: Stage) -> None:
    await stage.do(PutDays(stage.own, HARVEST), stage.leader)
    row = await AuditRow.filter(action="calendar.edit").get()
    assert (row.subject, row.school, row.fields_seen) == (
        f"school:{stage.school.id}",
        str(stage.school.id),
        ["local_days"],
    )
    row = await AuditRow.filter(action="calendar.town").get()
    assert (row.subject, row.fields_seen) == (f"township:{stage.town.id}", ["term"])


async def test_rights_reach_as_far_as_the_table_says(stage: Stage) -> None:
    elsewhere = await factories.make_school()
    foreign = Owner(str(elsewhere.township_id), str(elsewhere.id))
    other = Owner(str(stage.town.id), str(stage.other.id))
    for actor, owner in ((stage.leader, other), (stage.leader, foreign), (stage.admin, foreign)):
        with pytest.raises(NotFound):
            await stage.editing.preview(actor, PutDays(owner, HARVEST))
        with pytest.raises(NotFound):
            await stage.editing.save(actor, PutDays(owner, HARVEST), 0)
    with pytest.raises(NotPermitted):
        await stage.editing.preview(stage.leader, PutDays(stage.everywhere, HARVEST))
    teacher = staff(Role.TEACHER, classes=frozenset({str(uuid4())}))
    with pytest.raises(NotPermitted):
        await stage.editing.preview(teacher, PutDays(stage.own, HARVEST))
    assert [town.name for town in await stage.desk.places(teacher)]
    assert not (await stage.desk.school(teacher, str(stage.school.id))).can_edit


# ---------------------------------------------------------------------------------------------- what is missing is loud
def at(clock: FrozenClock, month: int, day: int, year: int = 2026) -> None:
    clock.set(datetime(year, month, day, 8, 0, tzinfo=SHANGHAI))


def measured(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("xiangxiao_calendar_years_missing")


def warned(caplog: pytest.LogCaptureFixture) -> int:
    """How often the log said that a year has no table."""
    return [(line.levelname, line.message) for line in caplog.records].count(("WARNING", "calendar_years_missing"))


async def test_a_year_without_a_table_is_loud_from_november_on(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    at(stage.clock, 10, 31)
    await stage.watch.look()
    assert measured(stage.metrics) == 0
    assert await stage.watch.todos_of(stage.admin) == []
    at(stage.clock, 11, 1)
    caplog.clear()
    await stage.watch.look()
    await stage.watch.look()
    assert warned(caplog) == 1
    assert measured(stage.metrics) == 1
    (todo,) = await stage.watch.todos_of(stage.admin)
    assert todo.is_urgent
    assert "2027年" in todo.title
    at(stage.clock, 11, 2)
    await stage.watch.look()
    assert warned(caplog) == 2, "every day anew"
    assert await stage.watch.todos_of(stage.leader) == []


async def test_it_stays_loud_in_the_year_itself_and_falls_silent_with_the_table(stage: Stage) -> None:
    await stage.do(PutTerm(stage.everywhere, SPRING))
    at(stage.clock, 1, 5, 2027)
    assert [todo.is_urgent for todo in await stage.watch.todos_of(stage.admin)] == [True]
    await stage.do(PutYear(stage.everywhere, 2027, NOTICE_2027))
    assert await stage.watch.todos_of(stage.admin) == []
    await stage.watch.look()
    assert measured(stage.metrics) == 0


async def test_a_coming_term_that_is_not_stated_is_asked_for(stage: Stage) -> None:
    await stage.do(PutYear(stage.everywhere, 2027, NOTICE_2027))
    at(stage.clock, 12, 22)
    assert await stage.watch.todos_of(stage.admin) == []
    at(stage.clock, 12, 24)
    (todo,) = await stage.watch.todos_of(stage.admin)
    assert todo.path == f"/calendar/townships/{stage.town.id}/terms"
    assert not todo.is_urgent
    await stage.do(PutTerm(stage.everywhere, SPRING))
    assert await stage.watch.todos_of(stage.admin) == []


async def test_another_township_s_lack_is_not_shown(stage: Stage) -> None:
    await factories.make_township()
    at(stage.clock, 11, 20)
    assert len(await stage.watch.todos_of(stage.admin)) == 1
    await stage.watch.look()
    assert measured(stage.metrics) == 2
