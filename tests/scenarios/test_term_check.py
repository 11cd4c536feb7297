"""The first days of a term in the chat: a class reported in three messages, a child looked for in five."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest

from bot.app import limiter_of, push_worker_of
from bot.clock import SHANGHAI, FrozenClock
from bot.scheduler.runner import TICKER
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Pupil, SchoolClass, Township
from handlers.term_check.domain.cases import CaseState, KnownBy, StepKind
from handlers.term_check.models import TermCheckAbsence, TermCheckReturn, TermCheckStep
from tests import factories
from tests.handlers.duties.stage import make_term
from tests.scenarios.test_hand_over import pushes
from tests.town import Town, running_town

TEACHER = "demo_h_0001"


@dataclass
class Class:
    """A town with one class in it, and its head teacher with a phone."""

    town: Town
    room: SchoolClass
    children: list[Pupil] = field(default_factory=list)

    async def says(self, text: str) -> str:
        """What the teacher reads."""
        return await self.town.person(TEACHER).says(text) or ""

    async def tick(self) -> None:
        """The job, then the worker."""
        if (run := self.town.app[TICKER].trigger("term_check.run")) is not None:
            await run
        worker = push_worker_of(self.town.app, limiter_of(self.town.app))
        while await worker.run_once():
            pass


@pytest.fixture
async def room(database_url: str, clock: FrozenClock) -> AsyncIterator[Class]:
    clock.set(datetime(2026, 9, 1, 10, tzinfo=SHANGHAI))
    async with running_town(database_url, clock) as running:
        school = await factories.make_school()
        row = await factories.make_class(school)
        teacher = await factories.make_person()
        await factories.make_appointment(AppointmentKind.HEAD_TEACHER, teacher, school_class=row)
        await factories.make_identity(TEACHER, teacher)
        await make_term(await Township.get(id=school.township_id), date(2026, 9, 1), date(2027, 1, 22))
        children = [await factories.make_pupil(row, name=name) for name in ("何若曦", "陈小满", "杨平安", "沈明禾")]
        yield Class(running, row, children)


async def test_a_class_is_reported_in_three_messages_and_a_child_followed_in_five(room: Class) -> None:
    assert "现在没有要您清点的班" in await room.says("开学清点")
    await room.tick()
    [asked] = [text for text in pushes(room.town.person(TEACHER)) if "开学清点" in text]
    assert "今天的到校情况还没有交" in asked
    assert not any(child.name in asked for child in room.children)
    assert "应到4人" in await room.says("开学清点")
    assert "名单上没有王二" in await room.says("陈小满、王二")
    assert "没到的是陈小满、杨平安，其他2人都到了" in await room.says("陈小满、杨平安。")
    said = await room.says("确认")
    assert "2人到校，还没到的2人" in said
    assert [row.counts["open"] for row in await TermCheckReturn.all()] == [2]
    told = await room.says("到校情况")
    assert "1. 杨平安" in told or "2. 杨平安" in told
    number = "1" if "1. 杨平安" in told else "2"
    assert "怎么联系的" in await room.says(number)
    assert "写一句" in await room.says("家访")
    assert "记好了" in await room.says("见到爷爷，说周四送来")
    step = await TermCheckStep.get(kind=StepKind.VISIT)
    assert step.words == "见到爷爷，说周四送来"


async def test_where_a_child_is_and_that_it_is_back(room: Class) -> None:
    await room.tick()
    for text in ("清点", "陈小满", "确认", "谁没到校", "1", "查清了去向", "跟父母在县城，周五回"):
        await room.says(text)
    assert "记好了" in await room.says("同学")
    case = await TermCheckAbsence.get()
    assert (case.state, case.where_to, case.known_by) == (CaseState.LOCATED, "跟父母在县城，周五回", KnownBy.CLASSMATE)
    for text in ("到校情况", "1"):
        await room.says(text)
    assert "陈小满已经到校" in await room.says("5")
    assert (await TermCheckAbsence.get()).state is CaseState.RETURNED
    assert "都有着落了" in await room.says("到校情况")


async def test_all_here_is_one_word_and_asks_nobody_any_more(room: Class) -> None:
    await room.tick()
    await room.says("开学清点")
    assert "4人到校，都有着落了，明天起不用再交" in await room.says("全到")
    before = len(pushes(room.town.person(TEACHER)))
    room.town.clock.advance(timedelta(days=1))
    await room.tick()
    assert len(pushes(room.town.person(TEACHER))) == before


async def test_two_of_a_name_and_leaving(room: Class) -> None:
    await factories.make_pupil(room.room, name="陈小满")
    await room.tick()
    await room.says("开学清点")
    assert "聊天里分不清" in await room.says("陈小满")
    await room.says("退出")
    assert not await TermCheckReturn.exists()


async def test_the_words_mean_nothing_to_a_family(room: Class) -> None:
    mother = await factories.make_person()
    await factories.make_guardianship(room.children[0], mother)
    await factories.make_identity("demo_g_000077", mother)
    await room.tick()
    said = await room.town.person("demo_g_000077").says("开学清点") or ""
    assert "应到" not in said
