"""The mini-program's edge: /api/v1 as a table of routes, from which both the server and its description are made.

A handler gets a validated request model and returns a response model. Faults become the error envelope in
`bot.web.middlewares`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, Final, TypeAlias
from uuid import UUID

from aiohttp import hdrs, web
from pydantic import BaseModel

from bot.delivery.combining import Combiner
from bot.errors import AppError, NotAuthenticated, NotFound, NotPermitted
from bot.identity import VISITOR, Actor, Door, Role
from bot.logs import request_id
from bot.rights import RIGHTS, Action, Scope, require, roles_for
from bot.web import idempotency
from bot.web.bodies import JSON, read_body
from bot.web.idempotency import Answered, Answers, KeyMissing
from bot.web.limits import Addresses, FailureLimit, PersonLimit
from bot.web.middlewares import dumps, refusal, status_of
from bot.web.openapi import describe

PREFIX: Final = "/api/v1"
_DEVICE_LENGTH: Final = 64
# What is answered the same however often it is asked.
_KEPT: Final = frozenset({400, 401, 403, 404, 409, 422})
# So many calls go into one transaction: more would keep the first of them waiting for the last.
_MOST_TOGETHER: Final = 256


class PrivacyNotAgreed(NotPermitted):
    """Something personal is wanted by somebody who has not agreed to the privacy notice in force."""

    code = "privacy_not_agreed"
    default_message = "请先阅读并同意隐私保护说明，再继续使用。"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """What a handler is given: who calls (a visitor without a token), the validated body (None when the route takes
    none), the parts of the path and the query; what the route prepared; and the name of the caller's device."""

    actor: Actor
    body: Any
    path: Mapping[str, str]
    query: Mapping[str, str]
    prepared: Any = None
    device: str = ""
    # Of the request, for what is written down outside of its own task.
    request_id: str | None = None

    def id(self, name: str) -> str:
        """The id in a part of the path. Raises NotFound when it cannot be one."""
        try:
            return str(UUID(self.path[name]))
        except ValueError:
            raise NotFound from None


ApiHandler: TypeAlias = Callable[[ApiCall], Awaitable[BaseModel]]
ApiTogether: TypeAlias = Callable[[Sequence[ApiCall]], Awaitable[Sequence[BaseModel | AppError]]]
"""For many calls at once, in one transaction: each is answered or refused by itself, and nothing is raised but what
concerns all of them."""
Prepare: TypeAlias = Callable[[ApiCall], Awaitable[object]]
Authenticate: TypeAlias = Callable[[str], Awaitable[Actor]]
"""Whose token this is. Raises NotAuthenticated for one that is unknown or has run out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRoute:
    """One row of the table. `path` begins after /api/v1; what concerns nobody in particular needs no token.

    `errors` are the statuses of the envelope the route may answer with, beside those every route has. `prepare` talks
    to others (WeChat) before the transaction of a route with a key begins; what it gives is `call.prepared`.

    `together` instead of `handle`, for what many want at the same moment: while one transaction is under way, those who
    come are gathered for the next. It needs a key.
    """

    method: str
    path: str
    summary: str
    handle: ApiHandler | None = None
    together: ApiTogether | None = None
    response: type[BaseModel]
    request: type[BaseModel] | None = None
    action: Action
    errors: Sequence[int] = ()
    status: int = 200
    tags: Sequence[str] = field(default=())
    # None: an `Idempotency-Key` is not taken; False: taken; True: required.
    key_required: bool | None = None
    # So many bytes may be sent; None: as many as to any route.
    body_limit: int | None = None
    prepare: Prepare | None = None
    # What somebody is answered who guessed wrong: it counts against the address it came from.
    guesses: tuple[type[AppError], ...] = ()
    # May be used by somebody known who has not agreed to the privacy notice.
    before_privacy: bool = False
    needs_token: bool = field(init=False)

    def __post_init__(self) -> None:
        if (self.handle is None) == (self.together is None) or (self.together and not self.key_required):
            raise ValueError(f"{self.name}: one handler, and a key where many are answered together")
        needs = RIGHTS[self.action][Role.VISITOR] is not Scope.ANY
        object.__setattr__(self, "needs_token", needs)

    @property
    def name(self) -> str:
        """As in the description: `POST /bindings`."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the edge works with. Without `authenticate` nobody can be known by a token."""

    failures: FailureLimit
    people: PersonLimit
    answers: Answers
    addresses: Addresses
    authenticate: Authenticate | None = None


def api_application(routes: Sequence[ApiRoute], parts: Surroundings) -> web.Application:
    """The sub-application to be mounted at `PREFIX`."""

    @cache
    def description() -> bytes:
        # Made when it is first asked for: it takes longer than everything else here.
        return dumps(describe(PREFIX, routes)).encode()

    async def openapi(_: web.Request) -> web.Response:
        return _response(200, description())

    app = web.Application()
    app.router.add_get("/openapi.json", openapi)
    together = [_Together(route, parts.answers) for route in routes if route.together is not None]
    combined = {each.route.name: each for each in together}
    for route in routes:
        app.router.add_route(route.method, route.path, _Endpoint(route, parts, combined.get(route.name)).serve)

    async def close(_: web.Application) -> None:
        for each in together:
            await each.close()

    app.on_shutdown.append(close)
    return app


@dataclass(slots=True)
class _Waiting:
    """A call that is answered together with others, and what it will be answered."""

    call: ApiCall
    asked: idempotency.Request
    outcome: asyncio.Future[Answered | Exception]

    def tell(self, outcome: Answered | Exception) -> None:
        """Who has hung up meanwhile is not told."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class _Together:
    """A route whose calls are gathered: what comes while one transaction is under way goes into the next."""

    def __init__(self, route: ApiRoute, answers: Answers) -> None:
        self.route = route
        self._answers = answers
        self._combiner = Combiner(self._work, linger_s=0, most=_MOST_TOGETHER)

    async def answer(self, call: ApiCall, asked: idempotency.Request) -> Answered:
        """Raises what the call is refused with."""
        waiting = _Waiting(call, asked, asyncio.get_running_loop().create_future())
        self._combiner.add((waiting,))
        outcome = await waiting.outcome
        if isinstance(outcome, Answered):
            return outcome
        raise outcome

    async def close(self) -> None:
        """Waits for the transaction under way."""
        await self._combiner.close()

    async def _work(self, waiting: Sequence[_Waiting]) -> None:
        async def act(places: Sequence[int]) -> Sequence[Answered | AppError]:
            assert self.route.together is not None
            outcomes = await self.route.together([waiting[place].call for place in places])
            return [each if isinstance(each, AppError) else _answered(self.route, each) for each in outcomes]

        # Each is told by itself: a result that all would wait for wakes everybody twice.
        outcomes: Sequence[Answered | Exception]
        try:
            outcomes = await self._answers.together([each.asked for each in waiting], act, _kept)
        except Exception as error:  # noqa: BLE001 - it is raised to each of those who asked
            outcomes = [error] * len(waiting)
        for each, outcome in zip(waiting, outcomes, strict=True):
            each.tell(outcome)


class _Endpoint:
    """One route, served."""

    def __init__(self, route: ApiRoute, parts: Surroundings, together: _Together | None) -> None:
        self._route = route
        self._parts = parts
        self._together = together
        self._roles = roles_for(route.action)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The answer to one request."""
        if self._route.guesses:
            await self._parts.failures.check(self._parts.addresses.of(request))
        call = ApiCall(
            await self._caller(request),
            None if self._route.request is None else await read_body(self._sized(request), self._route.request),
            request.match_info,
            request.query,
            device=request.headers.get(hdrs.USER_AGENT, "")[:_DEVICE_LENGTH],
            request_id=request_id.get(),
        )
        try:
            return await self._answer(request, call)
        except self._route.guesses:
            await self._parts.failures.note(self._parts.addresses.of(request))
            raise

    def _sized(self, request: web.Request) -> web.Request:
        limit = self._route.body_limit
        return request if limit is None else request.clone(client_max_size=limit)

    async def _caller(self, request: web.Request) -> Actor:
        """The owner of the bearer token; a visitor without one.

        Raises NotAuthenticated, TooManyRequests, PrivacyNotAgreed, NotPermitted.
        """
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        route, authenticate, actor = self._route, self._parts.authenticate, VISITOR
        if authenticate is not None and scheme.lower() == "bearer" and token:
            actor = await authenticate(token.strip())
            await self._parts.people.take(actor.person_id or actor.identity_id or actor.session_id or "")
        elif route.needs_token:
            raise NotAuthenticated
        if not actor.has_agreed and not route.before_privacy:
            if route.needs_token:
                raise PrivacyNotAgreed
            actor = _stranger(actor)
        if actor.roles.isdisjoint(self._roles):
            require(actor, route.action)  # which says no, and who was refused what
        return actor

    async def _answer(self, request: web.Request, call: ApiCall) -> web.StreamResponse:
        route, key = self._route, request.headers.get(idempotency.HEADER)
        if route.key_required and key is None:
            raise KeyMissing
        if key is None or route.key_required is None:
            answered = await self._handled(await self._prepared(call))
            return _response(answered.status, answered.body.encode())
        return await self._answered_once(request, call, key)

    async def _answered_once(self, request: web.Request, call: ApiCall, key: str) -> web.StreamResponse:
        body = b"" if call.body is None else call.body.model_dump_json().encode()
        asked = idempotency.request_of(call.actor, key, self._route.name, request.path.encode(), body)
        if self._together is not None:
            return self._told(request, await self._together.answer(call, asked))
        refused: list[AppError] = []

        def as_answer(error: AppError) -> Answered | None:
            kept = _kept(error)
            if kept is not None:
                refused.append(error)
            return kept

        answered = await self._parts.answers.earlier(asked)
        if answered is None:
            call = await self._prepared(call)
            answered = await self._parts.answers.once(asked, partial(self._handled, call), as_answer)
        if refused:
            raise refused[-1]
        return self._told(request, answered)

    def _told(self, request: web.Request, answered: Answered) -> web.StreamResponse:
        if answered.status < 400:
            return _response(answered.status, answered.body.encode())
        return refusal(request, answered.status, **json.loads(answered.body))

    async def _prepared(self, call: ApiCall) -> ApiCall:
        prepare = self._route.prepare
        return call if prepare is None else replace(call, prepared=await prepare(call))

    async def _handled(self, call: ApiCall) -> Answered:
        assert self._route.handle is not None
        return _answered(self._route, await self._route.handle(call))


def _answered(route: ApiRoute, answer: BaseModel) -> Answered:
    return Answered(route.status, answer.model_dump_json(by_alias=True))


def _kept(error: AppError) -> Answered | None:
    """A refusal as it is answered however often it is asked; None when it may be another one the next moment."""
    status = status_of(error)
    if status not in _KEPT:
        return None
    return Answered(status, dumps({"code": error.code, "message": error.message, "details": error.details}))


def _stranger(actor: Actor) -> Actor:
    """Somebody of whom nothing may be used yet."""
    return replace(VISITOR, door=Door.API, session_id=actor.session_id, identity_id=actor.identity_id)


def _response(status: int, body: bytes) -> web.Response:
    return web.Response(body=body, status=status, content_type=JSON, charset="utf-8")
