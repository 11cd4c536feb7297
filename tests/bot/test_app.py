"""The application as a whole: up in order, ready when everything is there, down in reverse."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.app import LIBRARY, TRANSPORT, build_app
from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import open_database
from bot.storage.redis import REDIS
from bot.wechat.transport import NotSent
from tests.servers import running_redis
from tests.settings import make_settings

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase

Client = TestClient[web.Request, web.Application]


class Knowledge:
    """Stands in for a knowledge base where only its being there matters."""

    size = 7


def with_knowledge(settings: Settings, go_on: threading.Event, clock: FrozenClock) -> web.Application:
    def load() -> KnowledgeBase:
        go_on.wait(20)
        return cast("KnowledgeBase", Knowledge())

    return build_app(settings, clock=clock, knowledge=load)


async def missing(client: Client) -> tuple[int, list[str]]:
    response = await client.get("/readyz")
    return response.status, (await response.json())["missing"]


async def ready(client: Client) -> None:
    async with asyncio.timeout(120):
        while not client.app[LIBRARY].version:  # noqa: ASYNC110 - the thread that loads knows no event of this loop
            await asyncio.sleep(0.01)


async def test_it_listens_before_the_knowledge_is_there_and_is_ready_after(
    settings: Settings, clock: FrozenClock
) -> None:
    go_on = threading.Event()
    async with TestClient(TestServer(with_knowledge(settings, go_on, clock))) as client:
        assert (await client.get("/healthz")).status == 200
        assert await missing(client) == (503, ["knowledge"])
        go_on.set()
        await ready(client)
        assert await missing(client) == (200, [])
        assert "xiangxiao_knowledge_entries 7.0" in await (await client.get("/metrics")).text()


async def test_readiness_names_a_redis_that_went_away_and_forgets_it_when_it_is_back(
    database_url: str, clock: FrozenClock
) -> None:
    go_on = threading.Event()
    go_on.set()
    with running_redis() as server:
        settings = make_settings(database={"url": database_url}, redis={"url": server.url})
        async with TestClient(TestServer(with_knowledge(settings, go_on, clock))) as client:
            await ready(client)
            assert await missing(client) == (200, [])
            server.kill()
            assert await missing(client) == (503, ["redis"])
            server.start()
            assert await missing(client) == (200, [])


async def test_readiness_names_a_database_that_fell_behind(settings: Settings, clock: FrozenClock) -> None:
    go_on = threading.Event()
    go_on.set()
    async with TestClient(TestServer(with_knowledge(settings, go_on, clock))) as client:
        await ready(client)
        from bot.storage.database import DATABASE

        await client.app[DATABASE].connection.execute_query("DELETE FROM tortoise_migrations")
        assert await missing(client) == (503, ["database"])


async def test_what_came_up_goes_down(settings: Settings, clock: FrozenClock) -> None:
    go_on = threading.Event()
    go_on.set()
    app = with_knowledge(settings, go_on, clock)
    before = asyncio.all_tasks()
    async with TestClient(TestServer(app)) as client:
        await client.get("/healthz")
        transport = app[TRANSPORT]
    with pytest.raises(NotSent, match="closed"):
        await transport.exchange("GET", "http://127.0.0.1:1", None)
    assert asyncio.all_tasks() == before
    async with open_database(settings):
        pass  # the database context is free again


async def test_two_applications_share_no_state(settings: Settings, clock: FrozenClock) -> None:
    first, second = build_app(settings, clock=clock), build_app(settings, clock=clock)
    assert first[LIBRARY] is not second[LIBRARY]
    assert REDIS not in first


async def test_building_an_application_touches_nothing(bare_settings: Settings, clock: FrozenClock) -> None:
    before = asyncio.all_tasks()
    build_app(bare_settings, clock=clock)
    assert asyncio.all_tasks() == before
    assert not bare_settings.database.url.get_secret_value().removeprefix("sqlite:///").startswith("missing")


@pytest.mark.slow
async def test_the_shipped_knowledge_can_be_loaded(client: Client) -> None:
    await ready(client)
    assert await missing(client) == (200, [])
    assert client.app[LIBRARY].current.size > 100
