"""The pages about consent in a real browser, and the form that is printed and signed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from bot.capability import EntryPoints, Machinery
from bot.clock import SHANGHAI, FrozenClock
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.people import PeopleService
from handlers.consent.capability import build
from tests.browser.console_stage import ConsoleStage, open_console
from tests.browser.profiles import Profiles
from tests.browser.test_console import SIZES, Looker, looker

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def consent_part(machinery: Machinery) -> EntryPoints:
    """The capability, with the services it looks for."""
    machinery.services.add(PeopleService(machinery.clock, machinery.audit), AccountsIdentity(machinery.clock))
    return build(machinery)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleStage]:
    clock = FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI))
    async with open_console(tmp_path_factory.mktemp("consent"), clock, consent_part) as stage:
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


async def test_no_page_about_consent_has_a_serious_fault(console: ConsoleStage, page: Page, looker: Looker) -> None:
    room, child = f"/consents/{console.room.id}", console.child.id
    paths = ("/consents", room, f"{room}/paper", f"{room}/paper?child={child}", f"{room}/forms", "/retention")
    found = {}
    for number, path in enumerate(paths):
        await page.goto(f"{console.url}/admin{path}")
        found[path] = await looker.faults(page, f"consent-{number}")
    await page.goto(f"{console.url}/admin{room}/paper?child={child}")
    await page.get_by_label("谁签的字").select_option(index=1)
    await page.get_by_label("怎么决定的").select_option("refused")
    await page.get_by_label("签字日期").fill("2026-09-01")
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_role("heading", name="请再对一遍")).to_be_visible()
    found["confirm"] = await looker.faults(page, "consent-confirm")
    assert {path: faults for path, faults in found.items() if faults} == {}


async def test_each_child_s_form_is_one_sheet_of_a4(console: ConsoleStage, page: Page, tmp_path: Path) -> None:
    await page.goto(f"{console.url}/admin/consents/{console.room.id}/forms")
    await expect(page.get_by_role("button", name="打印")).to_be_visible()
    assert await page.locator(".notice").count() == 0
    sheets = await page.locator(".sheet").count()
    await page.pdf(path=tmp_path / "forms.pdf", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "forms.pdf").read_bytes())) == sheets
    await page.emulate_media(media="print")
    await expect(page.locator(".masthead")).to_be_hidden()
