"""How fast messages go out: never more than a rate in any second, over all workers, and never more than a number a day.

Calls get moments, one after another, a little further apart than the rate asks for: so that however the window of a
second is laid, and with calls that take off a little late, no more than the rate lies in it. Moments are handed out by
Redis, which is the clock of all workers; a call that comes too late for its moment gives it up and takes another. When
Redis has forgotten, it waits a second before the next moment, longer than any moment it may have given before.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock, to_utc
from bot.delivery.credits import API, Credits, day_of
from bot.delivery.pushes import ChannelName
from bot.storage import redis_keys
from bot.storage.redis import RedisStore

# How much of a second the moments leave free, and how much of that a call may be late.
SLACK_S: Final = 0.07
LATENESS_S: Final = 0.03
# Moments are taken so far together at most, and nothing is given for so long by a Redis that has forgotten.
AHEAD_S: Final = 0.05
REST_S: Final = 1.5
# Calls of a day are counted in blocks, so that not each of them costs a statement.
_BLOCKS: Final = (100, 10, 1)


class Limiter:
    """The moments at which one process may call."""

    def __init__(
        self, store: Callable[[], RedisStore], credits: Credits, clock: Clock, *, a_second: float, a_day: int
    ) -> None:
        """`a_second` 0: as fast as it goes."""
        self._store = store
        self._credits = credits
        self._clock = clock
        self._a_second = a_second
        self._a_day = a_day
        self._asking = asyncio.Lock()
        self._counting = asyncio.Lock()
        self._blocks: dict[tuple[ChannelName, str], int] = defaultdict(int)

    @property
    def is_unpaced(self) -> bool:
        """Whether messages go out as fast as they can."""
        return not self._a_second

    # --------------------------------------------------------------------------------------------------------- a second
    async def moments(self, channel: ChannelName, number: int) -> list[float]:
        """The moments of the next calls, in the time of the event loop: at most `number`, and at least one. Raises
        Unavailable."""
        loop = asyncio.get_running_loop()
        if not self._a_second:
            return [loop.time()] * number
        spacing = (1 + SLACK_S) / self._a_second
        number = max(1, min(number, int(AHEAD_S / spacing)))
        key = redis_keys.sending_turn(channel.value)
        # One after another: many that ask at once would keep the store from answering any of them in time.
        async with self._asking:
            asked = loop.time()
            wait = await self._store().take_turns(key, number, spacing, rest_s=REST_S)
        return [asked + wait + spacing * each for each in range(number)]

    async def pace(self, channel: ChannelName) -> None:
        """Returns when one call may be made, at once. Raises Unavailable."""
        while True:
            [at] = await self.moments(channel, 1)
            if await on_time(at):
                return

    # ------------------------------------------------------------------------------------------------------------ a day
    async def quota(self, channel: ChannelName, number: int) -> int:
        """Takes so many calls of the day, or as many as are left; gives how many."""
        day = day_of(self._clock.now())
        key = (channel, day)
        async with self._counting:
            while self._blocks[key] < number:
                for old in [each for each in self._blocks if each[1] != day]:
                    del self._blocks[old]
                size = await self._block(channel, day)
                if not size:
                    break
                self._blocks[key] += size
            granted = min(number, self._blocks[key])
            self._blocks[key] -= granted
            return granted

    async def _block(self, channel: ChannelName, day: str) -> int:
        for size in _BLOCKS:
            if await self._credits.count(API, channel.value, day, self._a_day, size):
                return size
        return 0

    # ----------------------------------------------------------------------------------------------------------- pauses
    async def pause(self, what: str, until: datetime) -> None:
        """Nothing through a channel, or with a template, before that moment: all workers see it. Raises Unavailable."""
        life = max(timedelta(seconds=1), until - self._clock.now())
        await self._store().set(redis_keys.sending_pause(what), until.isoformat().encode(), life)

    async def paused(self, whats: Collection[str]) -> Mapping[str, datetime]:
        """Which of them are paused, and until when. Raises Unavailable."""
        names = list(whats)
        found = await self._store().read_many([redis_keys.sending_pause(each) for each in names])
        now = self._clock.now()
        until = {
            name: to_utc(datetime.fromisoformat(value.decode()))
            for name, value in zip(names, found, strict=True)
            if value is not None
        }
        return {name: moment for name, moment in until.items() if moment > now}


async def on_time(at: float) -> bool:
    """Waits for a moment; False when it has passed too long ago to be used."""
    loop = asyncio.get_running_loop()
    if (wait := at - loop.time()) > 0:
        await asyncio.sleep(wait)
    return loop.time() - at <= LATENESS_S
