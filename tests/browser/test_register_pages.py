"""The protection lead's pages of contacts in a real browser, on a phone and in the office; and a teacher's card."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
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
from handlers.accounts.models import Person, Pupil
from handlers.accounts.service.sessions import SessionService
from handlers.contacts.domain.card import FactKind, FactSource, Holder
from handlers.contacts.domain.register import Level
from handlers.contacts.service.cards.facts import Stated
from tests.browser.desk import Desk
from tests.browser.profiles import Profiles
from tests.browser.test_console import Looker, looker
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.console.stage import console_app
from tests.handlers.contacts.stage import NOW, TODAY, Contacts, level
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAMES = ("何若曦", "陈小满", "杨平安")
LABELS = ("留守", "单亲", "贫困", "残疾", "随迁", "帮扶")


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
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("register") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings):
        contacts = await Contacts(settings, store, FrozenClock(NOW)).build(len(NAMES))
        for child, name in zip(contacts.children, NAMES, strict=True):
            await Pupil.filter(id=child.id).update(name=name)
        people = contacts.people
        for actor, name in ((people.lead, "沈护航"), (people.teacher, "周老师"), (people.head, "李秋云")):
            await Person.filter(id=actor.person_id).update(name=name)
        await contacts.entered(1, review_on=TODAY + timedelta(days=3), level=level(Level.RED))
        await contacts.paired(2)
        async with TestServer(console_app(contacts.machinery, contacts.assembly.parts)) as server:
            yield Site(str(server.make_url("")).rstrip("/"), contacts)
    await store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with Desk(browser, site.url, site.secret, looker, "register").opened() as opened:
        yield opened


async def says_no_label(page: Page) -> None:
    """Neither the title nor anything on the page says what sort of child it is."""
    said = await page.title() + await page.locator("body").inner_text()
    assert [word for word in LABELS if word in said] == []


async def test_a_child_from_the_search_to_the_end_of_its_file(desk: Desk, site: Site) -> None:
    lead = site.contacts.people.lead
    page = await desk.open(lead, "/contacts/register")
    await desk.look(page, "list")
    await page.get_by_role("link", name="给学生建档").click()
    await page.get_by_label("学生姓名").fill("何若")
    await page.get_by_role("button", name="查找").click()
    await desk.look(page, "find")
    await says_no_label(page)
    await page.get_by_role("link", name="建档").click()
    await desk.look(page, "enter")
    await page.get_by_label("类别").select_option("留守")
    await page.get_by_label("原因").select_option("其他（请写说明）")
    await page.get_by_label("联系的级别").select_option("黄：多联系")
    await page.get_by_label("定这个级别的理由").fill("奶奶一个人照看三个孩子")
    await page.get_by_role("button", name="建档").click()
    await expect(page.get_by_role("alert")).to_contain_text("说明")
    await page.get_by_label("说明").fill("妈妈病了，爸爸在外")
    await page.get_by_role("button", name="建档").click()
    await expect(page.get_by_role("status")).to_contain_text("已经建档")
    assert "何若曦" not in await page.title()
    await desk.look(page, "child-new")
    await page.get_by_label("安排一位老师").select_option(index=1)
    await page.get_by_role("button", name="安排", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("已经安排好")
    await page.get_by_label("联系的级别").select_option("绿")
    await page.get_by_label("理由", exact=True).fill("姑姑搬来同住")
    await page.get_by_role("button", name="保存级别").click()
    await expect(page.get_by_role("status")).to_contain_text("级别已经改好")
    await page.get_by_text("复核，情况还在").click()
    await page.get_by_role("button", name="记下复核").click()
    await expect(page.get_by_role("status")).to_contain_text("复核已经记下")
    await desk.look(page, "child", again=True)
    await page.get_by_text("结束，情况没有了").click()
    await page.get_by_label("结束的原因").fill("妈妈回家了")
    await page.get_by_role("button", name="结束这份档案").click()
    await expect(page.get_by_role("status")).to_contain_text("已经结束")
    await desk.look(page, "child-ended", again=True)


async def test_a_child_is_handed_over_and_received_without_a_script(desk: Desk, site: Site) -> None:
    contacts = site.contacts
    child = contacts.child(2)
    page = await desk.open(contacts.people.lead, f"/contacts/register/{child}", script=False, size="phone")
    await page.get_by_text("交给另一位老师").click()
    await page.get_by_label("交给谁").select_option("李秋云（班主任）")
    await page.get_by_role("button", name="交接").click()
    await expect(page.get_by_role("status")).to_contain_text("已经交给新的老师")
    page = await desk.open(contacts.people.head, "/contacts/received")
    await says_no_label(page)
    await desk.look(page, "received")
    await page.get_by_role("button", name="签收").click()
    await expect(page.get_by_role("status")).to_contain_text("已经签收")


async def test_a_card_as_the_head_teacher_and_as_the_lead(desk: Desk, site: Site) -> None:
    contacts = site.contacts
    child, head = contacts.child(2), contacts.people.head
    page = await desk.open(head, f"/contacts/cards/{child}")
    await says_no_label(page)
    await page.get_by_label("哪一项").select_option("照看人：电话")
    await page.get_by_label("内容").fill("19900001234")
    await page.get_by_label("谁说的").select_option("照看人说的")
    await page.get_by_role("button", name="记下", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("已经记到联系卡上")
    for _ in range(2):
        await page.get_by_role("button", name="没打通").click()
    await expect(page.get_by_text("两次没打通，请重新问")).to_be_visible()
    await says_no_label(page)
    await desk.look(page, "card-head")
    await desk.go(page, "/contacts/phones")
    await says_no_label(page)
    await desk.look(page, "phones", again=True)
    health = Stated(holder=Holder.CARER, kind=FactKind.HEALTH, value="腰不好", stated_on=TODAY, source=FactSource.CARER)
    await contacts.cards.state(contacts.people.lead, child, health)
    await desk.go(page, f"/contacts/cards/{child}")
    assert "腰不好" not in await page.locator("body").inner_text()
    page = await desk.open(contacts.people.lead, f"/contacts/cards/{child}")
    await page.get_by_label("年龄合适").select_option("否")
    await page.get_by_label("身体能照看").select_option("不清楚")
    await page.get_by_label("没有不宜照看的情形").select_option("是")
    paper = {"name": "委托书.png", "mimeType": "image/png", "buffer": png()}
    await page.get_by_label("委托书的照片").set_input_files(files=[cast(Any, paper)])
    await page.get_by_role("button", name="记下核实结果").click()
    await expect(page.get_by_role("alert")).to_contain_text("委托书的日期")
    await page.get_by_label("委托书的日期").fill(TODAY.isoformat())
    await page.get_by_label("委托书的照片").set_input_files(files=[cast(Any, paper)])
    await page.get_by_role("button", name="记下核实结果").click()
    await expect(page.get_by_role("status")).to_contain_text("核实的结果已经记下")
    await desk.look(page, "card-lead", again=True)
