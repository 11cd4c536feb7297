"""Sends at a rate, whatever becomes of what was sent before: as people do, who do not wait for each other.

The time of a reply counts from the moment at which its request was due, so that a server that stands still is charged
for everybody who came meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import cast

from tests.bench.load import Reply, read_reply

CONNECTIONS = 64
PATIENCE_S = 120.0
_STEP_S = 0.001


@dataclass(frozen=True, slots=True)
class Run:
    """The replies in the order of the requests, and how long after its moment each came."""

    replies: Sequence[Reply]
    seconds: Sequence[float]


def drive_at(requests: Sequence[bytes], port: int, per_second: float) -> Run:
    """Sends a request every 1 / `per_second` seconds; returns when all are answered."""
    return asyncio.run(_drive(requests, port, per_second))


async def _drive(requests: Sequence[bytes], port: int, per_second: float) -> Run:
    state = _State(requests, asyncio.get_running_loop().create_future())
    lines = [await _line(state, port) for _ in range(CONNECTIONS)]
    try:
        await _send_all(state, len(requests), per_second)
        async with asyncio.timeout(PATIENCE_S):
            await state.done
    finally:
        for line in lines:
            line.close()
    return Run(cast("list[Reply]", state.replies), state.seconds)


async def _send_all(state: _State, number: int, per_second: float) -> None:
    began = perf_counter()
    for each in range(number):
        moment = began + each / per_second
        while (ahead := moment - perf_counter()) > 0:  # noqa: ASYNC110 - the clock on the wall is what is waited for
            await asyncio.sleep(min(ahead, _STEP_S))
        state.send(each, moment)


async def _line(state: _State, port: int) -> _Line:
    _, line = await asyncio.get_running_loop().create_connection(lambda: _Line(state), "127.0.0.1", port)
    return line


class _State:
    """What is on its way, and what came back."""

    def __init__(self, requests: Sequence[bytes], done: asyncio.Future[None]) -> None:
        self.requests = requests
        self.done = done
        self.replies: list[Reply | None] = [None] * len(requests)
        self.seconds = [0.0] * len(requests)
        self.free: deque[_Line] = deque()
        self._waiting: deque[tuple[int, float]] = deque()
        self._missing = len(requests)

    def send(self, number: int, moment: float) -> None:
        if self.free:
            self.free.popleft().send(number, moment)
        else:
            self._waiting.append((number, moment))

    def keep(self, line: _Line, number: int, moment: float, reply: Reply) -> None:
        self.replies[number], self.seconds[number] = reply, perf_counter() - moment
        self._missing -= 1
        if self._waiting:
            line.send(*self._waiting.popleft())
        else:
            self.free.append(line)
        if not self._missing and not self.done.done():
            self.done.set_result(None)


class _Line(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self._transport: asyncio.Transport
        self._received = b""
        self._sent: tuple[int, float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._state.free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._sent is not None and not self._state.done.done():
            self._state.done.set_exception(ConnectionError(f"the server hung up: {exc}"))

    def send(self, number: int, moment: float) -> None:
        self._sent = number, moment
        self._transport.write(self._state.requests[number])

    def data_received(self, data: bytes) -> None:
        self._received += data
        reply = read_reply(self._received)
        if reply is not None and self._sent is not None:
            (number, moment), self._sent, self._received = self._sent, None, b""
            self._state.keep(self, number, moment, reply)

    def close(self) -> None:
        self._sent = None
        self._transport.close()
