"""Recurring work in the chat: reminded in the morning, listed, ticked off with a number and a word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from bot.app import limiter_of, push_worker_of
from bot.clock import FrozenClock
from bot.scheduler.runner import TICKER
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Township
from handlers.duties.domain import TaskState
from handlers.duties.models import DutyTask
from tests.factories import make_appointment, make_class, make_identity, make_person, make_school
from tests.handlers.duties.stage import make_term
from tests.scenarios.test_hand_over import pushes
from tests.town import PARENT, Town, running_town

TEACHER = "demo_h_0001"


@pytest.fixture
async def town(database_url: str, clock: FrozenClock) -> AsyncIterator[Town]:
    async with running_town(database_url, clock) as running:
        school = await make_school()
        room = await make_class(school)
        teacher = await make_person()
        await make_appointment(AppointmentKind.HEAD_TEACHER, teacher, school_class=room)
        await make_identity(TEACHER, teacher)
        await make_term(await Township.get(id=school.township_id), date(2026, 9, 1), date(2027, 1, 22))
        yield running


async def tick(town: Town) -> None:
    """The job, then the worker."""
    if (run := town.app[TICKER].trigger("duties.plan")) is not None:
        await run
    worker = push_worker_of(town.app, limiter_of(town.app))
    while await worker.run_once():
        pass


async def test_a_head_teacher_is_reminded_and_ticks_the_roster_check_off(town: Town) -> None:
    teacher = town.person(TEACHER)
    assert "没有要办的定期工作" in (await teacher.says("我的任务") or "")
    await tick(town)
    await tick(town)
    [text] = [text for text in pushes(teacher) if "定期工作" in text]
    assert "开学核对班级名单" in text
    assert "9月7日" in text
    assert "1. 开学核对班级名单" in (await teacher.says("我的任务") or "")
    assert "回复“好了”记下" in (await teacher.says("1") or "")
    assert "办好了" in (await teacher.says("两人转走，已改") or "")
    task = await DutyTask.get(rule__shipped="roster_check")
    assert (task.state, task.note) == (TaskState.DONE, "两人转走，已改")
    assert "没有要办的定期工作" in (await teacher.says("我的任务") or "")
    town.clock.advance(timedelta(days=20))
    await teacher.says("帮助")
    await tick(town)
    assert len([text for text in pushes(teacher) if "核对班级名单" in text]) == 1


async def test_one_word_is_enough_and_leaving_ticks_nothing_off(town: Town) -> None:
    teacher = town.person(TEACHER)
    await teacher.says("帮助")
    await tick(town)
    await teacher.says("我的任务")
    assert "先不办了" in (await teacher.says("退出") or "")
    assert (await DutyTask.get(rule__shipped="roster_check")).state is TaskState.OPEN
    await teacher.says("我的任务")
    await teacher.says("1")
    await teacher.says("好了")
    task = await DutyTask.get(rule__shipped="roster_check")
    assert (task.state, task.note) == (TaskState.DONE, None)


async def test_the_words_mean_nothing_to_parents(town: Town) -> None:
    reply = await town.person(PARENT).says("我的任务") or ""
    assert "定期工作" not in reply
