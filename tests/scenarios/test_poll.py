"""Families are asked how they liked the service: told once, answered with five numbers, counted without a name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.app import limiter_of, push_worker_of
from bot.clock import FrozenClock
from handlers.after_school.models import AfterSchoolPollCount, AfterSchoolPollVoter
from handlers.after_school.service.months.polls import PollService
from handlers.after_school.texts import polls as texts
from tests.handlers.after_school.stage import pool
from tests.scenarios.after_school_town import Place, place_of
from tests.scenarios.test_hand_over import pushes
from tests.town import OTHER_PARENT, PARENT, running_town


@pytest.fixture
async def place(database_url: str, clock: FrozenClock) -> AsyncIterator[Place]:
    """林小禾 plays chess; 周小川 waits for a place."""
    async with running_town(database_url, clock) as town:
        place = await place_of(town)
        plan = await place.publish(pool("围棋", 1))
        for openid in (PARENT, OTHER_PARENT):
            for word in ("报名", "围棋", "1"):
                await place.said(word, openid)
        polls = place.machinery.services.get(PollService)
        today = clock.now().date()
        await polls.open(place.admin, plan, today + timedelta(days=3))
        await polls.open(place.admin, plan, today + timedelta(days=4))
        yield place


async def deliver(place: Place) -> None:
    worker = push_worker_of(place.town.app, limiter_of(place.town.app))
    while await worker.run_once():
        pass


async def test_who_had_a_place_is_told_once_and_answers_in_the_chat(place: Place) -> None:
    await deliver(place)
    [told] = pushes(place.town.person(PARENT))
    assert "9月5日截止" in told
    assert "回复“满意度”" in told
    assert pushes(place.town.person(OTHER_PARENT)) == []
    first = await place.said("满意度")
    assert "第1题（共5题）" in first
    assert "4. 不满意" in first
    assert "第2题" not in await place.said("很好啊")
    for number in range(2, 6):
        assert f"第{number}题（共5题）" in await place.said("2")
    assert await AfterSchoolPollVoter.all().count() == 0, "nothing is counted before the last one"
    assert await place.said("不满意") == texts.CHAT_DONE
    counts = {(row.question, row.choice): row.times for row in await AfterSchoolPollCount.filter(times__gt=0)}
    assert counts == {(key, 4 if key == list(texts.QUESTIONS)[-1] else 2): 1 for key in texts.QUESTIONS}
    assert await place.said("满意度") == texts.CHAT_NOTHING


async def test_who_has_answered_before_it_goes_out_is_not_told(place: Place) -> None:
    for word in ("满意度", *"11111"):
        await place.said(word)
    await deliver(place)
    assert pushes(place.town.person(PARENT)) == []


async def test_leaving_it_leaves_nothing_and_a_family_without_a_place_is_not_asked(place: Place) -> None:
    for word in ("满意度", "1", "退出"):
        await place.said(word)
    assert await AfterSchoolPollVoter.all().count() == 0
    assert await place.said("满意度", OTHER_PARENT) == texts.CHAT_NOTHING
    await place.said("满意度")
    place.town.clock.advance(timedelta(days=6))
    await deliver(place)
    assert await place.said("满意度") == texts.CHAT_NOTHING
    assert pushes(place.town.person(PARENT)) == []
