"""One call to WeChat's API: its token, its time limit, and the name of what went wrong.

Every call has a time limit (bot.wechat.transport), answers are read as JSON whatever their content type says, and an
`errcode` becomes a named error (bot.wechat.errors). A dead token is replaced and the call repeated once; a read is
repeated once when the platform is busy or out of reach; a send never is, since it may have arrived.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from pydantic import SecretStr

from bot.clock import Clock
from bot.metrics import Metrics
from bot.wechat.access_token import AccessTokens, Pause, TokenStore
from bot.wechat.errcodes import error_for
from bot.wechat.errors import (
    BadCredentials,
    MediaTooLarge,
    OutcomeUnknown,
    SystemBusy,
    TokenExpired,
    WeChatError,
    WeChatUnreachable,
)
from bot.wechat.outgoing import as_json
from bot.wechat.transport import MAX_ANSWER_BYTES, Answer, AnswerTooLarge, NoAnswer, NotSent, Transport

REPEAT_AFTER_S: Final = (0.1, 0.4)
STABLE_TOKEN: Final = "/cgi-bin/stable_token"  # noqa: S105 - a path
_KNOWN_RESULTS: Final = 256
# No kind of file that people send begins so; an answer in JSON does.
_OF_JSON: Final = b"{"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """Whose API is called, and where."""

    base_url: str
    app_id: str
    secret: SecretStr


class PlatformClient:
    """Calls with the token of one account: what the 服务号 and the mini-program have in common."""

    def __init__(
        self,
        transport: Transport,
        account: Account,
        token_store: TokenStore,
        clock: Clock,
        *,
        metrics: Metrics,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """`pause` waits: before a read is repeated, and for another replica's token."""
        self._transport = transport
        self._account = account
        self._base = account.base_url.rstrip("/")
        # Looking a counter up takes longer than counting.
        self._counter = lru_cache(_KNOWN_RESULTS)(metrics.wechat_calls_total.labels)
        self._pause = pause
        self._tokens = AccessTokens(self._fetch_token, token_store, clock, pause=pause)

    async def access_token(self) -> str:
        """A token that the platform should accept: for checking the configuration."""
        return await self._tokens.current()

    async def _post(self, api: str, body: Mapping[str, Any] | bytes) -> dict[str, Any]:
        """A call that changes something: never repeated, but for a dead token. `body`: what is to be said, or that as
        it goes out."""
        return await self._with_token("POST", api, {}, body if isinstance(body, bytes) else encoded(body))

    async def _read(
        self, method: str, api: str, query: Mapping[str, str] | None = None, *, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A call that changes nothing."""
        content = None if body is None else encoded(body)
        return await self._twice(lambda: self._with_token(method, api, query or {}, content))

    async def _file(self, api: str, query: Mapping[str, str], most: int) -> bytes:
        """A file of at most so many bytes. Raises MediaTooLarge."""
        return await self._twice(
            lambda: self._tokened(lambda token: self._call_for_file(api, self._url(api, query, token), most))
        )

    async def _twice(self, call: Callable[[], Awaitable[T]]) -> T:
        """What changes nothing, again where that may help."""
        try:
            return await call()
        except (SystemBusy, WeChatUnreachable, OutcomeUnknown):
            await self._pause(random.uniform(*REPEAT_AFTER_S))  # noqa: S311 - spreads load, guards nothing
            return await call()

    async def _with_token(self, method: str, api: str, query: Mapping[str, str], body: bytes | None) -> dict[str, Any]:
        return await self._tokened(lambda token: self._call(method, api, query, body, token=token))

    async def _tokened(self, call: Callable[[str], Awaitable[T]]) -> T:
        token = await self._tokens.current()
        try:
            return await call(token)
        except TokenExpired:
            return await call(await self._tokens.after(token))

    async def _fetch_token(self) -> tuple[str, timedelta]:
        body = {
            "grant_type": "client_credential",
            "appid": self._account.app_id,
            "secret": self._account.secret.get_secret_value(),
        }
        try:
            answer = await self._call("POST", STABLE_TOKEN, {}, encoded(body))
        except TokenExpired as error:
            # The token call itself carries no token: here 40001 speaks of the secret.
            raise BadCredentials(error.api, errcode=error.errcode, rid=error.rid) from None
        token, remaining_s = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(remaining_s, int):
            raise OutcomeUnknown(STABLE_TOKEN, note="no token in the answer")
        return token, timedelta(seconds=remaining_s)

    async def _call(
        self, method: str, api: str, query: Mapping[str, str], body: bytes | None, *, token: str = ""
    ) -> dict[str, Any]:
        """One request. The token is in the address, which nothing that is raised may quote."""
        try:
            answer = await self._exchange(method, api, self._url(api, query, token), body)
            errcode = _errcode(api, answer)
        except WeChatError as error:
            self._counter(api, error.code).inc()
            raise
        self._counter(api, str(errcode)).inc()
        if errcode:
            raise error_for(api, errcode, answer)
        return answer

    async def _call_for_file(self, api: str, url: str, most: int) -> bytes:
        """As `_call`, for what answers with a file, and with JSON when it has none."""
        try:
            status, content = await self._carried("GET", api, url, None, most)
            answer = _parsed(api, status, content) if content.startswith(_OF_JSON) else None
            errcode = _errcode(api, answer) if answer is not None else 0
            if not errcode and (answer is not None or status != HTTPStatus.OK or not content):
                raise OutcomeUnknown(api, note=f"status {status} without a file")
        except WeChatError as error:
            self._counter(api, error.code).inc()
            raise
        self._counter(api, str(errcode)).inc()
        if errcode:
            raise error_for(api, errcode, answer or {})
        return content

    def _url(self, api: str, query: Mapping[str, str], token: str) -> str:
        url = _opened(self._base + api, token) if token else self._base + api
        return f"{url}{'&' if token else '?'}{urlencode(query)}" if query else url

    async def _exchange(self, method: str, api: str, url: str, body: bytes | None) -> dict[str, Any]:
        try:
            status, content = await self._carried(method, api, url, body, MAX_ANSWER_BYTES)
        except MediaTooLarge:
            raise OutcomeUnknown(api, note="answer too large") from None
        return _parsed(api, status, content)

    async def _carried(self, method: str, api: str, url: str, body: bytes | None, most: int) -> Answer:
        try:
            return await self._transport.exchange(method, url, body, most=most)
        except NotSent as fault:
            raise WeChatUnreachable(api, note=str(fault)) from None
        except AnswerTooLarge as fault:
            raise MediaTooLarge(api, note=str(fault)) from None
        except NoAnswer as fault:
            raise OutcomeUnknown(api, note=str(fault)) from None


def encoded(body: Mapping[str, Any]) -> bytes:
    """A body as it goes out."""
    return as_json(body).encode()


@lru_cache(maxsize=64)
def _opened(address: str, token: str) -> str:
    """Kept, as a broadcast calls the same address thousands of times."""
    return f"{address}?{urlencode({'access_token': token})}"


def _parsed(api: str, status: int, content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        raise OutcomeUnknown(api, note=f"status {status} without JSON") from None
    if not isinstance(answer, dict):
        raise OutcomeUnknown(api, note=f"status {status} with other JSON")
    return answer


def _errcode(api: str, answer: Mapping[str, Any]) -> int:
    """0 when absent, as getters leave it out on success; old endpoints send it as a string."""
    try:
        return int(answer.get("errcode", 0))
    except (TypeError, ValueError):
        raise OutcomeUnknown(api, note="an errcode that is no number") from None
