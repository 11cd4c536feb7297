"""/healthz, /readyz and /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.errors import Unavailable
from bot.metrics import Metrics
from bot.web.health import METRICS_TYPE, READINESS, Readiness, health_routes

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
async def probe(readiness: Readiness, metrics: Metrics) -> AsyncIterator[Client]:
    app = web.Application()
    app[READINESS] = readiness
    app.add_routes(health_routes(metrics))
    async with TestClient(TestServer(app)) as client:
        yield client


async def passes() -> None:
    pass


async def fails() -> None:
    raise Unavailable


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_a_process_is_alive_whatever_is_missing(probe: Client, readiness: Readiness) -> None:
    readiness.require("database", fails)
    response = await probe.get("/healthz")
    assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_ready_when_nothing_is_missing(probe: Client, readiness: Readiness) -> None:
    readiness.require("knowledge", passes)
    response = await probe.get("/readyz")
    assert (response.status, await response.json()) == (200, {"ready": True, "missing": []})


@pytest.mark.slow
async def test_not_ready_names_what_is_missing_also_what_hangs(probe: Client, readiness: Readiness) -> None:
    readiness.require("knowledge", fails)
    readiness.require("database", passes)
    readiness.require("redis", hangs)
    response = await probe.get("/readyz")
    assert (response.status, await response.json()) == (503, {"ready": False, "missing": ["knowledge", "redis"]})


async def test_metrics_are_readable_by_prometheus(probe: Client, metrics: Metrics) -> None:
    metrics.answers_total.labels("answered").inc()
    response = await probe.get("/metrics")
    assert response.headers["Content-Type"] == METRICS_TYPE
    text = await response.text()
    assert 'xiangxiao_answers_total{outcome="answered"} 1.0' in text
    assert "process_resident_memory_bytes" in text
