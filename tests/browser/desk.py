"""Windows of several people at one console, and pages looked at on a phone and in the office."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from playwright.async_api import Page

from tests.browser.profiles import Profiles
from tests.browser.test_console import SIZES, Looker, serious_faults

Secret = Callable[[Any], Awaitable[str]]


class Desk:
    """A window for each part somebody plays. `secret` opens a session of one of them; `part` begins the names of the
    pictures."""

    def __init__(self, browser: Profiles, url: str, secret: Secret, looker: Looker, part: str) -> None:
        self.faults: list[str] = []
        self._browser, self._url, self._secret, self._looker, self._part = browser, url, secret, looker, part
        self._stack = AsyncExitStack()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Desk]:
        """Closes the windows in the end; what the pages' own rules forbid fails the test."""
        async with self._stack:
            yield self
        assert self.faults == []

    async def open(self, who: Any, path: str, *, script: bool = True, size: str = "office") -> Page:
        """A page of the console."""
        width, height = SIZES[size]
        context = await self._browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", java_script_enabled=script
        )
        self._stack.push_async_callback(context.close)
        cookie = {"name": "xiangxiao_console", "value": await self._secret(who), "url": f"{self._url}/admin/"}
        await context.add_cookies([cast(Any, cookie)])
        page = await context.new_page()
        page.on("console", lambda said: self.faults.append(said.text) if "Security Policy" in said.text else None)
        await self.go(page, path)
        return page

    async def go(self, page: Page, path: str) -> None:
        """Another page in the same window."""
        await page.goto(f"{self._url}/admin{path}")

    async def look(self, page: Page, name: str, *, again: bool = False) -> None:
        """The page in the office and on a phone has no serious fault. `again`: one with the same pieces was looked at
        wholly before."""
        for size, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            await self._looker.keep(page, f"{self._part}-{size}-{name}")
            assert await serious_faults(page, is_whole=size == "office" and not again) == [], f"{name} {size}"
