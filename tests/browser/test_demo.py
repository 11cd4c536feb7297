"""The whole demo as a visitor meets it: the command, the service behind it, the real knowledge, and two phones."""

from __future__ import annotations

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
        await parent.locator(".popup:visible button").first.click()
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
