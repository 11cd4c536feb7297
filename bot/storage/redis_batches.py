"""Round trips saved on the hot path: reads that are combined, and writes that may wait a moment."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

from bot.logs import get_logger
from bot.metrics import Metrics
from bot.storage.errors import RedisAway
from bot.storage.redis_commands import Write

LARGEST_BATCH = 500
FLUSH_DELAY_S = 0.04
LARGEST_BACKLOG = 20_000

ReadAll = Callable[[Sequence[str]], Awaitable[Sequence[bytes | None]]]
WriteAll = Callable[[Sequence[Write]], Awaitable[None]]

log = get_logger(__name__)


def _detached_task(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    # A context of its own: the work serves many requests and must not carry one's transaction or log fields.
    return asyncio.get_running_loop().create_task(work, context=contextvars.Context())


class CombinedReads:
    """Gathers the reads of one tick of the event loop, and those arriving while one is under way, into one command."""

    def __init__(self, read_all: ReadAll, metrics: Metrics) -> None:
        self._read_all = read_all
        self._metrics = metrics
        self._waiting: list[tuple[Sequence[str], asyncio.Future[list[bytes | None]]]] = []
        self._task: asyncio.Task[None] | None = None

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values in the order of the keys. Raises RedisAway."""
        future: asyncio.Future[list[bytes | None]] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, future))
        if self._task is None:
            self._task = _detached_task(self._drain())
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
                await self._serve(batch)
        finally:
            self._task = None

    async def _serve(self, batch: Sequence[tuple[Sequence[str], asyncio.Future[list[bytes | None]]]]) -> None:
        try:
            values = await self._read_all([key for keys, _ in batch for key in keys])
        except RedisAway as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(RedisAway(details=error.details))
            return
        except BaseException:
            for _, future in batch:
                future.cancel()
            raise
        self._metrics.redis_reads_total.inc()
        start = 0
        for keys, future in batch:
            if not future.done():
                future.set_result(list(values[start : start + len(keys)]))
            start += len(keys)

    async def close(self) -> None:
        """Waits for the command under way."""
        if self._task is not None:
            await asyncio.wait([self._task])


class DeferredWrites:
    """Writes nobody waits for: kept up to 50 ms, sent in batches, dropped (and counted) when Redis is away.

    Until a value has been sent, `pending` gives it, so a process reads what it wrote.
    """

    def __init__(self, write_all: WriteAll, metrics: Metrics) -> None:
        self._write_all = write_all
        self._metrics = metrics
        self._pending: dict[str, tuple[bytes, int]] = {}
        self._leaving: dict[str, tuple[bytes, int]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def put(self, key: str, value: bytes, life_ms: int) -> None:
        """Keeps a write; the last one to a key counts."""
        if len(self._pending) >= LARGEST_BACKLOG:
            self._metrics.write_behind_lost_total.inc()
            return
        self._pending[key] = (value, life_ms)
        if self._timer is None and self._task is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_DELAY_S, self._start)

    def pending(self, key: str) -> bytes | None:
        """The value waiting to be written to a key, None when none is."""
        waiting = self._pending.get(key) or self._leaving.get(key)
        return waiting[0] if waiting else None

    def overlay(self, keys: Sequence[str], stored: list[bytes | None]) -> list[bytes | None]:
        """What was read, with newer values that are still waiting in their places."""
        if self._pending or self._leaving:
            newer = [self.pending(key) for key in keys]
            return [old if new is None else new for old, new in zip(stored, newer, strict=True)]
        return stored

    async def forget(self, keys: Iterable[str]) -> None:
        """Drops what waits for the keys and lets what has left arrive, so that a direct write comes last."""
        forgotten = list(keys)
        for key in forgotten:
            self._pending.pop(key, None)
        if self._task is not None and not self._leaving.keys().isdisjoint(forgotten):
            await asyncio.wait([self._task])

    def _start(self) -> None:
        self._timer = None
        self._task = _detached_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._pending:
                first = list(self._pending)[:LARGEST_BATCH]
                self._leaving = {key: self._pending.pop(key) for key in first}
                await self._send()
        finally:
            self._leaving = {}
            self._task = None

    async def _send(self) -> None:
        try:
            await self._write_all([(key, value, life_ms) for key, (value, life_ms) in self._leaving.items()])
        except Exception as error:  # noqa: BLE001 - nobody waits for this task, so nobody else would hear of it
            self._metrics.write_behind_lost_total.inc(len(self._leaving))
            log.warning("deferred_writes_lost", count=len(self._leaving), cause=repr(error))

    async def flush(self) -> None:
        """Returns when all that was put has been sent or dropped."""
        while self._pending or self._task is not None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._task is None:
                self._start()
            assert self._task is not None
            await asyncio.wait([self._task])
