"""The demo's routes: pages, acts, updates, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.clock import FrozenClock
from bot.emulator.phone import texts
from bot.emulator.phone.chat import Act, Kind
from bot.emulator.phone.pages import MOST_CHARACTERS
from tests.bot.emulator.phone_stage import ANSWER, PARENT, WHICH_PLACE, Stage, open_stage

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.test_utils import TestClient

JSON = {"Accept": "application/json"}
ACT = f"/demo/phone/{PARENT}/act"


@pytest.fixture
async def stage(clock: FrozenClock) -> AsyncIterator[Stage]:
    """Pages where the parent follows already."""
    async with open_stage(clock) as opened:
        await opened.phones.chat(PARENT).perform(Act(Kind.FOLLOW))
        yield opened


async def get(stage: Stage, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
    async with stage.session.get(stage.url + path, headers=headers, allow_redirects=False) as response:
        return response, await response.text()


async def post(stage: Stage, path: str, form: object, **headers: str) -> tuple[aiohttp.ClientResponse, Any]:
    sent = {**JSON, **headers}
    async with stage.session.post(stage.url + path, data=form, headers=sent, allow_redirects=False) as response:
        return response, await response.json() if response.content_type == "application/json" else await response.text()


async def test_the_start_page_names_every_persona(stage: Stage) -> None:
    response, page = await get(stage, "/demo/")
    assert response.status == 200
    assert all(f"/demo/phone/{openid}" in page for openid in stage.phones.personas)
    assert 'lang="zh-CN"' in page


@pytest.mark.parametrize("path", ["/", "/demo"])
async def test_short_addresses_lead_to_the_start_page(stage: Stage, path: str) -> None:
    response, _ = await get(stage, path)
    assert (response.status, response.headers["Location"]) == (302, "/demo/")


async def test_pages_tell_that_the_knowledge_is_being_prepared(stage: Stage) -> None:
    stage.phones.ready.clear()
    assert "正在准备知识库" in (await get(stage, "/demo/"))[1]
    assert "正在准备知识库" in (await get(stage, f"/demo/phone/{PARENT}"))[1]
    stage.phones.ready.set()
    assert "正在准备知识库" not in (await get(stage, f"/demo/phone/{PARENT}"))[1]


async def test_a_reloaded_page_shows_the_whole_chat(stage: Stage) -> None:
    await post(stage, ACT, {"text": "课后服务几点结束"})
    _, page = await get(stage, f"/demo/phone/{PARENT}")
    assert page.index("课后服务几点结束</div>") < page.index(ANSWER.split("\n")[0])


async def test_the_grandmother_reads_large_type(stage: Stage) -> None:
    assert 'class="large"' in (await get(stage, "/demo/phone/demo_g_000002"))[1]
    assert 'class="large"' not in (await get(stage, f"/demo/phone/{PARENT}"))[1]


async def test_an_act_is_answered_with_what_it_brought(stage: Stage) -> None:
    response, update = await post(stage, f"{ACT}?after=2", {"text": "课后服务几点结束"})
    assert response.status == 200
    assert (update["after"], update["next"], update["answers"]) == (2, 4, True)
    assert "依据：《" in update["html"]


async def test_updates_bring_only_what_is_new(stage: Stage) -> None:
    _, page = await get(stage, f"/demo/phone/{PARENT}/updates?after=2")
    assert '"html": ""' in page
    await stage.send_service(PARENT, {"msgtype": "text", "text": {"content": "值班老师：您好"}})
    _, page = await get(stage, f"/demo/phone/{PARENT}/updates?after=2")
    assert "值班老师：您好" in page
    assert "客服消息" in page


async def test_a_menu_is_sent_again_only_when_it_changed(stage: Stage) -> None:
    _, update = await post(stage, ACT, {"do": "image"})
    version = update["menu"]["version"]
    _, update = await post(stage, f"{ACT}?menu={version}", {"do": "image"})
    assert update["menu"] is None
    stage.account.menu = {"button": [{"type": "click", "name": "新菜单", "key": "new"}]}
    _, update = await post(stage, f"{ACT}?menu={version}", {"do": "image"})
    assert "新菜单" in update["menu"]["html"]


async def test_without_the_script_a_form_leads_back_to_the_chat(stage: Stage) -> None:
    response, _ = await post(stage, ACT, {"text": "课后服务几点结束"}, Accept="text/html")
    assert (response.status, response.headers["Location"]) == (303, f"/demo/phone/{PARENT}#last")
    assert ANSWER.split("\n")[0] in (await get(stage, f"/demo/phone/{PARENT}"))[1]


async def test_a_button_counts_before_the_text_beside_it(stage: Stage) -> None:
    for form in ({"text": "写了一半", "answer": "2"}, {"text": "写了一半", "tap": "mine"}, {"text": "", "do": "voice"}):
        response, update = await post(stage, ACT, form)
        assert response.status == 200
        assert "写了一半" not in update["html"]


async def test_options_are_buttons_until_the_next_answer(stage: Stage) -> None:
    _, update = await post(stage, ACT, {"text": "班额最多多少人"})
    assert update["html"].count('name="answer"') == WHICH_PLACE.count("\n1. ") + 2
    await post(stage, ACT, {"answer": "2"})
    _, page = await get(stage, f"/demo/phone/{PARENT}")
    assert 'class="option"' not in page


@pytest.mark.parametrize(
    "path",
    ["/demo/phone/nobody", "/demo/phone/nobody/updates", "/demo/phone/demo_g_000009", f"/demo/phone/{PARENT}/wire/99"],
)
async def test_what_is_not_there_is_404_with_a_way_back(stage: Stage, path: str) -> None:
    response, page = await get(stage, path)
    assert response.status == 404
    assert 'href="/demo/"' in page


async def test_an_act_of_an_unknown_persona_is_404(stage: Stage) -> None:
    response, body = await post(stage, "/demo/phone/nobody/act", {"text": "您好"})
    assert (response.status, body["error"]["code"]) == (404, "unknown_persona")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"text": "长" * (MOST_CHARACTERS + 1)}, texts.TOO_LONG.format(most=MOST_CHARACTERS, length=601)),
        ({"text": " \r\n "}, texts.NOTHING_WRITTEN),
        ({}, texts.UNREADABLE),
        ({"do": "explode"}, texts.UNREADABLE),
    ],
)
async def test_unusable_acts_are_422_and_send_nothing(stage: Stage, form: dict[str, str], message: str) -> None:
    before = len(stage.phones.chat(PARENT).follower.exchanges)
    response, body = await post(stage, ACT, form)
    assert (response.status, body["error"]["message"]) == (422, message)
    assert len(stage.phones.chat(PARENT).follower.exchanges) == before


async def test_a_file_is_no_text(stage: Stage) -> None:
    form = aiohttp.FormData()
    form.add_field("text", b"x", filename="x.txt")
    response, _ = await post(stage, ACT, form)
    assert response.status == 422


@pytest.mark.parametrize("after", ["-1", "x", "1" * 9, "²"])
async def test_a_senseless_line_number_is_422(stage: Stage, after: str) -> None:
    response, _ = await get(stage, f"/demo/phone/{PARENT}/updates?after={after}")
    assert response.status == 422


async def test_an_act_the_phone_does_not_offer_is_409(stage: Stage) -> None:
    response, body = await post(stage, ACT, {"tap": "gone"})
    assert (response.status, body["error"]["message"]) == (409, texts.NO_SUCH_BUTTON)


@pytest.mark.parametrize("origin", ["https://example.org", "null"])
async def test_another_sites_page_cannot_act(stage: Stage, origin: str) -> None:
    response, _ = await post(stage, ACT, {"text": "您好"}, Origin=origin)
    assert response.status == 403
    response, _ = await post(stage, ACT, {"text": "您好"}, Origin=stage.url)
    assert response.status == 200


async def test_a_card_shows_its_fields_and_leads_to_its_page(stage: Stage) -> None:
    await stage.send_template(PARENT, url="https://example.org/n/1?a=1&b=2")
    await stage.send_subscription(PARENT, "pages/notice?id=1")
    _, page = await get(stage, f"/demo/phone/{PARENT}")
    assert page.count('<p class="slip-title">学校通知</p>') == 2
    assert "<dt>备注</dt><dd>在三楼会议室，请带身份证</dd>" in page
    assert 'href="https://example.org/n/1?a=1&amp;b=2"' in page
    assert "微信里点开会进入小程序：pages/notice?id=1" in page
    assert "模板消息 · " in page
    assert "服务通知 · " in page


@pytest.mark.parametrize("url", ["javascript:alert(1)", "weixin://dl/business/", ""])
async def test_a_card_leads_to_web_pages_only(stage: Stage, url: str) -> None:
    await stage.send_template(PARENT, url=url)
    _, page = await get(stage, f"/demo/phone/{PARENT}")
    assert '<p class="slip-title">' in page
    assert "slip-link" not in page


async def test_a_card_leaves_the_options_of_a_question_alone(stage: Stage) -> None:
    _, update = await post(stage, ACT, {"text": "班额最多多少人"})
    await stage.send_template(PARENT)
    _, after = await get(stage, f"/demo/phone/{PARENT}/updates?after={update['next']}")
    assert json.loads(after)["answers"] is False
    _, page = await get(stage, f"/demo/phone/{PARENT}")
    assert page.count('class="option"') == 3


async def test_text_of_a_message_never_becomes_markup(stage: Stage) -> None:
    _, update = await post(stage, ACT, {"text": "<script>alert(1)</script>"})
    assert "<script>" not in update["html"]
    assert "&lt;script&gt;" in update["html"]


async def test_every_page_forbids_what_is_not_its_own(stage: Stage) -> None:
    for path in ("/demo/", f"/demo/phone/{PARENT}", "/demo/log", "/demo/static/phone.js", "/demo/phone/nobody"):
        response, _ = await get(stage, path)
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy


async def test_the_wire_is_shown_both_ways_sealed_and_open(stage: Stage) -> None:
    await post(stage, ACT, {"text": "课后服务几点结束"})
    _, page = await get(stage, f"/demo/phone/{PARENT}/wire/3")
    assert page.count("&lt;Encrypt&gt;") == 2
    assert "&lt;Content&gt;&lt;![CDATA[课后服务几点结束]]&gt;" in page
    assert "&lt;MsgSignature&gt;" in page
    assert "显示给用户" in page


async def test_the_log_is_readable_and_keeps_secrets(stage: Stage) -> None:
    await post(stage, ACT, {"text": "课后服务几点结束"})
    await stage.send_service(PARENT, {"msgtype": "text", "text": {"content": "您好"}})
    _, page = await get(stage, "/demo/log")
    assert all(f">{word}<" in page for word in ("用户发送", "当场回复", "客服消息", "接口调用"))
    assert "王大姐（demo_g_000001）" in page
    assert stage.account.keys.app_secret not in page


async def test_the_line_can_be_cut_and_mended(stage: Stage) -> None:
    _, update = await post(stage, ACT, {"do": "cut"})
    assert (update["is_cut"], update["status"]) == (True, texts.CUT)
    _, update = await post(stage, ACT, {"do": "mend"})
    assert (update["is_cut"], update["status"]) == (False, "")


async def test_a_service_that_is_no_demo_has_none_of_these_pages(
    client: TestClient[web.Request, web.Application],
) -> None:
    for path in ("/demo", "/demo/", f"/demo/phone/{PARENT}", "/demo/log", "/demo/static/phone.css"):
        assert (await client.get(path)).status == 404
    assert (await client.post(ACT, data={"text": "您好"})).status == 404
