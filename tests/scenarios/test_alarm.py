"""A child writes at night that it wants to die: answered at once, and people are told until one says that they act."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from bot.app import limiter_of, push_worker_of, worker_of
from bot.clock import SHANGHAI, FrozenClock
from bot.emulator.follower import Follower
from bot.scheduler.runner import TICKER
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, Pupil
from knowledge.safety import Alarm
from knowledge.texts import ALARMS
from tests.factories import (
    make_appointment,
    make_class,
    make_guardianship,
    make_identity,
    make_person,
    make_pupil,
    make_school,
)
from tests.scenarios.test_hand_over import pushes
from tests.town import OWNER, Town, running_town

NIGHT = datetime(2026, 9, 1, 23, 40, tzinfo=SHANGHAI)
CHILD = "demo_g_000001"
LADDER = {
    AppointmentKind.DUTY: "demo_a_0011",
    AppointmentKind.PROTECTION_LEAD: "demo_a_0012",
    AppointmentKind.SCHOOL_LEADER: "demo_a_0013",
    AppointmentKind.TOWNSHIP_ADMINISTRATOR: "demo_a_0014",
}
DESPAIR = "我不想活了"


@dataclass
class Village:
    """A town with a school whose people have phones."""

    town: Town
    pupil: Pupil
    people: dict[AppointmentKind, Person]

    def phone(self, kind: AppointmentKind) -> Follower:
        """Of somebody on the ladder."""
        return self.town.person(LADDER[kind])

    def told(self) -> list[AppointmentKind]:
        """Who has got a message of an alarm."""
        return [kind for kind in LADDER if any("紧急事项" in text for text in pushes(self.phone(kind)))]

    async def wait(self, minutes: int) -> None:
        """Time passes with the job and the worker at their pace."""
        for _ in range(minutes * 2):
            self.town.clock.advance(timedelta(seconds=30))
            await self.tick()

    async def tick(self) -> None:
        """The job, then the workers."""
        if (run := self.town.app[TICKER].trigger("alarms.climb")) is not None:
            await run
        limiter = limiter_of(self.town.app)
        for worker in (worker_of(self.town.app, limiter), push_worker_of(self.town.app, limiter)):
            while await worker.run_once():
                pass


@pytest.fixture
async def village(database_url: str) -> AsyncIterator[Village]:
    async with running_town(database_url, FrozenClock(NIGHT)) as town:
        school = await make_school()
        room = await make_class(school)
        pupil = await make_pupil(room, name="林小满")
        people = {}
        for kind, openid in LADDER.items():
            people[kind] = await make_person()
            is_town = kind is AppointmentKind.TOWNSHIP_ADMINISTRATOR
            await make_appointment(kind, people[kind], school=school) if not is_town else await make_appointment(
                kind, people[kind], township=await school.township
            )
            await make_identity(openid, people[kind])
            await town.person(openid).says("帮助")
        guardian = await make_person()
        await make_guardianship(pupil, guardian)
        await make_identity(CHILD, guardian)
        yield Village(town, pupil, people)


async def test_a_child_in_despair_is_answered_at_once_and_the_ladder_is_climbed_until_somebody_acts(
    village: Village,
) -> None:
    child, kinds = village.town.person(CHILD), list(LADDER)
    assert await child.says(DESPAIR) == ALARMS[Alarm.SELF_HARM] + "\n我已经告诉值班老师（编号1）。"
    await village.tick()
    assert village.told() == kinds[:1], "at 23:40, in the quiet hours"
    await village.wait(9)
    assert village.told() == kinds[:1]
    await village.wait(1)
    assert village.told() == kinds[:2], "at 23:50"
    lead = village.phone(AppointmentKind.PROTECTION_LEAD)
    [text] = [text for text in pushes(lead) if "紧急" in text]
    assert not any(word in text for word in ("林小满", "不想活", "自杀", "孩子"))
    assert "1号由您跟进" in (await lead.says("接手 1") or "")
    await village.wait(60)
    assert village.told() == kinds[:2]
    for kind in kinds[:2]:
        assert len([text for text in pushes(village.phone(kind)) if "紧急" in text]) == 1, "nobody is told twice"


async def test_nobody_answers_and_everybody_on_the_ladder_has_been_told_within_half_an_hour(village: Village) -> None:
    await village.town.person(CHILD).says(DESPAIR)
    await village.tick()
    await village.wait(30)
    assert village.told() == list(LADDER)


async def test_somebody_on_duty_who_takes_the_matter_on_answers_the_alarm(village: Village) -> None:
    await village.town.person(CHILD).says(DESPAIR)
    await village.tick()
    duty = village.phone(AppointmentKind.DUTY)
    assert "紧急" in (await duty.says("待办") or "")
    assert "由您办" in (await duty.says("受理 1") or "")
    await village.wait(30)
    assert village.told() == [AppointmentKind.DUTY]


async def test_those_on_duty_by_the_settings_get_a_letter_when_they_are_nobody_we_know(village: Village) -> None:
    owner = village.town.person(OWNER)
    await owner.says("帮助")
    await village.town.person(CHILD).says(DESPAIR)
    await village.tick()
    [text] = [text for text in pushes(owner) if "紧急" in text]
    assert text.startswith("【紧急】1号，可能关系到孩子安全")


async def test_those_on_duty_by_the_settings_whom_we_know_get_the_alarm_and_no_letter(village: Village) -> None:
    known = await make_person()
    await make_identity(OWNER, known)
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, known, school_class=await make_class())
    owner = village.town.person(OWNER)
    await owner.says("帮助")
    await village.town.person(CHILD).says(DESPAIR)
    await village.tick()
    [text] = [text for text in pushes(owner) if "紧急" in text]
    assert "接手 1" in text
    assert "1号由您跟进" in (await owner.says("接手 1") or "")


async def test_the_words_mean_nothing_to_others(village: Village) -> None:
    child = village.town.person(CHILD)
    await child.says(DESPAIR)
    for words in ("接手 1", "紧急事项"):
        reply = await child.says(words) or ""
        assert "跟进" not in reply
        assert "等人接手" not in reply
    assert "1号（9月1日23:40，等人接手）" in (await village.phone(AppointmentKind.DUTY).says("紧急事项") or "")
    assert "没有这个编号" in (await village.phone(AppointmentKind.DUTY).says("接手 99") or "")
