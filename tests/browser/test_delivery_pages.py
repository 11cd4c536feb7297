"""The pages about what goes out in a real browser, and the list of calls that is printed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from bot.capability import EntryPoints, Machinery
from bot.clock import SHANGHAI, FrozenClock
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.pushes import ChannelName, Composed, NewPush, Purpose, Push
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.structure import StructureService
from handlers.deliveries.capability import build
from tests.browser.console_stage import ConsoleStage, open_console
from tests.browser.profiles import Profiles
from tests.browser.test_console import SIZES, Looker, looker

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TEXT = "家长会改到周五下午三点，请带上孩子的作业本。\n有事来不了的，请告诉班主任。"


class Words:
    """A `PushSource` that says the same to everybody."""

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed]:
        return {push.id: Composed(text=TEXT, line="家长会改到周五下午三点。", slots={}) for push in pushes}


def delivery_part(machinery: Machinery) -> EntryPoints:
    """The capability, with the services it looks for."""
    clock, audit = machinery.clock, machinery.audit
    machinery.services.add(AccountsAudiences(), PeopleService(clock, audit), StructureService(clock, audit))
    part = build(machinery)
    machinery.parts.append(EntryPoints(pushes={"notice": Words()}))
    PARTS[:] = [(machinery, part)]
    return part


PARTS: list[tuple[Machinery, EntryPoints]] = []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleStage]:
    clock = FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI))
    async with open_console(tmp_path_factory.mktemp("deliveries"), clock, delivery_part) as stage:
        await _messages(stage)
        yield stage


async def _messages(stage: ConsoleStage) -> None:
    """One that reached nobody, one nobody knows about, one that was sent."""
    [(machinery, part)] = PARTS
    now = stage.clock.now()
    states = {
        "unreached": (DeliveryStatus.UNREACHABLE, None),
        "unknown": (DeliveryStatus.UNKNOWN, ChannelName.TEMPLATE),
        "sent": (DeliveryStatus.SENT, ChannelName.MINI_PROGRAM),
    }
    for occurrence, (status, channel) in states.items():
        push = NewPush(
            reason="notice:1", occurrence=occurrence, person_id=str(stage.guardian.id), rule="notice",
            purpose=Purpose.NOTICE, not_before=now, expires_at=now + timedelta(days=1),
            child_ids=(str(stage.child.id),),
        )  # fmt: skip
        await machinery.outbox.promise([push])
        await OutboxPush.filter(occurrence=occurrence).update(
            status=status, channel=channel, last_error="wechat_outcome_unknown", updated_at=now
        )
    row = await OutboxPush.get(occurrence="unreached")
    [listener] = part.unreachable
    async with transaction():
        await listener.could_not_reach([_push(row)], "not_bound")


def _push(row: OutboxPush) -> Push:
    return Push(
        id=str(row.id), reason=row.reason, occurrence=row.occurrence, person_id=str(row.person_id), rule=row.rule,
        purpose=row.purpose, push_class=row.push_class, child_ids=tuple((row.child_ids or "").split("+")),
        not_before=row.not_before, expires_at=row.expires_at,
    )  # fmt: skip


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


async def test_no_page_about_deliveries_has_a_serious_fault(console: ConsoleStage, page: Page, looker: Looker) -> None:
    room = f"/handlist/classes/{console.room.id}"
    found = {}
    for number, path in enumerate(("/deliveries", "/handlist", room, f"{room}/print", "/handlist/others")):
        await page.goto(f"{console.url}/admin{path}")
        found[path] = await looker.faults(page, f"deliveries-{number}")
    await page.goto(f"{console.url}/admin{room}")
    await page.get_by_text("全文").click()
    await expect(page.get_by_text("有事来不了的")).to_be_visible()
    await page.get_by_role("button", name="看电话").first.click()
    await expect(page.locator("strong.number")).to_have_count(1)
    found["revealed"] = await looker.faults(page, "deliveries-revealed")
    assert {path: faults for path, faults in found.items() if faults} == {}


async def test_the_list_and_the_slips_are_printed_without_the_frame(console: ConsoleStage, page: Page) -> None:
    await page.goto(f"{console.url}/admin/handlist/classes/{console.room.id}/print")
    await expect(page.get_by_role("button", name="打印")).to_be_visible()
    await page.emulate_media(media="print")
    await expect(page.locator(".masthead")).to_be_hidden()
    await expect(page.locator(".deeds").first).to_be_hidden()
    await expect(page.locator(".sheet table")).to_be_visible()
    await expect(page.locator(".slip-text")).to_contain_text("请带上孩子的作业本")


async def test_a_tick_and_a_decision_take_one_tap(console: ConsoleStage, page: Page, looker: Looker) -> None:
    if page.viewport_size and page.viewport_size["width"] < 500:
        await page.goto(f"{console.url}/admin/deliveries")
        await page.get_by_role("button", name="已送到").first.click()
        await expect(page.get_by_role("status")).to_contain_text("已登记")
        await expect(page.get_by_text("没有要处理的消息")).to_be_visible()
        return
    await page.goto(f"{console.url}/admin/handlist/classes/{console.room.id}")
    await page.get_by_role("button", name="纸条").first.click()
    await expect(page.get_by_role("status")).to_contain_text("已登记：纸条告知了")
    await expect(page.get_by_text("近14天登记的").first).to_be_visible()
    assert await looker.faults(page, "deliveries-ticked") == []
    await page.get_by_role("button", name="撤销").first.click()
    await expect(page.get_by_role("status")).to_contain_text("已撤销")
    await expect(page.get_by_role("button", name="纸条").first).to_be_visible()
