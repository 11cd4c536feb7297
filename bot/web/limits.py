"""How much is too much at the API: per person for all requests, per address for failed attempts only.

A village comes from one address, so an address is never held up for asking much: only for guessing much (codes,
passwords, invitations), and then only where there is something to guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Final

from aiohttp import web

from bot.clock import Clock
from bot.errors import LimitReached, Unavailable
from bot.storage import redis_keys
from bot.storage.base import blind_index
from bot.storage.redis import RedisStore

FORWARDED: Final = "X-Forwarded-For"
_MINUTE_S: Final = 60
_COUNT_LIFE: Final = timedelta(minutes=2)
# This share of the limit is counted in the process alone: hardly anybody asks more, and a count that all replicas share
# costs a round trip. With n replicas the limit may be passed by n - 1 such shares.
_OWN_SHARE: Final = 4


class TooManyFailures(LimitReached):
    """An address went wrong too often within the minute."""

    code = "too_many_failures"
    default_message = "出错的次数太多了，请过一分钟再试。"


class TooManyRequests(LimitReached):
    """Somebody asked too much within the minute."""

    code = "too_many_requests"
    default_message = "操作太频繁了，请过一分钟再试。"


class Addresses:
    """Where requests come from: the peer, or whom one of our own proxies says it speaks for."""

    def __init__(self, proxies: Collection[str]) -> None:
        """`proxies` are the addresses of those in front of us, which add the peer they saw to X-Forwarded-For."""
        self._proxies = frozenset(proxies)

    def of(self, request: web.BaseRequest) -> str:
        """The address. Only the last entry is our proxy's; anybody can have written those before it."""
        peer = request.remote or ""
        if peer not in self._proxies:
            return peer
        return request.headers.get(FORWARDED, "").rpartition(",")[2].strip() or peer


class FailureLimit:
    """Counts failed attempts per address and minute, over all replicas. What succeeds is never counted."""

    def __init__(self, store: Callable[[], RedisStore], clock: Clock, per_minute: int) -> None:
        """`store` gives the store once the application runs."""
        self._store = store
        self._clock = clock
        self._per_minute = per_minute
        self._own = _Minute()

    async def check(self, address: str) -> None:
        """Before an attempt is looked at. Raises TooManyFailures when too many went wrong: a right guess would not
        be told from a wrong one either."""
        minute, key = self._key(address)
        try:
            seen = await self._store().get(redis_keys.failures(key, minute))
            count = int(seen or b"0")
        except Unavailable:
            count = 0
        if max(count, self._own.count(minute, key)) >= self._per_minute:
            raise TooManyFailures

    async def note(self, address: str) -> None:
        """One failed attempt."""
        minute, key = self._key(address)
        self._own.add(minute, key)
        try:
            await self._store().increment(redis_keys.failures(key, minute), _COUNT_LIFE)
        except Unavailable:
            return  # then each replica counts for itself

    def _key(self, address: str) -> tuple[int, str]:
        return _minute_of(self._clock), blind_index("address", address)


class PersonLimit:
    """Counts the requests of each person a minute; shared by the replicas from a quarter of the limit on."""

    def __init__(self, store: Callable[[], RedisStore], clock: Clock, per_minute: int) -> None:
        self._store = store
        self._clock = clock
        self._per_minute = per_minute
        self._free = per_minute // _OWN_SHARE
        self._own = _Minute()

    async def take(self, person: str) -> None:
        """One request of the person (any id of ours). Raises TooManyRequests beyond the limit."""
        minute = _minute_of(self._clock)
        own = self._own.add(minute, person)
        if own <= self._free:
            return
        try:
            shared = await self._store().increment(redis_keys.requests(person, minute), _COUNT_LIFE) + self._free
        except Unavailable:
            shared = own  # then each replica counts for itself
        if shared > self._per_minute:
            raise TooManyRequests


class _Minute:
    """Counts of the current minute in this process; those of the minute before are dropped as a whole."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def count(self, minute: int, key: str) -> int:
        return self._counts[key] if minute == self._minute and key in self._counts else 0

    def add(self, minute: int, key: str) -> int:
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()
        self._counts[key] += 1
        return self._counts[key]


def _minute_of(clock: Clock) -> int:
    return int(clock.now().timestamp()) // _MINUTE_S
