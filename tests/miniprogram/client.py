"""The smallest mini-program that works: what a real one does with wx.login and wx.request, and nothing else.

It keeps its token, logs in silently when it has none or the token has ended, makes a key of its own for everything
that creates something, and repeats a request whose answer it never saw.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import uuid4

import aiohttp

TRIES = 4
_UNANSWERED = frozenset({429, 503})


class Weather(StrEnum):
    """What befalls a request on its way."""

    CLEAR = "clear"
    DROPPED = "dropped"  # it never arrives
    LOST = "lost"  # it arrives, and the answer gets lost


class Offline(Exception):
    """Every try went wrong."""


class NoAnswer(Exception):
    """wx.request failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """The code of an error."""
        return str(self.body["error"]["code"])


@dataclass
class MiniProgram:
    """One user's phone. `wx_login` gives a login code."""

    session: aiohttp.ClientSession
    base_url: str
    wx_login: Callable[[], str]
    token: str | None = None
    logins: int = 0
    weather: deque[Weather] = field(default_factory=deque)

    async def get(self, path: str) -> Answer:
        """Reads."""
        return await self._request("GET", path)

    async def post(self, path: str, body: dict[str, Any], *, key: str | None = None) -> Answer:
        """Creates something; the key is this tap's own, however often it has to be sent."""
        return await self._request("POST", path, body, key or uuid4().hex)

    async def put(self, path: str, body: dict[str, Any]) -> Answer:
        """Writes what it wrote before."""
        return await self._request("PUT", path, body)

    async def patch(self, path: str, body: dict[str, Any]) -> Answer:
        """Changes something. The codes of WeChat are used up at once, so it is not repeated."""
        return await self._sent("PATCH", path, body, None)

    async def delete(self, path: str) -> Answer:
        """Takes something away."""
        return await self._request("DELETE", path)

    async def log_in(self) -> Answer:
        """wx.login, then our own session. Each try needs a new code: a code works once."""
        for _ in range(TRIES):
            try:
                answer = await self._sent("POST", "/session", {"code": self.wx_login()}, None, with_token=False)
            except NoAnswer:
                continue
            self.logins += 1
            self.token = answer.body["token"] if answer.status == 200 else None
            return answer
        raise Offline

    async def _request(self, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        if self.token is None:
            await self.log_in()
        answer = await self._until_answered(method, path, body, key)
        if answer.status == 401:
            await self.log_in()
            answer = await self._until_answered(method, path, body, key)
        return answer

    async def _until_answered(self, method: str, path: str, body: Any, key: str | None) -> Answer:
        for _ in range(TRIES):
            try:
                return await self._sent(method, path, body, key)
            except NoAnswer:
                continue
        raise Offline

    async def _sent(self, method: str, path: str, body: Any, key: str | None, *, with_token: bool = True) -> Answer:
        """wx.request."""
        weather = self.weather.popleft() if self.weather else Weather.CLEAR
        if weather is Weather.DROPPED:
            raise NoAnswer
        headers = {"User-Agent": "MicroMessenger/8.0 miniProgram"}
        if with_token and self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        url = f"{self.base_url}/api/v1{path}"
        async with self.session.request(method, url, json=body, headers=headers) as response:
            answer = Answer(response.status, await response.json())
        if weather is Weather.LOST:
            raise NoAnswer
        return answer
