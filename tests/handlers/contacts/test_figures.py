"""Months counted once, against a plain recount, and what leaders and townships are shown of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, time, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.exceptions import BaseORMException, IntegrityError

from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.database import Database, transaction
from bot.storage.files import FileStore
from handlers.accounts.domain import SchoolKind
from handlers.accounts.models import Pupil
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.places import PlaceService
from handlers.calendar.service.calendars import CalendarService
from handlers.contacts.domain.clock import ClockRule, ContactDays, History, due_days
from handlers.contacts.domain.figures import (
    Counts,
    counted,
    last_of_month,
    month_before,
    months_until,
    newest_counted,
)
from handlers.contacts.domain.register import Level
from handlers.contacts.models import ContactsFile, ContactsMonth, ContactsRecord
from handlers.contacts.service.clock.building import counted_by
from handlers.contacts.service.figures.counting import MonthCounting, Places
from handlers.contacts.service.keeping.rows import reduce
from tests import factories
from tests.handlers.contacts.clock_stage import ClockStage, clock_stage, every, leave_the_staff
from tests.handlers.contacts.test_clock import grids, histories, property_test, rules
from tests.handlers.contacts.test_clock_pages import Office
from tests.handlers.contacts.test_clock_pages import office as office  # a fixture

DAY = timedelta(days=1)
NOVEMBER = date(2026, 11, 1)
COUNTED = date(2026, 12, 6)
EVERY = 10
# A month of the three schools: the second one's row is left out because of the third one's.
MONTH = ((40, 30, 25, 15), (20, 12, 14, 8), (12, 11, 9, 4))


# -------------------------------------------------------------------------------------------------------------- domain
@property_test
@given(histories(), st.lists(rules(), min_size=1, max_size=2), grids, st.integers(1, 12))
def test_a_month_comes_to_what_a_walk_through_its_days_does(
    history: History, known: list[ClockRule], days: ContactDays, number: int
) -> None:
    month = date(2026, number, 1)
    last = last_of_month(month)
    if due_days(history, known, days, last) is None:
        assert counted(history, known, days, month) is None
        return
    late, day = [], max(month, history.entered_on)
    while day <= last:
        due = due_days(history, known, days, day)
        late.append(due is not None and due.first <= day)
        day += DAY
    if history.entered_on > last:
        return
    reached = any(each.is_reached and month <= each.on <= last for each in history.contacts)
    asked = any(late) or reached
    assert counted(history, known, days, month) == Counts(1, not late[-1], asked, asked and not any(late))


def test_a_month_is_counted_when_its_last_days_have_been_written_down() -> None:
    assert newest_counted(COUNTED - DAY) == date(2026, 10, 1)
    assert newest_counted(COUNTED) == NOVEMBER
    assert newest_counted(date(2027, 1, 3)) == NOVEMBER
    assert months_until(date(2027, 1, 1), 3) == [NOVEMBER, date(2026, 12, 1), date(2027, 1, 1)]
    assert month_before(date(2027, 1, 1)) == date(2026, 12, 1)


# ------------------------------------------------------------------------------------------------------------ counting
def counting_of(clock: FrozenClock) -> MonthCounting:
    audiences, schools = AccountsAudiences(), PlaceService()
    parts = counted_by(audiences, CalendarService(schools), clock)
    return MonthCounting(parts, Places(audiences, Caring(clock), schools), clock)


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> ClockStage:
    """A township whose rule begins with November: every ten days, no visits."""
    stage = await clock_stage(clock, metrics)
    stage.at(date(2026, 10, 26), time(9))
    await stage.rule(NOVEMBER, cadence=every(EVERY))
    return stage


async def live(stage: ClockStage, children: int, random: Random) -> list[Pupil]:
    """November: children come onto the register, somebody calls, often late, and writes some of it down in December."""
    found = []
    point = await factories.make_school(stage.town, parent_id=stage.school.id, kind=SchoolKind.TEACHING_POINT)
    rooms = [stage.room, await factories.make_class(point)]
    for number in range(children):
        on = NOVEMBER + timedelta(days=random.randint(0, 20))
        stage.at(on, time(9))
        pupil = await stage.enter(Level.GREEN, room=rooms[number % 2])
        found.append(pupil)
        for _ in range(random.randint(0, 4)):
            called = on + timedelta(days=random.randint(0, 29))
            stage.at(max(called, stage.today), time(18))
            is_reached = random.random() < 0.8
            if called < date(2026, 12, 1):
                await stage.record(pupil, is_reached=is_reached, on=called, recount=False)
    return found


async def recount(pupils: Sequence[Pupil]) -> Counts:
    """By hand: no due days of ours, no calendar of ours. There is no holiday in November, only weekends."""
    total = Counts()
    for pupil in pupils:
        file = await ContactsFile.get(pupil_id=pupil.id)
        rows = await ContactsRecord.filter(pupil_id=pupil.id, superseded_by__isnull=True)
        called = {row.happened_on for row in rows if row.outcome.value == "reached"}
        late, day, base = [], file.since, file.since
        while day < date(2026, 12, 1):
            base = day if day in called else base
            due = base + timedelta(days=EVERY)
            while due.weekday() > 4:
                due += DAY
            late.append(due <= day)
            day += DAY
        asked = any(late) or bool(called)
        total += Counts(1, not late[-1], asked, asked and not any(late))
    return total


async def test_a_month_is_counted_once_and_comes_to_a_plain_recount(stage: ClockStage) -> None:
    pupils = await live(stage, 24, Random(11))
    counting = counting_of(stage.clock)
    stage.at(COUNTED - DAY, time(1, 20))
    assert await counting.count() == 0
    stage.at(COUNTED, time(1, 20))
    assert await counting.count() == 1
    [row] = await ContactsMonth.all()
    assert (row.month, row.school_id, row.township_id) == (NOVEMBER, stage.school.id, stage.town.id)
    expected = await recount(pupils)
    found = Counts(row.registered, row.covered, row.asked, row.on_time)
    assert found == expected
    assert 0 < expected.on_time < expected.asked < expected.registered == 24
    assert 0 < expected.covered < 24
    assert await counting.count() == 0


async def test_two_who_count_at_once_make_one_row(stage: ClockStage) -> None:
    await stage.enter(Level.GREEN, on=NOVEMBER)
    stage.at(COUNTED, time(1, 20))
    await asyncio.gather(*(counting_of(stage.clock).count() for _ in range(4)))
    [row] = await ContactsMonth.all()
    assert row.registered == 1
    # Not because nobody came second: without being told to pass over what is there a second row is refused.
    again = ContactsMonth(**{name: getattr(row, name) for name in row._meta.fields_map} | {"id": uuid4()})
    with pytest.raises(IntegrityError):
        await ContactsMonth.bulk_create([again])


async def test_what_was_counted_outlives_the_files_and_cannot_be_changed(stage: ClockStage, clock: FrozenClock) -> None:
    pupils = await live(stage, 6, Random(3))
    counting = counting_of(clock)
    stage.at(COUNTED, time(2))
    await counting.count()
    [before] = await ContactsMonth.all().values()
    async with transaction():
        await reduce([UUID(str(pupil.id)) for pupil in pupils], FileStore(clock), clock.now())
    assert not await ContactsRecord.all().exists()
    assert await counting.count() == 0
    assert await ContactsMonth.all().values() == [before]
    for statement in ("UPDATE contacts_month SET covered = 0", "DELETE FROM contacts_month"):
        with pytest.raises(BaseORMException, match="stays as it was counted"):
            async with transaction():
                await ContactsMonth._meta.db.execute_query(statement)


async def test_who_left_the_register_is_counted_where_they_were(stage: ClockStage) -> None:
    gone, stays, moved = [await stage.enter(Level.GREEN, on=NOVEMBER) for _ in range(3)]
    await ContactsFile.filter(pupil_id=gone.id).update(ended_on=date(2026, 11, 30))
    await ContactsFile.filter(pupil_id=stays.id).update(ended_on=date(2026, 12, 2))
    elsewhere = await factories.make_school(stage.town)
    await Pupil.filter(id=moved.id).update(school_id=elsewhere.id, school_class_id=None)
    stage.at(COUNTED, time(2))
    assert await counting_of(stage.clock).count() == 2
    rows = {row.school_id: row.registered for row in await ContactsMonth.all()}
    assert rows == {stage.school.id: 1, elsewhere.id: 1}


# --------------------------------------------------------------------------------------------------------------- pages
async def put_months(stage: ClockStage, lines: Sequence[Sequence[int]], month: date = date(2026, 8, 1)) -> list[Any]:
    """The figures of as many schools, the first one the stage's own."""
    schools = [stage.school, *[await factories.make_school(stage.town) for _ in lines[1:]]]
    now = stage.clock.now()
    for school, (registered, covered, asked, on_time) in zip(schools, lines, strict=True):
        await ContactsMonth.create(
            school_id=school.id, township_id=stage.town.id, month=month, registered=registered, covered=covered,
            asked=asked, on_time=on_time, created_at=now, updated_at=now,
        )  # fmt: skip
    return schools


async def test_a_leader_sees_the_own_school_with_definitions_and_a_drawing_that_speaks(office: Office) -> None:
    stage = office.stage
    stage.at(date(2026, 9, 8), time(9))
    _, other, _ = await put_months(stage, MONTH)
    await put_months(stage, [(20, 18, 9, 9)], date(2026, 7, 1))
    async with office.browser(stage.leader) as browser:
        page = await browser.get("/contacts/figures")
        assert browser.status == 200
        assert "家校联系统计" in await browser.get("/")
    assert "75% 30/40" in page
    assert "60% 15/25" in page
    assert "至少80% 差不到5位" in page
    assert "每次都在到期当天或以前联系上" in page
    assert 'role="img"' in page
    assert "2026年8月75% 30/40" in page
    assert other.name not in page
    assert await AuditRow.filter(action="contacts.counts", actor=str(stage.leader.id), outcome="done").count() == 1


async def test_a_township_sees_rows_and_no_small_number(office: Office) -> None:
    stage = office.stage
    stage.at(date(2026, 9, 8), time(9))
    schools = await put_months(stage, MONTH)
    async with office.browser(stage.admin) as browser:
        page = await browser.get("/contacts/figures?month=2026-08-01")
    assert all(school.name in page for school in schools)
    assert "73% 53/72" in page
    assert "75% 30/40" in page
    # The third school has one child overdue; without the second one's row left out too the total would say so.
    assert "12/20" not in page
    assert "11/12" not in page


@pytest.mark.parametrize("who", ["teacher", "head"])
async def test_teachers_see_no_figures(office: Office, who: str) -> None:
    async with office.browser(getattr(office.stage, who)) as browser:
        await browser.get("/contacts/figures")
        assert browser.status == 403


async def test_without_a_line_in_the_audit_there_are_no_figures(office: Office) -> None:
    stage = office.stage
    stage.at(date(2026, 9, 8), time(9))
    await put_months(stage, MONTH)
    async with office.browser(stage.leader) as browser:
        assert "30/40" in await browser.get("/contacts/figures")
        await AuditRow._meta.db.execute_query("ALTER TABLE audit_entry RENAME TO audit_entry_away")
        page = await browser.get("/contacts/figures")
        await AuditRow._meta.db.execute_query("ALTER TABLE audit_entry_away RENAME TO audit_entry")
        assert browser.status >= 500
        assert "30/40" not in page


async def test_whoever_is_told_of_long_overdue_contacts_finds_whom_to_ask(office: Office) -> None:
    stage = office.stage
    stage.at(date(2026, 9, 1), time(9))
    await stage.rule(cadence=every(5))
    pupil = await stage.enter(Level.RED, stage.teacher)
    while not stage.heard(stage.leader) and stage.today < date(2026, 10, 20):
        await stage.morning()
    paths = {told.person_id: told.path for told in stage.told}
    assert stage.heard(stage.leader)
    assert paths[str(stage.leader.id)] == "/admin/contacts/figures"
    assert paths[str(stage.lead.id)] == "/admin/contacts/overview"
    async with office.browser(stage.leader) as browser:
        page = await browser.get("/contacts/figures")
        assert f"请今天问清情况：{stage.teacher.name}。" in page
        assert pupil.name not in page
    async with office.browser(stage.lead) as browser:
        assert pupil.name in await browser.get("/contacts/overview")
        assert "请今天问清情况" not in await browser.get("/contacts/figures")


async def test_a_township_is_shown_the_schools_where_nobody_answers(office: Office) -> None:
    stage = office.stage
    stage.at(date(2026, 9, 1), time(9))
    await stage.rule(cadence=every(5))
    await stage.enter(Level.RED, stage.teacher)
    for person in (stage.teacher, stage.lead, stage.leader, stage.head):
        await leave_the_staff(person, date(2026, 9, 3))
    while not stage.heard(stage.admin) and stage.today < date(2026, 10, 20):
        await stage.morning()
    assert stage.heard(stage.admin)
    async with office.browser(stage.admin) as browser:
        page = await browser.get("/contacts/figures")
        assert f"还没有人负责：{stage.school.name}。" in page
        await browser.get("/staff")
        assert browser.status == 200
