"""Single rows that many requests want at the same moment, read by one statement."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, Generic, TypeVar

from bot.storage.database import is_in_transaction

LARGEST_BATCH: Final = 500

Value = TypeVar("Value")


class Combined(Generic[Value]):
    """Gathers what is asked for while a statement is under way into the next one.

    Every caller reads what was committed when the statement ran, after they asked: as by a statement of their own.
    Whoever has a transaction open reads by one of their own, inside it.
    """

    def __init__(self, read: Callable[[Collection[str]], Awaitable[Mapping[str, Value]]]) -> None:
        """`read` gives what it finds of the keys."""
        self._read = read
        self._waiting: list[tuple[Collection[str], asyncio.Future[Mapping[str, Value]]]] = []
        self._task: asyncio.Task[None] | None = None

    async def find(self, keys: Collection[str]) -> Mapping[str, Value]:
        """What is found of the keys, and maybe of others. Raises whatever the statement raised."""
        if not keys:
            return {}
        if is_in_transaction():
            return await self._read(keys)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Mapping[str, Value]] = loop.create_future()
        self._waiting.append((keys, future))
        if self._task is None:
            # A context of its own: the statement serves many and must not run in one's transaction.
            self._task = loop.create_task(self._drain(), context=contextvars.Context())
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._serve()
        finally:
            self._task = None

    async def _serve(self) -> None:
        batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
        futures = [future for _, future in batch if not future.done()]
        try:
            found = await self._read({key for keys, _ in batch for key in keys})
        except Exception as error:  # noqa: BLE001 - each of those who asked is told
            for future in futures:
                if not future.done():
                    future.set_exception(error)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        else:
            for future in futures:
                if not future.done():
                    future.set_result(found)
