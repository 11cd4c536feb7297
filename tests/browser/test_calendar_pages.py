"""The pages of the calendar in a real browser, on a phone and on an office computer, with JavaScript and without."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from bot.clock import SHANGHAI, FrozenClock
from handlers.accounts.models import School
from handlers.calendar.capability import build
from handlers.calendar.domain import Effect, LocalDay, LocalKind
from handlers.calendar.service.founding import put_calendar
from tests.browser.console_stage import ConsoleStage, open_console
from tests.browser.profiles import Profiles
from tests.browser.test_console import SIZES, Looker, looker
from tests.handlers.calendar.conftest import AUTUMN, HARVEST

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MARKET = LocalDay(
    HARVEST.first_day.replace(day=30), HARVEST.first_day.replace(day=30), LocalKind.MARKET, Effect.OFF, "大集"
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleStage]:
    clock = FrozenClock(datetime(2026, 10, 9, 8, 0, tzinfo=SHANGHAI))
    async with open_console(tmp_path_factory.mktemp("calendar"), clock, build) as stage:
        school = await School.get(name="柳河镇中心小学")
        await put_calendar(stage.town.id, [AUTUMN], [(None, HARVEST), (school.id, MARKET)], clock.now())
        yield stage


@pytest_asyncio.fixture(params=SIZES, loop_scope="session")
async def page(request: pytest.FixtureRequest, browser: Profiles, console: ConsoleStage) -> AsyncIterator[Page]:
    """The administrator's, without JavaScript on the phone; what the page's own rules forbid fails it."""
    width, height = SIZES[request.param]
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    await context.add_cookies([cast(Any, console.cookie("admin"))])
    opened = await context.new_page()
    faults: list[str] = []
    opened.on("console", lambda entry: faults.append(entry.text) if "Security Policy" in entry.text else None)
    yield opened
    await context.close()
    assert faults == []


async def test_no_page_of_the_calendar_has_a_serious_fault(console: ConsoleStage, page: Page, looker: Looker) -> None:
    school = await School.get(name="柳河镇中心小学")
    town, own = f"/calendar/townships/{console.town.id}", f"/calendar/schools/{school.id}"
    paths = (
        "/calendar", town, f"{town}?month=2027-01", own, f"{town}/terms", f"{own}/days", f"{town}/week",
        f"{town}/year?year=2026", f"{town}/year?year=2027",
    )  # fmt: skip
    found = {}
    for number, path in enumerate(paths):
        await page.goto(f"{console.url}/admin{path}")
        found[path] = await looker.faults(page, f"calendar-{number}")
    await page.goto(f"{console.url}/admin{own}/days")
    await page.get_by_label("种类").select_option("market")
    await page.get_by_label("上不上课").select_option("off")
    await page.get_by_label("第一天").fill("2026-11-06")
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_role("heading", name="将要发生的变化")).to_be_visible()
    found["sure"] = await looker.faults(page, "calendar-sure")
    assert {path: faults for path, faults in found.items() if faults} == {}


async def test_without_javascript_a_day_is_entered_and_shows_in_the_month(
    console: ConsoleStage, browser: Profiles, tmp_path: Path
) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 740}, locale="zh-CN", java_script_enabled=False
    )
    await context.add_cookies([cast(Any, console.cookie("leader"))])
    page = await context.new_page()
    await page.goto(f"{console.url}/admin/calendar")
    await page.get_by_role("link", name="柳河镇中心小学").click()
    await page.get_by_role("link", name="填写本地安排").click()
    await page.get_by_label("种类").select_option("event")
    await page.get_by_label("上不上课").select_option("on")
    await page.get_by_label("第一天").fill("2026-10-17")
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_text("多上课1天：2026年10月17日（星期六）")).to_be_visible()
    await page.get_by_role("button", name="确认修改").click()
    await expect(page.get_by_role("cell", name="17", exact=False).filter(has_text="学校活动")).to_be_visible()
    await context.close()
