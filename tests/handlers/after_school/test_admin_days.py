"""The pages of every day, as a teacher's phone shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.chat import Assembly
from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.accounts.models import Person
from handlers.accounts.service.sessions import SessionService
from handlers.after_school.domain.days import Presence
from handlers.after_school.models import (
    AfterSchoolAttendance,
    AfterSchoolEnrolment,
    AfterSchoolLeave,
    AfterSchoolSession,
)
from handlers.after_school.service.days.records import KEPT_DAYS, DayRecords
from handlers.alarms.models import AlarmRow
from handlers.catalogue import CAPABILITIES
from tests.handlers.after_school.days_stage import LAST, TUESDAY, Service, add_child, at, make_service
from tests.handlers.console.stage import Browser, DrawingWeChat, browser_of, console_app, machinery_of


@dataclass
class Office:
    """The console with the service behind it."""

    service: Service
    sessions: SessionService
    app: object

    @asynccontextmanager
    async def browser(self, person: Person) -> AsyncIterator[Browser]:
        """Somebody logged in."""
        async with browser_of(self.app) as browser:  # type: ignore[arg-type]
            opened = await self.sessions.open_console(person.id, device="手机")
            browser.client.session.cookie_jar.update_cookies(
                {"xiangxiao_console": opened.secret}, browser.client.make_url("/admin/")
            )
            yield browser


@pytest.fixture
async def office(settings: Settings, database: Database, redis: RedisStore, clock: FrozenClock) -> Office:
    clock.set(at(TUESDAY, 16))
    machinery = machinery_of(settings, redis, clock, DrawingWeChat())
    Assembly(CAPABILITIES, machinery)
    service = await make_service(clock)
    return Office(service, machinery.services.get(SessionService), console_app(machinery, machinery.parts))


async def test_a_roster_is_taken_with_three_taps(office: Office) -> None:
    async with office.browser(office.service.drawer) as browser:
        assert "课后服务还没点名" in await browser.get("/")
        listed = await browser.get("/after-school/days")
        assert "画画" in listed
        assert "还没点" in listed
        page = await browser.get(f"/after-school/rosters/{office.service.course.id}?day={TUESDAY}")
        assert all(child.name in page for child in office.service.children)
        form = {f"p-{child.id}": "here" for child in office.service.children}
        await browser.post(f"/after-school/rosters/{office.service.course.id}", {"day": str(TUESDAY), **form})
        assert "点名记好了，改了4人" in await browser.follow()
        assert "到4" in browser.page
    rows = await AfterSchoolAttendance.all()
    assert [row.presence for row in rows] == [Presence.HERE] * 4


async def test_a_missing_child_leads_to_the_numbers_to_call(office: Office) -> None:
    service = office.service
    path = f"/after-school/rosters/{service.course.id}"
    async with office.browser(service.drawer) as browser:
        await browser.get(f"{path}?day={TUESDAY}")
        form = {f"p-{child.id}": "here" for child in service.children} | {f"p-{service.children[1].id}": "missing"}
        await browser.post(path, {"day": str(TUESDAY), **form})
        page = await browser.follow()
    alarm = await AlarmRow.get()
    assert (alarm.child_id, alarm.id) == (service.children[1].id, 1)
    for person in (service.duty, service.head, service.leader, service.mothers[1]):
        assert f"tel:{person.phone}" in page


async def test_leave_on_the_phone_and_a_lesson_that_did_not_take_place(office: Office) -> None:
    service = office.service
    path, child = f"/after-school/rosters/{service.care.id}", service.children[0]
    where = {"day": str(TUESDAY), "class": str(service.room.id)}
    async with office.browser(service.head) as browser:
        await browser.get(f"{path}?day={TUESDAY}&class={service.room.id}")
        await browser.post(f"{path}/leave", {**where, "child": str(child.id)})
        assert f"{child.name}的请假记好了" in await browser.follow()
        assert "家里请了假" in browser.page
        fault = await browser.post(f"{path}/leave", {**where, "child": str(service.children[3].id)})
        assert "请选名单上的一个孩子" in fault
        await browser.post(f"{path}/call-off", {**where, "why": "停电"})
        assert "没有上课" in await browser.follow()
    assert await AfterSchoolLeave.all().count() == 1
    assert (await AfterSchoolSession.get()).why_not == "停电"


async def test_a_roster_without_everybody_and_one_ahead_say_what_is_wrong(office: Office) -> None:
    path = f"/after-school/rosters/{office.service.course.id}"
    async with office.browser(office.service.drawer) as browser:
        await browser.get(f"{path}?day={TUESDAY}")
        assert "还有孩子没有点到" in await browser.post(path, {"day": str(TUESDAY)})
        assert browser.status == 422
        ahead = TUESDAY + timedelta(days=2)
        assert "还没到这一天" in await browser.get(f"{path}?day={ahead}")
        form = {f"p-{child.id}": "here" for child in office.service.children}
        assert "还没到这一天" in await browser.post(path, {"day": str(ahead), **form})


async def test_a_month_is_shown_objected_to_and_filed_on_its_page(office: Office, clock: FrozenClock) -> None:
    service = office.service
    path = f"/after-school/months/{service.plan.id}"
    everybody = {f"p-{child.id}": "here" for child in service.children}
    async with office.browser(service.drawer) as browser:
        await browser.get("/after-school/days")
        await browser.post(f"/after-school/rosters/{service.course.id}", {"day": str(TUESDAY), **everybody})
    clock.set(at(TUESDAY + timedelta(days=30), 9))
    async with office.browser(service.drawer) as browser:
        assert "秋季课后服务" in await browser.get("/after-school/months")
        assert service.drawer.name in await browser.get(f"{path}?month=2026-09")
        assert "公示这个月" not in browser.page
    month = {"month": "2026-09", "band": "1-6"}
    async with office.browser(service.leader) as browser:
        await browser.get(f"{path}?month=2026-09")
        await browser.post(f"{path}/show", month)
        assert "公示了1份" in await browser.follow()
    async with office.browser(service.drawer) as browser:
        await browser.get(f"{path}?month=2026-09")
        await browser.post(f"{path}/object", {**month, "text": "9月10日的没有算"})
        assert "有异议" in await browser.follow()
    async with office.browser(service.leader) as browser:
        await browser.get(f"{path}?month=2026-09")
        assert "还有异议没有答复" in await browser.post(f"{path}/file", month)
        objection = browser.hidden("objection")
        await browser.post(f"{path}/answer", {**month, "objection": objection, "text": "那天没有点名"})
        await browser.follow()
        await browser.post(f"{path}/file", month)
        assert "已备案" in await browser.follow()


async def test_bills_are_settled_paid_and_given_back_on_their_page(office: Office, clock: FrozenClock) -> None:
    service = office.service
    path = f"/after-school/bills/{service.plan.id}"
    everybody = {f"p-{child.id}": "here" for child in service.children}
    async with office.browser(service.drawer) as browser:
        await browser.get("/after-school/days")
        await browser.post(f"/after-school/rosters/{service.course.id}", {"day": str(TUESDAY), **everybody})
    own = await AfterSchoolEnrolment.get(programme_id=service.course.id, pupil_id=service.children[0].id)
    async with office.browser(service.leader) as browser:
        await browser.get(path)
        assert "还没结束" in await browser.post(f"{path}/settle")
        paid = {"enrolment": str(own.id), "amount": "10.5", "reference": "A-1"}
        assert "金额不对" in await browser.post(f"{path}/pay", {**paid, "amount": "十块"})
        await browser.post(f"{path}/pay", paid)
        assert "收款记下了" in await browser.follow()
    clock.set(at(LAST + timedelta(days=1), 9))
    async with office.browser(service.leader) as browser:
        await browser.get(path)
        await browser.post(f"{path}/settle")
        assert "结算好了" in await browser.follow()
        await browser.post(f"{path}/refund", {"enrolment": str(own.id)})
        assert "退费7.50元" in await browser.follow()
        assert "没有要退的钱" in await browser.post(f"{path}/refund", {"enrolment": str(own.id)})


async def test_bills_come_page_by_page_and_one_is_found_by_the_name(office: Office) -> None:
    service = office.service
    for _ in range(24):
        await add_child(service, service.room)
    path = f"/after-school/bills/{service.plan.id}"
    async with office.browser(service.leader) as browser:
        first = await browser.get(path)
        assert "共56条，第1页，共2页" in first
        second = await browser.get(f"{path}?page=2")
        assert (first.count("每次3.00元"), second.count("每次3.00元")) == (50, 6)
        own = await browser.get(f"{path}?name={service.children[0].name}")
        assert f"{service.children[0].name} 看护" in own
        assert "没有这个名字的孩子" in await browser.get(f"{path}?name=查无此人")


async def test_a_child_s_days_go_with_it_and_not_before(office: Office) -> None:
    service = office.service
    async with office.browser(service.drawer) as browser:
        await browser.get("/after-school/days")
        form = {f"p-{child.id}": "here" for child in service.children}
        await browser.post(f"/after-school/rosters/{service.course.id}", {"day": str(TUESDAY), **form})
    records, child = DayRecords(service.clock), str(service.children[0].id)
    assert (await records.child_data(child, str(service.mothers[0].id)))["课后服务每天的记录"]
    await records.erase_child(child, keep_duty=True)
    assert await records.dependents([child], []) == {"after_school_days": 1}
    await records.erase_child(child, keep_duty=False)
    assert await records.dependents([child], []) == {}
    [due] = await records.due(TUESDAY + timedelta(days=KEPT_DAYS + 1))
    await records.dispose(due)
    assert await AfterSchoolAttendance.all().count() == 0
    assert await records.due(TUESDAY + timedelta(days=KEPT_DAYS + 1)) == []


async def test_duty_check_and_incidents_have_a_page(office: Office) -> None:
    service = office.service
    path = f"/after-school/duty/schools/{service.school.id}"
    where = {"day": str(TUESDAY)}
    async with office.browser(service.leader) as browser:
        await browser.get("/after-school/duty")
        assert "还没有排值班" in await browser.follow()
        assert "请选好值什么班" in await browser.post(f"{path}/put", where)
        await browser.post(f"{path}/put", {**where, "role": "guide", "person": str(service.drawer.id), "weekly": "yes"})
        assert "新排26天" in await browser.follow()
        assert f"tel:{service.drawer.phone}" in browser.page
        assert "没打勾的项目" in await browser.post(f"{path}/check", where)
        await browser.post(f"{path}/check", {**where, "note": "都没看"})
        assert "检查记好了" in await browser.follow()
        await browser.post(f"{path}/report", {**where, "text": "操场的灯坏了一盏"})
        assert "操场的灯坏了一盏" in await browser.follow()
        await browser.post(f"{path}/close", {**where, "incident": browser.hidden("incident"), "done": "电工修好了"})
        assert "处理：电工修好了" in await browser.follow()
    async with office.browser(service.drawer) as browser:
        await browser.get("/after-school/duty")
        assert "当天检查" in await browser.follow()
