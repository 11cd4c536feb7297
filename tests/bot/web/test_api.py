"""The API's edge: a table of routes, the envelope of errors, the description."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, get_args

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from openapi_spec_validator import validate
from pydantic import BaseModel, ConfigDict, Field

from bot.clock import FrozenClock
from bot.errors import Conflict, NotAuthenticated, NotFound, Unavailable
from bot.identity import Actor, Role
from bot.metrics import Metrics
from bot.rights import Action
from bot.storage.database import Database
from bot.storage.redis import RedisStore, redis_client
from bot.web.api import PREFIX, ApiCall, ApiRoute, Surroundings, api_application
from bot.web.idempotency import Answers
from bot.web.limits import Addresses, FailureLimit, PersonLimit
from bot.web.middlewares import BODY_LIMIT, edge

Client = TestClient[web.Request, web.Application]
PER_MINUTE = 5
PER_PERSON = 20


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=10)
    size: int | None = None


class Guess(BaseModel):
    code: str = Field(title="邀请码", max_length=8)


class Answer(BaseModel):
    said: str


async def show_early(call: ApiCall) -> Answer:
    return Answer(said=str(call.actor.name))


FAULTS = {"missing": NotFound(), "taken": Conflict("已经有人了，请换一个。"), "away": Unavailable()}


async def make(call: ApiCall) -> Answer:
    if call.body.name in FAULTS:
        raise FAULTS[call.body.name]
    if call.body.name == "broken":
        raise ZeroDivisionError
    return Answer(said=f"{call.body.name}给{call.actor.name}")


class WrongCode(NotFound):
    code = "wrong_code"


async def guess(call: ApiCall) -> Answer:
    if call.body.code != "RIGHT":
        raise WrongCode
    return Answer(said=f"{call.actor.door}")


async def show(call: ApiCall) -> Answer:
    return Answer(said=call.path["id"] + call.query.get("more", ""))


ROUTES = (
    ApiRoute(
        method="POST", path="/things", summary="做一个", handle=make, request=Thing, response=Answer,
        action=Action.QUESTION_ASK, errors=(404, 409, 503), status=201,
    ),
    ApiRoute(
        method="GET", path="/things/{id}", summary="看一个", handle=show, response=Answer,
        action=Action.CHILD_VIEW, errors=(404,),
    ),
    ApiRoute(
        method="POST", path="/guesses", summary="猜一个", handle=guess, request=Guess, response=Answer,
        action=Action.SESSION_OPEN, errors=(404,), guesses=(WrongCode,),
    ),
    ApiRoute(
        method="GET", path="/early", summary="同意之前", handle=show_early, response=Answer,
        action=Action.PROFILE_VIEW, before_privacy=True,
    ),
)  # fmt: skip


async def authenticate(token: str) -> Actor:
    if token == "guardian":
        return Actor("index", frozenset({Role.GUARDIAN}), name="王家长", identity_id="1", has_agreed=True)
    if token == "teacher":
        return Actor("index", frozenset({Role.TEACHER}), name="李老师", identity_id="2", has_agreed=True)
    if token == "newcomer":
        return Actor("index", frozenset({Role.GUARDIAN}), name="赵家长", identity_id="3")
    raise NotAuthenticated


@pytest.fixture
async def serve(
    database: Database, redis: RedisStore, clock: FrozenClock, metrics: Metrics
) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    async with AsyncExitStack() as stack:

        async def make_client(store: RedisStore = redis, **options: Any) -> Client:
            app = web.Application(middlewares=[edge(metrics)], client_max_size=BODY_LIMIT)
            parts = Surroundings(
                failures=FailureLimit(lambda: store, clock, PER_MINUTE),
                people=PersonLimit(lambda: store, clock, PER_PERSON),
                answers=Answers(clock),
                addresses=Addresses(["127.0.0.1"]),
                authenticate=options.get("authenticate", authenticate),
            )
            app.add_subapp(PREFIX, api_application(ROUTES, parts))
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
    assert error["details"] == {"fields": {"name": "最多 10 个字", "size": "应是整数"}}
    assert error["message"] == "“name”：最多 10 个字，请改正后再试。"
    assert "秘密" not in await response.text()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{}", "邀请码：缺少这一项，请改正后再试。"),
        ('{"code": 7}', "邀请码：应是文字，请改正后再试。"),
        ('{"code": "a\\u0000b"}', "邀请码：里有不能保存的字符，请改正后再试。"),
        ("[]", "请求应是一个 JSON 对象，请改正后再试。"),
        ("7", "请求应是一个 JSON 对象，请改正后再试。"),
    ],
)
async def test_a_wrong_field_is_named_in_the_words_of_people(client: Client, body: str, message: str) -> None:
    response = await client.post(f"{PREFIX}/guesses", data=body, headers={"Content-Type": "application/json"})
    assert response.status == 422
    assert (await response.json())["error"]["message"] == message


def test_every_fault_of_a_field_has_its_words() -> None:
    """Those of the kinds of fields that an API takes; the others have a general sentence."""
    from pydantic_core.core_schema import ErrorType

    from bot.web import bodies

    known = set(get_args(ErrorType))
    assert set(bodies._REASONS) <= known
    kinds = ("string_", "int_", "float_", "bool_", "date_", "list_", "uuid_")
    rare = {"string_sub_type", "string_not_ascii", "bool_type", "int_type", "date_past", "date_future", "uuid_version"}
    assert {kind for kind in known if kind.startswith(kinds)} - set(bodies._REASONS) <= rare


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
WRONG: dict[str, Any] = {"json": {"code": "WRONG"}}
RIGHT: dict[str, Any] = {"json": {"code": "RIGHT"}}


def via_proxy(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": f"10.9.9.9, {address}"}


async def test_an_address_that_guesses_too_often_has_to_wait(client: Client, clock: FrozenClock) -> None:
    answers = [await refused(client, "POST", "/guesses", **WRONG) for _ in range(PER_MINUTE + 2)]
    assert answers == [(404, "wrong_code")] * PER_MINUTE + [(429, "too_many_failures")] * 2
    # Nor does the right guess tell anything now.
    assert await refused(client, "POST", "/guesses", **RIGHT) == (429, "too_many_failures")
    clock.advance(timedelta(minutes=1))
    assert (await client.post(f"{PREFIX}/guesses", **RIGHT)).status == 200


async def test_guesses_count_for_the_address_a_proxy_saw(client: Client) -> None:
    for _ in range(PER_MINUTE):
        await refused(client, "POST", "/guesses", **WRONG, headers=via_proxy("10.0.0.1"))
    assert (await refused(client, "POST", "/guesses", **WRONG, headers=via_proxy("10.0.0.1")))[0] == 429
    assert (await client.post(f"{PREFIX}/guesses", **RIGHT, headers=via_proxy("10.0.0.2"))).status == 200


async def test_what_is_no_guess_never_counts(client: Client) -> None:
    for _ in range(PER_MINUTE + 2):
        assert (await refused(client, "POST", "/things", json={}))[0] == 422
        assert (await refused(client, "POST", "/guesses", json={}))[0] == 422
        assert (await refused(client, "GET", "/things/7", headers=bearer("stolen")))[0] == 401
        assert (await client.post(f"{PREFIX}/guesses", **RIGHT)).status == 200


async def test_an_address_is_only_held_up_where_there_is_something_to_guess(client: Client) -> None:
    """A whole school may come from one address."""
    for _ in range(PER_MINUTE + 2):
        await refused(client, "POST", "/guesses", **WRONG)
    for _ in range(3 * PER_MINUTE):
        assert (await client.post(f"{PREFIX}/things", json={"name": "凳子"})).status == 201


async def test_without_redis_each_replica_counts_for_itself(
    serve: Callable[..., Awaitable[Client]], metrics: Metrics
) -> None:
    client = await serve(RedisStore(redis_client("redis://127.0.0.1:1/0"), metrics))
    answers = [(await refused(client, "POST", "/guesses", **WRONG))[0] for _ in range(PER_MINUTE + 2)]
    assert answers == [404] * PER_MINUTE + [429] * 2


async def test_replicas_count_guesses_together(serve: Callable[..., Awaitable[Client]]) -> None:
    one, two = await serve(), await serve()
    for _ in range(PER_MINUTE):
        await refused(one, "POST", "/guesses", **WRONG)
    assert (await refused(two, "POST", "/guesses", **WRONG))[0] == 429


# ----------------------------------------------------------------------------------------------------------- per person
async def answers_to(client: Client, who: str, count: int) -> list[int]:
    return [(await client.get(f"{PREFIX}/things/7", headers=bearer(who))).status for _ in range(count)]


async def test_a_person_who_asks_too_much_has_to_wait(client: Client, clock: FrozenClock) -> None:
    assert await answers_to(client, "guardian", PER_PERSON + 2) == [200] * PER_PERSON + [429] * 2
    assert await refused(client, "GET", "/things/7", headers=bearer("guardian")) == (429, "too_many_requests")
    assert await answers_to(client, "teacher", 1) == [403]
    clock.advance(timedelta(minutes=1))
    assert await answers_to(client, "guardian", 1) == [200]


async def test_replicas_let_a_person_pass_at_most_a_quarter_more_each(serve: Callable[..., Awaitable[Client]]) -> None:
    one, two = await serve(), await serve()
    passed = [(await answers_to(client, "guardian", 1))[0] for _ in range(PER_PERSON) for client in (one, two)]
    assert passed.count(200) == PER_PERSON + PER_PERSON // 4


async def test_without_redis_a_person_is_counted_here(
    serve: Callable[..., Awaitable[Client]], metrics: Metrics
) -> None:
    client = await serve(RedisStore(redis_client("redis://127.0.0.1:1/0"), metrics))
    assert await answers_to(client, "guardian", PER_PERSON + 1) == [200] * PER_PERSON + [429]


# -------------------------------------------------------------------------------------------------------------- privacy
async def test_nothing_personal_is_told_before_the_privacy_notice_is_agreed_to(client: Client) -> None:
    headers = bearer("newcomer")
    assert await refused(client, "GET", "/things/7", headers=headers) == (403, "privacy_not_agreed")
    assert await (await client.get(f"{PREFIX}/early", headers=headers)).json() == {"said": "赵家长"}


async def test_before_that_open_routes_know_nobody(client: Client) -> None:
    response = await client.post(f"{PREFIX}/things", json={"name": "凳子"}, headers=bearer("newcomer"))
    assert await response.json() == {"said": "凳子给None"}


async def test_an_early_route_still_needs_a_token(client: Client) -> None:
    assert await refused(client, "GET", "/early") == (401, "not_authenticated")


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
    assert set(making["responses"]) == {"201", "400", "401", "404", "409", "413", "415", "422", "429", "500", "503"}
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
