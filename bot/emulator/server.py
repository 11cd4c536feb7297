"""The emulated platform on a local port: its API over HTTP, and the followers' way to the account's callback.

    async with Emulator(clock) as wechat:
        account = wechat.platform.add_account(keys)
        wechat.callback_url = "http://127.0.0.1:8080/wechat"
        mother = wechat.follower(account, "oEMU0000000000000000000000A1")
        await mother.says("你好")

Routes beside the API (a page with phones, say) are added to `app` before the emulator is entered.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp import web

from bot.clock import Clock
from bot.emulator.api import ENDPOINTS
from bot.emulator.calls import Answer, Call, Endpoint, kind_of
from bot.emulator.faults import ApiRefusal, Plan, Trouble
from bot.emulator.follower import Follower
from bot.emulator.media import File
from bot.emulator.platform import Account, CallRecord, Platform
from bot.emulator.rules import Rules
from bot.emulator.subscribing import MiniProgramUser

_ESCAPED: Final = re.compile(rb"\\u[0-9a-fA-F]{4}")
# What the real platform calls its JSON; readers that insist on application/json stumble over it.
_CONTENT_TYPE: Final = "text/plain; encoding=utf-8"
MAX_BODY_BYTES: Final = 4 * 1024 * 1024


class Emulator:
    """The platform, served."""

    def __init__(self, clock: Clock, rules: Rules | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """`port` 0 takes a free one. `callback_url` is set as soon as the product's address is known."""
        self.platform = Platform(clock, rules)
        self.callback_url = ""
        self.app = web.Application(client_max_size=MAX_BODY_BYTES)
        add_api(self.app, self.platform)
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        """What `api_base` must be set to."""
        return f"http://{self._host}:{self._port}"

    def follower(self, account: Account, openid: str, *, is_following: bool = True) -> Follower:
        """The person with this id, holding a phone. Somebody new has followed all along, unless said otherwise."""
        person = account.introduce(openid, is_following=is_following)
        return Follower(self.platform, account, person, self._post)

    def mini_program_user(self, account: Account, openid: str) -> MiniProgramUser:
        """The person with this id at a mini-program."""
        return MiniProgramUser(self.platform, account, account.introduce(openid, is_following=False))

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = self._runner.addresses[0][1]
        self.platform.events.post = self._post_event
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.platform.events.post = None
        await self.platform.events.close()
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _post_event(self, query: list[tuple[str, str]], body: bytes, timeout_s: float) -> tuple[int, bytes]:
        """As `_post`; as long as nobody has told the callback's address, the event is lost."""
        return await self._post(query, body, timeout_s) if self.callback_url else (200, b"")

    async def _post(self, query: list[tuple[str, str]], body: bytes, timeout_s: float) -> tuple[int, bytes]:
        """One delivery to the callback: status and body. Raises aiohttp.ClientError or TimeoutError."""
        if self._session is None or not self.callback_url:
            raise RuntimeError("the emulator is not running, or nobody has told it the callback's address")
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        headers = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"}
        async with self._session.post(
            self.callback_url, params=query, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            return response.status, await response.read()


def add_api(app: web.Application, platform: Platform) -> None:
    """The API's routes, at their paths on the real host."""
    for endpoint in ENDPOINTS:
        app.router.add_route("*", endpoint.path, _handler(platform, endpoint))


def _handler(platform: Platform, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        raw = await request.read()
        visit = _Visit(platform, endpoint, request, raw)
        plans = platform.troubles.draw(endpoint.path)
        troubles = {plan.trouble for plan in plans}
        await asyncio.sleep(sum(plan.seconds for plan in plans))
        if Trouble.DROPPED in troubles:
            visit.record(None)
            return visit.break_off()
        if Trouble.HTTP_500 in troubles:
            visit.record(None)
            return web.Response(status=500, text="<html>500 Internal Server Error</html>", content_type="text/html")
        answer = visit.answer(plans)
        return visit.break_off() if Trouble.LOST in troubles else answer

    return handle


class _Visit:
    """One request to the API on its way through the platform's checks."""

    def __init__(self, platform: Platform, endpoint: Endpoint, request: web.Request, raw: bytes) -> None:
        self._platform = platform
        self._endpoint = endpoint
        self._request = request
        self._raw = raw
        self._account: Account | None = None

    def answer(self, plans: list[Plan]) -> web.Response:
        """HTTP 200 whatever happens, as the real one."""
        try:
            for plan in plans:
                if plan.trouble is Trouble.ERRCODE:
                    raise ApiRefusal(plan.errcode)
            answer = self._run(job_fails=any(plan.trouble is Trouble.JOB_FAILED for plan in plans))
            for plan in plans:
                if plan.trouble is Trouble.REVIEW:
                    raise ApiRefusal(plan.errcode)
        except ApiRefusal as refusal:
            self.record(refusal.errcode)
            errmsg = f"{refusal.text} rid: {self._platform.new_rid()}"
            return _json({"errcode": refusal.errcode, "errmsg": errmsg, **refusal.fields})
        self.record(0)
        if isinstance(answer, File):
            return _file(answer)
        return _json({"errcode": 0, "errmsg": "ok", **answer} if self._endpoint.answers_errcode else answer)

    def break_off(self) -> web.Response:
        """Cuts the connection; the response returned goes nowhere."""
        if self._request.transport is not None:
            self._request.transport.abort()
        return web.Response()

    def record(self, errcode: int | None) -> None:
        """Keeps the call for whoever asks later."""
        app_id = self._account.keys.app_id if self._account else None
        path, now = self._endpoint.path, self._platform.clock.now()
        self._platform.calls.append(CallRecord(now, path, app_id, self._raw, errcode))

    def _run(self, *, job_fails: bool) -> Answer | File:
        endpoint, query = self._endpoint, self._request.query
        self._check_method()
        body = self._body()
        if endpoint.by_token:
            self._account = self._platform.account_of_token(query.get("access_token", ""))
        else:
            self._account = self._opened_by_secret(body if endpoint.method == "POST" else query)
        if endpoint.kind not in (None, kind_of(self._account)):
            raise ApiRefusal(48001)
        self._account.quotas.count(endpoint.path)
        return endpoint.run(Call(self._platform, self._account, query, body, job_fails))

    def _check_method(self) -> None:
        if self._request.method == self._endpoint.method:
            return
        if self._endpoint.path == "/sns/jscode2session":
            raise ApiRefusal(41002)
        raise ApiRefusal(43001 if self._endpoint.method == "GET" else 43002)

    def _body(self) -> Mapping[str, Any]:
        if self._endpoint.method == "GET":
            return {}
        if not self._raw:
            raise ApiRefusal(44002)
        if self._platform.rules.refuse_escaped_json and _ESCAPED.search(self._raw):
            raise ApiRefusal(40033)
        try:
            body = json.loads(self._raw)
        except ValueError:
            raise ApiRefusal(47001) from None
        if not isinstance(body, dict):
            raise ApiRefusal(47001)
        return body

    def _opened_by_secret(self, given: Mapping[str, Any]) -> Account:
        if self._endpoint.wants_grant is not None and given.get("grant_type") != self._endpoint.wants_grant:
            raise ApiRefusal(40002)
        secret_name = "appsecret" if self._endpoint.path.endswith("clear_quota/v2") else "secret"
        for name, errcode in (("appid", 41002), (secret_name, 41004)):
            if not given.get(name):
                raise ApiRefusal(errcode)
        account = self._platform.account(given["appid"])
        if account.is_secret_frozen:
            raise ApiRefusal(40243)
        if given[secret_name] != account.keys.app_secret:
            raise ApiRefusal(40125)
        self._check_address()
        return account

    def _check_address(self) -> None:
        allowed, address = self._platform.rules.allowed_addresses, self._request.remote or ""
        if allowed is None or not self._endpoint.path.startswith("/cgi-bin/") or address in allowed:
            return
        raise ApiRefusal(40164, f"invalid ip {address} ipv6 ::ffff:{address}, not in whitelist")


def _file(answer: File) -> web.Response:
    headers = {
        "Content-Type": answer.media_type,
        "Content-disposition": f'attachment; filename="{answer.name}"',
        "Cache-Control": "no-cache, must-revalidate",
    }
    return web.Response(body=answer.content, headers=headers)


def _json(answer: Mapping[str, Any]) -> web.Response:
    return web.Response(body=json.dumps(answer, ensure_ascii=False).encode(), headers={"Content-Type": _CONTENT_TYPE})
