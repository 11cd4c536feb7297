"""The whole demo as a visitor meets it: the command, the service behind it, the real knowledge, and two phones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.inspection import faults_of
from tests.demo_process import running_demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

QUESTION = "三年级，村小，想问校车几点来"


async def ask(page: Page, text: str, *, answer: str) -> None:
    """Sends a text; the next answer must hold the words."""
    before = await page.locator(".reply").count()
    await page.get_by_label("要发的消息").fill(text)
    await page.get_by_label("要发的消息").press("Enter")
    await expect(page.locator(".reply").nth(before)).to_contain_text(answer)


async def test_a_parent_is_answered_and_a_duty_teacher_writes_back(tmp_path: Path, open_page: OpenPage) -> None:
    options = ("--port", "0", "--data", str(tmp_path))
    async with running_demo(*options) as demo:
        await demo.until("知识库准备好了")
        parent = await open_page(f"{demo.url}/demo/phone/demo_g_000001")
        await expect(parent.locator(".reply").first).to_contain_text("这里是乡校")
        await ask(parent, "课后服务几点结束", answer="依据：《")
        await expect(parent.locator(".reply").last).to_contain_text("17:00")
        await parent.locator("summary", has_text="课后服务").click()
        await parent.locator(".popup:visible button", has_text="几点结束").click()
        await expect(parent.locator(".hint").last).to_contain_text("您点了菜单")
        await expect(parent.locator(".reply").nth(2)).to_contain_text("依据：《")
        assert await faults_of(parent) == []

        duty = await open_page(f"{demo.url}/demo/phone/demo_a_0001")
        await expect(duty.locator(".reply").nth(1)).to_contain_text("待办")
        await ask(parent, "人工", answer="值班老师")
        await ask(parent, QUESTION, answer="已经登记，编号1")
        await expect(duty.locator(".service .bubble")).to_contain_text(QUESTION)
        await ask(duty, "回复 1 校车的事请问村小办公室。", answer="1号已答复")
        await expect(parent.locator(".service .bubble")).to_contain_text("校车的事请问村小办公室。")
        assert await demo.stop() == 0

    async with running_demo(*options) as demo:
        await demo.until("知识库准备好了")
        parent = await open_page(f"{demo.url}/demo/phone/demo_g_000001")
        await expect(parent.locator(".reply").first).to_contain_text("这里是乡校")
        await ask(parent, "我的提问", answer="校车的事请问村小办公室。")


async def log_in(console: Page, start: Page) -> None:
    """By password and code, as the demo's start page gives them."""
    facts = start.locator(".facts dd")
    await console.get_by_label("登录名").fill(await facts.nth(0).inner_text())
    await console.locator("input[name=password]").fill(await facts.nth(1).inner_text())
    await console.locator("input[name=password]").press("Enter")
    code = console.locator("input[name=code]")
    await expect(code).to_be_visible()
    await start.reload()
    await code.fill(await facts.nth(2).inner_text())
    await code.press("Enter")
    await expect(console.locator("body")).to_contain_text("孙")


async def test_a_stranger_binds_with_the_slip_and_staff_enter_the_console(tmp_path: Path, open_page: OpenPage) -> None:
    async with running_demo("--port", "0", "--data", str(tmp_path)) as demo:
        await demo.until("知识库准备好了")
        start = await open_page(f"{demo.url}/demo/")
        card = await start.get_by_role("link", name="何女士").inner_text()
        found = re.search(r"邀请码 (\S{9})；孩子(\S+)，(\d+年\d+月\d+日)出生", card)
        assert found is not None
        code, child, born = found.groups()
        assert await faults_of(start) == []
        console = await open_page(f"{demo.url}/admin/")
        await log_in(console, start)
        assert console.url == f"{demo.url}/admin/"

        stranger = await open_page(f"{demo.url}/demo/phone/demo_n_0001")
        await expect(stranger.locator(".reply").first).to_contain_text("这里是乡校")
        await ask(stranger, "绑定", answer="同意")
        await ask(stranger, "同意", answer="邀请码")
        await ask(stranger, "1", answer="邀请码")
        await ask(stranger, code, answer="出生日期")
        await ask(stranger, f"{child} {born}", answer="什么人")
        await ask(stranger, "2", answer="绑定成功")
        await ask(stranger, "我的孩子", answer=child)
        assert await faults_of(stranger) == []
        assert await demo.stop() == 0

    async with running_demo("--port", "0", "--data", str(tmp_path)) as demo:
        await demo.until("请用浏览器打开")
        start = await open_page(f"{demo.url}/demo/")
        await expect(start.get_by_role("link", name="何女士")).to_contain_text("已经绑定好了")
        assert await demo.stop() == 0
