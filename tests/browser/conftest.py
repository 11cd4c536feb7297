"""One Chromium for the run, an empty profile for each test, and the demo's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from bot.clock import SystemClock
from tests.bot.emulator.phone_stage import Stage, open_stage
from tests.browser.chromium import ARGUMENTS, require_chromium
from tests.browser.profiles import PATIENCE_MS, Profiles

PHONE = (360, 640)
DESK = (1280, 800)

OpenPage = Callable[..., Awaitable[Page]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Heard when the run names this folder: `pytest tests/browser --shots pictures`."""
    parser.addoption("--shots", help="a folder to keep pictures of the console's pages in")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Profiles]:
    program = require_chromium()
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield Profiles(running)
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Profiles) -> AsyncIterator[OpenPage]:
    """Opens an address in a profile of its own. Faults of the page, and requests that leave the machine, fail it."""
    faults: list[str] = []
    async with AsyncExitStack() as stack:

        async def open_one(url: str, size: tuple[int, int] = PHONE, *, script: bool = True) -> Page:
            context = await browser.new_context(
                viewport={"width": size[0], "height": size[1]}, locale="zh-CN", java_script_enabled=script
            )
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.on("pageerror", lambda error: faults.append(f"script: {error}"))
            page.on("console", lambda entry: faults.append(entry.text) if "Security Policy" in entry.text else None)
            own = url.split("/demo")[0]
            page.on("request", lambda sent: None if sent.url.startswith(own) else faults.append(f"foreign: {sent.url}"))
            await page.goto(url)
            return page

        yield open_one
    assert faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    """The pages over a scripted account; the personas have done nothing yet but follow."""
    async with open_stage(SystemClock(), opens=True) as opened:
        for openid in opened.phones.personas:
            await opened.phones.chat(openid).follower.screen.wait_beyond(0, 5)
        yield opened
