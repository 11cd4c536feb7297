"""Many small changes in one: what is put in while a change is under way goes into the next, together."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Combiner(Generic[Item, Result]):
    """Hands all that was put in to one call, one call at a time; everybody gets the result of theirs."""

    def __init__(self, call: Callable[[Sequence[Item]], Awaitable[Result]], *, linger_s: float, most: int) -> None:
        """`linger_s`: how long the first of a call waits for others; a call takes `most` items, or those put in at
        once."""
        self._call = call
        self._linger_s = linger_s
        self._most = most
        self._waiting: list[tuple[Sequence[Item], asyncio.Future[Result]]] = []
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self._full = asyncio.Event()

    async def put(self, items: Sequence[Item]) -> Result:
        """The result of the call these items were in. Raises what the call raises."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, future))
        self._number += len(items)
        if self._number >= self._most:
            self._full.set()
        if self._task is None or self._task.done():
            # A context of its own: the call must not happen inside the transaction of whoever came first.
            self._task = asyncio.get_running_loop().create_task(
                self._work(), name="combiner", context=contextvars.Context()
            )
        return await asyncio.shield(future)

    async def _work(self) -> None:
        while self._waiting:
            await self._linger()
            taken = self._taken()
            waiting = [future for _, future in taken]
            try:
                result = await self._call([item for items, _ in taken for item in items])
            except Exception as error:  # noqa: BLE001 - it belongs to those who wait
                _fail(waiting, error)
            else:
                _answer(waiting, result)

    async def _linger(self) -> None:
        if self._number >= self._most:
            return
        self._full.clear()
        try:
            async with asyncio.timeout(self._linger_s):
                await self._full.wait()
        except TimeoutError:
            return

    def _taken(self) -> list[tuple[Sequence[Item], asyncio.Future[Result]]]:
        number, size = 0, 0
        while number < len(self._waiting) and (size < self._most or not number):
            size += len(self._waiting[number][0])
            number += 1
        taken, self._waiting = self._waiting[:number], self._waiting[number:]
        self._number -= size
        return taken

    async def close(self) -> None:
        """Waits for the call under way."""
        if self._task is not None and not self._task.done():
            await asyncio.wait((self._task,))


def _answer(waiting: Sequence[asyncio.Future[Result]], result: Result) -> None:
    for future in waiting:
        if not future.done():
            future.set_result(result)


def _fail(waiting: Sequence[asyncio.Future[Result]], error: Exception) -> None:
    for future in waiting:
        if not future.done():
            future.set_exception(error)
