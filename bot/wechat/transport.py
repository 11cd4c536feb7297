"""How a call travels: one request and its answer, or what is known when there is none.

The HTTP is done by a Rust library in a thread of its own, so that a broadcast can work on the next message meanwhile.
Its errors quote the address, which holds a token: none is passed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import certifi
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import BuilderError, DetailedPyreqwestError, PoolTimeoutError, PyreqwestError
from pyreqwest.response import Response

MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
MOST_CONNECTIONS: Final = 400
# Shorter than servers keep a connection open: on one they close at that moment a request would be lost.
_IDLE: Final = timedelta(seconds=15)
_JSON: Final = "application/json; charset=utf-8"
# What the HTTP engine says of a fault before it had a connection. The library's own names do not tell: it calls every
# answer that did not come in time or was cut off a failure to connect.
_NOT_CONNECTED: Final = "client error (Connect)"
# Until the library's thread has let go of the interpreter: a process that ends before is aborted (seen on Python 3.11).
_LETTING_GO_S: Final = 0.05


class NotSent(Exception):
    """The request has surely not been sent. Its text says why, without the address."""


class NoAnswer(Exception):
    """The request may have arrived, and what came back is no answer. Its text says why, without the address."""


class AnswerTooLarge(NoAnswer):
    """More came back than was to be read; the rest was not."""

    def __init__(self) -> None:
        super().__init__("answer too large")


class Answer(NamedTuple):
    """What the other side said: its status, and a body within what was to be read."""

    status: int
    content: bytes


class Transport(Protocol):
    """Carries requests."""

    async def exchange(self, method: str, url: str, body: bytes | None, *, most: int = MAX_ANSWER_BYTES) -> Answer:
        """One request, sent once; redirects are answers. `body` is JSON, `most` bytes are read of what comes back.
        Raises NotSent, NoAnswer and its AnswerTooLarge."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """Seconds for the whole call and for reaching the other side."""

    total_s: float = 8.0
    connect_s: float = 3.0


class HttpTransport:
    """Carries requests over connections that are kept."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._is_closed = False

    async def exchange(self, method: str, url: str, body: bytes | None, *, most: int = MAX_ANSWER_BYTES) -> Answer:
        """See `Transport`."""
        if self._is_closed:
            raise NotSent("closed")
        try:
            request = self._client.request(method, url)
            if body is not None:
                request = request.header("Content-Type", _JSON).body_bytes(body)
            async with request.build_streamed() as response:
                return Answer(response.status, await _content(response, most))
        except PyreqwestError as fault:
            if _is_unsent(fault):
                raise NotSent("no connection") from None
            raise NoAnswer("no time left" if isinstance(fault, TimeoutError) else "no whole answer") from None
        except ValueError:
            raise NotSent("no address") from None

    async def close(self) -> None:
        """Nothing is carried from now on: the library itself goes on for a moment."""
        self._is_closed = True
        await self._client.close()


@asynccontextmanager
async def open_transport(limits: TimeLimits | None = None) -> AsyncIterator[HttpTransport]:
    """Connections for as long as it is open. No proxy is used, whatever the environment says."""
    try:
        client = _builder(limits or TimeLimits()).build()
    except BuilderError:
        # A machine that trusts nobody, such as a bare container: the roots that Mozilla trusts.
        roots = Path(certifi.where()).read_bytes()  # noqa: ASYNC240 - once, at the start
        client = _builder(limits or TimeLimits()).add_root_certificate_pem(roots).build()
    transport = HttpTransport(client)
    try:
        yield transport
    finally:
        await transport.close()
        await asyncio.sleep(_LETTING_GO_S)


def _builder(limits: TimeLimits) -> ClientBuilder:
    return (
        ClientBuilder()
        .timeout(timedelta(seconds=limits.total_s))
        .connect_timeout(timedelta(seconds=limits.connect_s))
        .max_connections(MOST_CONNECTIONS)
        .pool_timeout(timedelta(seconds=limits.connect_s))
        .pool_idle_timeout(_IDLE)
        .follow_redirects(False)
        .no_proxy()
        # A small body that unpacks into a huge one is never unpacked.
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
    )


def _is_unsent(fault: PyreqwestError) -> bool:
    """What nobody can be sure of counts as sent."""
    if isinstance(fault, PoolTimeoutError):
        return True
    causes = fault.details["causes"] if isinstance(fault, DetailedPyreqwestError) else None
    return any(cause["message"] == _NOT_CONNECTED for cause in causes or ())


async def _content(response: Response, most: int) -> bytes:
    announced = response.get_header("Content-Length")
    if announced is not None and announced.isascii() and announced.isdigit() and int(announced) <= most:
        return bytes(await response.bytes())
    content = bytearray()
    while (chunk := await response.body_reader.read_chunk()) is not None:
        content += bytes(chunk)
        if len(content) > most:
            raise AnswerTooLarge
    return bytes(content)
