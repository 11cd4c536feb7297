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
from handlers.after_school.models import AfterSchoolAttendance, AfterSchoolLeave, AfterSchoolSession
from handlers.alarms.models import AlarmRow
from handlers.catalogue import CAPABILITIES
from tests.handlers.after_school.days_stage import TUESDAY, Service, at, make_service
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
