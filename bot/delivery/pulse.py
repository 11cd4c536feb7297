"""Which workers are alive, and when each last had something to do, as they say themselves.

A fixed number of places lies in Redis. A worker takes one that is free and renews it while it lives, so that all the
living are found by reading the places, without a search; one that is killed is gone after a moment. Nothing depends on
it but what people are shown.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from bot.clock import Clock
from bot.delivery.rounds import Activity
from bot.errors import Unavailable
from bot.metrics import Metrics
from bot.storage import redis_keys
from bot.storage.redis import RedisStore

PLACES: Final = 32
"""More workers than these are at work all the same; they are not shown."""
EVERY_S: Final = 5.0
LIFE: Final = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker that is alive. `looked_at`: when it last looked for work without a fault; `worked_at`: when it last
    found some. None: not since it began."""

    place: int
    since: datetime
    looked_at: datetime | None
    worked_at: datetime | None


class Pulse:
    """What one process says about its workers, until it is stopped."""

    def __init__(self, store: RedisStore, activities: Sequence[Activity], clock: Clock) -> None:
        self._store = store
        self._activities = activities
        self._clock = clock
        self._own = uuid4().hex
        self._since = clock.now()
        self._place: int | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to beat in the background until `stop`."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="pulse")

    async def stop(self) -> None:
        """Gives the place back at once, so that nobody waits for somebody who has gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        try:
            if self._place is not None and await self._is_ours(self._place):
                await self._store.delete(redis_keys.worker(self._place))
        except Unavailable:
            return

    async def beat(self) -> None:
        """Once. Raises Unavailable."""
        said = self._said()
        if self._place is not None and await self._is_ours(self._place):
            await self._store.set(redis_keys.worker(self._place), said, LIFE)
            return
        # Also for one that slept longer than its term: somebody else may sit there now.
        self._place = None
        for place in range(PLACES):
            if await self._store.set(redis_keys.worker(place), said, LIFE, if_absent=True):
                self._place = place
                return

    async def _run(self) -> None:
        while True:
            try:
                await self.beat()
            except Unavailable:
                # It says so again when there is somebody to say it to.
                self._place = None
            await asyncio.sleep(EVERY_S)

    async def _is_ours(self, place: int) -> bool:
        found = await self._store.get(redis_keys.worker(place))
        return found is not None and json.loads(found)["own"] == self._own

    def _said(self) -> bytes:
        looked = [each.looked for each in self._activities if each.looked is not None]
        worked = [each.worked for each in self._activities if each.worked is not None]
        said = {
            "own": self._own,
            "since": self._since.isoformat(),
            # The one that has not looked for longest: one that hangs must not hide behind the other.
            "looked": self._moment(min(looked) if len(looked) == len(self._activities) else None),
            "worked": self._moment(max(worked, default=None)),
        }
        return json.dumps(said).encode()

    def _moment(self, loop_time: float | None) -> str | None:
        if loop_time is None:
            return None
        ago = timedelta(seconds=asyncio.get_running_loop().time() - loop_time)
        return (self._clock.now() - ago).isoformat()


async def workers_seen(store: RedisStore) -> list[WorkerSeen]:
    """Those who are alive. Raises Unavailable when nobody can know."""
    found = await store.read_many([redis_keys.worker(place) for place in range(PLACES)])
    return [_seen(place, said) for place, said in enumerate(found) if said is not None]


def measuring(store: Callable[[], RedisStore], clock: Clock, metrics: Metrics) -> Callable[[], Awaitable[None]]:
    """A job: tells the metrics of every process who is alive."""

    async def measure() -> None:
        metrics.worker_idle_seconds.clear()
        try:
            found = await workers_seen(store())
        except Unavailable:
            metrics.workers_alive.set(math.nan)
            return
        metrics.workers_alive.set(len(found))
        now = clock.now()
        for each in found:
            idle = now - (each.worked_at or each.since)
            metrics.worker_idle_seconds.labels(str(each.place)).set(max(0.0, idle.total_seconds()))

    return measure


def _seen(place: int, said: bytes) -> WorkerSeen:
    told = json.loads(said)
    looked, worked = (datetime.fromisoformat(told[key]) if told[key] else None for key in ("looked", "worked"))
    return WorkerSeen(place, datetime.fromisoformat(told["since"]), looked, worked)
