"""The pages about what goes out and the list of calls, as a browser of each role sees them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest

from bot.audit.models import AuditRow
from bot.delivery.models import DeliveryStatus, OutboxMessage, OutboxPush
from bot.delivery.outbox import NewMessage
from bot.delivery.pulse import Pulse
from bot.delivery.pushes import ChannelName, NotYet
from bot.delivery.rounds import Activity
from bot.identity import Role
from bot.metrics import Metrics
from bot.storage.database import transaction
from bot.storage.redis import RedisStore, redis_client
from bot.web.admin import AdminCall, Page
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Bar, Person, Pupil
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.sessions import SessionService
from handlers.deliveries import texts
from handlers.deliveries.admin import DeliveryPages
from handlers.deliveries.domain import LineState, Way
from handlers.deliveries.models import HandListLine
from handlers.deliveries.service.desk import DeliveryDesk
from handlers.deliveries.service.lines import HandList
from tests import factories
from tests.handlers.console.stage import Browser, browser_of, console_app
from tests.handlers.deliveries.conftest import OCCURRENCE, Place

UNKNOWN, FAILED, UNREACHABLE = DeliveryStatus.UNKNOWN, DeliveryStatus.FAILED, DeliveryStatus.UNREACHABLE


@dataclass
class Office:
    """A console over the place, and a family."""

    place: Place
    browser: Browser
    mother: Person
    pupil: Pupil

    async def enter(self, person: Person) -> None:
        """The person is logged in at the browser."""
        opened = await self.place.machinery.services.get(SessionService).open_console(person.id)
        self.browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": opened.secret})

    async def unreached(self) -> HandListLine:
        """Nobody reached the family."""
        [listener] = self.place.part.unreachable
        push = await self.place.promise(self.mother, self.pupil, status=UNREACHABLE)
        async with transaction():
            await listener.could_not_reach([push], "not_bound")
        return await HandListLine.get(person_id=self.mother.id)

    async def trouble(self, status: DeliveryStatus = UNKNOWN, error: str = "wechat_outcome_unknown") -> str:
        """A delivery somebody has to look at; its id."""
        push = await self.place.promise(
            self.mother, self.pupil, status=status, last_error=error, channel=ChannelName.TEMPLATE
        )
        return push.id


@pytest.fixture
async def office(place: Place) -> AsyncIterator[Office]:
    mother = await factories.make_person(name="赵妈妈", phone="13900001111")
    pupil = await place.child(mother)
    async with browser_of(console_app(place.machinery, place.machinery.parts)) as browser:
        yield Office(place, browser, mother, pupil)


# --------------------------------------------------------------------------------------------------------- the list
async def test_the_head_teacher_sees_whom_to_call_what_to_say_and_ticks_it_off(office: Office) -> None:
    line = await office.unreached()
    await office.enter(office.place.head)
    assert texts.TODO_CALLS in await office.browser.get("/")
    assert "1条" in await office.browser.get("/handlist")
    page = await office.browser.get(f"/handlist/classes/{office.place.room.id}")
    for said in (office.pupil.name, "赵妈妈", "妈妈", "明天开家长会。", "请下午三点到校", "没有绑定微信"):
        assert said in page
    assert "13900001111" not in page
    page = await office.browser.post(f"/handlist/{line.id}/tick", {"way": "phone"})
    assert office.browser.status == 303
    page = await office.browser.follow()
    assert texts.TICKED.format(way="电话") in page
    assert "都告知到了" in page
    assert office.place.head.name in page
    assert texts.TODO_CALLS not in await office.browser.get("/")


async def test_a_wrong_tick_is_taken_back(office: Office) -> None:
    line = await office.unreached()
    await office.enter(office.place.head)
    await office.browser.get(f"/handlist/classes/{office.place.room.id}")
    await office.browser.post(f"/handlist/{line.id}/tick", {"way": "phone"})
    assert f"/handlist/{line.id}/untick" in await office.browser.follow()
    await office.browser.post(f"/handlist/{line.id}/untick", {})
    page = await office.browser.follow()
    assert texts.UNTICKED in page
    assert "近14天登记的" not in page
    assert f"/handlist/{line.id}/tick" in page
    await office.browser.post(f"/handlist/{line.id}/untick", {})
    assert "不用撤销" in await office.browser.follow()
    assert texts.TODO_CALLS in await office.browser.get("/")


async def test_a_phone_is_shown_on_demand_and_that_is_written_down(office: Office) -> None:
    line = await office.unreached()
    await office.enter(office.place.head)
    await office.browser.get(f"/handlist/classes/{office.place.room.id}")
    page = await office.browser.post(f"/handlist/{line.id}/reveal", {"person": str(office.mother.id)})
    assert "13900001111" in page
    row = await AuditRow.filter(action="contact.reveal").get()
    assert (row.subject, row.fields_seen) == (f"person:{office.mother.id}", ["phone"])
    stranger = await factories.make_person()
    await office.browser.post(f"/handlist/{line.id}/reveal", {"person": str(stranger.id)})
    assert office.browser.status == 404


async def test_a_barred_adult_is_nobody_to_call(office: Office) -> None:
    line = await office.unreached()
    father = await factories.make_person(name="钱爸爸")
    await factories.make_guardianship(office.pupil, father)
    await Bar.create(
        pupil_id=office.pupil.id, person_id=father.id, reason="文书", since=factories.FIRST_DAY,
        created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
    )  # fmt: skip
    await office.enter(office.place.head)
    page = await office.browser.get(f"/handlist/classes/{office.place.room.id}")
    assert "赵妈妈" in page
    assert "钱爸爸" not in page
    await office.browser.post(f"/handlist/{line.id}/reveal", {"person": str(father.id)})
    assert office.browser.status == 404


async def test_a_second_tick_is_told_who_was_first(office: Office) -> None:
    line = await office.unreached()
    await office.enter(office.place.head)
    await office.browser.get(f"/handlist/classes/{office.place.room.id}")
    await HandListLine.filter(id=line.id).update(state=LineState.TOLD, way=Way.PAPER)
    await office.browser.post(f"/handlist/{line.id}/tick", {"way": "phone"})
    assert "已经有人登记过" in await office.browser.follow()
    assert (await HandListLine.get(id=line.id)).way is Way.PAPER
    await office.browser.post(f"/handlist/{line.id}/tick", {"way": "smoke"})
    assert office.browser.status == 422


@pytest.mark.parametrize("is_over", [True, False])
async def test_what_need_not_be_told_now_is_not_on_the_page(office: Office, is_over: bool) -> None:
    await office.unreached()
    office.place.notices.is_over = is_over
    office.place.notices.answers[str(office.mother.id)] = NotYet(office.place.clock.now())
    await office.enter(office.place.head)
    assert "赵妈妈" not in await office.browser.get(f"/handlist/classes/{office.place.room.id}")


async def test_the_paper_has_the_list_and_a_slip_for_each_child_without_numbers_or_marks(office: Office) -> None:
    await office.unreached()
    await office.enter(office.place.head)
    page = await office.browser.get(f"/handlist/classes/{office.place.room.id}/print")
    for said in ("□电话", "□纸条", "□当面", f"{office.pupil.name}的家长：", "请下午三点到校"):
        assert said in page
    assert not re.search(r"留守|减免|贫困|孤儿|1390000", page)


async def test_somebody_on_the_staff_and_a_child_without_a_class_stand_apart(office: Office) -> None:
    place = office.place
    [listener] = place.part.unreachable
    waiting = await place.child(office.mother)
    await Pupil.filter(id=waiting.id).update(school_class_id=None)
    pushes = [
        await place.promise(place.leader, status=UNREACHABLE),
        await place.promise(office.mother, waiting, status=UNREACHABLE),
    ]
    async with transaction():
        await listener.could_not_reach(pushes, "no_credit")
    await office.enter(place.leader)
    assert texts.OTHERS in await office.browser.get("/handlist")
    page = await office.browser.get("/handlist/others")
    assert place.leader.name in page
    assert waiting.name in page
    line = await HandListLine.get(subject_id=place.leader.id)
    await office.browser.post(f"/handlist/{line.id}/reveal", {"person": str(place.leader.id)})
    assert office.browser.status == 200
    await office.browser.post(f"/handlist/{line.id}/tick", {"way": "in_person"})
    assert office.browser.location.partition("?")[0] == "/handlist/others"


async def test_another_class_is_not_there(office: Office) -> None:
    other = await factories.make_class(office.place.school, number=2)
    await office.enter(office.place.head)
    for path in (
        f"/handlist/classes/{other.id}",
        f"/handlist/classes/{uuid4()}",
        f"/handlist/classes/{other.id}/print",
    ):
        await office.browser.get(path)
        assert office.browser.status == 404


# ------------------------------------------------------------------------------------------------------- deliveries
async def test_the_overview_tells_how_much_waits_and_what_went_out_today(office: Office) -> None:
    place = office.place
    teacher = await factories.make_person()
    await place.promise(office.mother, office.pupil, status=DeliveryStatus.SENT, channel=ChannelName.MINI_PROGRAM)
    await place.promise(teacher, status=DeliveryStatus.PLANNED, not_before=place.clock.now())
    await office.enter(place.leader)
    page = await office.browser.get("/deliveries")
    assert "到时间还没发出的有1条，最早一条等了不到1分钟" in page
    assert re.search(r"小程序订阅消息</dt><dd[^>]*>1条", page)
    assert re.search(r"等着发</dt><dd[^>]*>1条", page)
    assert "没有要处理的消息" in page
    assert "发送可能停了" not in page
    place.clock.advance(timedelta(minutes=31))
    assert "发送可能停了" in await office.browser.get("/deliveries")


async def test_the_page_says_who_is_at_work(office: Office) -> None:
    place = office.place
    await office.enter(place.admin)
    assert "没有发送程序在工作" in await office.browser.get("/deliveries")
    now = asyncio.get_running_loop().time()
    pulses = [
        Pulse(place.machinery.redis(), [activity], place.clock)
        for activity in (Activity(now - 2, now - 180), Activity(), Activity(now - 900, None))
    ]
    for pulse in pulses:
        await pulse.beat()
    page = await office.browser.get("/deliveries")
    assert "第3个" in page
    assert "最近一次发消息：3分钟前" in page or "最近一次发消息：2分钟前" in page
    assert page.count("最近一次发消息：还没有") == 2
    assert page.count("好久没有动静") == 1
    for pulse in pulses:
        await pulse.stop()


async def test_without_redis_the_page_says_that_nobody_knows(office: Office) -> None:
    away = RedisStore(redis_client("redis://127.0.0.1:1/0"), Metrics())
    desk = DeliveryDesk(
        office.place.outbox, office.place.machinery.services.get(AccountsAudiences),
        office.place.machinery.services.get(HandList), lambda: [], redis=lambda: away,
        audit=office.place.machinery.audit, clock=office.place.clock,
    )  # fmt: skip
    actor = office.place.actor(office.place.admin, Role.ADMINISTRATOR)
    assert await desk.workers(actor) is None
    page = await DeliveryPages(desk, office.place.clock).overview(AdminCall(actor, {}, {}))
    assert isinstance(page, Page)
    assert page.values["workers"] is None
    await away.close()


async def test_somebody_who_found_out_says_so_once(office: Office) -> None:
    own = await office.trouble()
    await office.enter(office.place.admin)
    assert texts.TODO_UNKNOWN in await office.browser.get("/")
    page = await office.browser.get("/deliveries")
    for said in ("赵妈妈", office.pupil.name, "发出去以后微信没有回话", "服务号模板消息", "通知"):
        assert said in page
    await office.browser.post(f"/deliveries/{own}/decide", {"verdict": "arrived"})
    assert texts.DECIDED["arrived"] in await office.browser.follow()
    assert (await OutboxPush.get(id=own)).status is DeliveryStatus.SENT
    await office.browser.post(f"/deliveries/{own}/decide", {"verdict": "lost"})
    assert office.browser.status == 404, "it is not in trouble any more"
    row = await AuditRow.filter(action="deliveries.decide", outcome="done").get()
    assert (row.subject, row.purpose) == (f"delivery:{own}", "arrived")


@pytest.mark.parametrize("status", [UNKNOWN, FAILED])
async def test_what_did_not_arrive_can_become_a_call(office: Office, status: DeliveryStatus) -> None:
    own = await office.trouble(status)
    await office.enter(office.place.leader)
    await office.browser.get("/deliveries")
    await office.browser.post(f"/deliveries/{own}/decide", {"verdict": "call"})
    assert "已转到" in await office.browser.follow()
    line = await HandListLine.get(child_id=office.pupil.id)
    assert (line.person_id, line.state) == (office.mother.id, LineState.OPEN)
    assert (await OutboxPush.get(id=own)).status is FAILED
    page = await office.browser.post(f"/deliveries/{own}/decide", {"verdict": "call"})
    assert office.browser.status == 409
    assert "已经有结果" in page
    assert await HandListLine.all().count() == 1


async def test_what_somebody_found_out_not_to_have_arrived_counts_as_such_everywhere(office: Office) -> None:
    """As when the platform says so: the family comes onto the list of calls, unless somebody else of it was reached."""
    father = await factories.make_person()
    await factories.make_guardianship(office.pupil, father)
    await office.place.promise(father, office.pupil, status=DeliveryStatus.SENT)
    told = await office.trouble()
    await OutboxPush.all().update(occurrence="second")
    own = await office.trouble()
    await office.enter(office.place.leader)
    await office.browser.get("/deliveries")
    for each in (own, told):
        await office.browser.post(f"/deliveries/{each}/decide", {"verdict": "lost"})
        assert texts.DECIDED["lost"] in await office.browser.follow()
    line = await HandListLine.get(child_id=office.pupil.id)
    assert (line.occurrence, line.state, line.why) == (OCCURRENCE, LineState.OPEN, "decided_by_hand")


async def test_a_letter_knows_no_family_to_be_called(office: Office) -> None:
    now = office.place.clock.now()
    await office.place.outbox.enqueue(
        NewMessage(reason="binding:1", occurrence="1", openid="o_somebody", text="好了", expires_at=now)
    )
    await OutboxMessage.all().update(status=UNKNOWN, last_error="timeout")
    row = await OutboxMessage.all().get()
    await office.enter(office.place.leader)
    assert texts.TO_CHAT not in await office.browser.get("/deliveries")
    await office.browser.post(f"/deliveries/{row.id}/decide", {"verdict": "lost"})
    assert office.browser.status == 404
    await office.enter(office.place.admin)
    page = await office.browser.get("/deliveries")
    assert texts.TO_CHAT in page
    assert "好了" not in page
    assert "改为电话" not in page
    for verdict in ("call", "", "maybe"):
        await office.browser.post(f"/deliveries/{row.id}/decide", {"verdict": verdict})
        assert office.browser.status == 422
    await office.browser.post(f"/deliveries/{row.id}/decide", {"verdict": "lost"})
    assert office.browser.status == 303


async def test_another_school_s_troubles_are_not_there(office: Office) -> None:
    own = await office.trouble()
    other = await factories.make_school(office.place.town)
    leader = await factories.make_person()
    await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=other)
    await office.enter(leader)
    assert "赵妈妈" not in await office.browser.get("/deliveries")
    await office.browser.post(f"/deliveries/{own}/decide", {"verdict": "arrived"})
    assert office.browser.status == 404
    await office.enter(office.place.head)
    await office.browser.get("/deliveries")
    assert office.browser.status == 403


# -------------------------------------------------------------------------------------------------------- the words
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, "原因不明"),
        ("wechat_content_refused", "微信不收这段内容，要改写"),
        ("not_delivered:43101", "微信报告没有送到"),
        ("cap", "这家当天的消息已经够多，过了时间"),
        ("something_new", "其他原因（something_new）"),
    ],
)
def test_every_reason_has_words(error: str | None, words: str) -> None:
    assert texts.reason_of(error) == words


def test_everything_that_can_happen_to_a_message_has_words() -> None:
    assert set(texts.STATUSES) == {status.value for status in DeliveryStatus}
    assert set(texts.CHANNELS) == {channel.value for channel in ChannelName}
    assert set(texts.WAYS) == set(Way)
    assert [texts.waited(seconds) for seconds in (3, 300, 7300, 3 * 86400)] == ["不到1分钟", "5分钟", "2小时", "3天"]
