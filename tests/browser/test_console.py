"""The console in a real browser: every page of every part somebody plays, on a phone and on an office computer."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from bot.clock import SHANGHAI, FrozenClock
from bot.identity import Actor, Grant, Hat, Role
from handlers.console.domain import time_step, totp_code
from handlers.console.models import Credential
from handlers.console.service.tickets import TicketService
from tests.browser.console_stage import LOGIN, PASSWORD, ROLES, ConsoleStage, open_console

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE, OFFICE = (390, 844), (1366, 768)
SIZES = {"phone": PHONE, "office": OFFICE}
Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleStage]:
    clock = FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI))
    async with open_console(tmp_path_factory.mktemp("console"), clock) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="session")
async def open_as(browser: Browser, console: ConsoleStage) -> AsyncIterator[Open]:
    """Opens a page as somebody, "" for nobody. What the page's own rules forbid, and foreign requests, fail it."""
    faults: list[str] = []
    async with AsyncExitStack() as stack:

        async def open_one(role: str, path: str, size: tuple[int, int] = OFFICE, *, script: bool = True) -> Page:
            context = await browser.new_context(
                viewport={"width": size[0], "height": size[1]}, locale="zh-CN", java_script_enabled=script
            )
            stack.push_async_callback(context.close)
            if role:
                await context.add_cookies([cast(Any, console.cookie(role))])
            page = await context.new_page()
            page.set_default_timeout(10_000)
            page.on("pageerror", lambda error: faults.append(f"script: {error}"))
            page.on("console", lambda entry: faults.append(entry.text) if "Security Policy" in entry.text else None)
            page.on("request", lambda sent: None if sent.url.startswith(console.url) else faults.append(sent.url))
            await page.goto(f"{console.url}/admin{path}")
            return page

        yield open_one
    assert faults == []


# What axe finds is judged by the rules of WCAG 2.1, levels A and AA.
AXE_OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
LEAST_TYPE = """() => [...document.querySelectorAll("main *")].filter((node) => node.checkVisibility()
    && [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())
    && parseFloat(getComputedStyle(node).fontSize) < 15.9).map((node) => node.outerHTML.slice(0, 90))"""


async def serious_faults(page: Page) -> list[str]:
    """What axe calls serious or critical, what makes the page scroll sideways, and what is set too small."""
    results = await Axe().run(page, options=AXE_OPTIONS)
    found = [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}"
        for each in results.response["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
    if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append("scrolls sideways")
    return found + [f"small type: {each}" for each in await page.evaluate(LEAST_TYPE)][:4]


class Looker:
    """Looks at pages, and keeps a picture of each where `--shots` names a folder."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._folder = request.config.getoption("--shots", default=None)

    async def faults(self, page: Page, name: str) -> list[str]:
        if self._folder:
            await page.screenshot(path=Path(self._folder) / f"{name}.png", full_page=True)
        return await serious_faults(page)


@pytest.fixture
def looker(request: pytest.FixtureRequest) -> Looker:
    return Looker(request)


def pages_of(console: ConsoleStage, role: str) -> dict[str, str]:
    """The pages by a short name: all of them as the administrator, as others what differs."""
    room, child = f"/classes/{console.room.id}", f"/pupils/{console.child.id}"
    pages = {"home": "/", "class": room, "pupil": child}
    if role != "admin":
        return pages
    return pages | {
        "account": "/account", "classes": "/classes", "pupils": "/pupils", "unreachable": "/unreachable",
        "invitations": f"{room}/invitations", "handover": f"{room}/handover", "receipts": "/handovers",
        "bindings": "/bindings", "staff": "/staff", "person": f"/staff/{console.people['head'].id}",
        "appoint": "/staff/appoint", "move": f"{child}/move", "bars": f"{child}/bars", "audit": "/audit",
        "nowhere": "/nowhere", "promotion": f"/promotion?school={console.room.school_id}",
    }  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("role", ROLES)
async def test_no_page_has_a_serious_fault(
    console: ConsoleStage, open_as: Open, looker: Looker, role: str, size: str
) -> None:
    page = await open_as(role, "/", SIZES[size])
    found = {}
    for name, path in pages_of(console, role).items():
        await page.goto(f"{console.url}/admin{path}")
        found[path] = await looker.faults(page, f"{size}-{role}-{name}")
    assert {path: faults for path, faults in found.items() if faults} == {}


@pytest.mark.parametrize("size", SIZES)
async def test_pages_that_ask_again_have_no_serious_fault(
    console: ConsoleStage, open_as: Open, looker: Looker, size: str
) -> None:
    page = await open_as("admin", f"/classes/{console.room.id}/handover", SIZES[size])
    found = []
    await page.get_by_label("交给谁").select_option(index=1)
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_role("heading", name="将要发生的变化")).to_be_visible()
    found += await looker.faults(page, f"{size}-confirm-handover")
    await page.goto(f"{console.url}/admin/staff/appoint")
    await page.get_by_label("姓名").fill("郑新来")
    await page.get_by_label("职务").select_option("school_leader")
    await page.get_by_label("学校", exact=True).select_option(index=1)
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_text("郑新来从2026-09-01起任")).to_be_visible()
    found += await looker.faults(page, f"{size}-confirm-appoint")
    assert found == []


@pytest.mark.parametrize("size", SIZES)
async def test_slips_are_cut_from_paper(console: ConsoleStage, open_as: Open, looker: Looker, size: str) -> None:
    page = await open_as("head", f"/classes/{console.room.id}/invitations", SIZES[size])
    await page.get_by_role("button", name="发邀请码").click()
    await expect(page.locator(".slip").first).to_be_visible()
    await expect(page.get_by_role("button", name="打印")).to_be_visible()
    assert await looker.faults(page, f"{size}-slips") == []
    await page.emulate_media(media="print")
    await expect(page.locator(".masthead")).to_be_hidden()
    await expect(page.locator(".no-print").first).to_be_hidden()
    assert await page.locator(".slip svg").count() == await page.locator(".slip").count()
    width = await page.locator(".slip svg").first.evaluate("(node) => node.getBoundingClientRect().width")
    assert width > 100  # 30 mm


def actor_of(console: ConsoleStage) -> Actor:
    grants = (Grant(Role.ADMINISTRATOR, townships=frozenset({"t"})),)
    person = str(console.people["admin"].id)
    return Actor("index", frozenset({Role.ADMINISTRATOR}), None, person, grants, hats=frozenset({Hat.STAFF}))


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_scan_in_the_chat_opens_the_page_by_itself(
    console: ConsoleStage, open_as: Open, looker: Looker, script: bool
) -> None:
    page = await open_as("", "/pupils", script=script)
    if script:
        assert await looker.faults(page, "office-login") == []
    await page.get_by_role("button", name="用微信扫码登录").click()
    await expect(page.get_by_role("img", name="登录二维码")).to_be_visible()
    if script:
        assert await looker.faults(page, "office-scan") == []
    ticket = console.wechat.scenes[-1].removeprefix("l_")
    tickets = TicketService(lambda: console.store, lambda: cast(Any, console.wechat))
    seen = await tickets.scan(actor_of(console), ticket)
    await expect(page.get_by_text("扫到了")).to_be_visible()
    await expect(page.locator(".compare strong")).to_have_text(seen.number)
    await tickets.answer(actor_of(console), ticket, is_yes=True)
    await expect(page.get_by_role("heading", name="学生", exact=True)).to_be_visible()


async def test_a_password_and_a_code_open_it_on_a_phone_without_a_script(console: ConsoleStage, open_as: Open) -> None:
    page = await open_as("", "/", PHONE, script=False)
    await page.get_by_label("登录名").fill(LOGIN)
    await page.get_by_label("密码", exact=True).fill("不是这个密码0000")
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_role("alert")).to_contain_text("登录名、密码或验证码不对")
    await page.get_by_label("密码", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_role("heading", name="先设好手机验证器")).to_be_visible()
    secret = (await Credential.get(login=LOGIN)).totp_secret
    assert secret is not None
    await page.get_by_label("手机验证器上的6位数字").fill(totp_code(secret, time_step(console.clock.now())))
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.get_by_role("heading", name="等您办的事")).to_be_visible()
    await page.locator("summary", has_text="菜单").click()
    await page.get_by_role("link", name="教职工").first.click()
    await expect(page.get_by_role("heading", name="教职工")).to_be_visible()


async def test_everything_can_be_reached_and_seen_with_the_keyboard(console: ConsoleStage, open_as: Open) -> None:
    page = await open_as("head", f"/pupils/{console.child.id}")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="跳到正文")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    seen = []
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement === document.body"):
            break
        seen.append(await page.evaluate("document.activeElement.textContent.trim()"))
        width = await page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 2, seen
    assert seen[0] == "学生"
    assert any(text.endswith("的电话") for text in seen)
    await page.get_by_role("button", name=re.compile("的电话$")).first.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("main strong.number")).to_have_text(re.compile(r"199\d{8}"))


async def test_the_look_finds_what_is_wrong(console: ConsoleStage, open_as: Open) -> None:
    page = await open_as("head", "/")
    await page.evaluate(
        """() => document.querySelector("main").insertAdjacentHTML("beforeend",
            '<img src="x"><p class="pale">pale</p><button></button><p class="tiny">tiny</p><p class="wide">wide</p>')"""
    )
    await page.evaluate(
        """() => { const main = document.querySelector("main");
            main.querySelector(".pale").style.color = "#bbb"; main.querySelector(".tiny").style.fontSize = "12px";
            main.querySelector(".wide").style.width = "3000px"; }"""
    )
    found = " ".join(await serious_faults(page))
    for fault in ("image-alt", "color-contrast", "button-name", "small type", "sideways"):
        assert fault in found
