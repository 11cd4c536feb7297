"""Profiles of one browser, emptied and used again.

A Chromium without a screen opens a whole window for each new profile, frame and all: two to three seconds of processor.
Emptying one takes a fraction of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Page, ViewportSize

Key = tuple[str, bool]

_DEFAULT_SIZE: ViewportSize = {"width": 1280, "height": 720}
# For what hangs, never for what is slow beside other work: nobody waits so long for a page that comes.
PATIENCE_MS = 120_000

_IS_AS_IT_WAS = "() => /native code/.test(Function.prototype.toString.call(window.setTimeout))"
_FORGET = "() => { sessionStorage.clear(); localStorage.clear(); }"


class Profiles:
    """Hands out empty profiles. Two handed out at the same time know nothing of each other."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[Key, list[tuple[BrowserContext, Page]]] = {}

    async def new_context(
        self, *, viewport: ViewportSize = _DEFAULT_SIZE, locale: str = "zh-CN", java_script_enabled: bool = True
    ) -> Profile:
        """A profile with one page in it, without cookies, storage or history of a test."""
        key = (locale, java_script_enabled)
        free = self._free.setdefault(key, [])
        if free:
            context, page = free.pop()
        else:
            context = await self._browser.new_context(locale=locale, java_script_enabled=java_script_enabled)
            page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        await page.set_viewport_size(viewport)
        return Profile(self, key, context, page)

    def take_back(self, key: Key, context: BrowserContext, page: Page) -> None:
        """Emptied, for the next."""
        self._free[key].append((context, page))


class Profile:
    """A profile for the time of a test."""

    def __init__(self, profiles: Profiles, key: Key, context: BrowserContext, page: Page) -> None:
        self._profiles, self._key, self._context, self._page = profiles, key, context, page

    async def add_cookies(self, cookies: Sequence[Any]) -> None:
        """As of a context."""
        await self._context.add_cookies(cookies)

    async def new_page(self) -> Page:
        """The one page. What listens to it goes on listening when the test is over: to nobody's harm."""
        return self._page

    async def close(self) -> None:
        """Empties it for the next test, or closes it when that cannot be."""
        try:
            is_empty = await self._emptied()
        except Error:
            is_empty = False
        if is_empty:
            self._profiles.take_back(self._key, self._context, self._page)
        else:
            await self._context.close()

    async def _emptied(self) -> bool:
        page = self._page
        for other in self._context.pages:
            if other is not page:
                await other.close()
        # A clock that a test has taken over stays taken over in every page to come.
        if page.is_closed() or not await page.evaluate(_IS_AS_IT_WAS):
            return False
        if page.url.startswith("http"):
            await page.evaluate(_FORGET)
        await page.goto("about:blank")
        await page.emulate_media(media="null")
        await self._context.clear_cookies()
        return True
