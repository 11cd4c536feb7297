"""Every page, in the states a visitor meets, at a phone's and a desk's width."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from bot.emulator.phone.chat import Act, Kind
from tests.bot.emulator.phone_stage import PARENT, Stage
from tests.browser.conftest import DESK, PHONE, OpenPage
from tests.browser.inspection import faults_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Size = tuple[int, int]
at_both_sizes = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
CHAT = ("班额最多多少人", "链接", "沉默", "课后服务几点结束", "长" * 500, "x" * 300, "https://example.org/" + "x" * 300)


async def fill(stage: Stage, openid: str) -> None:
    """A chat with every kind of line in it."""
    chat = stage.phones.chat(openid)
    for text in CHAT:
        await chat.perform(Act(Kind.SAY, text))
    await chat.perform(Act(Kind.TAP, "https://example.org/"))
    rows = [{"id": "u1", "content": "有用"}, {"id": "u2", "content": "没用"}]
    menu = {"head_content": "刚才的回答有用吗？", "list": rows, "tail_content": ""}
    assert await stage.send_service(openid, {"msgtype": "msgmenu", "msgmenu": menu}) == 0
    assert await stage.send_template(openid, url=f"{stage.url}/demo/") == 0
    assert await stage.send_subscription(openid, "pages/notice?id=1") == 0
    mass = {"msgtype": "text", "text": {"content": "明天停课，后天照常上学。"}, "touser": [openid, "oNobody"]}
    assert await stage.send("/cgi-bin/message/mass/send", mass) == 0
    stage.phones.cut()
    await chat.perform(Act(Kind.SAY, "在吗"))


@at_both_sizes
@pytest.mark.parametrize("path", ["/demo/", "/demo/log", f"/demo/phone/{PARENT}/wire/1", "/demo/phone/nobody"])
async def test_plain_pages_keep_the_rules(stage: Stage, open_page: OpenPage, path: str, size: Size) -> None:
    await fill(stage, PARENT)
    stage.phones.ready.clear()
    page = await open_page(stage.url + path, size)
    assert await faults_of(page) == []


@at_both_sizes
@pytest.mark.parametrize("openid", [PARENT, "demo_g_000002"], ids=["parent", "grandmother"])
async def test_the_phone_keeps_the_rules_in_every_state(
    stage: Stage, open_page: OpenPage, openid: str, size: Size
) -> None:
    await fill(stage, openid)
    page = await open_page(f"{stage.url}/demo/phone/{openid}", size)
    await expect(page.get_by_role("status")).to_contain_text("已断线")
    await expect(page.locator(".notice")).to_have_count(1)
    assert await faults_of(page) == []
    for opener in ("summary >> text=问政策", "summary >> text=课后服务", ".more summary"):
        await page.locator(opener).click()
        assert await faults_of(page) == []
        await page.keyboard.press("Escape")
    await page.get_by_role("button", name="看报文").click()
    assert await faults_of(page) == []
    await stage.phones.chat(openid).perform(Act(Kind.UNFOLLOW))
    await expect(page.get_by_role("button", name="关注公众号", exact=True)).to_be_visible()
    assert await faults_of(page) == []


async def test_what_has_the_focus_is_marked(stage: Stage, open_page: OpenPage) -> None:
    await stage.phones.chat(PARENT).perform(Act(Kind.SAY, "班额最多多少人"))
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    seen: list[str] = []
    while True:
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement === document.body"):
            break
        seen.append(await page.evaluate("document.activeElement.textContent.trim()"))
        width = await page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        style = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert (style, width >= 2) == ("solid", True), seen
    assert any("1. 堰口镇" in each for each in seen)
    assert any("我的" in each for each in seen)


async def test_the_inspection_finds_what_is_wrong(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/")
    await _spoil(page)
    found = " ".join(await faults_of(page))
    for fault in ("no name", "no alt", "contrast", "not one h1", "li without a list", "target too small", "beyond"):
        assert fault in found


async def _spoil(page: Page) -> None:
    await page.evaluate(
        """() => {
            const image = '<img src="/demo/static/school.svg">';
            const text = "<h1>x</h1><button></button><p>pale</p><div><li>x</li></div><pre>wide</pre><button>.</button>";
            document.querySelector("main").insertAdjacentHTML("beforeend", image + text);
            document.querySelector("main p:last-of-type").style.color = "#aaa";
            document.querySelector("main pre").style.width = "900px";
            for (const each of document.querySelectorAll("main button")) {
                Object.assign(each.style, { height: "9px", width: "9px", padding: 0 });
            }
        }"""
    )
