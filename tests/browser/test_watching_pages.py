"""Looking past one's own, taking things out and printing, in a real browser, on a phone and in the office."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from bot.clock import FrozenClock
from bot.identity import Actor
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.accounts.models import Person, Pupil
from handlers.accounts.service.sessions import SessionService
from handlers.contacts.domain.glass import Ground
from tests.browser.desk import Desk
from tests.browser.profiles import Profiles
from tests.browser.test_console import Looker, looker
from tests.handlers.console.stage import console_app
from tests.handlers.contacts.stage import NOW, Contacts, contact
from tests.handlers.contacts.test_glass import LABELS, WHY, filled
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAMES = ("何若曦", "陈小满")
# 156 0 6, as a sheet of paper is told to write in it.
MARK_COLOUR = b".6118 0 .0235 rg"


def drawn(paper: bytes) -> list[bytes]:
    """What is drawn on each sheet of a PDF."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", paper, re.DOTALL)
    plain = [zlib.decompressobj().decompress(each) for each in streams if each[:1] == b"x"]
    return [each for each in plain if b" Tf" in each]


@dataclass
class Site:
    """A running console, and the people of the school."""

    url: str
    contacts: Contacts

    async def secret(self, actor: Actor) -> str:
        """A session at the console."""
        assert actor.person_id is not None
        return (await self.contacts.machinery.services.get(SessionService).open_console(actor.person_id)).secret


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("watching") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings):
        contacts = await Contacts(settings, store, FrozenClock(NOW)).build(len(NAMES))
        for child, name in zip(contacts.children, NAMES, strict=True):
            await Pupil.filter(id=child.id).update(name=name, birth_date=date(2010, 10, 1).isoformat())
        people = contacts.people
        named = {"沈护航": people.lead, "李秋云": people.head, "郑校长": people.leader, "周老师": people.teacher}
        for name, actor in named.items():
            await Person.filter(id=actor.person_id).update(name=name)
        await filled(contacts)
        for number in range(12):
            visit = contact(f"v{number}", finding="作业没人管，奶奶腿脚不好。" * 6)
            await contacts.records.write(people.teacher, contacts.child(), visit)
        async with TestServer(console_app(contacts.machinery, contacts.assembly.parts)) as server:
            yield Site(str(server.make_url("")).rstrip("/"), contacts)
    await store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with Desk(browser, site.url, site.secret, looker, "watching").opened() as opened:
        yield opened


async def test_a_look_past_one_s_own_and_whoever_watches(desk: Desk, site: Site) -> None:
    people = site.contacts.people
    page = await desk.open(people.head, "/contacts/glass", size="phone")
    await desk.look(page, "find")
    await page.get_by_label("学生姓名").fill("何若")
    await page.get_by_role("button", name="查找").click()
    await page.get_by_role("link", name="写理由").click()
    await desk.look(page, "reason")
    assert [word for word in LABELS if word in await page.title() + await page.locator("body").inner_text()] == []
    await page.get_by_label("是哪一种情况").select_option("孩子可能正有危险")
    await page.get_by_label("为什么现在要看").fill(WHY)
    await page.get_by_role("button", name="打开，并通知负责人").click()
    await expect(page.get_by_role("status")).to_contain_text("保护负责人马上会知道")
    await desk.look(page, "file")
    assert [word for word in LABELS if word in await page.title()] == []
    await desk.go(page, "/contacts/glass")
    await expect(page.get_by_role("link", name="接着看")).to_be_visible()
    lead = await desk.open(people.lead, "/contacts/glasses", size="phone")
    await desk.look(lead, "glasses")
    await lead.get_by_role("link", name="打开").last.click()
    await expect(lead.get_by_text(WHY)).to_be_visible()
    await desk.look(lead, "glass")
    await lead.get_by_role("button", name="已经看过，确认").click()
    await expect(lead.get_by_text("已确认")).to_be_visible()


async def test_an_export_from_the_request_to_the_password(desk: Desk, site: Site) -> None:
    people = site.contacts.people
    lead = await desk.open(people.lead, "/contacts/exports")
    await desk.look(lead, "exports")
    await lead.get_by_label("哪个学校、班级").select_option(index=1)
    await lead.get_by_label("用途", exact=True).select_option("上级检查")
    await lead.get_by_label("给谁、做什么用").fill("县教育局9月检查，现场看完收回")
    await lead.get_by_role("button", name="提交，等人批准").click()
    await desk.look(lead, "waiting")
    leader = await desk.open(people.leader, "/contacts/releases", size="phone")
    await desk.look(leader, "releases")
    await leader.get_by_role("link", name="打开").last.click()
    await desk.look(leader, "release")
    await leader.get_by_label("合适，批准导出").check()
    await leader.get_by_role("button", name="确定").click()
    await expect(leader.get_by_role("status")).to_contain_text("已经批准")
    await lead.reload()
    await lead.get_by_role("button", name="生成文件，显示密码").click()
    await expect(lead.locator(".secret")).to_be_visible()
    await desk.look(lead, "password")
    async with lead.expect_download() as begun:
        await lead.get_by_role("link", name="下载文件").click()
    name = (await begun.value).suggested_filename
    assert name == "家校联系-20260908-0900.xlsx"


async def test_a_file_on_paper_says_on_every_page_who_printed_it(desk: Desk, site: Site, looker: Looker) -> None:
    page = await desk.open(site.contacts.people.lead, f"/contacts/kept/{site.contacts.child()}/print")
    await desk.look(page, "print-for")
    await page.get_by_label("用途", exact=True).select_option("上级检查")
    await page.get_by_label("给谁、做什么用").fill("县教育局9月检查，现场看完收回")
    await page.get_by_role("button", name="打开打印页").click()
    await desk.look(page, "print")
    assert [word for word in LABELS if word in await page.title()] == []
    await page.emulate_media(media="print")
    await expect(page.locator(".masthead")).to_be_hidden()
    await expect(page.locator(".print-mark")).to_be_visible()
    # What is fixed is on each sheet of paper.
    mark = page.locator(".watermark")
    assert await mark.evaluate("each => getComputedStyle(each).position") == "fixed"
    said = await mark.locator("span").first.evaluate("each => getComputedStyle(each, '::before').content")
    assert said.strip('"').startswith("打印人：沈护航　时间：2026-09-08 09:00　用途：上级检查，县教育局9月检查")
    await page.set_viewport_size({"width": 718, "height": 1016})  # A4 within its margins
    await looker.keep(page, "watching-paper")
    sheets = drawn(await page.pdf(format="A4"))
    assert len(sheets) > 1
    assert [number for number, sheet in enumerate(sheets) if MARK_COLOUR not in sheet] == []


async def test_what_is_going_to_be_sealed(desk: Desk, site: Site) -> None:
    await site.contacts.glass.open(site.contacts.people.leader, site.contacts.child(), Ground.OTHER, WHY)
    page = await desk.open(site.contacts.people.lead, "/contacts/keeping")
    await desk.look(page, "keeping")
    await expect(page.get_by_role("cell", name="何若曦", exact=True)).to_be_visible()
