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
from playwright.async_api import Page, expect

from bot.clock import SHANGHAI, FrozenClock
from bot.identity import Actor, Grant, Hat, Role
from handlers.console.domain import time_step, totp_code
from handlers.console.models import Credential
from handlers.console.service.tickets import TicketService
from tests.browser.console_stage import LOGIN, PASSWORD, ROLES, ConsoleStage, open_console
from tests.browser.profiles import Profiles

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE, OFFICE = (390, 844), (1366, 768)
SIZES = {"phone": PHONE, "office": OFFICE}
TWICE = {"head-home", "head-pupil", "admin-pupils", "admin-pupil-edit", "admin-school-close", "slips"}
AXE = Axe().axe_script
Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleStage]:
    clock = FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI))
    async with open_console(tmp_path_factory.mktemp("console"), clock) as stage:
        yield stage


class Windows:
    """One window for each part somebody plays, kept open for the whole run. `faults`: what the page's own rules
    forbid, and foreign requests."""

    def __init__(self, browser: Profiles, console: ConsoleStage, stack: AsyncExitStack) -> None:
        self.faults: list[str] = []
        self._browser = browser
        self._console = console
        self._stack = stack
        self._kept: dict[str, Page] = {}

    async def open(self, role: str, path: str, size: tuple[int, int] = OFFICE, *, script: bool = True) -> Page:
        """A page as somebody, "" for nobody, who gets a fresh window."""
        page = self._kept.get(role) if role and script else None
        if page is None:
            page = await self._fresh(role, script)
            if role and script:
                self._kept[role] = page
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        await page.emulate_media(media="screen")
        await page.goto(f"{self._console.url}/admin{path}", wait_until="load")
        return page

    async def _fresh(self, role: str, script: bool) -> Page:
        faults, console = self.faults, self._console
        context = await self._browser.new_context(locale="zh-CN", java_script_enabled=script)
        self._stack.push_async_callback(context.close)
        if role:
            await context.add_cookies([cast(Any, console.cookie(role))])
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("console", lambda entry: faults.append(entry.text) if "Security Policy" in entry.text else None)
        page.on("request", lambda sent: None if sent.url.startswith(console.url) else faults.append(sent.url))
        return page


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def windows(browser: Profiles, console: ConsoleStage) -> AsyncIterator[Windows]:
    async with AsyncExitStack() as stack:
        yield Windows(browser, console, stack)


@pytest_asyncio.fixture(loop_scope="session")
async def open_as(windows: Windows) -> AsyncIterator[Open]:
    """Opens a page as somebody; faults of the page fail the test."""
    windows.faults.clear()
    yield windows.open
    assert windows.faults == []


# What axe finds is judged by the rules of WCAG 2.1, levels A and AA.
# Nothing is loaded from elsewhere for it, and there are no frames.
AXE_RUN = """async () => (await axe.run(document, {preload: false, iframes: false, resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})).violations
    .filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes[0].html.slice(0, 120)}`)"""
LEAST_TYPE = """() => [...document.querySelectorAll("main *")].filter((node) => node.checkVisibility()
    && [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())
    && parseFloat(getComputedStyle(node).fontSize) < 15.9).map((node) => "small type: " + node.outerHTML.slice(0, 90))
    .slice(0, 4)"""


async def serious_faults(page: Page, *, is_whole: bool = True) -> list[str]:
    """What axe calls serious or critical, what makes the page scroll sideways, and what is set too small. Without
    `is_whole` axe is left out: it takes ten times as long as the rest."""
    found: list[str] = []
    if is_whole:
        if not await page.evaluate("typeof axe === 'object'"):
            await page.evaluate(AXE)
        found = await page.evaluate(AXE_RUN)
    if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append("scrolls sideways")
    small: list[str] = await page.evaluate(LEAST_TYPE)
    return found + small


class Looker:
    """Looks at pages, and keeps a picture of each where `--shots` names a folder."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._folder = request.config.getoption("--shots", default=None)

    async def faults(self, page: Page, name: str, *, is_whole: bool | None = None) -> list[str]:
        """What is wrong with the page as it is; looked at wholly in a wide window, unless told otherwise."""
        await self.keep(page, name)
        if is_whole is None:
            is_whole = page.viewport_size is None or page.viewport_size["width"] >= OFFICE[0]
        return await serious_faults(page, is_whole=is_whole)

    async def keep(self, page: Page, name: str) -> None:
        """The picture alone."""
        if self._folder:
            await page.screenshot(path=Path(self._folder) / f"{name}.png", full_page=True)


@pytest.fixture
def looker(request: pytest.FixtureRequest) -> Looker:
    return Looker(request)


async def faults_at_all_sizes(page: Page, looker: Looker, name: str) -> list[str]:
    """The page as it is, looked at in the office and on a phone. Names and colours are the same at both widths: axe
    looks twice only at the frame, at cards made of a table, and at a form."""
    found = []
    for size, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        is_whole = size == "office" or name in TWICE
        found += [f"{size}: {fault}" for fault in await looker.faults(page, f"{size}-{name}", is_whole=is_whole)]
    return found


def pages_of(console: ConsoleStage, role: str) -> dict[str, str]:
    """The pages by a short name: all of them as the administrator, as others what differs."""
    room, child = f"/classes/{console.room.id}", f"/pupils/{console.child.id}"
    if role in {"teacher", "head", "lead", "leader"}:
        pages = {"home": "/", "class": room, "pupil": child}
    else:
        pages = {"home": "/"}
    if role != "admin":
        return pages
    own = f"{child}/guardians/{console.guardian.id}"
    return {
        "home": "/", "class": room, "pupil": child,
        "account": "/account", "classes": "/classes", "pupils": "/pupils", "unreachable": "/unreachable",
        "invitations": f"{room}/invitations", "handover": f"{room}/handover", "receipts": "/handovers",
        "bindings": "/bindings", "staff": "/staff", "person": f"/staff/{console.people['head'].id}",
        "appoint": "/staff/appoint", "move": f"{child}/move", "bars": f"{child}/bars", "audit": "/audit",
        "nowhere": "/nowhere", "promotion": f"/promotion?school={console.room.school_id}",
        "schools": "/schools", "school": f"/schools/{console.room.school_id}", "school-new": "/schools/new",
        "school-close": f"/schools/{console.room.school_id}/close", "rights": "/rights",
        "township": f"/townships/{console.town.id}", "class-new": "/classes/new", "class-edit": f"{room}/edit",
        "pupil-new": f"/pupils/new?class={console.room.id}", "pupil-edit": f"{child}/edit", "leave": f"{child}/leave",
        "guardian-new": f"{child}/guardians", "guardian-end": f"{own}/end", "acting": f"{own}/acting",
        "phone": f"/people/{console.guardian.id}/edit?pupil={console.child.id}",
        "pick": f"/bindings/{console.request.id}/child?name={console.child.name[0]}",
        "picked": f"/bindings/{console.request.id}/child?pupil={console.child.id}",
    }  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
async def test_no_page_has_a_serious_fault(console: ConsoleStage, open_as: Open, looker: Looker, role: str) -> None:
    found = {}
    for name, path in pages_of(console, role).items():
        page = await open_as(role, path)
        found[path] = await faults_at_all_sizes(page, looker, f"{role}-{name}")
    assert {path: faults for path, faults in found.items() if faults} == {}


async def test_pages_that_ask_again_have_no_serious_fault(console: ConsoleStage, open_as: Open, looker: Looker) -> None:
    page = await open_as("admin", f"/classes/{console.room.id}/handover")
    found = []
    await page.get_by_label("交给谁").select_option(index=1)
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_role("heading", name="将要发生的变化")).to_be_visible()
    found += await faults_at_all_sizes(page, looker, "confirm-handover")
    page = await open_as("admin", "/staff/appoint")
    await page.get_by_label("姓名").fill("郑新来")
    await page.get_by_label("职务").select_option("school_leader")
    await page.get_by_label("学校", exact=True).select_option(index=1)
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_text("郑新来从2026-09-01起任")).to_be_visible()
    found += await faults_at_all_sizes(page, looker, "confirm-appoint")
    page = await open_as("admin", f"/schools/{console.room.school_id}")
    await page.get_by_label("名称").fill("柳河镇九年一贯制学校")
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_text("从现在起叫“柳河镇九年一贯制学校”")).to_be_visible()
    found += await faults_at_all_sizes(page, looker, "confirm-school")
    assert found == []


async def test_who_was_slower_sees_what_both_wrote(console: ConsoleStage, open_as: Open, looker: Looker) -> None:
    slow = await open_as("admin", f"/pupils/{console.child.id}/edit")
    quick = await open_as("leader", f"/pupils/{console.child.id}/edit")
    await quick.get_by_label("性别").select_option("女")
    await quick.get_by_role("button", name="保存").click()
    await expect(quick.get_by_text("学生资料已经改好")).to_be_visible()
    await slow.get_by_label("学籍号（可不填）").fill("G20260001")
    await slow.get_by_role("button", name="保存").click()
    await expect(slow.get_by_role("heading", name="您刚才写的")).to_be_visible()
    await expect(slow.get_by_label("学籍号（可不填）")).to_have_value("G20260001")
    await expect(slow.get_by_label("性别")).to_have_value("女")
    assert await faults_at_all_sizes(slow, looker, "pupil-late") == []


async def test_slips_are_cut_from_paper(console: ConsoleStage, open_as: Open, looker: Looker) -> None:
    page = await open_as("head", f"/classes/{console.room.id}/invitations")
    await page.get_by_role("button", name="发邀请码").click()
    await expect(page.locator(".slip").first).to_be_visible()
    await expect(page.get_by_role("button", name="打印")).to_be_visible()
    assert await faults_at_all_sizes(page, looker, "slips") == []
    await page.emulate_media(media="print")
    await page.set_viewport_size({"width": 718, "height": 1047})  # A4 without its margins
    await looker.keep(page, "paper-slips")
    await expect(page.locator(".masthead")).to_be_hidden()
    await expect(page.locator(".no-print").first).to_be_hidden()
    assert await page.locator(".slip svg").count() == await page.locator(".slip").count()
    width = await page.locator(".slip svg").first.evaluate("(node) => node.getBoundingClientRect().width")
    assert width > 100  # 30 mm


def actor_of(console: ConsoleStage) -> Actor:
    grants = (Grant(Role.ADMINISTRATOR, townships=frozenset({"t"})),)
    person = str(console.people["admin"].id)
    return Actor("index", frozenset({Role.ADMINISTRATOR}), None, person, grants, hats=frozenset({Hat.STAFF}))


async def wait_over(page: Page, script: bool) -> None:
    """The page asks again: by its script after two seconds, else as the head of the page tells the browser."""
    if script:
        await page.clock.run_for(2_000)
        return
    content = await page.content()
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in content
    await page.reload()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_scan_in_the_chat_opens_the_page_by_itself(
    console: ConsoleStage, open_as: Open, looker: Looker, script: bool
) -> None:
    page = await open_as("", "/pupils", script=script)
    if script:
        await page.clock.install()
        assert await looker.faults(page, "office-login") == []
    await page.get_by_role("button", name="用微信扫码登录").click()
    await expect(page.get_by_role("img", name="登录二维码")).to_be_visible()
    if script:
        assert await looker.faults(page, "office-scan") == []
    ticket = console.wechat.scenes[-1].removeprefix("l_")
    tickets = TicketService(lambda: console.store, lambda: cast(Any, console.wechat))
    seen = await tickets.scan(actor_of(console), ticket)
    await wait_over(page, script)
    await expect(page.get_by_text("扫到了")).to_be_visible()
    await expect(page.locator(".compare strong")).to_have_text(seen.number)
    await tickets.answer(actor_of(console), ticket, is_yes=True)
    await wait_over(page, script)
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
