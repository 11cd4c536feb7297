"""The knowledge in use: built in a thread after the service listens, replaced as a whole when it is loaded again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar, cast

from bot.errors import AppError, Unavailable
from bot.logs import get_logger
from bot.memory import give_back, settle_collector

Snapshot = TypeVar("Snapshot")

log = get_logger(__name__)


class KnowledgeLoading(Unavailable):
    """The knowledge is not there yet, or its files are faulty."""

    code = "knowledge_loading"
    default_message = "我刚上班，资料还在整理，请过半分钟再问我一次。孩子有危险请马上打110、120。"


class Library(Generic[Snapshot]):
    """Holds one immutable snapshot. `build` is called in a thread and may import whatever is slow to import."""

    def __init__(self, build: Callable[[], Snapshot]) -> None:
        self._build = build
        self._snapshot: Snapshot | None = None
        self._version = 0
        self._gate = asyncio.Event()
        self._gate.set()
        self._loaded = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def current(self) -> Snapshot:
        """The snapshot in use. Raises KnowledgeLoading while there is none."""
        if self._snapshot is None:
            raise KnowledgeLoading
        return self._snapshot

    @property
    def version(self) -> int:
        """0 before the first snapshot, one more with every load: what a cache of answers is keyed by."""
        return self._version

    def hold(self) -> None:
        """`start` waits for `release`: so that a start to listening is not slowed by the work."""
        self._gate.clear()

    def release(self) -> None:
        """Ends `hold`."""
        self._gate.set()

    def start(self) -> None:
        """Begins the first load in the background; `close` ends it."""
        self._task = asyncio.create_task(self._first_load(), name="knowledge")

    async def load(self) -> None:
        """Builds a snapshot and puts it in the old one's place; no question goes without one meanwhile.

        Raises what `build` raises; the old snapshot stays then.
        """
        snapshot = await _in_daemon_thread(self._build)
        self._snapshot = snapshot
        self._version += 1
        self._loaded.set()

    async def wait(self) -> None:
        """Returns as soon as there is a snapshot, for ever waiting when there never is one."""
        await self._loaded.wait()

    async def settled(self) -> bool:
        """Returns as soon as the first load has ended: whether there is a snapshot."""
        if self._task is not None:
            await asyncio.wait({self._task})
        return self._snapshot is not None

    async def _first_load(self) -> None:
        await self._gate.wait()
        try:
            await self.load()
        except Exception as error:  # noqa: BLE001 - a background task: /readyz and the log are where this is heard
            log.error("knowledge_not_loaded", cause=error.message if isinstance(error, AppError) else repr(error))
            return
        log.info("knowledge_loaded", version=self._version)

    async def check(self) -> None:
        """For /readyz. Raises KnowledgeLoading while there is no snapshot."""
        _ = self.current

    async def close(self) -> None:
        """Gives up a load that is under way: its thread is left to end by itself, or with the process."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


async def _in_daemon_thread(work: Callable[[], Snapshot]) -> Snapshot:
    """As `asyncio.to_thread`, in a thread that does not keep the process from ending: a load may take seconds."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Snapshot] = loop.create_future()

    def settle(result: Snapshot | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("Snapshot", result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
            give_back()
            settle_collector()
        except Exception as caught:  # noqa: BLE001 - handed to whoever awaits the result
            error = caught
        with suppress(RuntimeError):  # the loop has ended; nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="knowledge", daemon=True).start()
    return await future
