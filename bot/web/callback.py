"""GET and POST /wechat: verify, open, parse, dispatch within the reply budget, answer.

Nothing but a 4xx leaves here for a bad request, and nothing but `success` or a reply for a good one. A dispatch that
outlasts the budget goes on: WeChat hears `success` at once, and the reply follows as a message of its own.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from aiohttp import hdrs, web
from prometheus_client import Counter

from bot.clock import Clock
from bot.logs import get_logger
from bot.metrics import Metrics
from bot.wechat.crypto import CallbackCrypto
from bot.wechat.errors import (
    BadCiphertext,
    BadSignature,
    BodyTooLarge,
    CallbackRefused,
    EncodedBody,
    ForeignAppId,
    IncompleteBody,
    MalformedMessage,
    MissingParameter,
    StaleRequest,
    WrongMode,
)
from bot.wechat.messages import Inbound, Reply, TextReply, accepts_reply, parse, render
from bot.wechat.replies import NOTHING

Dispatch: TypeAlias = Callable[[Inbound], Coroutine[Any, Any, Reply]]
LateReply: TypeAlias = Callable[[Inbound, TextReply], Coroutine[Any, Any, None]]

PATH: Final = "/wechat"
MAX_BODY_BYTES: Final = 64 * 1024

_log = get_logger(__name__)

_STATUS: Final[Mapping[type[CallbackRefused], int]] = {
    MissingParameter: 400,
    BadCiphertext: 400,
    MalformedMessage: 400,
    BadSignature: 403,
    StaleRequest: 403,
    WrongMode: 403,
    ForeignAppId: 403,
    IncompleteBody: 408,
    BodyTooLarge: 413,
    EncodedBody: 415,
}


@dataclass(frozen=True, slots=True)
class CallbackLimits:
    """`reply_budget_s`: seconds of dispatch until `success` is answered in the reply's stead.

    WeChat waits five seconds in all; `body_s` is what a body in several pieces may take of them.
    `max_body_bytes`: what a push may weigh; real ones stay far below. `drain_s`: how long shutdown waits for
    dispatches still running.
    """

    reply_budget_s: float = 4.0
    body_s: float = 1.0
    max_body_bytes: int = MAX_BODY_BYTES
    drain_s: float = 10.0


class WeChatCallback:
    """The edge between WeChat's servers and the dispatcher."""

    def __init__(
        self,
        *,
        crypto: CallbackCrypto,
        dispatch: Dispatch,
        late_reply: LateReply,
        metrics: Metrics,
        clock: Clock,
        limits: CallbackLimits | None = None,
    ) -> None:
        """`late_reply` is awaited with a reply that missed the budget."""
        self._crypto = crypto
        self._dispatch = dispatch
        self._late_reply = late_reply
        self._clock = clock
        self._limits = limits or CallbackLimits()
        self._running: set[asyncio.Task[Any]] = set()
        self._deadlines = _Deadlines(self._limits.reply_budget_s)
        self._outcomes = _Outcomes(metrics.callbacks_total)
        self._seconds = metrics.replies_seconds
        self._late_total = metrics.late_replies_total

    def routes(self, path: str = PATH) -> list[web.RouteDef]:
        """The two routes, to be added to an application."""
        return [web.get(path, self.verify, allow_head=False), web.post(path, self.receive)]

    async def verify(self, request: web.Request) -> web.Response:
        """The console's check of our address: the `echostr`, to the byte."""
        try:
            echo = self._crypto.verify_address(_query(request))
        except CallbackRefused as refusal:
            return self._refuse(refusal)
        self._outcomes.count("verified")
        headers = {hdrs.CONTENT_TYPE: "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=echo.encode("utf-8", "replace"), headers=headers)

    async def receive(self, request: web.Request) -> web.Response:
        """One push: a message or an event."""
        started = asyncio.get_running_loop().time()
        try:
            body = await self._body(request)
            xml = self._crypto.open_envelope(_query(request), body)
            inbound = parse(xml, authenticated=self._crypto.authenticates_body)
        except CallbackRefused as refusal:
            return self._refuse(refusal)
        reply = await self._reply(inbound)
        answer = NOTHING if reply is None else render(reply, inbound, self._clock.now())
        self._seconds.observe(asyncio.get_running_loop().time() - started)
        if answer is NOTHING:
            return web.Response(body=NOTHING, headers={hdrs.CONTENT_TYPE: "text/plain"})
        return web.Response(body=self._crypto.seal(answer), headers={hdrs.CONTENT_TYPE: "text/xml; charset=utf-8"})

    async def drain(self) -> None:
        """Waits for what still runs, late replies included; what outlasts the grace is cancelled."""
        deadline = asyncio.get_running_loop().time() + self._limits.drain_s
        while self._running and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(tuple(self._running), timeout=left)
        for task in (leftover := tuple(self._running)):
            task.cancel()
        if leftover:
            _log.warning("dispatches_cancelled_at_shutdown", count=len(leftover))
            await asyncio.wait(leftover)

    async def _body(self, request: web.Request) -> bytes:
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity":
            raise EncodedBody("compressed")
        limit = self._limits.max_body_bytes
        if (request.content_length or 0) > limit:
            raise BodyTooLarge("declared too large")
        content = request.content
        if content.is_eof():
            body = content.read_nowait()
        else:
            body = await self._slow_body(request, limit)
        if len(body) > limit:
            raise BodyTooLarge("too large")
        return body

    async def _slow_body(self, request: web.Request, limit: int) -> bytes:
        """A body that did not come in one piece with its head."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_s):
                while chunk := await request.content.readany():
                    body += chunk
                    if len(body) > limit:
                        break
        except (TimeoutError, ConnectionError, web.RequestPayloadError):
            raise IncompleteBody("did not arrive whole") from None
        return bytes(body)

    async def _reply(self, inbound: Inbound) -> Reply | None:
        """The dispatcher's reply, or None when there is none within the budget."""
        loop = asyncio.get_running_loop()
        # A task of its own: cancelling a dispatch would roll its transaction back, so neither the end of the
        # budget nor the end of this request may reach it.
        waiter: asyncio.Future[None] = loop.create_future()
        task = loop.create_task(self._dispatched(inbound, waiter))
        self._running.add(task)
        self._deadlines.start(waiter, loop)
        try:
            await waiter
        except asyncio.CancelledError:
            self._follow_up(inbound, task)
            raise
        finally:
            self._deadlines.stop(waiter)
        if not task.done():
            self._outcomes.count("late")
            self._follow_up(inbound, task)
            return None
        self._running.discard(task)
        reply = _outcome(task)
        self._outcomes.count("failed" if reply is None else "answered")
        return reply

    async def _dispatched(self, inbound: Inbound, waiter: asyncio.Future[None]) -> Reply:
        # Waking whoever waits from inside saves the turn of the loop that a callback of the task would take.
        try:
            return await self._dispatch(inbound)
        finally:
            if not waiter.done():
                waiter.set_result(None)

    def _follow_up(self, inbound: Inbound, task: asyncio.Task[Reply]) -> None:
        follower = asyncio.get_running_loop().create_task(self._reply_late(inbound, task))
        self._running.add(follower)
        follower.add_done_callback(self._running.discard)

    async def _reply_late(self, inbound: Inbound, task: asyncio.Task[Reply]) -> None:
        await asyncio.wait((task,))
        self._running.discard(task)
        reply = _outcome(task)
        if not isinstance(reply, TextReply) or not accepts_reply(inbound):
            return
        self._late_total.inc()
        try:
            await self._late_reply(inbound, reply)
        except Exception:  # noqa: BLE001 - the end of the line: nobody awaits this but the shutdown
            _log.exception("late_reply_failed")

    def _refuse(self, refusal: CallbackRefused) -> web.Response:
        self._outcomes.count(refusal.code)
        return web.Response(status=_STATUS.get(type(refusal), 400), text=refusal.code)


class _Deadlines:
    """Wakes whoever has waited `seconds`. All wait equally long, so one timer for the oldest serves them all."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: dict[asyncio.Future[None], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self, waiter: asyncio.Future[None], loop: asyncio.AbstractEventLoop) -> None:
        self._due[waiter] = due = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(due, self._ring, loop)

    def stop(self, waiter: asyncio.Future[None]) -> None:
        self._due.pop(waiter, None)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        for waiter, due in self._due.items():
            if due > loop.time():
                self._timer = loop.call_at(due, self._ring, loop)
                return
            if not waiter.done():
                waiter.set_result(None)


class _Outcomes:
    """One counter child a result, looked up once: the lookup costs more than the counting."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._children: dict[str, Counter] = {}

    def count(self, result: str) -> None:
        child = self._children.get(result)
        if child is None:
            child = self._children[result] = self._counter.labels(result)
        child.inc()


def _outcome(task: asyncio.Task[Reply]) -> Reply | None:
    """What a finished dispatch returned; None for one that was cancelled or failed, which it should not."""
    if task.cancelled():
        return None
    fault = task.exception()
    if fault is not None:
        _log.error("dispatch_failed", cause=type(fault).__name__, detail=str(fault))
        return None
    return task.result()


def _query(request: web.Request) -> Mapping[str, str]:
    """The query's parameters, each there once: of two signatures nobody could say which one counts."""
    raw = request.rel_url.raw_query_string
    if "%" in raw or "+" in raw:
        pairs = list(request.query.items())
    else:
        # What needs no decoding, as all that WeChat sends, is read in a fifth of the time.
        pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in raw.split("&"))]
    query = dict(pairs)
    if len(query) != len(pairs):
        raise MissingParameter("one of two that have the same name")
    return query
