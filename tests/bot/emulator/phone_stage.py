"""The demo's pages over an account that answers from a script: the real wire, and no product behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import Clock
from bot.emulator.phone.pages import add_pages
from bot.emulator.phone.phones import Phones
from bot.emulator.platform import Account, AccountKeys
from bot.emulator.rules import Rules
from bot.emulator.server import Emulator
from bot.emulator.templates import mini_program_id, template_id
from bot.metrics import Metrics
from bot.web.callback import CallbackLimits, WeChatCallback
from bot.wechat.crypto import CallbackCrypto, Mode
from bot.wechat.messages import NO_REPLY, Event, ImageMessage, Inbound, Reply, TextMessage, TextReply
from tests.bot.wechat.samples import account_keys, callback_keys

PARENT = "demo_g_000001"
GRANDMOTHER = "demo_g_000002"
SUCHENG = "demo_g_000003"
DUTY = "demo_a_0001"

GREETING = "您好，这里是乡校。直接打字问上学的事就行。\n回复“帮助”看怎么用。"
ANSWER = (
    "课后服务（晚托）按年级分3批结束，低年级到17:00，中年级到17:20，高年级到17:30。\n"
    "依据：《一所未写校名的学校的课后服务工作方案》“四”（未写明学校，未写年份）\n"
    "各校做法不同，请以自己学校的通知为准，可以问班主任。"
)
WHICH_PLACE = "各地规定不同，您问的是哪个地方的？\n1. 堰口镇\n2. 进化镇\n3. 宿城区\n回复数字就可以，找老师回复“人工”。"
STEPS = "办法分三步：\n1. 找班主任\n2. 填表\n3. 交学校\n还有不清楚的，回复“人工”找老师。"
LINKS = '请看<a href="https://example.org/plan?a=1&amp;b=2">方案原文</a>，或 https://example.org/x 。<b>粗</b>'
SCRIPT = {
    "课后服务几点结束": ANSWER,
    "班额最多多少人": WHICH_PLACE,
    "怎么申请减免": STEPS,
    "链接": LINKS,
    "1": "堰口镇：每班不超过45人。",
    "2": "进化镇：每班不超过45人。",
    "我在宿城区": "记住了，您在宿城区。",
    "待办": "现在没有待办。有新的会在这里告诉您。",
}
NOTICE = {"thing1": "家长会", "time2": "2026年9月4日 15:00", "thing3": "周老师", "thing4": "在三楼会议室，请带身份证"}
MENU = {
    "button": [
        {
            "name": "问政策",
            "sub_button": [
                {"type": "click", "name": "怎么问", "key": "how"},
                {"type": "click", "name": "课后服务几点结束", "key": "ask.time"},
                {"type": "view", "name": "打开网页", "url": "https://example.org/"},
            ],
        },
        {"name": "课后服务", "sub_button": [{"type": "click", "name": "收费", "key": "ask.fee"}]},
        {"type": "click", "name": "我的", "key": "mine"},
    ]
}


async def dispatch(inbound: Inbound) -> Reply:
    """Answers from the script; “沉默” nothing, “故障” nothing WeChat could use, “慢” later than allowed."""
    if isinstance(inbound, Event):
        return TextReply(GREETING) if inbound.name == "subscribe" else TextReply(f"您点了 {inbound.key}。")
    if isinstance(inbound, ImageMessage):
        return TextReply("图片我看不懂，请打字告诉我。")
    if not isinstance(inbound, TextMessage) or inbound.content == "沉默":
        return NO_REPLY
    if inbound.content == "慢":
        await asyncio.sleep(0.2)
        return TextReply("让您久等了。")
    return TextReply(SCRIPT.get(inbound.content, f"您说：{inbound.content}"))


@dataclass
class Stage:
    """Running pages. `url` is the address of the service; the pages are below `/demo/`."""

    url: str
    phones: Phones
    emulator: Emulator
    account: Account
    mini_program: Account
    session: aiohttp.ClientSession
    # When set, it sees each push and answers with a 500 in the account's stead.
    on_push: Callable[[], None] | None = None

    async def send_service(self, openid: str, message: dict[str, object]) -> int:
        """A customer-service message as the product would send it; gives the errcode."""
        return await self.send("/cgi-bin/message/custom/send", {"touser": openid, **message})

    async def send_template(self, openid: str, *, url: str = "") -> int:
        """A template message; gives the errcode."""
        message = {"touser": openid, "template_id": template_id("notice"), "url": url, "data": _data(NOTICE)}
        return await self.send("/cgi-bin/message/template/send", message)

    async def send_subscription(self, openid: str, page: str = "") -> int:
        """A 订阅消息 of the mini-program, which the persona accepts before; gives the errcode."""
        template, user = mini_program_id("notice"), self.phones.chat(openid).mini
        assert user is not None
        user.accepts(template)
        message = {"touser": user.openid, "template_id": template, "page": page, "data": _data(NOTICE)}
        return await self.send("/cgi-bin/message/subscribe/send", message, self.mini_program)

    async def send(self, path: str, message: Mapping[str, object], account: Account | None = None) -> int:
        """A call of the API as the product would make it; gives the errcode."""
        keys = (account or self.account).keys
        grant = {"grant_type": "client_credential", "appid": keys.app_id, "secret": keys.app_secret}
        token = (await self._post("/cgi-bin/stable_token", grant))["access_token"]
        return int(str((await self._post(f"{path}?access_token={token}", message))["errcode"]))

    async def _post(self, path: str, body: object) -> dict[str, object]:
        data = json.dumps(body, ensure_ascii=False).encode()
        async with self.session.post(self.emulator.url + path, data=data) as response:
            answer: dict[str, object] = await response.json(content_type=None)
            return answer


def _data(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {key: {"value": value} for key, value in values.items()}


@asynccontextmanager
async def open_stage(clock: Clock, *, opens: bool = False, mode: Mode = Mode.SAFE) -> AsyncIterator[Stage]:
    """Pages over the script, WeChat's five seconds shortened. With `opens` the personas do what they have done."""
    rules = Rules(answer_within_s=0.3, menu_pull_after=timedelta(0))
    async with Emulator(clock, rules) as emulator, aiohttp.ClientSession() as session:
        account = emulator.platform.add_account(account_keys(mode))
        account.menu = MENU
        ready = asyncio.Event()
        ready.set()
        mini_program = emulator.platform.add_account(AccountKeys(app_id="wxmini0000000001", app_secret="f" * 32))
        phones = Phones(emulator, account, ready=ready, mini_program=mini_program)

        async def send_late(inbound: Inbound, reply: TextReply) -> None:
            await stage.send_service(inbound.openid, {"msgtype": "text", "text": {"content": reply.text}})

        callback = WeChatCallback(
            crypto=CallbackCrypto(callback_keys(mode), clock),
            dispatch=dispatch,
            late_reply=send_late,
            metrics=Metrics(),
            clock=clock,
            limits=CallbackLimits(reply_budget_s=0.1),
        )

        @web.middleware
        async def watch(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            if stage.on_push is None or request.path != "/wechat":
                return await handler(request)
            stage.on_push()
            return web.Response(status=500)

        app = web.Application(middlewares=[watch])
        app.add_routes(callback.routes())
        add_pages(app, phones)
        async with TestServer(app) as server:
            emulator.callback_url = str(server.make_url("/wechat"))
            stage = Stage(str(server.make_url("")).rstrip("/"), phones, emulator, account, mini_program, session)
            if opens:
                phones.open_when_ready()
            yield stage
        await callback.drain()
