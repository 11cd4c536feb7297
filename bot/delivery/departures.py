"""Messages on their way, and what is still to be done with those of one claim."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from bot.delivery.parcels import Parcel


class Batch:
    """What is still to be done with the messages of one claim, and what was written about them."""

    def __init__(self) -> None:
        self.left = 0
        self.writes: set[asyncio.Future[None]] = set()
        self.fault: BaseException | None = None
        self._nothing_left = asyncio.Event()

    def is_rid_of_one(self) -> None:
        """One message less is on its way."""
        self.left -= 1
        if not self.left:
            self._nothing_left.set()

    async def is_done(self) -> None:
        """Returns when nothing is on its way and all is written. Raises the last of what went wrong."""
        while self.left:
            self._nothing_left.clear()
            await self._nothing_left.wait()
        if self.writes:
            await asyncio.wait(self.writes)
        for written in self.writes:
            self.fault = written.exception() or self.fault
        if self.fault is not None:
            raise self.fault


class Departure(NamedTuple):
    """A call that is to be made at its moment, or at once."""

    shipment: Sequence[Parcel]
    at: float
    batch: Batch


async def all_of(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Waits for all, whatever becomes of any; then raises what the first that failed raised. Cancelled, it cancels
    them."""
    if not tasks:
        return
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    for task in tasks:
        task.result()
