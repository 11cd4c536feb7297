"""The calls we make to WeChat's API, on one shared aiohttp session.

Every call has a timeout, answers are read as JSON whatever their content type says, and an `errcode` becomes a named
error (bot.wechat.errors). A dead token is replaced and the call repeated once; a read is repeated once when the
platform is busy or out of reach; a send never is, since it may have arrived.
"""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
from pydantic import SecretStr

from bot.clock import Clock
from bot.metrics import Metrics
from bot.wechat.access_token import AccessTokens, Pause, TokenStore
from bot.wechat.errors import (
    BadCredentials,
    MenuMissing,
    OutcomeUnknown,
    SystemBusy,
    TokenExpired,
    TypingRefused,
    WeChatError,
    WeChatUnreachable,
    error_for,
)
from bot.wechat.replies import fit_text

TIMEOUT: Final = aiohttp.ClientTimeout(total=8, sock_connect=3)
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
REPEAT_AFTER_S: Final = (0.1, 0.4)

STABLE_TOKEN: Final = "/cgi-bin/stable_token"  # noqa: S105 - a path
CUSTOM_SEND: Final = "/cgi-bin/message/custom/send"
CUSTOM_TYPING: Final = "/cgi-bin/message/custom/typing"
MENU_CREATE: Final = "/cgi-bin/menu/create"
MENU_GET: Final = "/cgi-bin/menu/get"
MENU_DELETE: Final = "/cgi-bin/menu/delete"
USER_INFO: Final = "/cgi-bin/user/info"
QR_CREATE: Final = "/cgi-bin/qrcode/create"
LONGEST_QR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose API is called, and where."""

    base_url: str
    app_id: str
    secret: SecretStr


@dataclass(frozen=True, slots=True)
class MenuOption:
    """One line of a menu message; a tap comes back as a TextMessage with `id` as its `menu_item_id`."""

    id: str
    content: str


@dataclass(frozen=True, slots=True)
class UserInfo:
    """What the platform tells of a user. Only a follower has more than an openid."""

    openid: str = field(repr=False)
    is_following: bool
    unionid: str | None = field(repr=False)
    followed_at: datetime | None
    follow_scene: str | None


@dataclass(frozen=True, slots=True)
class QrCode:
    """A parametric QR code. `url` is what it holds, to be drawn by ourselves; `ticket` fetches WeChat's own picture."""

    ticket: str = field(repr=False)
    url: str = field(repr=False)


class PlatformClient:
    """Calls with the token of one account: what the 服务号 and the mini-program have in common."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        account: Account,
        token_store: TokenStore,
        clock: Clock,
        *,
        metrics: Metrics,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """`pause` waits: before a read is repeated, and for another replica's token."""
        self._session = session
        self._account = account
        self._metrics = metrics
        self._timeout = timeout
        self._pause = pause
        self._tokens = AccessTokens(self._fetch_token, token_store, clock, pause=pause)

    async def access_token(self) -> str:
        """A token that the platform should accept: for checking the configuration."""
        return await self._tokens.current()

    async def _post(self, api: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._with_token("POST", api, {}, body)

    async def _get(self, api: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            return await self._with_token("GET", api, query or {})
        except (SystemBusy, WeChatUnreachable, OutcomeUnknown):
            await self._pause(random.uniform(*REPEAT_AFTER_S))  # noqa: S311 - spreads load, guards nothing
            return await self._with_token("GET", api, query or {})

    async def _with_token(
        self, method: str, api: str, query: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        token = await self._tokens.current()
        try:
            return await self._call(method, api, {**query, "access_token": token}, body)
        except TokenExpired:
            token = await self._tokens.after(token)
            return await self._call(method, api, {**query, "access_token": token}, body)

    async def _fetch_token(self) -> tuple[str, timedelta]:
        body = {
            "grant_type": "client_credential",
            "appid": self._account.app_id,
            "secret": self._account.secret.get_secret_value(),
        }
        try:
            answer = await self._call("POST", STABLE_TOKEN, {}, body)
        except TokenExpired as error:
            # The token call itself carries no token: here 40001 speaks of the secret.
            raise BadCredentials(error.api, errcode=error.errcode, rid=error.rid) from None
        token, remaining_s = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(remaining_s, int):
            raise OutcomeUnknown(STABLE_TOKEN, note="no token in the answer")
        return token, timedelta(seconds=remaining_s)

    async def _call(
        self, method: str, api: str, query: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """One request. The token is in the address, so no library error, which may quote it, is passed on."""
        try:
            answer = await self._exchange(method, api, query, body)
            errcode = _errcode(api, answer)
        except WeChatError as error:
            self._metrics.wechat_calls_total.labels(api, error.code).inc()
            raise
        self._metrics.wechat_calls_total.labels(api, str(errcode)).inc()
        if errcode:
            raise error_for(api, errcode, str(answer.get("errmsg", "")))
        return answer

    async def _exchange(
        self, method: str, api: str, query: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        # Raw UTF-8: escaped characters are refused (40033) or shown as they are.
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            async with self._session.request(
                method,
                self._account.base_url.rstrip("/") + api,
                params=query,
                data=data,
                headers={"Content-Type": "application/json; charset=utf-8"} if data else None,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                content = await _read(response)
                status = response.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as fault:
            raise WeChatUnreachable(api, note=type(fault).__name__) from None
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as fault:
            raise OutcomeUnknown(api, note=type(fault).__name__) from None
        try:
            answer = json.loads(content)
        except ValueError:
            raise OutcomeUnknown(api, note=f"status {status} without JSON") from None
        if not isinstance(answer, dict):
            raise OutcomeUnknown(api, note=f"status {status} with other JSON")
        return answer


class WeChatClient(PlatformClient):
    """The Official Account's API. Every method raises WeChatError."""

    async def send_text(self, openid: str, text: str) -> None:
        """A customer-service text, shortened to what WeChat takes. WindowClosed, AllowanceUsedUp among others."""
        await self._send({"touser": openid, "msgtype": "text", "text": {"content": fit_text(text)}})

    async def send_msgmenu(self, openid: str, head: str, options: Sequence[MenuOption], tail: str = "") -> None:
        """A customer-service message with lines to tap."""
        rows = [{"id": option.id, "content": option.content} for option in options]
        menu = {"head_content": head, "list": rows, "tail_content": tail}
        await self._send({"touser": openid, "msgtype": "msgmenu", "msgmenu": menu})

    async def show_typing(self, openid: str, *, on: bool = True) -> bool:
        """Shows or takes away "typing…". False when the platform would not, which harms nobody."""
        command = "Typing" if on else "CancelTyping"
        try:
            await self._post(CUSTOM_TYPING, {"touser": openid, "command": command})
        except TypingRefused:
            return False
        return True

    async def create_menu(self, menu: Mapping[str, Any]) -> None:
        """Replaces the account's menu by `{"button": […]}`. InvalidMenu when it breaks a rule."""
        await self._post(MENU_CREATE, menu)

    async def get_menu(self) -> dict[str, Any] | None:
        """The menu as `create_menu` takes it, None when there is none."""
        try:
            answer = await self._get(MENU_GET)
        except MenuMissing:
            return None
        menu = answer.get("menu")
        return menu if isinstance(menu, dict) else None

    async def delete_menu(self) -> None:
        """Takes the menu away; so does a second call."""
        await self._get(MENU_DELETE)

    async def user_info(self, openid: str) -> UserInfo:
        """What the platform knows of `openid`. RecipientUnknown when it is not of this account."""
        answer = await self._get(USER_INFO, {"openid": openid, "lang": "zh_CN"})
        since = answer.get("subscribe_time")
        return UserInfo(
            openid=str(answer.get("openid", openid)),
            is_following=str(answer.get("subscribe")) == "1",
            unionid=answer.get("unionid") or None,
            followed_at=datetime.fromtimestamp(since, UTC) if isinstance(since, int) and since > 0 else None,
            follow_scene=answer.get("subscribe_scene") or None,
        )

    async def create_qr_code(self, scene: str, life: timedelta) -> QrCode:
        """A temporary code: who scans it comes with `scene` (1 to 64 characters, visible to anybody), at most thirty
        days long."""
        seconds = int(min(life, LONGEST_QR).total_seconds())
        body = {
            "expire_seconds": max(seconds, 1),
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
        }
        answer = await self._post(QR_CREATE, body)
        ticket, url = answer.get("ticket"), answer.get("url")
        if not isinstance(ticket, str) or not isinstance(url, str) or not ticket or not url:
            raise OutcomeUnknown(QR_CREATE, note="no ticket in the answer")
        return QrCode(ticket, url)

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._post(CUSTOM_SEND, message)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise aiohttp.ClientPayloadError("answer too large")
    return bytes(content)


def _errcode(api: str, answer: Mapping[str, Any]) -> int:
    """0 when absent, as getters leave it out on success; old endpoints send it as a string."""
    try:
        return int(answer.get("errcode", 0))
    except (TypeError, ValueError):
        raise OutcomeUnknown(api, note="an errcode that is no number") from None
