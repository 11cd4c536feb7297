"""Fixtures that every test may use.

The suite runs twice, each database engine in a process of its own (Tortoise keeps statements per process, not per
engine): `pytest` runs everything on SQLite, `pytest --engine postgres` runs again what touches the database, on a real
PostgreSQL. Doors hold no SQL (an import contract): what is asked through the chat or a page asks the services, whose
own tests run on both engines. So tests at a door run on SQLite only, unless `--whole` is said: of the pages PostgreSQL
has the rights test, which opens them one by one. A test that uses `settings`, `database` or `client` touches the
database; one that only makes sense on one engine says so with `@pytest.mark.engine("postgres")`.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.metrics import Metrics
from bot.storage.database import Database, open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from tests.emptying import emptied, form_of
from tests.servers import PostgresServer, RedisServer, running_postgres, running_redis
from tests.settings import make_settings, sqlite_url

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.test_utils import TestClient

    from knowledge.base import KnowledgeBase

ENGINES = ("sqlite", "postgres")
# Files of tests about the pages of the console and of the demo, and about what is said in the chat; and the folders
# whose stories go over the wire from end to end.
AT_DOORS = re.compile(r"test_admin.*|test_\w+_pages?|test_chat.*|test_(own_facts|words|letters)")
STORIES = {"scenarios", "miniprogram"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=ENGINES, default="sqlite", help="database engine of this run")
    parser.addoption("--whole", action="store_true", help="on PostgreSQL what is tried at a door again too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    engine, is_whole = config.getoption("--engine"), config.getoption("--whole")
    chosen: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        bound = item.get_closest_marker("engine")
        touches = "database_url" in getattr(item, "fixturenames", ())
        if touches or bound:
            item.add_marker(pytest.mark.database)
        again = touches and (is_whole or not _is_at_a_door(item.path))
        wanted = bound.args[0] == engine if bound else again or engine == "sqlite"
        (chosen if wanted else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    items[:] = _longest_first(chosen)


def _is_at_a_door(path: Path) -> bool:
    return bool(AT_DOORS.fullmatch(path.stem)) or path.parent.name in STORIES


def _longest_first(items: list[pytest.Item]) -> list[pytest.Item]:
    """Files with a slow test or a browser before all others, then those with most tests first.

    A worker takes a file at a time, in this order (`--no-loadscope-reorder`): begun last, a file of a minute would keep
    one worker busy while the others have nothing left to do.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)

    def rank(file: list[pytest.Item]) -> tuple[int, int]:
        return -sum(any(map(item.get_closest_marker, ("slow", "browser"))) for item in file), -len(file)

    return [item for file in sorted(files.values(), key=rank) for item in file]


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command run inside the test's process sets up the logs of all of it: the next test finds them as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgres`: the engine of this run."""
    return str(request.config.getoption("--engine"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL for the whole run, started when first asked for."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real Redis for the whole run. A test that stops it starts one of its own instead (`running_redis`)."""
    with running_redis() as server:
        yield server


class _SQLiteDatabases:
    """Hands out fresh, migrated databases: copies of a file that was migrated once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template.db"
        asyncio.run(migrate(make_settings(database={"url": sqlite_url(self._template)})))

    def fresh(self) -> str:
        """The address of a database with all tables and no rows."""
        path = self._folder / f"{uuid4().hex}.db"
        shutil.copyfile(self._template, path)
        return sqlite_url(path)

    def discard(self, url: str) -> None:
        """The database is not needed any more."""
        Path(url.removeprefix("sqlite:///")).unlink(missing_ok=True)


class _PostgresDatabases:
    """Hands out fresh, migrated databases: emptied ones that other tests have used, else new copies of the first.

    Emptying costs a twentieth of a new copy. A database whose tables a test has changed is not used again.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._emptied: list[str] = []
        self._template = self._create("template0")
        asyncio.run(migrate(make_settings(database={"url": self._template})))
        self._form = asyncio.run(form_of(self._template))

    def _create(self, template: str) -> str:
        return asyncio.run(self._server.create(f"test_{uuid4().hex}", template=template))

    def fresh(self) -> str:
        """The address of a database with all tables and no rows."""
        return self._emptied.pop() if self._emptied else self._create(self._template.rpartition("/")[2])

    def discard(self, url: str) -> None:
        """The database is not needed any more; whoever is still connected is thrown out."""
        if asyncio.run(emptied(url, self._form)):
            self._emptied.append(url)
        else:
            asyncio.run(self._server.drop(url.rpartition("/")[2]))


@pytest.fixture(scope="session")
def databases(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> _SQLiteDatabases | _PostgresDatabases:
    """The source of fresh databases on the engine of this run."""
    if engine == "postgres":
        return _PostgresDatabases(request.getfixturevalue("postgres"))
    return _SQLiteDatabases(tmp_path_factory.mktemp("databases"))


@pytest.fixture
def database_url(databases: _SQLiteDatabases | _PostgresDatabases) -> Iterator[str]:
    """A fresh, migrated database on the engine of this run."""
    url = databases.fresh()
    yield url
    databases.discard(url)


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings over a fresh, migrated database and the in-process Redis stand-in."""
    return make_settings(database={"url": database_url})


@pytest.fixture
def bare_settings(tmp_path: Path) -> Settings:
    """Settings for tests without a database: it is named, and not there."""
    return make_settings(database={"url": sqlite_url(tmp_path / "none.db")})


@pytest.fixture
def clock() -> FrozenClock:
    """Tuesday, 1 September 2026, eight in the morning in China, until told otherwise."""
    return FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI))


@pytest.fixture
def metrics() -> Metrics:
    """Metrics nobody else counts in."""
    return Metrics()


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The open database of `settings`. Not together with `client`, whose application opens it itself."""
    async with open_database(settings) as opened:
        yield opened


@pytest.fixture
async def redis(metrics: Metrics) -> AsyncIterator[RedisStore]:
    """A store of its own on the in-process stand-in."""
    store = RedisStore(redis_client("memory://"), metrics)
    yield store
    await store.close()


@pytest.fixture(params=["stand-in", "server"])
async def any_redis(request: pytest.FixtureRequest, metrics: Metrics) -> AsyncIterator[RedisStore]:
    """A store on the stand-in, then again on a real, emptied Redis: what both must do alike."""
    url = "memory://" if request.param == "stand-in" else request.getfixturevalue("redis_server").url
    client = redis_client(url)
    if isinstance(client, Redis):
        await client.flushall()
    store = RedisStore(client, metrics)
    yield store
    await store.close()


@pytest.fixture(scope="session")
def knowledge() -> KnowledgeBase:
    """The shipped knowledge, loaded once for all tests; its index is built once for all processes of the run."""
    from knowledge.base import KnowledgeBase
    from knowledge.snapshot import default_folder

    return KnowledgeBase.load(snapshots=default_folder())


@pytest.fixture
def app(settings: Settings, clock: FrozenClock, knowledge: KnowledgeBase) -> web.Application:
    """The whole application over `settings`, not started."""
    from bot.app import build_app

    return build_app(settings, clock=clock, knowledge=lambda: knowledge)


@pytest.fixture
async def client(app: web.Application) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """The application, serving, and an HTTP client for it."""
    from aiohttp.test_utils import TestClient, TestServer

    async with TestClient(TestServer(app)) as running:
        yield running
