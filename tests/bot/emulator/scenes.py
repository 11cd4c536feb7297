"""An account that answers as it is told, for trying out the platform around it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import aiohttp
from aiohttp import web

from bot.clock import FrozenClock
from bot.emulator.follower import Follower
from bot.emulator.platform import Account, AccountKeys
from bot.emulator.server import Emulator
from bot.emulator.wire import Wire
from tests.bot.wechat.samples import ACCOUNT, APP_ID, OPENID, account_keys

__all__ = ["ACCOUNT", "APP_ID", "OPENID", "Callback", "Scene", "account_keys"]

Answer = Callable[[web.Request, bytes], web.Response]


def success(request: web.Request, body: bytes) -> web.Response:
    return web.Response(body=b"success")


def answering(body: bytes) -> Answer:
    return lambda _request, _body: web.Response(body=body)


@dataclass
class Callback:
    """The account's side of the wire: `answers` are used up one by one, then it is `success`."""

    keys: AccountKeys
    answers: list[Answer] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.received.append((dict(request.query), body))
        answer = self.answers.pop(0) if self.answers else success
        return answer(request, body)

    def reply(self, content: str = "好的", **changes: str) -> bytes:
        """A right answer in the account's mode, but for the elements changed."""
        fields = {"ToUserName": OPENID, "FromUserName": ACCOUNT, "CreateTime": "1763683200", "MsgType": "text"}
        fields |= {"Content": content, **changes}
        return self.sealed("<xml>" + "".join(f"<{n}><![CDATA[{v}]]></{n}>" for n, v in fields.items()) + "</xml>")

    def sealed(self, xml: str) -> bytes:
        if self.keys.mode == "plain":
            return xml.encode()
        query, body = Wire(replace(self.keys, mode="safe")).push(xml, OPENID, "1763683200", "nonce")
        sealed = body.decode().split("<Encrypt>")[1].split("</Encrypt>")[0]
        signed = dict(query)["msg_signature"]
        return (
            f"<xml><Encrypt>{sealed}</Encrypt><MsgSignature><![CDATA[{signed}]]></MsgSignature>"
            f"<TimeStamp>1763683200</TimeStamp><Nonce><![CDATA[nonce]]></Nonce></xml>"
        ).encode()


@dataclass
class Scene:
    """A running platform with one account and one of its followers."""

    emulator: Emulator
    account: Account
    follower: Follower
    callback: Callback
    clock: FrozenClock
    session: aiohttp.ClientSession

    def will_answer(self, *bodies: bytes) -> None:
        """The callback's next answers, each with status 200."""
        self.callback.answers += [answering(body) for body in bodies]

    async def get(self, path: str, **query: str) -> dict[str, object]:
        async with self.session.get(self.emulator.url + path, params=query) as response:
            assert response.status == 200
            answer: dict[str, object] = await response.json(content_type=None)
            return answer

    async def post(self, path: str, body: object, **query: str) -> dict[str, object]:
        data = body if isinstance(body, bytes) else _json(body)
        async with self.session.post(self.emulator.url + path, params=query, data=data) as response:
            assert response.status == 200
            answer: dict[str, object] = await response.json(content_type=None)
            return answer

    async def stable_token(self, **more: object) -> dict[str, object]:
        keys = self.account.keys
        body = {"grant_type": "client_credential", "appid": keys.app_id, "secret": keys.app_secret, **more}
        return await self.post("/cgi-bin/stable_token", body)

    async def token(self) -> str:
        return str((await self.stable_token())["access_token"])

    async def call(self, path: str, body: object | None = None, **query: str) -> dict[str, object]:
        """A call with a token that works; a GET when there is no body."""
        token = await self.token()
        if body is None:
            return await self.get(path, access_token=token, **query)
        return await self.post(path, body, access_token=token, **query)

    async def sends(self, text: str = "您好") -> object:
        """The errcode of a customer-service text to the follower."""
        message = {"touser": OPENID, "msgtype": "text", "text": {"content": text}}
        return (await self.call("/cgi-bin/message/custom/send", message))["errcode"]


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
