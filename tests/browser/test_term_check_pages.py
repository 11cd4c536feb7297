"""The pages of the check in a real browser: a class reported on a phone in three taps, a search, the board."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.accounts.models import Person, Pupil, School
from handlers.accounts.service.sessions import SessionService
from handlers.term_check.domain.cases import CaseEvent
from handlers.term_check.service.cases import Ending
from tests.browser.desk import Desk
from tests.browser.profiles import Profiles
from tests.browser.test_console import Looker, looker
from tests.handlers.console.stage import console_app
from tests.handlers.term_check.stage import FIRST, Stage, at
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAMES = ("何若曦", "陈小满", "杨平安", "褚远", "沈明禾", "蒋青山", "卫安和", "欧阳小雨", "韩云舟", "赵平")


@dataclass
class Site:
    """A running console, and the township behind it."""

    url: str
    stage: Stage

    async def secret(self, person: Person) -> str:
        """A session at the console."""
        return (await self.stage.machinery.services.get(SessionService).open_console(person.id)).secret


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("check") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings):
        stage = Stage(settings, store, FrozenClock(at(FIRST)))
        await stage.build((3, 7), (1, 2), children=10)
        for campus, name in zip(stage.schools, ("柳河镇中心学校", "柳庄小学"), strict=True):
            await School.filter(id=campus.row.id).update(name=name)
            await Person.filter(id=campus.leader.id).update(name="郑校长")
            for room in campus.rooms:
                await Person.filter(id=room.head.id).update(name="李秋云")
                for child, own in zip(room.children, NAMES, strict=True):
                    await Pupil.filter(id=child.id).update(name=own)
        await stage.rule(centre=stage.schools[0])
        await stage.run()
        async with TestServer(console_app(stage.machinery, stage.assembly.parts)) as server:
            yield Site(str(server.make_url("")).rstrip("/"), stage)
    await store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with Desk(browser, site.url, site.secret, looker, "check").opened() as opened:
        yield opened


async def test_a_class_is_reported_on_a_phone_with_three_taps_without_a_script(desk: Desk, site: Site) -> None:
    room = site.stage.schools[0].rooms[0]
    page = await desk.open(room.head, "/term-check", script=False, size="phone")
    await page.get_by_role("link", name="去清点").click()
    await page.get_by_label("没到：陈小满").check()
    await page.get_by_role("button", name="交到校情况").click()
    await expect(page.get_by_role("status")).to_contain_text("9人到校，还有1人没到")


async def test_every_page_of_a_head_teacher(desk: Desk, site: Site) -> None:
    room = site.stage.schools[0].rooms[1]
    page = await desk.open(room.head, "/term-check")
    await desk.look(page, "classes")
    await desk.go(page, f"/term-check/rooms/{room.id}")
    await desk.look(page, "room")
    await page.get_by_label("没到：蒋青山").check()
    await page.get_by_label("没到：欧阳小雨").check()
    await page.get_by_role("button", name="交到校情况").click()
    await desk.look(page, "room-reported", again=True)
    await page.get_by_role("link", name=re.compile("去记联系情况.*蒋青山")).click()
    await desk.look(page, "case")
    await page.get_by_label("见了谁、怎么说的、下一步怎么办").fill("见到爷爷，说周四送来")
    await page.get_by_label("怎么联系的").select_option("家访")
    await page.get_by_role("button", name="记下", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("已经记下")
    await page.get_by_label("怎么样了").select_option("转学（要拍凭证）")
    await page.get_by_role("button", name="办结").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await desk.look(page, "case-fault")
    await desk.go(page, "/term-check/cases")
    await desk.look(page, "cases")


async def test_the_board_the_year_and_the_rules(desk: Desk, site: Site) -> None:
    stage = site.stage
    small = stage.schools[1].rooms[0]
    await stage.report(small, small.children[0], small.children[1])
    leader = await stage.actor(stage.schools[1].leader)
    own = str((await stage.case_of(small.children[0])).id)
    await stage.cases.end(leader, own, Ending(CaseEvent.EXCUSE, "住院了，医生开了单", date(2026, 9, 21)))
    await stage.go_to(date(2026, 9, 8))
    page = await desk.open(stage.schools[0].leader, "/term-check/board")
    await desk.look(page, "board-leader")
    page = await desk.open(stage.admin, "/term-check/board")
    await desk.look(page, "board-town", again=True)
    await desk.go(page, "/term-check/year")
    await desk.look(page, "year")
    await desk.go(page, "/term-check/rules")
    await desk.look(page, "rules")
    await desk.go(page, f"/term-check/cases/{own}")
    await desk.look(page, "case-ill", again=True)
    await desk.go(page, "/term-check/cases?show=away")
    await desk.look(page, "cases-away", again=True)
