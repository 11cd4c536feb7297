"""Workers in processes of their own, to be killed at any moment.

They are forked from one process that has imported everything: a worker is at work within a moment, so that a hundred of
them can be killed in the time that delivering takes.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

from bot.storage.schema import model_modules
from tests.bot.delivery.postman import GRACE_S, Orders, work

_CONTEXT = get_context("forkserver")
# Beyond the worker's own grace: for what it writes afterwards, on a busy machine.
_ENDS_WITHIN_S = GRACE_S + 60


@dataclass
class Yard:
    """The workers; `orders` are asked for whenever one starts."""

    orders: Callable[[], Orders]
    chance: random.Random
    kills: int = 0
    workers: list[ForkServerProcess] = field(default_factory=list)

    async def start(self) -> None:
        """One more. Returns at once: it may be killed before it has begun."""
        worker = _CONTEXT.Process(target=work, args=(self.orders(),), daemon=True)
        await asyncio.to_thread(worker.start)
        self.workers.append(worker)

    async def kill(self) -> None:
        """One of them, whatever it is doing; another takes its place."""
        victim = self.workers.pop(self.chance.randrange(len(self.workers)))
        victim.kill()
        assert await _ended(victim) == -signal.SIGKILL
        self.kills += 1
        await self.start()

    async def end(self) -> None:
        """All of them, in good order."""
        leaving, self.workers = self.workers, []
        for worker in leaving:
            worker.terminate()
        codes = [await _ended(worker) for worker in leaving]
        # One that had not begun yet knows no good order.
        assert set(codes) <= {0, -signal.SIGTERM}, codes

    def check(self) -> None:
        """Nobody ends but by us."""
        assert all(worker.is_alive() for worker in self.workers), "a worker ended by itself"


async def _ended(worker: ForkServerProcess) -> int | None:
    await asyncio.to_thread(worker.join, _ENDS_WITHIN_S)
    if worker.exitcode is None:
        worker.kill()
        await asyncio.to_thread(worker.join)
        raise AssertionError("a worker did not end when it was told to")
    return worker.exitcode


@asynccontextmanager
async def yard(orders: Callable[[], Orders], workers: int, seed: int) -> AsyncIterator[Yard]:
    """So many workers."""
    _CONTEXT.set_forkserver_preload(["tests.bot.delivery.postman", *model_modules()])
    made = Yard(orders, random.Random(seed))
    try:
        for _ in range(workers):
            await made.start()
        yield made
    finally:
        await made.end()
