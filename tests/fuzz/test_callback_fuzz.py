"""Whatever is thrown at the callback: no 5xx, and nothing happens for what is not rightly signed."""

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.web.callback import CallbackLimits, WeChatCallback
from bot.wechat.crypto import CallbackCrypto, Mode
from bot.wechat.messages import Inbound, Reply, TextReply
from tests.bot.wechat.samples import AT, callback_keys
from tests.fuzz.callback_cases import Case, Mutator

SHORT = 3_000
# A hundred thousand, in pieces that each end before the watchdog of hanging tests looks.
FULL = [(5_000, seed) for seed in range(1, 21)]


@dataclass
class Target:
    """A served callback that counts what takes effect, and one connection to it."""

    port: int
    effects: list[Inbound]
    statuses: Counter[str] = field(default_factory=Counter)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, case: Case) -> tuple[int, bytes]:
        """Status and body of the final answer; a connection that was closed in between is opened anew."""
        for _ in range(2):
            reader, writer = self._streams or await asyncio.open_connection("127.0.0.1", self.port)
            self._streams = (reader, writer)
            try:
                writer.write(case.request)
                status, body, is_over = await self._answer(reader, is_head=case.request.startswith(b"HEAD"))
            except (asyncio.IncompleteReadError, ConnectionError):
                await self.close()
                continue
            if is_over or not case.is_framed:
                await self.close()
            return status, body
        return 400, b"connection closed"

    async def _answer(self, reader: asyncio.StreamReader, *, is_head: bool) -> tuple[int, bytes, bool]:
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status == 100:
            return await self._answer(reader, is_head=is_head)
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        body = b"" if is_head else await reader.readexactly(int(headers.get(b"content-length", b"0")))
        return status, body, headers.get(b"connection") == b"close"

    async def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._streams is not None:
            writer, self._streams = self._streams[1], None
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@pytest.fixture(autouse=True)
def quiet_server() -> Iterator[None]:
    """The HTTP library logs every unreadable request."""
    logger = logging.getLogger("aiohttp.server")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


async def targets() -> AsyncGenerator[tuple[Mode, Target], None]:
    for mode in Mode:
        effects: list[Inbound] = []

        async def dispatch(inbound: Inbound, effects: list[Inbound] = effects) -> Reply:
            effects.append(inbound)
            return TextReply("秘密的答复")

        async def late_reply(inbound: Inbound, reply: TextReply, effects: list[Inbound] = effects) -> None:
            effects.append(inbound)

        clock = FrozenClock(AT)
        callback = WeChatCallback(
            crypto=CallbackCrypto(callback_keys(mode), clock),
            dispatch=dispatch,
            late_reply=late_reply,
            metrics=Metrics(),
            clock=clock,
            limits=CallbackLimits(body_s=0.02),
        )
        app = web.Application()
        app.add_routes(callback.routes())
        async with TestServer(app) as server:
            assert server.port is not None
            target = Target(server.port, effects)
            try:
                yield mode, target
            finally:
                await target.close()


async def bombard(mode: Mode, target: Target, count: int, seed: int) -> None:
    for case in itertools.islice(Mutator(mode, seed, int(AT.timestamp())), count):
        before = len(target.effects)
        status, body = await target.send(case)
        target.statuses[f"{status // 100}xx"] += 1
        judge(mode, case, status, body, len(target.effects) - before)


def judge(mode: Mode, case: Case, status: int, body: bytes, effects: int) -> None:
    told = f"{mode} {case.what} → {status} {body[:200]!r}, {effects} effects\n{case.request[:3000]!r}"
    assert status < 500, told
    assert effects <= 1, told
    if not case.may_act:
        assert 400 <= status < 500, told
        assert effects == 0, told
        assert not body.startswith(b"<xml"), told
        assert "秘密".encode() not in body, told
    elif status >= 400:
        assert effects == 0, told


@pytest.mark.parametrize(
    ("count", "seed"), [(SHORT, 0), *(pytest.param(*piece, marks=pytest.mark.trial) for piece in FULL)]
)
async def test_mutated_callbacks_get_no_server_error_and_forged_ones_no_reply(count: int, seed: int) -> None:
    share = count // len(Mode)
    async with aclosing(targets()) as served:
        async for mode, target in served:
            await bombard(mode, target, share + count % len(Mode), seed)
            assert target.statuses["4xx"] > share // 10
            # The control: requests of the same making do take effect when they are rightly signed.
            assert len(target.effects) > share // 50
