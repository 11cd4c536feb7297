"""The reminders of classes, and the page a family reads, in a real browser."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, Response, expect

from handlers.notices.models import NoticeRecipient
from tests.browser.inspection import faults_of
from tests.browser.test_console import looker
from tests.browser.test_notices import OLD_PHONE, Desk, Site, desk, site, written

__all__ = ["desk", "looker", "site"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_class_reminder_is_looked_at_set_and_cancelled(desk: Desk) -> None:
    page = await desk.open("head", "/reminders")
    await desk.look(page, "reminders-empty")
    await page.get_by_label("哪一天").fill("2026-09-11")
    await page.get_by_label("提醒什么").fill("带跳绳和水杯")
    await page.get_by_role("button", name="下一步，看会发给多少人").click()
    await expect(page.get_by_role("heading", name="将要发出的提醒")).to_be_visible()
    await desk.look(page, "reminders-sure")
    await page.get_by_role("button", name="就这样提醒").click()
    await expect(page.get_by_text("带跳绳和水杯", exact=True).first).to_be_visible()
    await desk.look(page, "reminders")
    await page.get_by_role("button", name="取消").click()
    await page.get_by_role("link", name="看全部").click()
    await expect(page.get_by_text("已取消")).to_be_visible()
    await desk.look(page, "reminders-cancelled")


@pytest.mark.parametrize("script", [True, False])
async def test_a_page_that_was_shown_counts_as_opened(desk: Desk, site: Site, script: bool) -> None:
    """On the phone of a grandparent, with a script and without; asking for the page alone does not count."""
    page = await desk.open("head", "/notices/new")
    await written(desk, page, title="带跳绳" if script else "带水杯", form=False)
    await page.get_by_role("button", name="存成草稿").click()
    own = page.url.rpartition("/")[2]
    await page.get_by_role("button", name="发出去").click()
    await site.office.tick()
    await site.office.deliver()
    mine = NoticeRecipient.filter(notice_id=own, person_id=site.office.village.families["plain"].id)
    ticket = await site.office.ticket(own, "plain")
    answer = await page.request.get(f"{site.url}/n/{ticket}")
    assert answer.status == 200
    assert (await mine.get()).opened_at is None
    phone, seen = await shown(desk, f"/n/{ticket}", script=script)
    assert seen.status == 200
    assert (await mine.get()).opened_at is not None
    if script:
        width, height = OLD_PHONE
        await phone.set_viewport_size({"width": width, "height": height})
        assert await faults_of(phone) == []
        await desk.look(phone, "family")


async def shown(desk: Desk, path: str, *, script: bool) -> tuple[Page, Response]:
    """The page on a phone, once its point has been fetched."""
    phone = await desk.open("", "/n/none", script=script)
    async with phone.expect_response("**/seen.gif") as told:
        await phone.goto(f"{desk.site.url}{path}")
    return phone, await told.value
