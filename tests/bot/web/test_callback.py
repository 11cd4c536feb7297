"""GET and POST /wechat: verification, refusals, the reply budget, shutdown (wechat-contract.md §1)."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import pytest
import xmltodict
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot.clock import FrozenClock
from bot.emulator.wire import Wire
from bot.metrics import Metrics
from bot.web.callback import CallbackLimits, WeChatCallback
from bot.wechat.crypto import CallbackCrypto, Mode
from bot.wechat.messages import NO_REPLY, Inbound, Reply, TextMessage, TextReply
from tests.bot.wechat.samples import (
    ACCOUNT,
    AT,
    NONCE,
    OPENID,
    PUSH,
    QUERY,
    SIGNATURE,
    TIMESTAMP,
    XML,
    account_keys,
    callback_keys,
    event,
)

Query = dict[str, str]


@dataclass
class Edge:
    """A served callback, and what came through it."""

    client: TestClient[web.Request, web.Application]
    callback: WeChatCallback
    metrics: Metrics
    mode: Mode
    seen: list[Inbound] = field(default_factory=list)
    late: list[tuple[Inbound, TextReply]] = field(default_factory=list)

    async def push(self, xml: str = XML) -> ClientResponse:
        query, body = Wire(account_keys(self.mode)).push(xml, OPENID, TIMESTAMP, NONCE)
        return await self.client.post("/wechat", params=query, data=body)

    async def answer(self, xml: str = XML) -> str:
        """The clear XML of the answer to a push that must succeed."""
        response = await self.push(xml)
        assert response.status == 200
        return Wire(account_keys(self.mode)).open_answer(await response.read())

    def counted(self, result: str) -> float:
        return self.metrics.registry.get_sample_value("xiangxiao_callbacks_total", {"result": result}) or 0

    @property
    def effects(self) -> int:
        return len(self.seen) + len(self.late)


Dispatch = Callable[[Inbound], Awaitable[Reply]]


async def echo(inbound: Inbound) -> Reply:
    return TextReply(f"您说：{inbound.content}") if isinstance(inbound, TextMessage) else NO_REPLY


class Workshop:
    """Makes edges and closes them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._clients: list[TestClient[web.Request, web.Application]] = []

    async def edge(
        self, dispatch: Dispatch = echo, mode: Mode = Mode.SAFE, *, budget_s: float = 4.0, seconds_later: float = 0
    ) -> Edge:
        async def noticed(inbound: Inbound) -> Reply:
            edge.seen.append(inbound)
            return await dispatch(inbound)

        async def late_reply(inbound: Inbound, reply: TextReply) -> None:
            edge.late.append((inbound, reply))

        clock = FrozenClock(AT + timedelta(seconds=seconds_later))
        callback = WeChatCallback(
            crypto=CallbackCrypto(callback_keys(mode), clock),
            dispatch=noticed,
            late_reply=late_reply,
            metrics=self._metrics,
            clock=clock,
            limits=CallbackLimits(reply_budget_s=budget_s, body_s=0.05, drain_s=0.5),
        )
        app = web.Application()
        app.add_routes(callback.routes())
        client = TestClient(TestServer(app))
        await client.start_server()
        self._clients.append(client)
        edge = Edge(client, callback, self._metrics, mode)
        return edge

    async def close(self) -> None:
        for client in self._clients:
            await client.close()


@pytest.fixture
async def workshop(metrics: Metrics) -> AsyncIterator[Workshop]:
    workshop = Workshop(metrics)
    yield workshop
    await workshop.close()


class TestVerification:
    """§1.2"""

    QUERY: ClassVar = {"signature": SIGNATURE, "timestamp": TIMESTAMP, "nonce": NONCE, "echostr": "5838479218127813673"}

    @pytest.mark.parametrize("mode", Mode)
    async def test_body_is_the_echostr_to_the_byte(self, workshop: Workshop, mode: Mode) -> None:
        response = await (await workshop.edge(mode=mode)).client.get("/wechat", params=self.QUERY)
        assert (response.status, await response.read()) == (200, b"5838479218127813673")

    @pytest.mark.parametrize("echo", ["a b+c%", "文", "<script>", "1" * 200])
    async def test_any_echostr_comes_back(self, workshop: Workshop, echo: str) -> None:
        response = await (await workshop.edge()).client.get("/wechat", params=self.QUERY | {"echostr": echo})
        assert await response.read() == echo.encode()
        assert response.content_type == "text/plain"

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"signature": "0" * 40}, 403),
            ({"signature": ""}, 400),
            ({"timestamp": "1763683201"}, 403),
            ({"echostr": ""}, 400),
        ],
    )
    async def test_wrong_address_check_is_refused(self, workshop: Workshop, change: Query, status: int) -> None:
        response = await (await workshop.edge()).client.get("/wechat", params=self.QUERY | change)
        assert response.status == status
        assert self.QUERY["echostr"] not in await response.text()

    async def test_stale_address_check_is_refused(self, workshop: Workshop) -> None:
        response = await (await workshop.edge(seconds_later=301)).client.get("/wechat", params=self.QUERY)
        assert response.status == 403

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS"])
    async def test_other_methods_are_refused(self, workshop: Workshop, method: str) -> None:
        response = await (await workshop.edge()).client.request(method, "/wechat", params=self.QUERY)
        assert response.status == 405


class TestAnswers:
    """§1.3, §1.6"""

    @pytest.mark.parametrize("mode", Mode)
    async def test_reply_comes_back_in_the_mode_of_the_account(self, workshop: Workshop, mode: Mode) -> None:
        fields = xmltodict.parse(await (await workshop.edge(mode=mode)).answer())["xml"]
        assert (fields["ToUserName"], fields["FromUserName"]) == (OPENID, ACCOUNT)
        assert fields["Content"] == "您说：你好"
        assert fields["CreateTime"] == TIMESTAMP

    async def test_documented_push_is_answered(self, workshop: Workshop) -> None:
        edge = await workshop.edge()
        response = await edge.client.post("/wechat", params=QUERY, data=PUSH)
        assert response.status == 200
        assert edge.counted("answered") == 1

    @pytest.mark.parametrize("mode", Mode)
    async def test_nothing_to_say_is_bare_success(self, workshop: Workshop, mode: Mode) -> None:
        response = await (await workshop.edge(mode=mode)).push(event("CLICK", EventKey="k").decode())
        assert (response.status, await response.read()) == (200, b"success")

    async def test_unknown_type_is_accepted_with_success(self, workshop: Workshop) -> None:
        edge = await workshop.edge()
        response = await edge.push(XML.replace("[text]", "[hologram]"))
        assert (response.status, await response.read()) == (200, b"success")
        assert len(edge.seen) == 1

    @pytest.mark.parametrize(
        ("mode", "authenticated"), [(Mode.PLAIN, False), (Mode.COMPATIBLE, True), (Mode.SAFE, True)]
    )
    async def test_dispatcher_is_told_whether_the_body_is_authenticated(
        self, workshop: Workshop, mode: Mode, authenticated: bool
    ) -> None:
        edge = await workshop.edge(mode=mode)
        await edge.push()
        assert edge.seen[0].authenticated is authenticated

    @pytest.mark.parametrize(
        "content_type", ["", "text/plain", "application/json", "multipart/form-data", "a/b;charset=gbk", "?"]
    )
    async def test_content_type_does_not_matter(self, workshop: Workshop, content_type: str) -> None:
        edge = await workshop.edge()
        response = await edge.client.post("/wechat", params=QUERY, data=PUSH, headers={"Content-Type": content_type})
        assert response.status == 200

    async def test_body_in_pieces_is_put_together(self, workshop: Workshop) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(PUSH), 100):
                yield PUSH[start : start + 100]

        response = await (await workshop.edge()).client.post("/wechat", params=QUERY, data=pieces())
        assert response.status == 200

    async def test_repeated_push_inside_the_window_reaches_the_dispatcher_again(self, workshop: Workshop) -> None:
        """Remembering is the dispatcher's business: it gets the same key."""
        edge = await workshop.edge()
        await edge.push()
        await edge.push()
        assert len({inbound.dedupe_key for inbound in edge.seen}) == 1

    async def test_many_at_once_get_their_own_answers(self, workshop: Workshop) -> None:
        edge = await workshop.edge()
        answers = await asyncio.gather(*(edge.answer(XML.replace("你好", f"第{n}个")) for n in range(50)))
        assert [f"您说：第{n}个" in answer for n, answer in enumerate(answers)] == [True] * 50


class TestRefusals:
    """Bad input: a 4xx with a reason counted, no effect, no exception."""

    @pytest.mark.parametrize(
        ("change", "body", "status", "reason"),
        [
            ({"signature": "0" * 40}, PUSH, 403, "bad_signature"),
            ({"msg_signature": "0" * 40}, PUSH, 403, "bad_signature"),
            ({"nonce": "1"}, PUSH, 403, "bad_signature"),
            ({"timestamp": "1"}, PUSH, 403, "bad_signature"),
            ({"signature": ""}, PUSH, 400, "missing_parameter"),
            ({"msg_signature": ""}, PUSH, 400, "missing_parameter"),
            ({"encrypt_type": "raw"}, PUSH, 200, "answered"),
            ({}, b"", 400, "malformed_message"),
            ({}, b"{}", 400, "malformed_message"),
            ({}, XML.encode(), 400, "malformed_message"),
            ({}, PUSH[:-10], 400, "malformed_message"),
            ({}, PUSH.replace(b"Q3st", b"q3st"), 403, "bad_signature"),
            ({}, b"\xff" * 100, 400, "malformed_message"),
            ({}, b"<!DOCTYPE xml>" + PUSH, 400, "malformed_message"),
            ({}, b" " * 65537, 413, "body_too_large"),
        ],
    )
    async def test_bad_push_has_no_effect(
        self, workshop: Workshop, change: Query, body: bytes, status: int, reason: str
    ) -> None:
        edge = await workshop.edge()
        response = await edge.client.post("/wechat", params=QUERY | change, data=body)
        assert response.status == status
        assert edge.counted(reason) == 1
        assert edge.effects == (status == 200)

    async def test_unsigned_push_is_refused(self, workshop: Workshop) -> None:
        edge = await workshop.edge()
        response = await edge.client.post("/wechat", data=PUSH)
        assert response.status == 400
        assert edge.effects == 0

    async def test_stale_push_is_refused(self, workshop: Workshop) -> None:
        edge = await workshop.edge(seconds_later=301)
        response = await edge.push()
        assert response.status == 403
        assert edge.counted("stale_request") == 1
        assert edge.effects == 0

    @pytest.mark.parametrize("configured", Mode)
    @pytest.mark.parametrize("sent", Mode)
    async def test_only_the_configured_mode_is_accepted(self, workshop: Workshop, configured: Mode, sent: Mode) -> None:
        edge = await workshop.edge(mode=configured)
        edge.mode = sent
        response = await edge.push()
        assert response.status == (200 if configured is sent else 403)
        assert edge.effects == (configured is sent)

    async def test_oversized_stream_is_cut_off(self, workshop: Workshop) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b" " * 4096

        edge = await workshop.edge()
        response = await edge.client.post("/wechat", params=QUERY, data=endless())
        assert response.status == 413
        assert edge.effects == 0

    async def test_declared_size_is_enough_to_refuse(self, workshop: Workshop) -> None:
        edge = await workshop.edge()
        status = await raw_status(edge, b"Content-Length: 10000000\r\n\r\n")
        assert status == 413

    async def test_body_that_never_ends_is_given_up(self, workshop: Workshop) -> None:
        edge = await workshop.edge()
        status = await raw_status(edge, b"Content-Length: 1000\r\n\r\n<xml>")
        assert status == 408
        assert edge.counted("incomplete_body") == 1

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "nonsense"])
    async def test_compressed_body_is_refused(self, workshop: Workshop, encoding: str) -> None:
        edge = await workshop.edge()
        bomb = gzip.compress(b"<" * 10_000_000)
        response = await edge.client.post("/wechat", params=QUERY, data=bomb, headers={"Content-Encoding": encoding})
        assert response.status in {400, 415}
        assert edge.effects == 0

    async def test_query_that_is_no_text_is_refused(self, workshop: Workshop) -> None:
        edge = await workshop.edge()
        for odd in ("%ff", "%00", "%ed%a0%80", "+", "%"):
            status = await raw_status(
                edge, b"Content-Length: 0\r\n\r\n", query=f"signature={odd}&timestamp={odd}&nonce={odd}"
            )
            assert status in {400, 403}
        assert edge.effects == 0


async def raw_status(edge: Edge, rest: bytes, query: str = "") -> int:
    """The status of a request written by hand; `rest` follows the Host header."""
    query = query or "&".join(f"{name}={value}" for name, value in QUERY.items())
    port = edge.client.server.port
    assert port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /wechat?{query} HTTP/1.1\r\nHost: x\r\n".encode() + rest)
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return int(line.split()[1])


class Slow:
    """A dispatcher that waits until it is let go."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.finished = 0
        self.cancelled = 0

    async def __call__(self, inbound: Inbound) -> Reply:
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.finished += 1
        return self._reply


class TestBudget:
    """§1.6: slow work"""

    async def test_slow_answer_is_success_now_and_a_message_later(self, workshop: Workshop) -> None:
        slow = Slow(TextReply("办好了"))
        edge = await workshop.edge(slow, budget_s=0.02)
        response = await edge.push()
        assert (response.status, await response.read()) == (200, b"success")
        assert edge.late == []
        slow.go.set()
        await edge.callback.drain()
        assert [(inbound.openid, reply.text) for inbound, reply in edge.late] == [(OPENID, "办好了")]
        assert edge.counted("late") == 1
        assert edge.metrics.registry.get_sample_value("xiangxiao_late_replies_total") == 1

    async def test_slow_dispatch_is_not_cancelled_by_its_budget(self, workshop: Workshop) -> None:
        slow = Slow(NO_REPLY)
        edge = await workshop.edge(slow, budget_s=0.02)
        await edge.push()
        slow.go.set()
        await edge.callback.drain()
        assert (slow.finished, slow.cancelled, edge.late) == (1, 0, [])

    async def test_late_reply_to_an_event_that_takes_none_is_dropped(self, workshop: Workshop) -> None:
        slow = Slow(TextReply("再见"))
        edge = await workshop.edge(slow, budget_s=0.02)
        await edge.push(event("unsubscribe", EventKey="").decode())
        slow.go.set()
        await edge.callback.drain()
        assert edge.late == []

    async def test_budget_of_each_is_its_own(self, workshop: Workshop) -> None:
        slow = Slow(TextReply("慢"))

        async def dispatch(inbound: Inbound) -> Reply:
            assert isinstance(inbound, TextMessage)
            return await slow(inbound) if inbound.content == "慢" else await echo(inbound)

        edge = await workshop.edge(dispatch, budget_s=0.05)
        slow_pushes = [asyncio.create_task(edge.push(XML.replace("你好", "慢"))) for _ in range(3)]
        for _ in range(10):
            assert "您说：你好" in await edge.answer()
        assert [await (await push).read() for push in slow_pushes] == [b"success"] * 3
        slow.go.set()
        await edge.callback.drain()
        assert len(edge.late) == 3

    async def test_later_waiters_are_woken_too(self, workshop: Workshop) -> None:
        edge = await workshop.edge(Slow(NO_REPLY), budget_s=0.03)
        for _ in range(3):
            assert await (await edge.push()).read() == b"success"
        assert edge.counted("late") == 3

    async def test_client_that_hangs_up_does_not_stop_the_work(self, workshop: Workshop) -> None:
        slow = Slow(TextReply("办好了"))
        edge = await workshop.edge(slow, budget_s=60)
        client = asyncio.create_task(edge.push())
        await slow.begun.wait()
        client.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client
        slow.go.set()
        await edge.callback.drain()
        assert (slow.finished, slow.cancelled) == (1, 0)

    async def test_dispatcher_that_breaks_costs_the_user_nothing_but_the_answer(self, workshop: Workshop) -> None:
        async def broken(inbound: Inbound) -> Reply:
            raise RuntimeError("a fault of ours")

        edge = await workshop.edge(broken)
        response = await edge.push()
        assert (response.status, await response.read()) == (200, b"success")
        assert edge.counted("failed") == 1

    async def test_dispatch_that_is_cancelled_answers_success(self, workshop: Workshop) -> None:
        async def given_up(inbound: Inbound) -> Reply:
            raise asyncio.CancelledError

        response = await (await workshop.edge(given_up)).push()
        assert (response.status, await response.read()) == (200, b"success")

    async def test_late_reply_that_fails_is_survived(self, workshop: Workshop, metrics: Metrics) -> None:
        async def late_reply(inbound: Inbound, reply: TextReply) -> None:
            raise RuntimeError("the outbox is away")

        slow = Slow(TextReply("办好了"))
        clock = FrozenClock(AT)
        callback = WeChatCallback(
            crypto=CallbackCrypto(callback_keys(Mode.SAFE), clock),
            dispatch=slow,
            late_reply=late_reply,
            metrics=metrics,
            clock=clock,
            limits=CallbackLimits(reply_budget_s=0.02, drain_s=0.5),
        )
        app = web.Application()
        app.add_routes(callback.routes("/elsewhere"))
        async with TestClient(TestServer(app)) as client:
            response = await client.post("/elsewhere", params=QUERY, data=PUSH)
            assert response.status == 200
            slow.go.set()
            await callback.drain()


class TestShutdown:
    async def test_draining_waits_for_what_runs(self, workshop: Workshop) -> None:
        slow = Slow(TextReply("办好了"))
        edge = await workshop.edge(slow, budget_s=0.02)
        await edge.push()
        draining = asyncio.create_task(edge.callback.drain())
        await asyncio.sleep(0)
        assert not draining.done()
        slow.go.set()
        await draining
        assert len(edge.late) == 1

    async def test_draining_does_not_wait_for_ever(self, workshop: Workshop) -> None:
        slow = Slow(TextReply("办好了"))
        edge = await workshop.edge(slow, budget_s=0.02)
        await edge.push()
        await edge.callback.drain()
        assert (slow.cancelled, edge.late) == (1, [])

    async def test_draining_with_nothing_running_is_immediate(self, workshop: Workshop) -> None:
        await (await workshop.edge()).callback.drain()

    async def test_request_cut_off_by_the_server_leaves_its_reply_to_the_later_message(
        self, workshop: Workshop
    ) -> None:
        slow = Slow(TextReply("办好了"))
        edge = await workshop.edge(slow)
        query, body = Wire(account_keys(Mode.SAFE)).push(XML, OPENID, TIMESTAMP, NONCE)
        request = web_request(dict(query), body)
        serving = asyncio.create_task(edge.callback.receive(request))
        await asyncio.sleep(0.01)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        slow.go.set()
        await edge.callback.drain()
        assert [reply.text for _, reply in edge.late] == ["办好了"]


def web_request(query: Query, body: bytes) -> web.Request:
    """A request that reached no server, for a handler called directly."""
    from unittest import mock

    from aiohttp.streams import StreamReader
    from aiohttp.test_utils import make_mocked_request
    from yarl import URL

    protocol = mock.Mock()
    payload = StreamReader(protocol, 2**16, loop=asyncio.get_running_loop())
    payload.feed_data(body)
    payload.feed_eof()
    return make_mocked_request("POST", str(URL("/wechat").with_query(query)), payload=payload)
