"""What waits for the lead, and the figures, in a real browser on a phone and in the office."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from random import Random
from uuid import uuid4

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
from handlers.accounts.models import Person, Pupil, School
from handlers.accounts.service.sessions import SessionService
from handlers.catalogue import CAPABILITIES
from handlers.contacts.domain.card import FactKind, FactSource, Holder
from handlers.contacts.domain.figures import Counts, months_until
from handlers.contacts.domain.records import ReportState
from handlers.contacts.domain.register import Level
from handlers.contacts.models import ContactsDraft, ContactsFact, ContactsReport
from handlers.contacts.service.figures.rows import SchoolMonth, put_months
from tests import factories
from tests.browser.desk import Desk
from tests.browser.profiles import Profiles
from tests.browser.test_console import Looker, looker
from tests.handlers.after_school.stage import NOW
from tests.handlers.console.stage import DrawingWeChat, console_app, machinery_of
from tests.handlers.contacts.clock_stage import ClockStage, clock_stage, every
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAMES = ("何若曦", "陈小满", "杨平安", "赵一凡", "孙晓雨", "李思源")
SCHOOLS = ("柳河镇中心小学", "柳河镇初级中学", "石桥小学", "上坝小学")
LABELS = ("留守", "单亲", "贫困", "困难", "残疾")


@dataclass
class Site:
    """A running console, and the school behind it."""

    url: str
    stage: ClockStage
    machinery: Machinery

    async def secret(self, person: Person) -> str:
        """A session at the console."""
        return (await self.machinery.services.get(SessionService).open_console(person.id)).secret


async def put_children(stage: ClockStage) -> None:
    """Of everything something waits: late contacts of two teachers, one of nobody, drafts, a report, an old card."""
    await stage.rule(cadence=every(10))
    keepers = (stage.teacher, stage.teacher, stage.head, stage.head, None, stage.teacher)
    pupils = [await stage.enter(Level.YELLOW, keeper) for keeper in keepers]
    for pupil, name in zip(pupils, NAMES, strict=True):
        await Pupil.filter(id=pupil.id).update(name=name)
    for person, name in ((stage.teacher, "周晓明"), (stage.head, "李秋云"), (stage.lead, "沈护航")):
        await Person.filter(id=person.id).update(name=name)
    now = stage.clock.now()
    for pupil, words in ((pupils[0], "身上有伤，说是被打的"), (pupils[2], "妈妈说月底回来")):
        await ContactsDraft.create(
            person_id=stage.teacher.id, pupil_id=pupil.id, body=json.dumps({"finding": words}), created_at=now,
            updated_at=now,
        )  # fmt: skip
    await ContactsReport.create(
        pupil_id=pupils[3].id, school_id=stage.school.id, township_id=stage.town.id, triggers="[]",
        opened_by=stage.teacher.id, opened_at=now, state=ReportState.OPEN, created_at=now, updated_at=now,
    )  # fmt: skip
    await ContactsFact.create(
        id=uuid4(), pupil_id=pupils[1].id, holder=Holder.PARENT_1, kind=FactKind.PHONE, value="19900000001",
        stated_on=stage.today, source=FactSource.PARENT, entered_at=now, is_stale=True, failed_calls=2, created_at=now,
        updated_at=now,
    )  # fmt: skip
    stage.at(stage.today + timedelta(days=14), time(9))
    await stage.record(pupils[5], on=stage.today)


async def put_figures(stage: ClockStage) -> None:
    """A year of four schools, the first month without."""
    schools = [stage.school, *[await factories.make_school(stage.town) for _ in SCHOOLS[1:]]]
    chance, made = Random(4), []
    for school, name, size in zip(schools, SCHOOLS, (46, 31, 18, 3), strict=True):
        await School.filter(id=school.id).update(name=name)
        for month in months_until(date(2026, 8, 1), 11):
            registered = size + chance.randint(-1, 1)
            overdue = round(registered * chance.uniform(0, 0.5))
            on_time = round((registered - overdue) * 0.6)
            counts = Counts(registered, registered - overdue, overdue + on_time, on_time)
            made.append(SchoolMonth(str(school.id), str(stage.town.id), month, counts))
    await put_months(made, stage.clock.now())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("views") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store, clock = RedisStore(redis_client("memory://"), Metrics()), FrozenClock(NOW)
    async with open_database(settings):
        machinery = machinery_of(settings, store, clock, DrawingWeChat())
        assembly = Assembly(CAPABILITIES, machinery)
        stage = await clock_stage(clock, Metrics())
        await put_children(stage)
        await put_figures(stage)
        async with TestServer(console_app(machinery, assembly.parts)) as server:
            yield Site(str(server.make_url("")).rstrip("/"), stage, machinery)
    await store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with Desk(browser, site.url, site.secret, looker, "views").opened() as opened:
        yield opened


async def test_the_lead_goes_from_what_waits_to_where_it_is_dealt_with(desk: Desk, site: Site) -> None:
    page = await desk.open(site.stage.lead, "/contacts/overview", size="phone")
    await expect(page.get_by_role("heading", name="周晓明：2位")).to_be_visible()
    said = await page.title() + await page.locator("main").inner_text()
    assert [word for word in LABELS if word in said] == []
    await desk.look(page, "overview")
    await page.get_by_role("link", name="安排老师").click()
    await expect(page.get_by_text("孙晓雨").first).to_be_visible()
    page = await desk.open(site.stage.lead, "/")
    await expect(page.get_by_role("link", name="草稿里写到可能的危险")).to_be_visible()


@pytest.mark.parametrize("who", ["leader", "admin"])
async def test_figures_are_drawn_and_said(desk: Desk, site: Site, who: str) -> None:
    page = await desk.open(getattr(site.stage, who), "/contacts/figures", size="phone")
    await expect(page.get_by_role("img", name="覆盖率")).to_have_count(1)
    await expect(page.get_by_role("img", name="及时率")).to_have_count(1)
    said = await page.title() + await page.locator("main").inner_text()
    assert [word for word in (*LABELS, *NAMES) if word in said] == []
    await desk.look(page, f"figures-{who}")
