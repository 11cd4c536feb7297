"""Work in rounds until told to stop: what both workers of delivery have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.errors import Unavailable
from bot.logs import get_logger
from bot.metrics import Metrics

_log = get_logger(__name__)

Round = Callable[[], Awaitable[int]]


@dataclass(slots=True)
class Activity:
    """When, in the time of the event loop, a round last ended well, and when one last found something to do."""

    looked: float | None = None
    worked: float | None = None


class Rounds:
    """Runs rounds one after another, several lines of them side by side. A round gives how much it found to do."""

    def __init__(
        self, lines: Sequence[Round], metrics: Metrics, *, idle_s: float, trouble_s: float, grace_s: float
    ) -> None:
        """Rests `idle_s` after a round with nothing to do, `trouble_s` after one that failed; stopping takes at most
        `grace_s`."""
        self._lines = lines
        self._metrics = metrics
        self._idle_s, self._trouble_s, self._grace_s = idle_s, trouble_s, grace_s
        self.activity = Activity()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more should be begun."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begins to work in the background until `stop`."""
        self._task = asyncio.get_running_loop().create_task(self.run(), name="delivery")

    async def stop(self) -> None:
        """Finishes what is under way, begins nothing more."""
        self._stopping.set()
        if self._task is None:
            return
        await asyncio.wait((self._task,), timeout=self._grace_s)
        if not self._task.done():
            _log.warning("delivery_cut_off")
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def run(self) -> None:
        """Works until `stop` is called."""
        async with asyncio.TaskGroup() as group:
            for line in self._lines:
                group.create_task(self._run_line(line))

    async def _run_line(self, line: Round) -> None:
        while not self._stopping.is_set():
            pause = await self._round(line)
            if pause:
                await self._rest(pause)

    async def _round(self, line: Round) -> float:
        """One round; gives how long to rest before the next."""
        try:
            found = await line()
            self._note(found)
            return 0.0 if found else self._idle_s
        except Unavailable as error:
            _log.warning("delivery_waits", cause=error.code)
        except Exception:  # noqa: BLE001 - a worker that ends delivers nothing any more
            _log.exception("delivery_failed")
            self._metrics.errors_total.labels("delivery").inc()
        return self._trouble_s

    def _note(self, found: int) -> None:
        now = asyncio.get_running_loop().time()
        self.activity.looked = now
        if found:
            self.activity.worked = now

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
