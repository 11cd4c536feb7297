"""The edge: request ids, faults as answers, sizes."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot import errors
from bot.logs import request_id
from bot.metrics import Metrics
from bot.web.middlewares import BODY_LIMIT, edge

Client = TestClient[web.Request, web.Application]


class ProgrammeFull(errors.Conflict):
    code = "programme_full"
    default_message = "名额满了，可以排队等候。"


KINDS: dict[str, tuple[errors.AppError, int]] = {
    "unreadable": (errors.Unreadable(), 400),
    "nobody": (errors.NotAuthenticated(), 401),
    "forbidden": (errors.NotPermitted(), 403),
    "absent": (errors.NotFound(), 404),
    "full": (ProgrammeFull(details={"waiting": 3}), 409),
    "invalid": (errors.InvalidInput(), 422),
    "often": (errors.LimitReached(), 429),
    "wechat": (errors.ExternalError(), 503),
    "away": (errors.Unavailable(), 503),
}


async def raise_it(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name == "bug":
        raise ZeroDivisionError("secret detail")
    raise KINDS[name][0]


async def echo(request: web.Request) -> web.Response:
    return web.json_response({"request_id": request_id.get(), "size": len(await request.read())})


async def elsewhere(_: web.Request) -> web.Response:
    raise web.HTTPFound("/api/v1/echo")


@pytest.fixture
async def api(metrics: Metrics) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[edge(metrics)], client_max_size=BODY_LIMIT)
    app.router.add_get("/api/v1/raise/{name}", raise_it)
    app.router.add_get("/page/{name}", raise_it)
    app.router.add_post("/api/v1/echo", echo)
    app.router.add_get("/moved", elsewhere)
    async with TestClient(TestServer(app)) as client:
        yield client


async def error_of(client: Client, path: str) -> tuple[int, dict[str, Any]]:
    response = await client.get(path)
    body = json.loads(await response.text())
    assert body.keys() == {"error"}
    assert body["error"]["request_id"] == response.headers["X-Request-ID"]
    return response.status, body["error"]


@pytest.mark.parametrize("name", KINDS)
async def test_a_fault_has_the_status_of_its_kind_and_the_envelope(api: Client, name: str) -> None:
    fault, expected = KINDS[name]
    status, error = await error_of(api, f"/api/v1/raise/{name}")
    assert status == expected
    assert (error["code"], error["message"], error["details"]) == (fault.code, fault.message, fault.details)


async def test_chinese_is_sent_as_it_is(api: Client) -> None:
    assert "名额满了" in await (await api.get("/api/v1/raise/full")).text()


async def test_an_unknown_path_and_a_wrong_method_have_the_envelope(api: Client) -> None:
    assert (await error_of(api, "/api/v1/nothing"))[0] == 404
    status, error = await error_of(api, "/api/v1/echo")
    assert (status, error["code"]) == (405, "method_not_allowed")
    assert (await api.get("/api/v1/echo")).headers["Allow"] == "POST"


async def test_a_bug_tells_the_asker_nothing_and_the_log_everything(
    api: Client, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        status, error = await error_of(api, "/api/v1/raise/bug")
    assert (status, error["code"]) == (500, "internal")
    assert "secret detail" not in json.dumps(error)
    assert any(record.exc_info for record in caplog.records)
    assert metrics.registry.get_sample_value("xiangxiao_errors_total", {"where": "http"}) == 1


async def test_a_body_beyond_the_limit_is_refused(api: Client) -> None:
    assert (await api.post("/api/v1/echo", data=b"x" * BODY_LIMIT)).status == 200
    response = await api.post("/api/v1/echo", data=b"x" * (BODY_LIMIT + 1))
    assert response.status == 413
    assert (await response.json())["error"]["code"] == "too_large"


async def test_pages_get_plain_sentences(api: Client) -> None:
    response = await api.get("/page/full")
    assert (response.status, await response.text()) == (409, "名额满了，可以排队等候。")
    assert response.content_type == "text/plain"


async def test_a_redirect_stays_one(api: Client) -> None:
    assert (await api.get("/moved", allow_redirects=False)).status == 302


@pytest.mark.parametrize(("given", "kept"), [("abcdef12-3456", True), ("short", False), ("evil id <script>", False)])
async def test_a_request_id_is_kept_when_it_is_harmless(api: Client, given: str, kept: bool) -> None:
    response = await api.post("/api/v1/echo", headers={"X-Request-ID": given})
    own = (await response.json())["request_id"]
    assert own == response.headers["X-Request-ID"]
    assert (own == given) is kept
    assert request_id.get() is None


async def test_two_requests_have_two_ids(api: Client) -> None:
    first, second = [(await api.post("/api/v1/echo")).headers["X-Request-ID"] for _ in range(2)]
    assert first != second


async def test_requests_are_counted(api: Client, metrics: Metrics) -> None:
    await api.get("/api/v1/raise/full")
    labels = {"method": "GET", "status": "409"}
    assert metrics.registry.get_sample_value("xiangxiao_http_requests_total", labels) == 1
