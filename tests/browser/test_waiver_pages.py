"""The pages of waivers in a real browser, on a phone and in the office: nothing around them says what they are for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from bot.clock import FrozenClock
from bot.identity import Actor
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, Pupil, SchoolClass
from handlers.accounts.service.sessions import SessionService
from handlers.after_school.domain.waivers import HARDSHIPS
from tests import factories
from tests.browser.desk import Desk
from tests.browser.profiles import Profiles
from tests.browser.test_console import Looker, looker
from tests.handlers.after_school.stage import NOW, Stage
from tests.handlers.after_school.waivers_stage import FULL, NUMBERS, TERM, Waivers, png, workbook
from tests.handlers.console.stage import console_app
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAMES = ("何若曦", "陈小满", "杨平安")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class Site:
    """A running console, and the people of the township."""

    url: str
    waivers: Waivers

    async def secret(self, actor: Actor) -> str:
        """A session at the console."""
        assert actor.person_id is not None
        return (await self.waivers.stage.machinery.services.get(SessionService).open_console(actor.person_id)).secret

    @property
    def filing(self) -> str:
        """Where the head teacher puts one in for the third family."""
        return f"/children/{self.waivers.stage.children[2].id}/waiver"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("waivers") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings):
        stage = Stage(settings, store, FrozenClock(NOW))
        waivers = await Waivers(stage).build(len(NAMES))
        for child, name in zip(stage.children, NAMES, strict=True):
            await Pupil.filter(id=child.id).update(name=name)
        await _appoint(waivers)
        async with TestServer(console_app(stage.machinery, stage.assembly.parts)) as server:
            yield Site(str(server.make_url("")).rstrip("/"), waivers)
    await store.close()


async def _appoint(waivers: Waivers) -> None:
    stage, kinds = waivers.stage, AppointmentKind
    room = await SchoolClass.get(id=stage.room.id)
    places: list[tuple[Actor, AppointmentKind, str, dict[str, Any]]] = [
        (waivers.checker, kinds.SCHOOL_LEADER, "郑校长", {"school": stage.school}),
        (waivers.decider, kinds.TOWNSHIP_ADMINISTRATOR, "王镇", {"township": stage.township}),
        (waivers.third, kinds.TOWNSHIP_ADMINISTRATOR, "冯审", {"township": stage.township}),
        (stage.head, kinds.HEAD_TEACHER, "李秋云", {"school_class": room}),
    ]
    for actor, kind, name, place in places:
        await Person.filter(id=actor.person_id).update(name=name)
        await factories.make_appointment(kind, await Person.get(id=actor.person_id), **place)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with Desk(browser, site.url, site.secret, looker, "waivers").opened() as opened:
        yield opened


async def says_nothing_of_why(page: Page) -> None:
    """Neither the title nor the page itself names a hardship, or that it is about one."""
    said = await page.title() + await page.locator("main").inner_text()
    assert [each.title for each in HARDSHIPS if each.title in said] == []
    assert [word for word in ("减免", "困难", "贫困") if word in said] == []


async def test_a_case_from_the_school_to_the_decision_and_the_appeal(desk: Desk, site: Site) -> None:
    waivers = site.waivers
    own = await waivers.handed_in()
    page = await desk.open(waivers.checker, "/waivers")
    await says_nothing_of_why(page)
    await desk.look(page, "queue")
    await page.get_by_role("link", name="打开").click()
    await desk.look(page, "case-to-check")
    assert await page.title() == "一件申请 · 乡校后台"
    await page.get_by_role("button", name="材料齐，交给另一位审批").click()
    await expect(page.get_by_role("status")).to_contain_text("已核对")
    await desk.go(page, f"/waivers/{own}")
    await desk.look(page, "case-not-mine", again=True)
    page = await desk.open(waivers.decider, f"/waivers/{own}")
    await page.get_by_label("不同意", exact=True).check()
    await page.get_by_role("button", name="就这样定").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await desk.look(page, "case-fault")
    await page.get_by_label("不同意的理由").fill("照片看不清证件上的日期")
    await page.get_by_role("button", name="就这样定").click()
    await expect(page.get_by_role("status")).to_contain_text("已办好")
    await waivers.asking.appeal(waivers.mother, own, "重新拍了，请再看看")
    page = await desk.open(waivers.third, f"/waivers/{own}")
    await desk.look(page, "case-appealed", again=True)
    await page.get_by_label("同意", exact=True).check()
    await page.get_by_label(TERM).check()
    await page.get_by_role("button", name="就这样定").click()
    await desk.go(page, f"/waivers/{own}")
    await desk.look(page, "case-granted", again=True)
    await desk.go(page, "/waivers?show=done")
    await says_nothing_of_why(page)
    await desk.look(page, "queue-done", again=True)


async def test_the_head_teacher_puts_one_in_without_a_script(desk: Desk, site: Site) -> None:
    page = await desk.open(site.waivers.stage.head, site.filing)
    await desk.look(page, "filing")
    page = await desk.open(site.waivers.stage.head, site.filing, script=False, size="phone")
    await page.get_by_label("家里的情况").select_option(index=2)
    await page.get_by_label("家里怎么说的").select_option("当面说的")
    await page.get_by_role("button", name="交上去").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    picture = {"name": "证件.png", "mimeType": "image/png", "buffer": png()}
    await page.get_by_label("材料的照片").set_input_files(files=[cast(Any, picture)])
    await page.get_by_role("button", name="交上去").click()
    await expect(page.get_by_role("status")).to_contain_text("已经交上去")


async def test_the_office_s_rules_lists_and_the_notice(desk: Desk, site: Site) -> None:
    waivers = site.waivers
    page = await desk.open(waivers.decider, "/waiver-rules")
    await desk.look(page, "rules")
    await page.get_by_label("类别").select_option(index=3)
    await page.get_by_label("减免比例（%）").fill("100")
    await page.get_by_label("从哪天起").fill("2026-10-01")
    await page.get_by_label("依据的文件和条款").fill("县教发〔2026〕1号第三条")
    await page.get_by_role("button", name="登记", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("已登记")
    await desk.look(page, "rules-coming", again=True)
    await desk.go(page, "/waiver-lists")
    await desk.look(page, "lists-none", again=True)
    await page.get_by_label("类别").select_option(FULL)
    await page.get_by_label("从哪天起有效").fill("2026-09-01")
    await page.get_by_label("到哪天为止").fill("2027-08-31")
    file = {"name": "名单.xlsx", "mimeType": _XLSX, "buffer": workbook(NUMBERS)}
    await page.get_by_label("Excel文件").set_input_files(files=[cast(Any, file)])
    await page.get_by_role("button", name="上传", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("读到2行")
    await desk.look(page, "lists")
    await desk.go(page, "/waiver-notice")
    await desk.look(page, "notice-off")
    waivers.publishing.ground = "县教发〔2026〕1号第五条"
    try:
        await desk.go(page, "/waiver-notice")
        await says_nothing_of_why(page)
        await desk.look(page, "notice")
    finally:
        waivers.publishing.ground = ""
