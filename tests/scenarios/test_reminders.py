"""Somebody asks to be reminded, and is; a head teacher reminds a class; dates of the knowledge come by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, time
from typing import Any, cast

import pytest

from bot.app import ASSEMBLY
from bot.clock import SHANGHAI, FrozenClock
from bot.delivery.models import OutboxMessage, OutboxPush
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Pupil
from handlers.calendar.domain import Term
from handlers.calendar.service.founding import put_calendar
from handlers.reminders.models import ClassReminder, OwnReminder
from handlers.reminders.service.letters import OwnLetters
from handlers.reminders.service.planner import ReminderPlanner
from tests import factories
from tests.handlers.reminders.content import base_of, entry, plan
from tests.town import PARENT, Town, running_town

TEACHER = "demo_h_0001"
DATES = plan(
    entry("enrol", "小学报名", "2026-09-17"),
    entry("lottery", "电脑派位", "2026-09-24", whom="报民办小学的家长"),
    entry("past", "新生体检", "2026-08-20"),
)


@pytest.fixture
async def town(database_url: str, clock: FrozenClock) -> AsyncIterator[Town]:
    """With dates that are still to come."""
    async with running_town(database_url, clock, knowledge=lambda: base_of(DATES)) as running:
        yield running


async def school_of_the_town(town: Town) -> Pupil:
    """A class with a head teacher and one child, whose mother has a phone."""
    township = await factories.make_township(name="柳溪镇", county="青石县")
    await put_calendar(township.id, [Term(date(2026, 9, 1), date(2027, 1, 22), "上学期")], [], town.clock.now())
    school = await factories.make_school(township, name="柳溪小学")
    school_class = await factories.make_class(school)
    pupil = await factories.make_pupil(school_class, name="林小禾")
    mother, teacher = await factories.make_person(name="林安"), await factories.make_person(name="沈老师")
    await factories.make_guardianship(pupil, mother)
    await factories.make_identity(PARENT, mother)
    await factories.make_identity(TEACHER, teacher)
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, teacher, school=school, school_class=school_class)
    return pupil


async def said(town: Town, *words: str, openid: str = PARENT) -> str:
    """The last reply."""
    reply = None
    for word in words:
        reply = await town.person(openid).says(word)
    assert reply is not None
    assert len(reply.encode()) <= 2048
    return reply


def planner(town: Town) -> ReminderPlanner:
    """The application's."""
    return cast("ReminderPlanner", runner(town, "reminders.plan"))


def letters(town: Town) -> OwnLetters:
    """The application's."""
    return cast("OwnLetters", runner(town, "reminders.letters"))


def runner(town: Town, job_id: str) -> Any:
    """Whose method a job runs."""
    return next(getattr(job.run, "__self__", None) for job in town.app[ASSEMBLY].jobs if job.id == job_id)


def at(month: int, day: int, hour: int = 18) -> datetime:
    return datetime.combine(date(2026, month, day), time(hour), SHANGHAI)


async def test_a_guardian_is_reminded_of_an_answer(town: Town) -> None:
    await school_of_the_town(town)
    assert "9月17日" in await said(town, "小学报名是哪天", "提醒我")
    assert "早就记着" in await said(town, "小学报名是哪天", "提醒我")
    assert "小学报名" in await said(town, "我的提醒")
    town.clock.set(at(9, 16, 8))
    await planner(town).tick()
    rules = {str(rule) for rule in await OutboxPush.all().values_list("rule", flat=True)}
    assert rules == {"knowledge.1", "knowledge.3", "own.1", "own.0"}
    assert "取消了" in await said(town, "取消提醒1")
    assert await OwnReminder.all().count() == 0
    assert "还没有让我提醒" in await said(town, "我的提醒")


async def test_a_follower_nobody_knows_is_reminded_by_letter(town: Town) -> None:
    reply = await said(town, "提醒我 9月3日 交材料")
    assert "48 小时" in reply
    row = await OwnReminder.get()
    assert row.person_id is None
    assert row.openid == PARENT
    await letters(town).tick()
    await letters(town).tick()
    assert await OutboxMessage.filter(reason="reminder_letter").count() == 2
    town.clock.set(at(9, 2, 19))
    await town.deliver()
    assert "交材料" in (town.person(PARENT).last_reply or "")


async def test_a_cancelled_letter_is_not_sent(town: Town) -> None:
    await said(town, "提醒我 9月3日 交材料")
    await letters(town).tick()
    await said(town, "取消提醒1")
    town.clock.set(at(9, 2, 19))
    await town.deliver()
    statuses = set(await OutboxMessage.filter(reason="reminder_letter").values_list("status", flat=True))
    assert "sent" not in {str(status) for status in statuses}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("提醒我",), "先问我一件有日期的事"),
        (("新生体检是哪天", "提醒我"), "没有还没到的日期"),
        (("提醒我 8月20日 交材料",), "已经过了"),
        (("提醒我 明天 带低保证",), "低保"),
        (("取消提醒9",), "没有这一条"),
    ],
)
async def test_what_cannot_be_reminded_of_says_how_to_go_on(town: Town, words: tuple[str, ...], answer: str) -> None:
    assert answer in await said(town, *words)
    assert await OwnReminder.all().count() == 0


async def test_a_question_about_a_reminder_stays_a_question(town: Town) -> None:
    await said(town, "提醒我明天报名要带什么")
    assert await OwnReminder.all().count() == 0


async def test_a_head_teacher_reminds_the_class(town: Town) -> None:
    await school_of_the_town(town)
    preview = await said(town, "提醒三(2)班 周五 带跳绳", openid=TEACHER)
    assert "不是三年级2班的班主任" in preview
    preview = await said(town, "提醒三(1)班 周五 带跳绳", openid=TEACHER)
    for must in ("1 位家长", "9月4日（周五）", "带跳绳", "9月3日（周四）18:00"):
        assert must in preview
    assert await ClassReminder.all().count() == 0
    assert "定好了" in await said(town, "确认", openid=TEACHER)
    town.clock.set(at(9, 2, 20))
    await planner(town).tick()
    push = await OutboxPush.get(reason="reminder:class")
    assert push.not_before == at(9, 3)
    assert "带跳绳" in await said(town, "班级提醒", openid=TEACHER)
    assert "取消了" in await said(town, "取消班级提醒1", openid=TEACHER)
    assert str((await OutboxPush.get(reason="reminder:class")).status) == "not_needed"


async def test_a_class_is_not_reminded_without_confirmation(town: Town) -> None:
    await school_of_the_town(town)
    assert "没有发" in await said(town, "提醒三(1)班 周五 带跳绳", "不发", openid=TEACHER)
    assert await ClassReminder.all().count() == 0


async def test_a_guardian_cannot_remind_a_class(town: Town) -> None:
    await school_of_the_town(town)
    await said(town, "提醒三(1)班 周五 带跳绳", "确认")
    assert await ClassReminder.all().count() == 0


async def test_families_are_reminded_of_dates_that_concern_them_by_themselves(town: Town) -> None:
    await school_of_the_town(town)
    town.clock.set(at(9, 14, 8))
    await planner(town).tick()
    pushes = await OutboxPush.all()
    assert [(push.rule, push.occurrence) for push in pushes] == [("knowledge.3", "plan/enrol@2026#0|3")]
    town.clock.set(at(9, 21, 8))
    await planner(town).tick()
    assert await OutboxPush.filter(occurrence__contains="lottery").count() == 0, "nobody knows who drew a lot"
