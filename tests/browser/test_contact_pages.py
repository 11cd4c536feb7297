"""A teacher's pages of contacts in a real browser, on a telephone: nothing on them says why a child is kept in contact
with, what is typed is kept meanwhile, and what is grave comes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.identity import Actor
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.accounts.domain import Relation
from handlers.accounts.models import Person, Pupil
from handlers.accounts.service.sessions import SessionService
from handlers.contacts.models import ContactsDraft, ContactsDue, ContactsRecord, ContactsReport
from tests import factories
from tests.browser.desk import Desk
from tests.browser.profiles import Profiles
from tests.browser.test_console import Looker, looker
from tests.handlers.console.stage import console_app
from tests.handlers.contacts.stage import NOW, TODAY, Contacts
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAMES = ("何若曦", "陈小满", "杨平安")
LABELS = ("留守", "单亲", "贫困", "困难", "残疾")


@dataclass
class Site:
    """A running console, and the school behind it."""

    url: str
    contacts: Contacts
    mother: Person

    async def secret(self, actor: Actor) -> str:
        """A session at the console."""
        assert actor.person_id is not None
        return (await self.contacts.machinery.services.get(SessionService).open_console(actor.person_id)).secret

    def own(self, number: int = 0) -> str:
        return f"/contacts/own/{self.contacts.child(number)}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("contacts") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings):
        contacts = await Contacts(settings, store, FrozenClock(NOW)).build(len(NAMES))
        for number, (child, name) in enumerate(zip(contacts.children, NAMES, strict=True)):
            await Pupil.filter(id=child.id).update(name=name)
            await contacts.paired(number)
        for number, days in enumerate((-2, 0, 9)):
            await ContactsDue.filter(pupil_id=contacts.child(number)).update(due_on=TODAY + timedelta(days=days))
        mother = await factories.make_person(name="赵秀英")
        await factories.make_guardianship(
            contacts.children[0], mother, relation=Relation.PATERNAL_GRANDMOTHER, is_acting=True
        )
        async with TestServer(console_app(contacts.machinery, contacts.assembly.parts)) as server:
            yield Site(str(server.make_url("")).rstrip("/"), contacts, mother)
    await store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with Desk(browser, site.url, site.secret, looker, "contacts").opened() as opened:
        yield opened


async def says_nothing_of_why(page: Page) -> None:
    """Neither the title nor the page names a label."""
    said = await page.title() + await page.locator("main").inner_text()
    assert [word for word in LABELS if word in said] == []


async def test_a_teacher_records_a_visit_on_a_telephone(desk: Desk, site: Site) -> None:
    page = await desk.open(site.contacts.people.teacher, "/contacts/today", size="phone")
    await says_nothing_of_why(page)
    await desk.look(page, "today")
    await desk.go(page, site.own())
    await says_nothing_of_why(page)
    await desk.look(page, "child")
    await desk.go(page, f"{site.own()}/record")
    await page.get_by_label("情况", exact=False).first.fill("作业没人管，奶奶腰疼")
    await expect(page.locator("[data-draft-told]")).to_contain_text("草稿已自动存好")
    assert await ContactsDraft.filter(pupil_id=site.contacts.children[0].id).exists()
    await page.get_by_label("家访", exact=True).check()
    await page.get_by_label("联系上了", exact=True).check()
    await page.get_by_label("照看人", exact=True).check()
    await page.get_by_label("学习", exact=True).check()
    await says_nothing_of_why(page)
    await desk.look(page, "record")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("status").first).to_contain_text("登记保存好了")
    assert await ContactsDraft.filter(pupil_id=site.contacts.children[0].id).count() == 0
    await desk.go(page, site.own())
    await expect(page.get_by_text("作业没人管，奶奶腰疼")).to_be_visible()
    await desk.look(page, "child-recorded", again=True)


async def test_a_tap_on_a_number_is_written_down(desk: Desk, site: Site) -> None:
    page = await desk.open(site.contacts.people.teacher, site.own(), size="phone")
    link = page.get_by_role("link", name=str(site.mother.phone))
    assert await link.get_attribute("href") == f"tel:{site.mother.phone}"
    async with page.expect_request("**/rang"):
        await link.click()
    await desk.go(page, site.own())
    assert await AuditRow.filter(purpose="call", subject=f"person:{site.mother.id}").exists()


async def test_the_form_works_without_a_script(desk: Desk, site: Site) -> None:
    page = await desk.open(site.contacts.people.teacher, f"{site.own(1)}/record", script=False, size="phone")
    await page.get_by_label("情况", exact=False).first.fill("去了两次都没有人")
    await page.get_by_role("button", name="先存草稿").click()
    await expect(page.get_by_text("草稿存好了")).to_be_visible()
    await page.get_by_role("link", name="登记").first.click()
    await page.get_by_label("电话", exact=True).check()
    await page.get_by_label("没有联系上").check()
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_text("记下了：没有联系上")).to_be_visible()
    assert await ContactsRecord.filter(pupil_id=site.contacts.children[1].id).count() == 1


async def test_grave_words_lead_to_the_report(desk: Desk, site: Site) -> None:
    page = await desk.open(site.contacts.people.teacher, f"{site.own(2)}/record", size="phone")
    await page.get_by_label("家访", exact=True).check()
    await page.get_by_label("联系上了", exact=True).check()
    await page.get_by_label("孩子", exact=True).check()
    await page.get_by_label("情况", exact=False).first.fill("胳膊上有伤，说爸爸打了他")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_text("您写的可能是")).to_be_visible()
    await desk.look(page, "asked")
    await page.get_by_label("是这种情况，要报告").check()
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("status").first).to_contain_text("110")
    await desk.look(page, "report")
    await desk.go(page, site.own(2))
    await expect(page.get_by_role("alert")).to_contain_text("先办这件")
    await desk.look(page, "child-blocked", again=True)
    await page.get_by_role("link", name="去写全报告").click()
    for who in ("编号0123", "李主任"):
        await page.get_by_label("谁打的").fill("王老师")
        await page.get_by_label("接警编号，或接电话的人").fill(who)
        await page.get_by_role("button", name="记下这个电话").click()
    await expect(page.get_by_role("status").first).to_contain_text("都记下了")
    report = await ContactsReport.get(pupil_id=site.contacts.children[2].id)
    page = await desk.open(site.contacts.people.lead, f"/contacts/reports/{report.id}")
    await desk.look(page, "report-lead", again=True)
    await desk.go(page, "/contacts/reports")
    await desk.look(page, "reports")
    await desk.go(page, f"/contacts/reports/{report.id}")
    await page.get_by_label("孩子现在怎么样").fill("孩子平安，由外婆照看，每天打一次电话")
    await page.get_by_role("button", name="办结").click()
    await expect(page.get_by_role("status").first).to_contain_text("已经办结")


async def test_reporting_at_once(desk: Desk, site: Site) -> None:
    page = await desk.open(site.contacts.people.teacher, f"{site.own(1)}/report", size="phone")
    await says_nothing_of_why(page)
    await desk.look(page, "report-new")
