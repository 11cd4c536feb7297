"""The page of how often contact is kept, in a real browser on a phone and in the office."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from bot.capability import Machinery
from bot.chat import Assembly
from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.accounts.models import Person
from handlers.accounts.service.sessions import SessionService
from handlers.catalogue import CAPABILITIES
from handlers.contacts.domain.register import Level
from tests.browser.desk import Desk
from tests.browser.profiles import Profiles
from tests.browser.test_console import Looker, looker
from tests.handlers.after_school.stage import NOW
from tests.handlers.console.stage import DrawingWeChat, console_app, machinery_of
from tests.handlers.contacts.clock_stage import ClockStage, clock_stage
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@dataclass
class Site:
    """A running console, and the school behind it."""

    url: str
    stage: ClockStage
    machinery: Machinery

    async def secret(self, person: Person) -> str:
        """A session at the console."""
        return (await self.machinery.services.get(SessionService).open_console(person.id)).secret


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("clock") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store, clock = RedisStore(redis_client("memory://"), Metrics()), FrozenClock(NOW)
    async with open_database(settings):
        machinery = machinery_of(settings, store, clock, DrawingWeChat())
        assembly = Assembly(CAPABILITIES, machinery)
        stage = await clock_stage(clock, Metrics())
        for level in (*Level, *Level):
            await stage.enter(level, stage.teacher)
        async with TestServer(console_app(machinery, assembly.parts)) as server:
            yield Site(str(server.make_url("")).rstrip("/"), stage, machinery)
    await store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with Desk(browser, site.url, site.secret, looker, "clock").opened() as opened:
        yield opened


async def test_a_township_writes_its_rule_on_a_phone_without_a_script(desk: Desk, site: Site) -> None:
    page = await desk.open(site.stage.admin, "/contacts/rules")
    await desk.look(page, "rules-none")
    page = await desk.open(site.stage.admin, "/contacts/rules", script=False, size="phone")
    await page.get_by_role("link", name="填上建议的天数").click()
    await page.get_by_label("从哪天起").fill(site.stage.today.isoformat())
    await page.get_by_label("依据的文件和条款").fill("x")
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await desk.look(page, "rules-fault", again=True)
    await page.get_by_label("依据的文件和条款").fill("镇教〔2026〕3号第二条")
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_text("按间隔联系的同学：6位")).to_be_visible()
    await desk.look(page, "rules-change", again=True)
    await page.get_by_role("button", name="就这样定").click()
    await expect(page.get_by_role("status")).to_contain_text("规定已经登记")
    await desk.look(page, "rules-there", again=True)
