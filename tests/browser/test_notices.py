"""The pages about notices in a real browser, on a phone and in the office, with the page checks, without a script."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from bot.clock import SHANGHAI, FrozenClock
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.notices.models import Notice
from tests import factories
from tests.browser.inspection import faults_of
from tests.browser.profiles import Profiles
from tests.browser.test_console import SIZES, Looker, looker, serious_faults
from tests.handlers.notices.pages_stage import Office, open_office
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

OLD_PHONE = (320, 568)
TEXT = """各位家长：
9月11日（星期五）下午3点，在三年级1班教室开家长会，说说孩子开学以来的情况和秋冬季作息。
请带一支笔，最好由平时照看孩子的人来。来不了的，请在回执里写明，班主任会另外打电话。"""


@dataclass
class Site:
    """A running console with the families' page."""

    url: str
    office: Office


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    clock = FrozenClock(datetime(2026, 9, 7, 9, 0, tzinfo=SHANGHAI))
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("notices") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings), open_office(settings, store, clock) as office:
        for number in range(8):
            child = await factories.make_pupil(office.village.room)
            parent = await factories.make_person()
            await factories.make_guardianship(child, parent, is_acting=number % 2 == 0)
            if number < 6:
                await factories.make_identity(f"openid-more-{number}", parent)
        async with TestServer(office.app) as server:
            yield Site(str(server.make_url("")).rstrip("/"), office)
    await store.close()


class Desk:
    """A window for each part somebody plays."""

    def __init__(self, browser: Profiles, site: Site, looker: Looker, stack: AsyncExitStack) -> None:
        self.faults: list[str] = []
        self._browser = browser
        self.site = site
        self._looker = looker
        self._stack = stack

    async def open(self, role: str, path: str, *, script: bool = True) -> Page:
        """A page of the console as somebody; as nobody, a page of the families on a phone."""
        context = await self._browser.new_context(locale="zh-CN", java_script_enabled=script)
        self._stack.push_async_callback(context.close)
        if role:
            secret = await self.site.office.secret(role)
            cookie = {"name": "xiangxiao_console", "value": secret, "url": f"{self.site.url}/admin/"}
            await context.add_cookies([cast(Any, cookie)])
        page = await context.new_page()
        page.on("console", lambda said: self.faults.append(said.text) if "Security Policy" in said.text else None)
        page.on("request", lambda sent: None if sent.url.startswith(self.site.url) else self.faults.append(sent.url))
        await page.goto(f"{self.site.url}/admin{path}" if role else f"{self.site.url}{path}")
        return page

    async def look(self, page: Page, name: str) -> None:
        """The page in the office and on a phone has no serious fault."""
        for size, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            await self._looker.keep(page, f"notices-{size}-{name}")
            assert await serious_faults(page, is_whole=size == "office") == [], f"{name} {size}"


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        opened = Desk(browser, site, looker, stack)
        yield opened
        assert opened.faults == []


async def written(desk: Desk, page: Page, *, title: str = "周五开家长会", form: bool = True) -> str:
    """A head teacher writes a notice; gives its id."""
    await page.get_by_label("标题").fill(title)
    await page.get_by_label("正文").fill(TEXT)
    if form:
        await page.get_by_label("要填写回执").check()
        await page.get_by_text("回执上的问题").click()
        await page.get_by_label("问什么").first.fill("家里来几个人")
        await page.get_by_label("选项，一行写一个").first.fill("1人\n2人\n来不了")
        await page.get_by_role("button", name="再加一题").click()
        await page.get_by_label("问什么").nth(1).fill("有什么要先告诉老师的")
        await page.get_by_label("怎样回答").nth(1).select_option("text")
        await page.get_by_label("要不要答").nth(1).select_option("no")
    await page.get_by_label("最晚什么时候回应（可不填）").fill("2026-09-10T18:00")
    await page.get_by_role("button", name="看看效果").click()
    await expect(page.get_by_role("heading", name="家长看到的样子")).to_be_visible()
    return title


async def test_from_the_first_word_to_the_last_family(desk: Desk, site: Site) -> None:
    office = site.office
    page = await desk.open("head", "/notices/new")
    await desk.look(page, "compose-empty")
    await written(desk, page)
    await desk.look(page, "compose")
    await page.get_by_role("button", name="存成草稿").click()
    await expect(page.get_by_text("要通知")).to_be_visible()
    own = page.url.rpartition("/")[2]
    await desk.look(page, "draft")
    await page.get_by_role("link", name="逐个看收件人").click()
    await expect(page.get_by_role("heading", name="谁会收到")).to_be_visible()
    await desk.look(page, "reach")
    await page.go_back()
    await page.get_by_role("button", name="发出去").click()
    await expect(page.get_by_text("已经安排好")).to_be_visible()
    await office.tick()
    await office.deliver(keep=4)
    page = await desk.open("head", f"/notices/{own}")
    await expect(page.get_by_role("heading", name="正在发送")).to_be_visible()
    await desk.look(page, "progress")
    await office.deliver()
    await office.tick()
    await families_answer(desk, own)
    page = await desk.open("head", f"/notices/{own}/families")
    await desk.look(page, "families")
    await page.get_by_label(re.compile("^杨平安")).check()
    await page.get_by_label("电话").check()
    await page.get_by_role("button", name="记下来").click()
    await expect(page.get_by_text("记下来了：1家，电话告诉的")).to_be_visible()
    await page.goto(f"{site.url}/admin/notices/{own}/report")
    await desk.look(page, "report")
    await page.goto(f"{site.url}/admin/notices/{own}")
    await desk.look(page, "after")
    await page.get_by_role("link", name="撤回").click()
    await desk.look(page, "recall")
    await page.goto(f"{site.url}/admin/notices")
    await desk.look(page, "list")


async def families_answer(desk: Desk, own: str) -> None:
    """Some families answer by their links, on small phones."""
    for name, choice in (("ready", "2人"), ("elder", "来不了")):
        ticket = await desk.site.office.ticket(own, name)
        page = await desk.open("", f"/n/{ticket}")
        for size, (width, height) in {"phone": (390, 844), "old-phone": OLD_PHONE}.items():
            await page.set_viewport_size({"width": width, "height": height})
            await desk._looker.keep(page, f"notices-reading-{size}-{name}")
            assert await faults_of(page) == [], size
            assert await serious_faults(page) == []
        await page.get_by_role("button", name="交回执").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.get_by_label(choice, exact=True).check()
        await page.get_by_role("button", name="交回执").click()
        await expect(page.get_by_text("回执交上去了")).to_be_visible()
        await desk._looker.keep(page, f"notices-reading-done-{name}")
        assert await serious_faults(page) == []


async def test_all_of_it_works_without_a_script(desk: Desk, site: Site) -> None:
    page = await desk.open("head", "/notices/new", script=False)
    await written(desk, page, title="周三秋游")
    await page.get_by_role("button", name="存成草稿").click()
    own = page.url.rpartition("/")[2]
    await page.get_by_role("button", name="发出去").click()
    await expect(page.get_by_text("已经安排好")).to_be_visible()
    await site.office.sent(own)
    page = await desk.open("", f"/n/{await site.office.ticket(own, 'plain')}", script=False)
    await page.get_by_label("1人", exact=True).check()
    await page.get_by_role("button", name="交回执").click()
    await expect(page.get_by_text("回执交上去了")).to_be_visible()


async def test_the_letters_of_the_families_page_are_large(desk: Desk, site: Site) -> None:
    notice = await Notice.all().order_by("number").first()
    assert notice is not None
    path = f"/n/{await site.office.ticket(str(notice.id), 'ready')}"
    page = await desk.open("", path)
    await page.set_viewport_size({"width": 390, "height": 844})
    size = await page.evaluate("parseFloat(getComputedStyle(document.querySelector('.text')).fontSize)")
    assert size >= 20
    fetched = await page.evaluate("performance.getEntriesByType('resource').map(each => new URL(each.name).pathname)")
    assert fetched == [f"{path}/seen.gif"], "beside the point that tells it was shown, one answer is the whole page"


async def test_the_second_person_signs_or_gives_back(desk: Desk, site: Site) -> None:
    page = await desk.open("leader", "/notices/new")
    await page.get_by_label("整所学校").check()
    await page.get_by_label("紧急").check()
    await written(desk, page, title="今天下午停课", form=False)
    await page.get_by_role("button", name="存成草稿").click()
    await page.get_by_role("button", name="交给第二个人审批").click()
    await expect(page.get_by_text("等第二个人审批")).to_be_visible()
    own = page.url.rpartition("/")[2]
    page = await desk.open("admin", f"/notices/{own}/approve")
    await desk.look(page, "approve")
    await page.get_by_role("button", name="看过了，同意发").click()
    await expect(page.get_by_text("已经安排好")).to_be_visible()


async def test_the_township_looks_class_by_class(desk: Desk) -> None:
    page = await desk.open("admin", "/notices/new")
    await desk.look(page, "compose-town")
    await written(desk, page, title="全镇家长会", form=False)
    await page.get_by_role("button", name="存成草稿").click()
    await page.get_by_role("link", name="逐个看收件人").click()
    await expect(page.get_by_role("heading", name="各班")).to_be_visible()
    await desk.look(page, "reach-classes")
    await page.get_by_role("link", name=re.compile("看名单.*三年级1班")).click()
    await desk.look(page, "reach-town")


async def test_progress_moves_by_itself_where_there_is_a_script(desk: Desk, site: Site) -> None:
    page = await desk.open("head", "/notices/new")
    await written(desk, page, title="明早带跳绳", form=False)
    await page.get_by_role("button", name="存成草稿").click()
    await page.get_by_role("button", name="发出去").click()
    await site.office.tick()
    await page.clock.install()
    await page.reload()
    before = await page.locator(".meter .number").inner_text()
    await site.office.deliver(keep=3)
    await page.clock.run_for(2_000)
    await expect(page.locator(".meter .number")).not_to_have_text(before)
    await site.office.deliver()
    site.office.clock.advance(timedelta(seconds=20))
    await site.office.tick()


async def test_a_page_that_sees_no_change_asks_for_little_and_then_no_more(desk: Desk, site: Site) -> None:
    page = await desk.open("head", "/notices/new")
    await written(desk, page, title="带雨衣", form=False)
    await page.get_by_role("button", name="存成草稿").click()
    await page.get_by_role("button", name="发出去").click()
    await site.office.tick()
    await page.clock.install()
    await page.reload()
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if sent.resource_type in {"fetch", "document"} else None)
    still = page.get_by_text("好一会儿没有变化了")
    for _ in range(30):
        async with page.expect_response("**/progress"):
            await page.clock.run_for(30_000)
        if await still.is_visible():
            break
    await expect(still).to_be_visible()
    assert {url.rpartition("/")[2] for url in asked} == {"progress"}
    number = len(asked)
    assert number <= 25
    await page.clock.run_for(300_000)
    assert len(asked) == number
    await site.office.deliver()
