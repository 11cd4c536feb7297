"""So many things at a time, by tasks that take the next when they have done one: a task for each costs more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Carriers(Generic[Item]):
    """Tasks that carry items. They come with the work and end with it: none of them rests."""

    def __init__(self, carry: Callable[[Item], Awaitable[None]], *, at_once: int, most: int) -> None:
        """`at_once` items are carried at the same time; `most` are in hand, which is those, those that come next, and
        room that was asked for."""
        self._carry = carry
        self._at_once = at_once
        self._most = most
        self._next: deque[Item] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand = 0
        self._low = 0
        self._has_room = asyncio.Event()
        self._is_closed = False

    async def reserve(self, number: int) -> None:
        """Returns when there is room for so many, which is theirs until `release`."""
        while self._in_hand and self._in_hand + number > self._most:
            # Nobody is woken before there is room for all of them.
            self._low = max(0, self._most - number)
            self._has_room.clear()
            await self._has_room.wait()
        self._in_hand += number

    def release(self, number: int) -> None:
        """So many are in hand no more, or the room is not needed."""
        self._in_hand -= number
        if self._in_hand <= self._low:
            self._has_room.set()

    def take(self, items: Sequence[Item]) -> None:
        """Carries them as soon as it may."""
        self._in_hand += len(items)
        self._next.extend(items)
        self._hire()

    async def close(self) -> None:
        """Lets everything fall."""
        self._is_closed = True
        self._next.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _hire(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(min(len(self._next), self._at_once - len(self._tasks))):
            task = loop.create_task(self._work(), name="carrier")
            self._tasks.add(task)
            task.add_done_callback(self._left)

    async def _work(self) -> None:
        while self._next:
            item = self._next.popleft()
            try:
                await self._carry(item)
            finally:
                self.release(1)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._is_closed:
            # It may have been cut off while others were waiting for it.
            self._hire()
