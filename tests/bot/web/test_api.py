"""The API's edge: a table of routes, the envelope of errors, the description."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from openapi_spec_validator import validate
from pydantic import BaseModel, ConfigDict, Field

from bot.clock import FrozenClock
from bot.errors import Conflict, NotAuthenticated, NotFound, Unavailable
from bot.identity import Actor, Role
from bot.metrics import Metrics
from bot.storage.database import Database
from bot.storage.redis import RedisStore, redis_client
from bot.web.api import PREFIX, ApiCall, ApiRoute, FailureLimit, api_application
from bot.web.middlewares import BODY_LIMIT, edge

Client = TestClient[web.Request, web.Application]
PER_MINUTE = 5


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=10)
    size: int | None = None


class Answer(BaseModel):
    said: str


FAULTS = {"missing": NotFound(), "taken": Conflict("已经有人了，请换一个。"), "away": Unavailable()}


async def make(call: ApiCall) -> Answer:
    if call.body.name in FAULTS:
        raise FAULTS[call.body.name]
    if call.body.name == "broken":
        raise ZeroDivisionError
    return Answer(said=f"{call.body.name}给{call.actor.name}")


async def show(call: ApiCall) -> Answer:
    return Answer(said=call.path["id"] + call.query.get("more", ""))


ROUTES = (
    ApiRoute(
        method="POST", path="/things", summary="做一个", handle=make, request=Thing, response=Answer, roles=None,
        errors=(404, 409, 503), status=201,
    ),
    ApiRoute(
        method="GET", path="/things/{id}", summary="看一个", handle=show, response=Answer,
        roles=frozenset({Role.GUARDIAN}), errors=(404,),
    ),
)  # fmt: skip


async def authenticate(token: str) -> Actor:
    if token == "guardian":
        return Actor("index", frozenset({Role.GUARDIAN}), name="王家长")
    if token == "teacher":
        return Actor("index", frozenset({Role.TEACHER}), name="李老师")
    raise NotAuthenticated


@pytest.fixture
async def serve(
    database: Database, redis: RedisStore, clock: FrozenClock, metrics: Metrics
) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    async with AsyncExitStack() as stack:

        async def make_client(store: RedisStore = redis, **options: Any) -> Client:
            app = web.Application(middlewares=[edge(metrics)], client_max_size=BODY_LIMIT)
            failures = FailureLimit(lambda: store, clock, PER_MINUTE)
            app.add_subapp(PREFIX, api_application(ROUTES, failures, options.get("authenticate", authenticate)))
            return await stack.enter_async_context(TestClient(TestServer(app)))

        yield make_client


@pytest.fixture
async def client(serve: Callable[..., Awaitable[Client]]) -> Client:
    return await serve()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def refused(client: Client, method: str, path: str, **request: Any) -> tuple[int, str]:
    response = await client.request(method, f"{PREFIX}{path}", **request)
    body = await response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details", "request_id"}
    assert body["error"]["request_id"] == response.headers["X-Request-ID"]
    assert body["error"]["message"].endswith("。")
    return response.status, body["error"]["code"]


async def test_a_valid_request_reaches_its_handler(client: Client) -> None:
    response = await client.post(f"{PREFIX}/things", json={"name": "凳子"}, headers=bearer("guardian"))
    assert response.status == 201
    assert response.content_type == "application/json"
    assert await response.json() == {"said": "凳子给王家长"}


async def test_an_open_route_needs_no_token(client: Client) -> None:
    response = await client.post(f"{PREFIX}/things", json={"name": "凳子"})
    assert await response.json() == {"said": "凳子给None"}


async def test_a_token_that_nobody_gave_is_refused_even_there(client: Client) -> None:
    request = {"json": {"name": "凳子"}, "headers": bearer("stolen")}
    assert await refused(client, "POST", "/things", **request) == (401, "not_authenticated")


async def test_a_route_with_roles_is_for_those_only(client: Client) -> None:
    assert await refused(client, "GET", "/things/7") == (401, "not_authenticated")
    assert await refused(client, "GET", "/things/7", headers=bearer("teacher")) == (403, "not_permitted")
    response = await client.get(f"{PREFIX}/things/7?more=8", headers=bearer("guardian"))
    assert await response.json() == {"said": "78"}


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"{", "application/json", (400, "unreadable")),
        (b"\xff\xfe", "application/json", (400, "unreadable")),
        (b"", "application/json", (400, "unreadable")),
        (b'{"name": "a"}', "text/plain", (415, "unsupported_media_type")),
        (b'{"name": "a"}', "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (b"[]", "application/json", (422, "invalid_input")),
        (b"{}", "application/json", (422, "invalid_input")),
        (b'{"name": 7}', "application/json", (422, "invalid_input")),
        (b'{"name": ""}', "application/json", (422, "invalid_input")),
        (b'{"name": "a", "colour": "red"}', "application/json", (422, "invalid_input")),
        (b"[" * 3000, "application/json", (400, "unreadable")),
    ],
)
async def test_a_body_that_is_wrong_is_refused(
    client: Client, body: bytes, kind: str, expected: tuple[int, str]
) -> None:
    assert await refused(client, "POST", "/things", data=body, headers={"Content-Type": kind}) == expected


async def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    request = {"data": b" " * (BODY_LIMIT + 1), "headers": {"Content-Type": "application/json"}}
    assert await refused(client, "POST", "/things", **request) == (413, "too_large")


async def test_a_wrong_field_is_named_without_its_value(client: Client) -> None:
    response = await client.post(f"{PREFIX}/things", json={"name": "秘密的名字太长了太长了", "size": "x"})
    error = (await response.json())["error"]
    assert error["details"] == {"fields": {"name": "string_too_long", "size": "int_parsing"}}
    assert "秘密" not in await response.text()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("missing", (404, "not_found")),
        ("taken", (409, "conflict")),
        ("away", (503, "unavailable")),
        ("broken", (500, "internal")),
    ],
)
async def test_faults_become_the_envelope(client: Client, name: str, expected: tuple[int, str]) -> None:
    assert await refused(client, "POST", "/things", json={"name": name}) == expected


async def test_unknown_addresses_and_methods_get_the_envelope_too(client: Client) -> None:
    assert await refused(client, "GET", "/nothing") == (404, "not_found")
    assert await refused(client, "DELETE", "/things") == (405, "method_not_allowed")


# ------------------------------------------------------------------------------------------------------ failed attempts
async def test_an_address_that_goes_wrong_too_often_is_told_to_wait(client: Client, clock: FrozenClock) -> None:
    from datetime import timedelta

    answers = [await refused(client, "POST", "/things", json={}) for _ in range(PER_MINUTE + 2)]
    assert answers == [(422, "invalid_input")] * PER_MINUTE + [(429, "too_many_failures")] * 2
    clock.advance(timedelta(minutes=1))
    assert await refused(client, "POST", "/things", json={}) == (422, "invalid_input")


async def test_requests_that_succeed_are_never_held_up(client: Client) -> None:
    """A whole school may come from one address."""
    for _ in range(PER_MINUTE + 2):
        await refused(client, "POST", "/things", json={})
    for _ in range(3 * PER_MINUTE):
        response = await client.post(f"{PREFIX}/things", json={"name": "凳子"})
        assert response.status == 201


async def test_our_own_faults_do_not_count(client: Client) -> None:
    answers = [await refused(client, "POST", "/things", json={"name": "away"}) for _ in range(PER_MINUTE + 2)]
    assert answers == [(503, "unavailable")] * (PER_MINUTE + 2)


async def test_without_redis_nothing_is_counted(serve: Callable[..., Awaitable[Client]], metrics: Metrics) -> None:
    client = await serve(RedisStore(redis_client("redis://127.0.0.1:1/0"), metrics))
    answers = [await refused(client, "POST", "/things", json={}) for _ in range(PER_MINUTE + 2)]
    assert answers == [(422, "invalid_input")] * (PER_MINUTE + 2)


# ------------------------------------------------------------------------------------------------------ the description
async def test_the_description_is_valid_and_lists_every_route(client: Client) -> None:
    document = await (await client.get(f"{PREFIX}/openapi.json")).json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    listed = {(path, method) for path, operations in document["paths"].items() for method in operations}
    assert listed == {(PREFIX + route.path, route.method.lower()) for route in ROUTES} | {
        (f"{PREFIX}/openapi.json", "get")
    }


async def test_the_description_says_what_a_route_takes_and_answers(client: Client) -> None:
    document = await (await client.get(f"{PREFIX}/openapi.json")).json()
    making = document["paths"][f"{PREFIX}/things"]["post"]
    assert set(making["responses"]) == {"201", "400", "404", "409", "413", "415", "422", "429", "500", "503"}
    assert making["security"] == [{}, {"bearer": []}]
    showing = document["paths"][f"{PREFIX}/things/{{id}}"]["get"]
    assert showing["security"] == [{"bearer": []}]
    assert [parameter["name"] for parameter in showing["parameters"]] == ["id"]
    assert {"401", "403"} <= set(showing["responses"])
    assert document["components"]["schemas"]["Thing"]["required"] == ["name"]


# ------------------------------------------------------------------------------------------------------------ hardening
async def test_nobody_is_known_by_a_token_where_there_are_no_tokens(serve: Callable[..., Awaitable[Client]]) -> None:
    client = await serve(authenticate=None)
    assert await refused(client, "GET", "/things/7", headers=bearer("guardian")) == (401, "not_authenticated")
    response = await client.post(f"{PREFIX}/things", json={"name": "凳子"}, headers=bearer("guardian"))
    assert await response.json() == {"said": "凳子给None"}
