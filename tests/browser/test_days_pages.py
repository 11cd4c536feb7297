"""The pages of every day, month's end, duty, bills and figures in a real browser, on a phone and in the office."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from bot.capability import Machinery
from bot.chat import Assembly
from bot.clock import FrozenClock
from bot.identity import Door
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.accounts.models import Person, Pupil
from handlers.accounts.service.sessions import SessionService
from handlers.after_school.domain.days import CollectBy, Presence
from handlers.after_school.domain.statements import Source
from handlers.after_school.models import AfterSchoolProgramme
from handlers.after_school.service.days.collecting import CollectionService, NewCollection
from handlers.after_school.service.days.leave import LeaveService, NewLeave
from handlers.after_school.service.days.rosters import RosterService
from handlers.after_school.service.days.taking import AttendanceService, Handed
from handlers.after_school.service.months.polls import PollService
from handlers.after_school.texts.polls import QUESTIONS
from handlers.catalogue import CAPABILITIES
from tests.browser.desk import Desk
from tests.browser.profiles import Profiles
from tests.browser.test_console import Looker, looker
from tests.handlers.after_school.days_stage import LAST, TUESDAY, Service, add_child, at, make_service
from tests.handlers.console.stage import DrawingWeChat, console_app, machinery_of
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAMES = ("何若曦", "陈小满", "杨平安", "褚远", "沈明禾", "蒋青山", "卫安和", "欧阳小雨", "韩云舟", "赵平")
STAFF = {"head": "李秋云", "drawer": "周画", "duty": "吴值", "leader": "郑校长", "admin": "王镇"}
MONTH = "2026-09"


@dataclass
class Site:
    """A running console, and the school behind it."""

    url: str
    service: Service
    machinery: Machinery

    async def secret(self, person: Person) -> str:
        """A session at the console."""
        return (await self.machinery.services.get(SessionService).open_console(person.id)).secret

    def roster(self, programme: AfterSchoolProgramme, *, by_class: bool = False) -> str:
        """Of Tuesday."""
        room = f"&class={self.service.room.id}" if by_class else ""
        return f"/after-school/rosters/{programme.id}?day={TUESDAY}{room}"

    @property
    def duty(self) -> str:
        """The school's Tuesday."""
        return f"/after-school/duty/schools/{self.service.school.id}?day={TUESDAY}"

    async def take(self, who: Person, programme: AfterSchoolProgramme, day: date) -> None:
        """Everybody was there."""
        room = str(self.service.room.id) if programme.id == self.service.care.id else None
        actor = await self.service.actor(who)
        lines = (await self.machinery.services.get(RosterService).roster(actor, str(programme.id), day, room)).lines
        said = {line.child_id: Presence.HERE for line in lines}
        handed = Handed(programme_id=str(programme.id), day=day, class_id=room, presences=said)
        await self.machinery.services.get(AttendanceService).take(actor, handed)

    def of_plan(self, what: str) -> str:
        """A page of the plan."""
        return f"/after-school/{what}/{self.service.plan.id}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    clock = FrozenClock(at(TUESDAY, 16))
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("days") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings):
        machinery = machinery_of(settings, store, clock, DrawingWeChat())
        Assembly(CAPABILITIES, machinery)
        service = await make_service(clock)
        await _fill(service)
        async with TestServer(console_app(machinery, machinery.parts)) as server:
            yield Site(str(server.make_url("")).rstrip("/"), service, machinery)
    await store.close()


async def _fill(service: Service) -> None:
    for part, name in STAFF.items():
        await Person.filter(id=getattr(service, part).id).update(name=name)
    for _ in range(len(NAMES) - len(service.children)):
        await add_child(service, service.room)
    for child, name in zip(service.children, NAMES, strict=True):
        await Pupil.filter(id=child.id).update(name=name)
    await AfterSchoolProgramme.filter(id=service.course.id).update(room="科学楼302", pick_up_point="学校南门")


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with Desk(browser, site.url, site.secret, looker, "days").opened() as opened:
        yield opened


async def test_every_page_of_a_day(desk: Desk, site: Site) -> None:
    service, get = site.service, site.machinery.services.get
    mothers = [await service.actor(each, Door.API) for each in service.mothers]
    children = [str(each.id) for each in service.children]
    leave = NewLeave(child_id=children[4], first_day=TUESDAY, last_day=TUESDAY, reason="看牙")
    await get(LeaveService).ask(mothers[4], leave, Source.CHAT)
    collecting = get(CollectionService)
    by_aunt = NewCollection(child_id=children[2], day=TUESDAY, how=CollectBy.OTHER, name="刘二姐", phone="13800000000")
    await collecting.say(mothers[2], by_aunt, Source.CHAT)
    alone = NewCollection(child_id=children[8], day=TUESDAY, how=CollectBy.ALONE)
    await collecting.say(mothers[8], alone, Source.CHAT)
    page = await desk.open(service.drawer, "/after-school/days")
    await desk.look(page, "groups-teacher")
    await desk.go(page, site.roster(service.course))
    await desk.look(page, "roster")
    await desk.go(page, f"/after-school/rosters/{service.course.id}?day={TUESDAY + timedelta(days=2)}")
    await desk.look(page, "roster-ahead")
    await desk.go(page, "/after-school/days?day=2026-09-12")
    await desk.look(page, "groups-none", again=True)
    page = await desk.open(service.head, site.roster(service.care, by_class=True))
    await desk.look(page, "roster-class", again=True)
    await page.get_by_text("家里打电话来请假").click()
    await page.get_by_label("哪个孩子").select_option("韩云舟")
    await page.get_by_role("button", name="记请假").click()
    await expect(page.get_by_text("韩云舟的请假记好了")).to_be_visible()
    await desk.look(page, "roster-leave-entered", again=True)


async def test_a_roster_is_taken_on_a_phone_with_three_taps_without_a_script(desk: Desk, site: Site) -> None:
    service = site.service
    page = await desk.open(service.head, site.roster(service.care, by_class=True), script=False, size="phone")
    # One tap opens the choice of the phone, one picks; everybody else is there, or has leave, as it stands.
    await page.get_by_label("陈小满").select_option("提前接走")
    await page.get_by_role("button", name="交点名").click()
    await expect(page.get_by_role("status")).to_contain_text("点名记好了")
    page = await desk.open(service.drawer, site.roster(service.course), script=False, size="phone")
    await page.get_by_label("杨平安").select_option("没到，没请假")
    await page.get_by_role("button", name="交点名").click()
    await expect(page.get_by_role("heading", name="马上打电话")).to_be_visible()
    page = await desk.open(service.drawer, site.roster(service.course))
    await desk.look(page, "roster-missing", again=True)
    page = await desk.open(service.leader, f"/after-school/days?day={TUESDAY}")
    await desk.look(page, "groups-leader", again=True)


async def test_who_is_on_duty_the_day_s_check_and_what_happened(desk: Desk, site: Site) -> None:
    page = await desk.open(site.service.leader, site.duty)
    await desk.look(page, "duty-empty", again=True)
    for role, name in (("值班教师", "吴值"), ("值班行政", "郑校长")):
        await page.get_by_label("值什么班").select_option(role)
        await page.get_by_label("谁", exact=True).select_option(name)
        await page.get_by_role("button", name="排上").click()
        await expect(page.get_by_role("status")).to_contain_text("排好了")
    await page.get_by_label("每个班都点了名").check()
    await page.get_by_role("button", name="记检查").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await desk.look(page, "duty-fault")
    for box in await page.get_by_role("checkbox").all():
        if await box.get_attribute("name") == "point":
            await box.check()
    await page.get_by_role("button", name="记检查").click()
    for text in ("操场的灯坏了一盏", "南门下雨积水，孩子改从东门走"):
        await page.get_by_label("发生了什么").fill(text)
        await page.get_by_role("button", name="记下来").click()
        await expect(page.get_by_text(text)).to_be_visible()
    await page.get_by_label("怎么处理的").first.fill("电工修好了")
    await page.get_by_role("button", name="处理好了").first.click()
    await expect(page.get_by_text("处理：电工修好了")).to_be_visible()
    await desk.look(page, "duty")
    page = await desk.open(site.service.drawer, "/after-school/duty")
    await desk.look(page, "duty-not")


async def test_a_month_s_lists_until_they_are_filed(desk: Desk, site: Site) -> None:
    service = site.service
    for day in (TUESDAY + timedelta(days=offset) for offset in (2, 7, 9)):
        service.clock.set(at(day))
        await site.take(service.drawer, service.course, day)
        await site.take(service.head, service.care, day)
    service.clock.set(at(TUESDAY + timedelta(days=30), 9))
    page = await desk.open(service.leader, "/after-school/months")
    await desk.look(page, "months")
    await desk.go(page, site.of_plan("months") + "?month=2026-08")
    await desk.look(page, "month-nothing", again=True)
    own = site.of_plan("months") + f"?month={MONTH}"
    await desk.go(page, own)
    await desk.look(page, "month-counted")
    await page.get_by_role("button", name="公示这个月").click()
    teacher = await desk.open(service.drawer, own)
    await desk.look(teacher, "month-teacher", again=True)
    await teacher.get_by_label("我有异议").fill("9月22日画画课上了，没有算")
    await teacher.get_by_role("button", name="提异议").click()
    await desk.go(page, own)
    await expect(page.get_by_text("请先答复异议，再备案")).to_be_visible()
    await desk.look(page, "month-objected")
    await page.get_by_label("答复").fill("那天没有点名，补点以后再公示")
    await page.get_by_role("button", name="答复").click()
    await expect(page.get_by_role("status")).to_contain_text("答复记下了")
    await desk.look(page, "month-answered", again=True)
    await page.get_by_role("button", name="备案").click()
    await expect(page.get_by_role("status")).to_contain_text("已经备案")
    await desk.look(page, "month-filed", again=True)


async def test_bills_and_the_year_s_figures(desk: Desk, site: Site) -> None:
    service, polls = site.service, site.machinery.services.get(PollService)
    service.clock.set(at(LAST, 9))
    page = await desk.open(service.leader, site.of_plan("appraisal"))
    await desk.look(page, "figures-before", again=True)
    await page.get_by_label("填到哪一天").fill(LAST.isoformat())
    await page.get_by_role("button", name="开始或改截止日").click()
    await expect(page.get_by_role("status")).to_contain_text("调查开始了")
    for number, mother in enumerate(service.mothers):
        answers = dict.fromkeys(QUESTIONS, 1) | {"homework": 4 if number < 2 else 1}
        await polls.answer(await service.actor(mother, Door.API), str(service.plan.id), answers)
    await desk.go(page, site.of_plan("bills"))
    await page.get_by_role("button", name="结算已结束的课").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await desk.look(page, "bills-before", again=True)
    service.clock.set(at(LAST + timedelta(days=1), 9))
    page = await desk.open(service.leader, site.of_plan("bills"))
    for number, (child, amount) in enumerate((("何若曦 画画", "15"), ("沈明禾 画画", "12.50"), ("陈小满 画画", "12"))):
        await page.get_by_label("谁的").select_option(child)
        await page.get_by_label("金额（元）").fill(amount)
        await page.get_by_label("单号").fill(f"A-{number}")
        await page.get_by_role("button", name="记收款").click()
        await expect(page.get_by_role("status")).to_contain_text("收款记下了")
    await page.get_by_role("button", name="结算已结束的课").click()
    await expect(page.get_by_role("status")).to_contain_text("结算好了")
    await desk.look(page, "bills")
    await desk.go(page, site.of_plan("appraisal"))
    await desk.look(page, "figures")
