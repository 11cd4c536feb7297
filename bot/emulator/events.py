"""Events by which the platform tells an account what became of its messages: posted a moment later, again where no
answer comes, and seen by nobody."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import aiohttp

from bot.clock import Clock
from bot.emulator.keys import AccountKeys
from bot.emulator.rules import Rules
from bot.emulator.wire import Wire, XmlValue, to_xml

Post = Callable[[list[tuple[str, str]], bytes, float], Awaitable[tuple[int, bytes]]]
MOST_AT_ONCE: Final = 20


@dataclass(slots=True)
class Announced:
    """One event: its clear XML, how often it was posted, and whether the account took it."""

    at: datetime
    event: str
    openid: str
    clear_xml: str
    deliveries: int = 0
    is_taken: bool = False


class Announcer:
    """Posts events in the background. Without a `post` they are only noted."""

    def __init__(self, clock: Clock, rules: Rules) -> None:
        self.log: list[Announced] = []
        self.post: Post | None = None
        self._clock = clock
        self._rules = rules
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    def announce(self, keys: AccountKeys, openid: str, event: str, fields: Mapping[str, XmlValue]) -> None:
        """Something became of a message to `openid`. An account without a callback token hears nothing."""
        if not self._rules.job_events or not keys.token:
            return
        now = self._clock.now()
        head: dict[str, XmlValue] = {
            "ToUserName": keys.original_id,
            "FromUserName": openid,
            "CreateTime": int(now.timestamp()),
            "MsgType": "event",
            "Event": event,
        }
        announced = Announced(now, event, openid, to_xml({**head, **fields}))
        self.log.append(announced)
        if self.post is not None:
            task = asyncio.get_running_loop().create_task(self._deliver(keys, announced, self.post))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Returns when every event so far was taken or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Gives up what is still under way."""
        for task in (tasks := tuple(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, keys: AccountKeys, announced: Announced, post: Post) -> None:
        async with self._places:
            timestamp = str(int(self._clock.now().timestamp()))
            nonce = str(secrets.randbelow(10**9) + 10**9)
            query, body = Wire(keys).push(announced.clear_xml, announced.openid, timestamp, nonce)
            for attempt in range(self._rules.deliveries):
                if attempt:
                    await asyncio.sleep(self._rules.answer_within_s)
                announced.deliveries += 1
                try:
                    status, _ = await post(query, body, self._rules.answer_within_s)
                except (aiohttp.ClientError, TimeoutError, ConnectionError):
                    continue
                if status == 200:
                    announced.is_taken = True
                    return
