"""Many small changes in one: what is put in while a change is under way goes into the next, together."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Tray(Generic[Item, Result]):
    """What goes into one call, and what everybody who put something in gets from it."""

    items: list[Item]
    result: asyncio.Future[Result]


class Combiner(Generic[Item, Result]):
    """Hands all that was put in to one call, one call at a time; everybody gets the result of theirs."""

    def __init__(self, call: Callable[[Sequence[Item]], Awaitable[Result]], *, linger_s: float, most: int) -> None:
        """`linger_s`: how long the first of a call waits for others; a call takes `most` items, or those put in at
        once."""
        self._call = call
        self._linger_s = linger_s
        self._most = most
        self._trays: deque[_Tray[Item, Result]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._full = asyncio.Event()

    async def put(self, items: Sequence[Item]) -> Result:
        """The result of the call these items were in. Raises what the call raises."""
        return await asyncio.shield(self.add(items))

    def add(self, items: Sequence[Item]) -> asyncio.Future[Result]:
        """As `put`, without waiting: the result to come belongs to all who put something into the same call, so it is
        waited for and never cancelled."""
        loop = asyncio.get_running_loop()
        if not self._trays or len(self._trays[-1].items) >= self._most:
            self._trays.append(_Tray([], loop.create_future()))
        tray = self._trays[-1]
        tray.items += items
        if len(tray.items) >= self._most:
            self._full.set()
        if self._task is None or self._task.done():
            # A context of its own: the call must not happen inside the transaction of whoever came first.
            self._task = loop.create_task(self._work(), name="combiner", context=contextvars.Context())
        return tray.result

    async def _work(self) -> None:
        while self._trays:
            await self._linger()
            tray = self._trays.popleft()
            try:
                tray.result.set_result(await self._call(tray.items))
            except Exception as error:  # noqa: BLE001 - it belongs to those who wait
                tray.result.set_exception(error)

    async def _linger(self) -> None:
        if len(self._trays[0].items) >= self._most:
            return
        self._full.clear()
        try:
            async with asyncio.timeout(self._linger_s):
                await self._full.wait()
        except TimeoutError:
            return

    async def close(self) -> None:
        """Waits for the call under way."""
        if self._task is not None and not self._task.done():
            await asyncio.wait((self._task,))
