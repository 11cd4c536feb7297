"""The mini-program's edge: /api/v1 as a table of routes, from which both the server and its description are made.

A handler gets a validated request model and returns a response model. Faults become the error envelope in
`bot.web.middlewares`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeAlias

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from pydantic import BaseModel, ValidationError

from bot.clock import Clock
from bot.errors import AppError, InvalidInput, LimitReached, NotAuthenticated, Unavailable, Unreadable
from bot.identity import VISITOR, Actor, Role, require_role
from bot.storage import redis_keys
from bot.storage.base import blind_index
from bot.storage.redis import RedisStore
from bot.web.middlewares import status_of
from bot.web.openapi import describe

PREFIX: Final = "/api/v1"
_JSON: Final = "application/json"
_MINUTE_S: Final = 60
_COUNT_LIFE: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """What a handler is given: who calls (a visitor without a token), the validated body (None when the route takes
    none), the parts of the path and the query."""

    actor: Actor
    body: Any
    path: Mapping[str, str]
    query: Mapping[str, str]


ApiHandler: TypeAlias = Callable[[ApiCall], Awaitable[BaseModel]]
Authenticate: TypeAlias = Callable[[str], Awaitable[Actor]]
"""Whose token this is. Raises NotAuthenticated for one that is unknown or has run out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRoute:
    """One row of the table. `path` begins after /api/v1; `roles` None: no token is needed.

    `errors` are the statuses of the envelope the route may answer with, beside those every route has.
    """

    method: str
    path: str
    summary: str
    handle: ApiHandler
    response: type[BaseModel]
    request: type[BaseModel] | None = None
    roles: frozenset[Role] | None
    errors: Sequence[int] = ()
    status: int = 200
    tags: Sequence[str] = field(default=())


class TooManyFailures(LimitReached):
    """An address went wrong too often within the minute."""

    code = "too_many_failures"
    default_message = "出错的次数太多了，请过一分钟再试。"


class FailureLimit:
    """Counts what went wrong, per address and minute, over all replicas. Attempts that succeed are never refused."""

    def __init__(self, store: Callable[[], RedisStore], clock: Clock, per_minute: int) -> None:
        """`store` gives the store once the application runs."""
        self._store = store
        self._clock = clock
        self._per_minute = per_minute

    async def note(self, address: str) -> None:
        """One failed attempt. Raises TooManyFailures when there were too many."""
        minute = int(self._clock.now().timestamp()) // _MINUTE_S
        key = redis_keys.failures(blind_index("address", address), minute)
        try:
            count = await self._store().increment(key, _COUNT_LIFE)
        except Unavailable:
            return  # nothing is protected by this but our patience
        if count > self._per_minute:
            raise TooManyFailures


def api_application(
    routes: Sequence[ApiRoute], failures: FailureLimit, authenticate: Authenticate | None = None
) -> web.Application:
    """The sub-application to be mounted at `PREFIX`. Without `authenticate` nobody can be known by a token."""
    description = describe(PREFIX, routes)

    async def openapi(_: web.Request) -> web.Response:
        return web.json_response(description)

    app = web.Application(middlewares=[_failure_counter(failures)])
    app.router.add_get("/openapi.json", openapi)
    for route in routes:
        app.router.add_route(route.method, route.path, _endpoint(route, authenticate))
    return app


def _failure_counter(failures: FailureLimit) -> Middleware:
    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except AppError as error:
            if 400 <= status_of(error) < 500:
                await failures.note(request.remote or "")
            raise
        except web.HTTPClientError:
            await failures.note(request.remote or "")
            raise

    return count


def _endpoint(route: ApiRoute, authenticate: Authenticate | None) -> Handler:
    async def endpoint(request: web.Request) -> web.StreamResponse:
        actor = await _caller(request, route, authenticate)
        body = await _body(request, route.request) if route.request is not None else None
        call = ApiCall(actor, body, request.match_info, request.query)
        answer = await route.handle(call)
        return web.Response(
            body=answer.model_dump_json().encode(), status=route.status, content_type=_JSON, charset="utf-8"
        )

    return endpoint


async def _caller(request: web.Request, route: ApiRoute, authenticate: Authenticate | None) -> Actor:
    """The owner of the bearer token; a visitor without one. Raises NotAuthenticated, NotPermitted."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    actor = VISITOR
    if authenticate is not None and scheme.lower() == "bearer" and token:
        actor = await authenticate(token.strip())
    elif route.roles is not None:
        raise NotAuthenticated
    if route.roles is not None:
        require_role(actor, *route.roles)
    return actor


async def _body(request: web.Request, model: type[BaseModel]) -> BaseModel:
    """The validated body. Raises Unreadable for what is no JSON, InvalidInput naming the fields that are wrong."""
    if request.content_type != _JSON or hdrs.CONTENT_ENCODING in request.headers:
        raise web.HTTPUnsupportedMediaType
    raw = await request.read()
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        if any(fault["type"] == "json_invalid" for fault in faults):
            raise Unreadable from None
        fields = {".".join(str(part) for part in fault["loc"]) or "body": fault["type"] for fault in faults}
        raise InvalidInput(details={"fields": fields}) from None
