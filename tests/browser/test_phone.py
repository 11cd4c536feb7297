"""The demo's phone in a real browser: what a visitor does, and what they see."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.bot.emulator.phone_stage import ANSWER, PARENT, Stage
from tests.browser.conftest import DESK, PHONE, OpenPage
from tests.browser.inspection import faults_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FAULT_NOTICE = "该公众号提供的服务出现故障，请稍后再试"
FIRST_LINE = ANSWER.split("\n")[0]


async def ask(page: Page, question: str) -> None:
    await page.get_by_label("要发的消息").fill(question)
    await page.get_by_label("要发的消息").press("Enter")


async def test_a_visitor_picks_a_persona_asks_and_reads_the_cited_answer(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/")
    await page.get_by_role("link", name=re.compile("王大姐")).click()
    await ask(page, "课后服务几点结束")
    await expect(page.locator(".sent .bubble")).to_have_text("课后服务几点结束")
    answer = page.locator(".reply .bubble").last
    await expect(answer).to_contain_text(FIRST_LINE)
    await expect(answer).to_contain_text("依据：《一所未写校名的学校的课后服务工作方案》")
    await expect(answer).to_be_in_viewport()
    await expect(page.get_by_label("要发的消息")).to_have_value("")


async def test_everything_can_be_done_with_the_keyboard(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await page.get_by_label("要发的消息").focus()
    await page.keyboard.type("第一行")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("第二行")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".sent .bubble")).to_have_text("第一行\n第二行", use_inner_text=True)
    await page.locator("summary", has_text="问政策").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".reply .bubble").last).to_have_text("您点了 how。")
    await page.locator("summary", has_text="课后服务").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="收费")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="收费")).to_be_hidden()


async def test_a_menu_tap_is_answered(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await page.locator("summary", has_text="问政策").click()
    await page.get_by_role("button", name="怎么问").click()
    await expect(page.locator(".reply .bubble").last).to_have_text("您点了 how。")
    await expect(page.locator(".hint").last).to_contain_text("您点了菜单“怎么问”")
    await expect(page.get_by_role("button", name="怎么问")).to_be_hidden()


async def test_a_numbered_option_can_be_tapped_once(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await ask(page, "班额最多多少人")
    await page.get_by_role("button", name="2. 进化镇").click()
    await expect(page.locator(".sent .bubble").last).to_have_text("2")
    await expect(page.locator(".reply .bubble").last).to_have_text("进化镇：每班不超过45人。")
    await expect(page.locator(".option")).to_have_count(0)
    await expect(page.locator(".reply .bubble").nth(-2)).to_contain_text("2. 进化镇")


async def test_a_message_sent_later_appears_by_itself(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await stage.send_service(PARENT, {"msgtype": "text", "text": {"content": "值班老师：明天上午八点报名。"}})
    await expect(page.locator(".service .bubble")).to_have_text("值班老师：明天上午八点报名。")
    await expect(page.locator(".service .caption")).to_contain_text("客服消息")


async def test_a_template_message_is_a_card_that_opens_its_page_by_hand_and_by_key(
    stage: Stage, open_page: OpenPage
) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await expect(page.locator(".reply .bubble").first).to_be_visible()
    assert await stage.send_template(PARENT, url=f"{stage.url}/demo/log") == 0
    card = page.locator(".template .slip")
    await expect(card.get_by_text("学校通知")).to_be_visible()
    await expect(card.locator("dd").last).to_have_text("在三楼会议室，请带身份证")
    await expect(page.locator(".template .caption")).to_contain_text("模板消息")
    # Anywhere on the card, as on a phone.
    async with page.expect_popup() as opened:
        await card.get_by_text("家长会").click(force=True)
    assert (await opened.value).url == f"{stage.url}/demo/log"
    await page.get_by_role("link", name="查看详情").focus()
    async with page.expect_popup() as opened:
        await page.keyboard.press("Enter")
    assert (await opened.value).url == f"{stage.url}/demo/log"


async def test_a_mini_programs_message_appears_as_a_service_notice(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await expect(page.locator(".reply .bubble").first).to_be_visible()
    assert await stage.send_subscription(PARENT, "pages/notice?id=1") == 0
    await expect(page.locator(".subscription .slip")).to_contain_text("微信里点开会进入小程序")
    await expect(page.locator(".subscription .caption")).to_contain_text("服务通知")
    await page.get_by_role("button", name="看报文").click()
    await page.locator(".subscription .wire-link").click()
    await expect(page.locator(".wire pre")).to_contain_text('"template_id": "emu-mini-notice"')


async def test_a_service_that_fails_gives_the_notice_of_a_real_phone(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await page.get_by_label("更多：图片、语音、扫码等").click()
    await page.get_by_role("button", name="让乡校断线").click()
    await expect(page.get_by_role("status")).to_contain_text("已断线")
    await ask(page, "在吗")
    await expect(page.locator(".notice")).to_contain_text(FAULT_NOTICE)
    await page.get_by_role("button", name="恢复乡校的连接").click()
    await ask(page, "课后服务几点结束")
    await expect(page.locator(".reply .bubble").last).to_contain_text(FIRST_LINE)


async def test_silence_is_told_apart_from_a_fault(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await ask(page, "沉默")
    await expect(page.locator(".hint").last).to_contain_text("微信里这里什么也不显示")
    await expect(page.locator(".notice")).to_have_count(0)


async def test_leaving_and_coming_back(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await page.get_by_label("更多：图片、语音、扫码等").click()
    await page.get_by_role("button", name="取消关注").click()
    await expect(page.get_by_label("要发的消息")).to_be_hidden()
    await page.get_by_role("button", name="关注公众号", exact=True).click()
    await expect(page.get_by_label("要发的消息")).to_be_visible()
    await expect(page.locator(".reply .bubble").last).to_contain_text("这里是乡校")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_the_wire_of_a_message_is_shown_both_ways(
    stage: Stage, open_page: OpenPage, size: tuple[int, int]
) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}", size)
    await expect(page.locator(".wire-link").last).to_be_hidden()
    await ask(page, "课后服务几点结束")
    await expect(page.locator(".reply .bubble").last).to_contain_text(FIRST_LINE)
    await page.get_by_role("button", name="看报文").click()
    await page.locator(".wire-link").last.click()
    wire = page.get_by_role("region", name="这条消息的报文")
    await expect(wire.locator("pre", has_text="<Encrypt>")).to_have_count(2)
    await expect(wire.locator("pre", has_text="<Content><![CDATA[课后服务几点结束]]>")).to_be_visible()
    assert await faults_of(page) == []
    await wire.get_by_role("button", name="关闭").click()
    await expect(wire).to_be_hidden()


async def test_the_wire_follows_the_chat_on_a_wide_screen(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}", DESK)
    await page.get_by_role("button", name="看报文").click()
    wire = page.get_by_role("region", name="这条消息的报文")
    await ask(page, "课后服务几点结束")
    await expect(wire.locator("pre", has_text="<![CDATA[课后服务几点结束]]>")).to_be_visible()
    await page.reload()
    await expect(wire.locator("pre", has_text="<![CDATA[课后服务几点结束]]>")).to_be_visible()


async def test_two_personas_in_two_tabs_do_not_mix(stage: Stage, open_page: OpenPage) -> None:
    parent = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    grandmother = await open_page(f"{stage.url}/demo/phone/demo_g_000002")
    await ask(parent, "我是家长")
    await ask(grandmother, "我是奶奶")
    await expect(parent.locator(".reply .bubble").last).to_have_text("您说：我是家长")
    await expect(grandmother.locator(".reply .bubble").last).to_have_text("您说：我是奶奶")
    await expect(parent.locator(".sent")).to_have_count(1)


async def test_the_same_phone_in_two_tabs_shows_the_same(stage: Stage, open_page: OpenPage) -> None:
    first = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    second = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await ask(first, "课后服务几点结束")
    await expect(second.locator(".reply .bubble").last).to_contain_text(FIRST_LINE)
    await expect(second.locator(".sent")).to_have_count(1)


async def test_the_chat_survives_a_reload(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await ask(page, "课后服务几点结束")
    await expect(page.locator(".reply .bubble").last).to_contain_text(FIRST_LINE)
    await page.reload()
    await expect(page.locator(".sent .bubble")).to_have_text("课后服务几点结束")
    await expect(page.locator(".reply .bubble").last).to_be_in_viewport()


async def test_what_the_service_refuses_stays_in_the_field(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}")
    await page.locator("#text").evaluate("(field) => { field.value = '长'.repeat(601); }")
    await page.get_by_role("button", name="发送", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("一次最多写600个字")
    assert len(await page.locator("#text").input_value()) == 601


async def test_the_phone_works_without_a_script(stage: Stage, open_page: OpenPage) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}", script=False)
    await page.get_by_label("要发的消息").fill("课后服务几点结束")
    await page.get_by_role("button", name="发送", exact=True).click()
    await expect(page.locator(".reply .bubble").last).to_contain_text(FIRST_LINE)


@pytest.mark.parametrize("openid", [PARENT, "demo_g_000002"])
async def test_a_small_phone_has_room_for_the_chat(stage: Stage, open_page: OpenPage, openid: str) -> None:
    page = await open_page(f"{stage.url}/demo/phone/{openid}")
    field = await page.get_by_label("要发的消息").bounding_box()
    screen = await page.locator("#screen").bounding_box()
    assert field is not None
    assert screen is not None
    assert field["y"] + field["height"] <= PHONE[1]
    assert screen["height"] >= PHONE[1] / 2


async def test_the_grandmothers_type_is_large(stage: Stage, open_page: OpenPage) -> None:
    sizes = []
    for openid in (PARENT, "demo_g_000002"):
        page = await open_page(f"{stage.url}/demo/phone/{openid}")
        bubble = page.locator(".reply .bubble").first
        sizes.append(float(await bubble.evaluate("(node) => parseFloat(getComputedStyle(node).fontSize)")))
    assert sizes[0] >= 16
    assert sizes[1] >= 21
