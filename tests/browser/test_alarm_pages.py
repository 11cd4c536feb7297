"""The pages about alarms and recurring duties in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any, cast

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from bot.capability import EntryPoints, Machinery
from bot.clock import SHANGHAI, FrozenClock
from handlers.accounts.service.places import PlaceService
from handlers.alarms import capability as alarms
from handlers.calendar.service.calendars import CalendarService
from handlers.duties import capability as duties
from handlers.duties.models import DutyRule, DutyTask
from handlers.duties.service.planning import DutyPlanner
from tests.browser.console_stage import ConsoleStage, open_console
from tests.browser.profiles import Profiles
from tests.browser.test_console import SIZES, Looker, looker
from tests.handlers.duties.stage import make_term

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def duties_part(machinery: Machinery) -> EntryPoints:
    """The capability over the real calendars."""
    return duties.built_with(machinery, CalendarService(PlaceService()))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleStage]:
    clock = FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI))
    planners: list[DutyPlanner] = []

    def planned(machinery: Machinery) -> EntryPoints:
        part = duties_part(machinery)
        planners.append(machinery.services.get(DutyPlanner))
        return part

    async with open_console(tmp_path_factory.mktemp("alarms"), clock, alarms.build, planned) as stage:
        await make_term(stage.town, date(2026, 9, 1), date(2027, 1, 22))
        await planners[0].plan()
        yield stage


@pytest_asyncio.fixture(params=SIZES, loop_scope="session")
async def page(request: pytest.FixtureRequest, browser: Profiles, console: ConsoleStage) -> AsyncIterator[Page]:
    """The administrator's, on a phone and on an office computer; what the page's own rules forbid fails it."""
    width, height = SIZES[request.param]
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    await context.add_cookies([cast(Any, console.cookie("admin"))])
    opened = await context.new_page()
    faults: list[str] = []
    opened.on("console", lambda entry: faults.append(entry.text) if "Security Policy" in entry.text else None)
    yield opened
    await context.close()
    assert faults == []


async def test_an_alarm_is_raised_answered_and_closed_on_pages_without_a_serious_fault(
    console: ConsoleStage, page: Page, looker: Looker
) -> None:
    found = {}
    await page.goto(f"{console.url}/admin/alarms/new")
    found["new"] = await looker.faults(page, "alarm-new")
    await page.get_by_label("孩子姓名").fill(console.child.name)
    await page.get_by_label("最后在哪里").fill("柳河桥头")
    await page.get_by_role("button", name="马上上报").click()
    if await page.get_by_label("是哪一个孩子").count():
        found["namesakes"] = await looker.faults(page, "alarm-namesakes")
        await page.get_by_label("是哪一个孩子").select_option(index=1)
        await page.get_by_role("button", name="马上上报").click()
    await expect(page.get_by_role("heading", name="马上打电话")).to_be_visible()
    await expect(page.get_by_role("link", name="110")).to_have_attribute("href", "tel:110")
    found["open"] = await looker.faults(page, "alarm-open")
    await page.get_by_role("button", name="由我跟进").click()
    await expect(page.get_by_role("button", name="由我跟进")).to_have_count(0)
    await page.get_by_label("孩子现在怎么样").fill("孩子在外婆家找到，平安")
    await page.get_by_role("button", name="办结").click()
    await page.goto(f"{console.url}/admin/alarms?state=closed")
    found["list"] = await looker.faults(page, "alarm-list")
    await page.get_by_role("link", name="看经过").first.click()
    await expect(page.get_by_text("孩子在外婆家找到，平安")).to_be_visible()
    found["closed"] = await looker.faults(page, "alarm-closed")
    assert {name: faults for name, faults in found.items() if faults} == {}


async def test_no_page_about_duties_has_a_serious_fault(console: ConsoleStage, page: Page, looker: Looker) -> None:
    task = await DutyTask.filter(school_id=console.room.school_id).first()
    rule = await DutyRule.filter(shipped="safety_check", township_id=console.town.id).first()
    assert task is not None
    assert rule is not None
    found = {}
    paths = ("/duties", f"/duties/{task.id}", "/duty-rules", "/duty-rules/new", f"/duty-rules/{rule.id}")
    for number, path in enumerate(paths):
        await page.goto(f"{console.url}/admin{path}")
        found[path] = await looker.faults(page, f"duties-{number}")
    await page.get_by_role("button", name="下一步，看看是哪几天").click()
    await expect(page.get_by_role("heading", name="接下来的日子")).to_be_visible()
    found["days"] = await looker.faults(page, "duties-days")
    assert {path: faults for path, faults in found.items() if faults} == {}
