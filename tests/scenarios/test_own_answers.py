"""Questions about one's own child: answered from what is kept of it, with the rule; strangers get the rule alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest

from bot.clock import SHANGHAI, FrozenClock
from bot.config_values import decode_key
from bot.storage.database import transaction
from handlers.accounts.domain import Account
from handlers.accounts.service.bars import BarService
from handlers.accounts.service.sessions import SessionService
from handlers.policy.models import AskedQuestion, Feedback
from tests import factories
from tests.handlers.after_school.stage import hours, pool
from tests.knowledge.gate import base
from tests.scenarios.after_school_town import Place, courses, place_of
from tests.town import OTHER_PARENT, PARENT, running_town

STRANGER = "demo_g_000003"
PLAN = "一所未写校名的学校的课后服务工作方案"


@pytest.fixture
async def place(database_url: str, clock: FrozenClock) -> AsyncIterator[Place]:
    """With the knowledge that is shipped; 林小禾 plays football."""
    async with running_town(database_url, clock, knowledge=base) as town:
        place = await place_of(town)
        await place.publish(*courses())
        for word in ("报名", "篮球", "1"):
            await place.said(word)
        yield place


@pytest.mark.parametrize("question", ["几点放学", "娃几点接", "今天几点接娃？", "林小禾几点放学", "课后服务到几点结束"])
async def test_hours_come_before_the_rule(place: Place, question: str) -> None:
    assert place.town.clock.now().astimezone(SHANGHAI).date() == date(2026, 9, 1)
    answer = await place.said(question)
    assert answer.startswith("林小禾：“篮球”星期一、三16:00–17:20，到南门接。\n今天没有课后服务的课")
    assert "17:00" in answer
    assert PLAN in answer


async def test_today_is_the_day_of_the_lesson(place: Place) -> None:
    await place.publish(pool("合唱", 9, hours=hours("2")))
    for word in ("报名", "合唱", "1"):
        await place.said(word)
    assert "今天有课，17:20结束" in await place.said("几点放学")


@pytest.mark.parametrize("question", ["报上了吗", "报上没", "我家娃报上了没有", "小禾报上了吗"])
async def test_where_the_sign_up_stands(place: Place, question: str) -> None:
    answer = await place.said(question)
    assert answer.startswith("林小禾：“篮球”已经报上。")
    assert "自愿" in answer or "申请" in answer


async def test_the_place_in_the_line(place: Place) -> None:
    await place.publish(pool("书法", 1, hours=hours("5")))
    for openid in (OTHER_PARENT, PARENT):
        for word in ("报名", "书法", "1"):
            await place.said(word, openid)
    assert "林小禾：“书法”候补，现在第1位。" in await place.said("排到第几了")


async def test_the_fee_with_its_rule(place: Place) -> None:
    answer = await place.said("钱交了没")
    assert "林小禾：“篮球”一学期300元" in answer
    assert PLAN in answer


@pytest.mark.parametrize("question", ["晚托到几点多少钱", "几点放学，多少钱", "课后服务几点结束收多少钱"])
async def test_two_matters_asked_are_two_told_and_no_waiver(place: Place, question: str) -> None:
    answer = await place.said(question)
    assert answer.startswith("林小禾：“篮球”星期一、三16:00–17:20，到南门接。\n今天没有课后服务的课")
    assert "林小禾：“篮球”一学期300元，还没有收到缴费的记录" in answer
    assert "申请" not in answer.split("\n\n")[0]
    assert PLAN in answer


async def test_somebody_elses_name_is_not_written_down(place: Place) -> None:
    for question in ("林小禾报上了吗", "林小禾几点放学", "小禾的钱交了没"):
        for openid in (OTHER_PARENT, STRANGER):
            await place.said(question, openid)
            await place.said("没用", openid)
    await place.town.log_questions()
    asked = [row.text for row in await AskedQuestion.all()] + [row.question for row in await Feedback.all()]
    assert len(asked) >= 6
    assert all("小禾" not in text for text in asked)


@pytest.mark.parametrize(
    "question", ["几点放学", "报上了吗", "钱交了没", "我家免不免", "林小禾报上了吗", "林小禾几点放学"]
)
async def test_a_stranger_gets_the_rule_alone(place: Place, question: str) -> None:
    answer = await place.said(question, STRANGER)
    assert "林小禾：" not in answer
    assert "篮球" not in answer


async def test_a_stranger_is_told_the_rule_and_the_way(place: Place) -> None:
    answer = await place.said("几点放学", STRANGER)
    assert PLAN in answer
    assert "绑定" in answer


@pytest.mark.parametrize("question", ["林小禾报上了吗", "小禾几点放学", "林小禾的钱交了没"])
async def test_another_familys_child_is_nobodys(place: Place, question: str) -> None:
    answer = await place.said(question, OTHER_PARENT)
    assert "篮球" not in answer
    assert "林小禾：" not in answer
    assert "周小川" not in answer


async def test_each_family_reads_its_own(place: Place) -> None:
    assert "林小禾" in await place.said("报上了吗")
    other = await place.said("报上了吗", OTHER_PARENT)
    assert "周小川还没有报课后服务" in other
    assert "林小禾" not in other


async def test_a_barred_adult_reads_no_more(place: Place) -> None:
    assert "林小禾" in await place.said("报上了吗")
    bars = place.machinery.services.get(BarService)
    await bars.set_bar(place.admin, str(place.child.id), reason="法院的决定", person_id=str(place.mother.id))
    for question in ("报上了吗", "林小禾报上了吗", "几点放学"):
        answer = await place.said(question)
        assert "篮球" not in answer
        assert "林小禾" not in answer


async def test_nothing_of_it_stays(place: Place) -> None:
    for question in ("林小禾报上了吗", "报上了吗", "林小禾几点放学"):
        assert "林小禾" in await place.said(question)
    await place.town.log_questions()
    rows = await AskedQuestion.all()
    assert {row.outcome for row in rows} == {"answered"}
    assert all("林小禾" not in row.text and "篮球" not in row.text for row in rows)
    shown = await (await place.town.client.get("/metrics")).text()
    assert "林小禾" not in shown
    # A cached answer would come back to whoever asks the same next.
    for openid in (STRANGER, OTHER_PARENT):
        for question in ("报上了吗", "几点放学", "课后服务到几点结束"):
            assert "篮球" not in await place.said(question, openid)


async def test_a_forged_message_reads_nothing(database_url: str, clock: FrozenClock) -> None:
    plain = {"mode": "plain", "encoding_aes_key": ""}
    async with running_town(database_url, clock, knowledge=base, wechat=plain) as town:
        place = await place_of(town)
        await place.publish(*courses())
        for question in ("报上了吗", "几点放学"):
            assert "林小禾" not in await place.said(question)


async def test_the_mini_program_says_the_same(place: Place) -> None:
    identity = await factories.make_identity("mp_demo_g_000001", place.mother, account=Account.MINI_PROGRAM)
    key = place.town.settings.security.session_key.get_secret_value()
    async with transaction():
        opened = await SessionService(place.town.clock, decode_key(key)).open_api(identity.id)
    for question in ("报上了吗", "几点放学", "课后服务多少钱"):
        body = {"text": question}
        headers = {"Authorization": f"Bearer {opened.secret}"}
        async with place.town.client.post("/api/v1/questions", json=body, headers=headers) as response:
            answer = await response.json()
        assert answer["answer"] == await place.said(question)
        assert answer["answer"].startswith("林小禾：“篮球”")
        assert (answer["outcome"], answer["citations"][0]["plan"]) == ("answered", PLAN)
        async with place.town.client.post("/api/v1/questions", json=body) as response:
            assert "林小禾" not in (await response.json())["answer"]
