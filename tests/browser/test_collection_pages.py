"""The pages of collecting in a real browser, on a phone and in the office, with the page checks, without a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.after_school.domain.statements import ConsentHow, Wish
from tests import factories
from tests.browser.desk import Desk
from tests.browser.profiles import Profiles
from tests.browser.test_console import Looker, looker
from tests.handlers.after_school.collecting import Collecting
from tests.handlers.after_school.stage import NOW, Stage
from tests.handlers.after_school.test_collection_lists import GOOD, book
from tests.handlers.console.stage import console_app
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class Site:
    """A running console, and the class in it."""

    url: str
    collecting: Collecting

    @property
    def home(self) -> str:
        """The plan's page."""
        return f"/after-school/tally/{self.collecting.plan}"

    @property
    def room(self) -> str:
        """The class's page."""
        return f"{self.home}/classes/{self.collecting.room}"

    def child(self, number: int) -> str:
        """A child's page."""
        return f"{self.home}/children/{self.collecting.child(number)}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    clock = FrozenClock(NOW)
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("tally") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings):
        collecting = await Collecting(Stage(settings, store, clock)).build()
        await collecting.appoint()
        other = await factories.make_class(collecting.stage.school, grade=3, number=2)
        await factories.make_pupil(other, name="蒋青山")
        await factories.make_pupil(collecting.stage.room, name="赵平")
        for number in (0, 3):
            await collecting.stage.sign_up(number, "合唱")
        clock.advance(timedelta(minutes=5))
        await collecting.say(0, Wish.NOT_JOIN, reason="爷爷接")
        await collecting.say(1, Wish.NOT_JOIN, ConsentHow.BY_PHONE, reason="奶奶在家带")
        await collecting.say(2, Wish.JOIN)
        async with TestServer(console_app(collecting.stage.machinery, collecting.assembly.parts)) as server:
            yield Site(str(server.make_url("")).rstrip("/"), collecting)
    await store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with Desk(browser, site.url, site.collecting.secret, looker, "tally").opened() as opened:
        yield opened


async def test_every_page_of_collecting(desk: Desk, site: Site) -> None:
    page = await desk.open(site.collecting.head, site.room)
    await desk.look(page, "class")
    for name in ("ring", "close", "reasons"):
        await desk.go(page, f"{site.room}/{name}")
        await desk.look(page, name)
    await desk.go(page, f"{site.room}/ring")
    await page.get_by_role("button", name="看电话").first.click()
    await expect(page.get_by_role("link", name="拨打")).to_be_visible()
    await desk.look(page, "ring-phone")
    for name, number in (("disagreeing", 0), ("wants", 2), ("signed-up", 3)):
        await desk.go(page, site.child(number))
        await desk.look(page, f"child-{name}")
    page = await desk.open(site.collecting.stage.admin, site.home)
    await desk.look(page, "plan")
    await desk.go(page, f"{site.home}/lists")
    await desk.look(page, "lists")
    bad = ("三(1)班", "沈明禾", "也许", "签字")
    for name, rows in (("good", GOOD), ("bad", (*GOOD, bad))):
        await desk.go(page, f"{site.home}/lists")
        file = {"name": "意向表.xlsx", "mimeType": _XLSX, "buffer": book(*rows)}
        await page.get_by_label("填好的意向表").set_input_files(files=[cast(Any, file)])
        await page.get_by_role("button", name="上传核对").click()
        await expect(page.get_by_role("heading", name="逐行看")).to_be_visible()
        await desk.look(page, f"list-{name}")


async def test_from_the_decision_to_the_signature_without_a_script(desk: Desk, site: Site) -> None:
    page = await desk.open(site.collecting.head, site.child(0), script=False)
    await page.get_by_label("参加", exact=True).check()
    await page.get_by_label("电话里说的").first.check()
    await page.get_by_role("button", name="登记").click()
    await expect(page.get_by_text("最后的决定登记好了")).to_be_visible()
    await page.get_by_role("button", name="提醒没答复的").click()
    await expect(page.get_by_text("会提醒1位家长")).to_be_visible()
    await page.get_by_role("link", name="核对签名").click()
    await page.get_by_role("button", name="签名", exact=True).click()
    await expect(page.get_by_text("签名好了")).to_be_visible()
    page = await desk.open(site.collecting.head, site.room)
    await desk.look(page, "class-signed")
    await page.get_by_role("link", name="重新打开").click()
    await desk.look(page, "reopen")
