"""Speaks like WeChat's servers: signed pushes, each with a MsgId of its own, over connections that stay open.

Everything is built before the clock starts and judged after it has stopped, so that the client costs little while it
runs: some 40 µs of processor a request.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import cast
from urllib.parse import urlencode
from xml.etree import ElementTree

from bot.emulator.platform import AccountKeys
from bot.emulator.wire import UnreadableAnswer, Wire, to_xml
from bot.wechat.replies import fit_text
from tests.bench.machine import Spent, spent

CONNECTIONS = 64
TIMEOUT_S = 120.0
PEOPLE = range(2_500)
"""Who asks. Each stays far below what one person may send in a minute."""

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_numbers = itertools.count(24_000_000_000_000_000)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the only right reply."""

    text: str
    reply: str


@dataclass(frozen=True, slots=True)
class Push:
    """A request as it goes over the wire, and what has to come back to whom."""

    raw: bytes
    openid: str
    question: Question


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """One run: how long it took, and what each server spent on it."""

    requests: int
    seconds: float
    spent: Sequence[Spent]
    replies: Sequence[Reply]

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return self.requests / self.seconds

    @property
    def micros(self) -> float:
        """Microseconds of processor a request."""
        return sum(work.ran_s for work in self.spent) / self.requests * 1e6


class WrongReply(AssertionError):
    """A reply that is not what it should be: a measurement of it would mean nothing."""


class Pushes:
    """Makes pushes to one account and judges their replies."""

    def __init__(self, keys: AccountKeys, *, path: str = "/wechat") -> None:
        self._keys = keys
        self._wire = Wire(keys)
        self._path = path

    def build(self, questions: Sequence[Question], count: int, *, seed: int, people: range = PEOPLE) -> list[Push]:
        """`count` pushes of questions in turn, each from the next of the people. Good for five minutes."""
        chance = random.Random(seed)
        askers = itertools.cycle(chance.sample(people, len(people)))
        asked = itertools.cycle(questions)
        return [self._push(next(asked), f"oBench{next(askers):022d}", chance) for _ in range(count)]

    def _push(self, question: Question, openid: str, chance: random.Random) -> Push:
        now = int(time.time())
        xml = to_xml(
            {
                "ToUserName": self._keys.original_id,
                "FromUserName": openid,
                "CreateTime": now,
                "MsgType": "text",
                "Content": question.text,
                "MsgId": next(_numbers),
            }
        )
        query, body = self._wire.push(xml, openid, str(now), str(chance.randrange(10**9, 10**10)))
        head = (
            f"POST {self._path}?{urlencode(query)} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/4.0\r\n"
            f"Accept: */*\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return Push(head.encode() + body, openid, question)

    def judge(self, pushes: Sequence[Push], replies: Sequence[Reply]) -> None:
        """Raises WrongReply with the first reply that is not the right one."""
        for push, reply in zip(pushes, replies, strict=True):
            if (fault := self._fault(push, reply)) is not None:
                raise WrongReply(f"{push.question.text}: {fault}")

    def _fault(self, push: Push, reply: Reply) -> str | None:
        if reply.status != 200:
            return f"status {reply.status}"
        try:
            clear = self._wire.open_answer(reply.body)
            fields = {element.tag: element.text or "" for element in ElementTree.fromstring(clear)}  # noqa: S314 - our own
        except (UnreadableAnswer, ElementTree.ParseError) as error:
            return f"unreadable: {error}: {reply.body[:80]!r}"
        parties = (fields.get("ToUserName"), fields.get("FromUserName"))
        if parties != (push.openid, self._keys.original_id):
            return f"between {parties}"
        content, wanted = fields.get("Content"), fit_text(push.question.reply)
        return None if content == wanted else f"wrong words: {content!r}, not {wanted!r}"


def drive(
    pushes: Sequence[Push], ports: Sequence[int], servers: Sequence[int], *, connections: int = CONNECTIONS
) -> Load:
    """Sends everything, on each connection the next request when the last one is answered; ports in turn.

    `servers` are the processes whose work is counted.
    """
    before = [spent(server) for server in servers]
    seconds, replies = asyncio.run(_run([push.raw for push in pushes], ports, connections))
    work = [spent(server) - start for server, start in zip(servers, before, strict=True)]
    return Load(len(pushes), seconds, work, replies)


async def _run(requests: Sequence[bytes], ports: Sequence[int], connections: int) -> tuple[float, list[Reply]]:
    loop = asyncio.get_running_loop()
    run = _Run(requests, loop.create_future())
    lines: list[_Line] = []
    for _, port in zip(range(connections), itertools.cycle(ports), strict=False):
        _, line = await loop.create_connection(lambda: _Line(run), "127.0.0.1", port)
        lines.append(line)
    started = perf_counter()
    for line in lines:
        line.send_next()
    async with asyncio.timeout(TIMEOUT_S):
        await run.done
    seconds = perf_counter() - started
    for line in lines:
        line.close()
    return seconds, cast("list[Reply]", run.replies)


class _Run:
    """The requests still to be sent, and the replies so far in the order of the requests."""

    def __init__(self, requests: Sequence[bytes], done: asyncio.Future[None]) -> None:
        self.requests = requests
        self.replies: list[Reply | None] = [None] * len(requests)
        self.done = done
        self._order: Iterator[int] = iter(range(len(requests)))
        self._missing = len(requests)

    def next(self) -> int | None:
        return next(self._order, None)

    def keep(self, number: int, reply: Reply) -> None:
        self.replies[number] = reply
        self._missing -= 1
        if not self._missing and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class _Line(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._transport: asyncio.Transport
        self._received = b""
        self._number: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._number is not None:
            self._run.fail(ConnectionError(f"the server hung up: {exc}"))

    def send_next(self) -> None:
        self._number = self._run.next()
        if self._number is not None:
            self._transport.write(self._run.requests[self._number])

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        reply = read_reply(received)
        if reply is None:
            self._received = received
            return
        self._received = b""
        if self._number is not None:
            self._run.keep(self._number, reply)
        self.send_next()

    def close(self) -> None:
        self._number = None
        self._transport.close()


def read_reply(received: bytes) -> Reply | None:
    """The whole answer, None while some of it is missing. Answers carry their length, as both servers' do."""
    head_end = received.find(_HEAD_END)
    if head_end < 0:
        return None
    head = received[:head_end].lower()
    start = head.index(_LENGTH) + len(_LENGTH)
    end = head.find(b"\r\n", start)
    body_start = head_end + len(_HEAD_END)
    body_end = body_start + int(head[start : end if end >= 0 else head_end])
    if len(received) < body_end:
        return None
    return Reply(int(received[9:12]), received[body_start:body_end])
