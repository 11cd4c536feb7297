"""What every page must keep for people who see badly, use a keyboard or a reader, or hold a small phone."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

_SCRIPT = (Path(__file__).parent / "inspection.js").read_text(encoding="utf-8")


async def faults_of(page: Page) -> list[str]:
    """What the page as it is now breaks: names, structure, contrast (WCAG AA), size of targets, the screen's edges."""
    found: list[str] = await page.evaluate(_SCRIPT)
    return found
