"""Families sign up, wait, answer an offer, leave and opt out, all in the chat."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.config_values import decode_key
from handlers.accounts.domain import Account
from handlers.accounts.service.sessions import SessionService
from handlers.after_school.domain.draw import number_of
from handlers.after_school.domain.offers import Window
from handlers.after_school.domain.plans import Selection
from handlers.after_school.domain.statements import Source, Wish
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import AfterSchoolDraw, AfterSchoolEnrolment, AfterSchoolPool, AfterSchoolStatement
from handlers.after_school.service.drawing.holding import DrawingService
from tests import factories
from tests.handlers.after_school.stage import pool
from tests.scenarios.after_school_town import CLAUSE, Place, courses, place_of
from tests.town import OTHER_PARENT, PARENT, Town

STRANGER = "demo_g_000003"
S = EnrolmentState


@pytest.fixture
async def place(town: Town) -> Place:
    return await place_of(town)


async def states(title: str) -> list[EnrolmentState]:
    rows = AfterSchoolEnrolment.filter(programme__title=title).order_by("turn", "created_at")
    return [row.state for row in await rows]


async def test_a_parent_reads_before_signing_up(place: Place) -> None:
    await place.publish(*courses())
    listed = await place.said("报名")
    assert "林小禾" in listed
    assert "篮球　星期一、三16:00–17:20　还剩20个　一学期300元" in listed
    assert "围棋" in listed
    assert "机器人" not in listed
    number = next(line for line in listed.splitlines() if "篮球" in line).partition(".")[0]
    told = await place.said(number)
    for word in ("星期一、三16:00–17:20", "操场", "南门", CLAUSE, "自愿", "退报", "0555-6210000", "确认报名"):
        assert word in told
    assert await AfterSchoolEnrolment.all().count() == 0
    assert "请回复“1”确认报名" in await place.said("嗯嗯好像可以")
    assert "报上了：林小禾，“篮球”" in await place.said("1")
    (row,) = await AfterSchoolEnrolment.all()
    assert (row.state, row.source, row.pupil_id) == (S.ENROLLED, Source.CHAT, place.child.id)
    assert "已经报上" in await place.said("我的报名")


async def test_no_is_no(place: Place) -> None:
    await place.publish(*courses())
    await place.said("给娃报名")
    await place.said("1")
    assert "没有报名" in await place.said("2")
    assert await AfterSchoolEnrolment.all().count() == 0


async def test_whoever_comes_late_waits_and_takes_the_offer(place: Place) -> None:
    await place.publish(pool("围棋", 1))
    for openid in (PARENT, OTHER_PARENT):
        await place.said("报个名", openid)
        await place.said("1", openid)
        last = await place.said("确认报名", openid)
    assert "候补第1位" in last
    assert "候补，现在第1位" in await place.said("我的报名", OTHER_PARENT)
    assert "没有为您保留的名额" in await place.said("要", OTHER_PARENT)
    assert "确认退报" in await place.said("退报")
    assert "已经退掉林小禾的“围棋”" in await place.said("1")
    assert await states("围棋") == [S.WITHDRAWN, S.OFFERED]
    assert "为您保留到" in await place.said("我的报名", OTHER_PARENT)
    assert "报上了“围棋”" in await place.said("要", OTHER_PARENT)
    assert await states("围棋") == [S.WITHDRAWN, S.ENROLLED]


async def test_an_offer_is_refused_in_a_word(place: Place) -> None:
    await place.publish(pool("围棋", 1))
    for openid in (PARENT, OTHER_PARENT):
        for word in ("报名", "1", "1"):
            await place.said(word, openid)
    await place.said("退课")
    await place.said("确认退报")
    assert "会给下一位" in await place.said("不要", OTHER_PARENT)
    assert await states("围棋") == [S.WITHDRAWN, S.DECLINED]


async def test_a_draw_takes_choices_in_their_order(place: Place) -> None:
    await place.publish(*courses(), pool("书法", 1, selection=Selection.DRAW))
    for rank, title in enumerate(("画画", "书法"), 1):
        await place.said("报名")
        await place.said(title)
        assert f"等抽签（第{rank}志愿）" in await place.said("1")
    assert await states("书法") == [S.SUBMITTED]


async def test_a_family_reads_how_the_draw_was_held(place: Place, town: Town) -> None:
    plan = await place.publish(pool("画画", 0, selection=Selection.DRAW), pool("书法", 1, selection=Selection.DRAW))
    assert "还没有抽签结果" in await place.said("抽签结果")
    for title in ("画画", "书法"):
        for word in ("报名", title, "1"):
            await place.said(word)
    town.clock.advance(timedelta(days=2))
    await place.machinery.services.get(DrawingService).hold(place.admin, plan)
    seed = (await AfterSchoolDraw.get()).seed
    told = await place.said("抽签结果")
    for word in ("轮到第1个选", "“画画”：这次没有名额可抽", "第2志愿“书法”：抽中了", seed, "我的报名"):
        assert word in told
    assert "“书法”已经报上" in await place.said("我的报名")
    identity = await factories.make_identity(f"mp_{PARENT}", place.mother, account=Account.MINI_PROGRAM)
    sessions = SessionService(town.clock, decode_key(town.settings.security.session_key.get_secret_value()))
    headers = {"Authorization": f"Bearer {(await sessions.open_api(identity.id)).secret}"}
    row = await AfterSchoolEnrolment.get(programme__title="画画")
    answer = await town.client.get(f"/api/v1/after-school/enrolments/{row.id}", headers=headers)
    body = await answer.json()
    assert (body["status"], body["draw"]["turn"], body["draw"]["seed"]) == ("declined", 1, seed)
    assert [each["outcome"] for each in body["draw"]["choices"]] == ["no_room", "got"]
    assert body["draw"]["number"] == number_of(body["draw"]["key"], bytes.fromhex(seed))


async def test_siblings_come_together_or_not_at_all(place: Place) -> None:
    brother = await factories.make_pupil(place.room, name="林小田")
    await factories.make_guardianship(brother, place.mother)
    await place.agree((brother, place.mother))
    await place.publish(pool("围棋", 1), pool("画画", 1, selection=Selection.DRAW))
    asked = await place.said("报名")
    assert "林小田、林小禾一起报" in asked or "林小禾、林小田一起报" in asked
    first = await place.said("两个孩子一起")
    assert "画画" not in first
    await place.said("1")
    assert "一起报，要么都报上，要么都候补" in await place.said("1")
    done = await place.said("1")
    assert "候补" in done
    rows = await AfterSchoolEnrolment.all()
    assert [row.state for row in rows] == [S.WAITLISTED] * 2
    assert len({row.party_id for row in rows}) == 1
    own = await AfterSchoolPool.get(title="围棋")
    await place.leaving.set_places(place.admin, str(own.id), 2)
    assert "林小田、林小禾报上了" in (await place.said("要")).replace("林小禾、林小田", "林小田、林小禾")
    assert await states("围棋") == [S.ENROLLED] * 2


async def test_opting_out_takes_a_reason_or_none(place: Place) -> None:
    await place.publish(*courses())
    for word in ("报名", "篮球", "1"):
        await place.said(word)
    assert "已经报的篮球会一起退掉" in await place.said("不参加 爷爷在家接")
    assert "不影响孩子上课" in await place.said("1")
    said = await AfterSchoolStatement.get(wish=Wish.NOT_JOIN)
    assert said.reason == "爷爷在家接"
    assert await states("篮球") == [S.OPTED_OUT]
    assert "跳过" in await place.said("不参加", OTHER_PARENT)
    await place.said("跳过", OTHER_PARENT)
    await place.said("确认不参加", OTHER_PARENT)
    assert await AfterSchoolStatement.filter(wish=Wish.NOT_JOIN, reason=None).count() == 1


async def test_the_same_message_twice_signs_up_once(place: Place) -> None:
    await place.publish(*courses())
    parent = place.town.person(PARENT)
    await place.said("报名")
    await place.said("篮球")
    assert "报上了" in (await parent.says("1", copies=3) or "")
    assert await AfterSchoolEnrolment.all().count() == 1


async def test_the_dialogue_outlives_a_broken_line(place: Place) -> None:
    await place.publish(*courses())
    await place.said("报名")
    await place.said("篮球")
    place.town.clock.advance(timedelta(minutes=29))
    assert "报上了" in await place.said("1")


async def test_a_number_means_what_stood_beside_it(place: Place) -> None:
    await place.publish(pool("围棋", 9))
    assert "1. 围棋" in await place.said("报名")
    await place.publish(pool("篮球", 9), first_day=date(2026, 8, 31))
    assert "林小禾：围棋" in await place.said("1")
    await place.said("不报")
    assert "1. 篮球" in await place.said("报名")


async def test_a_course_that_closed_meanwhile_is_not_taken(place: Place) -> None:
    now = place.town.clock.now()
    await place.publish(pool("围棋", 9), window=Window(now - timedelta(hours=1), now + timedelta(minutes=5)))
    await place.said("报名")
    place.town.clock.advance(timedelta(minutes=5))
    assert "已经过了" in await place.said("1")
    assert await AfterSchoolEnrolment.all().count() == 0


async def test_a_long_list_has_pages(place: Place) -> None:
    await place.publish(*(pool(f"第{number:02d}门课", 9) for number in range(1, 12)))
    first = await place.said("报名")
    assert "8. 第08门课" in first
    assert "后面还有3门" in first
    assert "3. 第11门课" in await place.said("下一页")
    assert "最后一页" in await place.said("下一页")
    assert "林小禾：第10门课" in await place.said("2")


async def test_a_clash_is_refused_with_a_way_out(place: Place) -> None:
    await place.publish(pool("篮球", 9), pool("围棋", 9))
    for word in ("报名", "篮球", "1", "报名", "围棋"):
        await place.said(word)
    answer = await place.said("1")
    assert "没有报上" in answer
    assert "时间重了" in answer
    assert await states("围棋") == []


@pytest.mark.parametrize("word", ["报名", "我的报名", "退报"])
async def test_a_stranger_is_told_the_way(place: Place, word: str) -> None:
    await place.publish(*courses())
    answer = await place.said(word, STRANGER)
    assert "林小禾" not in answer


async def test_without_consent_nothing_begins(place: Place, town: Town) -> None:
    await place.publish(*courses())
    person = await factories.make_person()
    child = await factories.make_pupil(place.room, name="杨平安")
    await factories.make_guardianship(child, person)
    await factories.make_identity(STRANGER, person)
    assert "儿童信息授权" in await place.said("报名", STRANGER)
