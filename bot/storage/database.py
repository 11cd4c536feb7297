"""The database of the application: SQLite for one process, PostgreSQL for several.

The engine follows from `[database] url`. Connections live in a context of Tortoise, with the global fallback on, so
that requests, tasks and jobs all see them whoever started them. Nothing connects before the first query.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.connection import get_connections
from tortoise.transactions import in_transaction

from bot.config import Settings
from bot.logs import get_logger
from bot.storage.context import DatabaseContext
from bot.storage.encryption import KeyRing
from bot.storage.errors import DatabaseAway, NotMigrated
from bot.storage.schema import APP_LABEL, CONNECTION, MIGRATIONS, model_modules, pending_migrations

CHECK_TIMEOUT_S = 3.0

log = get_logger(__name__)


class Database:
    """The open database of one application."""

    def __init__(self, context: DatabaseContext) -> None:
        self._context = context

    @property
    def connection(self) -> BaseDBAsyncClient:
        """For the rare statement the ORM has no words for."""
        return self._context.db(CONNECTION)

    @property
    def engine(self) -> str:
        """`sqlite` or `postgres`."""
        return self.connection.capabilities.dialect

    @property
    def keys(self) -> KeyRing:
        """The keys its encrypted columns are read with."""
        return self._context.keys

    async def check(self) -> None:
        """Returns when the database answers and fits the program. Raises DatabaseAway or NotMigrated."""
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                missing = await pending_migrations(self.connection)
        except TimeoutError as error:
            raise DatabaseAway from error
        if missing:
            raise NotMigrated(details={"pending": missing})

    async def close(self) -> None:
        """Closes the connections; the object is of no use afterwards."""
        await self._context.close_connections()


DATABASE = web.AppKey("database", Database)


def is_sqlite(settings: Settings) -> bool:
    """True for the embedded engine: one process, one writer."""
    return settings.database.url.get_secret_value().startswith("sqlite:")


def sqlite_path(settings: Settings) -> Path:
    """The file of `sqlite:///path`: relative to the working folder after three slashes, absolute after four."""
    return Path(urlsplit(settings.database.url.get_secret_value()).path.removeprefix("/"))


def tortoise_config(settings: Settings, pool: Mapping[str, Any] | None = None, **sqlite_pragmas: str) -> dict[str, Any]:
    """The whole of Tortoise's configuration: our engine, one app for all tables, one set of migrations, UTC. `pool`:
    what the pool of PostgreSQL's connections is given besides."""
    url = settings.database.url.get_secret_value()
    if is_sqlite(settings):
        pragmas = dict(parse_qsl(urlsplit(url).query)) | sqlite_pragmas
        engine, credentials = "bot.storage.sqlite_engine", {"file_path": str(sqlite_path(settings)), **pragmas}
    else:
        engine, credentials = "bot.storage.asyncpg_engine", {**expand_db_url(url)["credentials"], **(pool or {})}
    return {
        "connections": {CONNECTION: {"engine": engine, "credentials": credentials}},
        "apps": {APP_LABEL: {"models": model_modules(), "default_connection": CONNECTION, "migrations": MIGRATIONS}},
        "use_tz": True,
        "timezone": "UTC",
    }


async def init_database(settings: Settings, pool: Mapping[str, Any] | None = None) -> Database:
    """Opens the database until `close`. One at a time in a process. Connects with the first query, not here. `pool` as
    for `tortoise_config`."""
    prepare_folder(settings)
    context = DatabaseContext(KeyRing.from_settings(settings))
    # Entered for the set-up only: afterwards the global fallback finds it, from whatever task closes it too.
    with context:
        config = tortoise_config(settings, pool)
        await context.init(config=config, init_connections=False, _enable_global_fallback=True)
        _make_models_ready(context)
    return Database(context)


def _make_models_ready(context: DatabaseContext) -> None:
    """Makes the models' filters and first queries for the engine, unless the process has them from the last time.

    They belong to the model classes and outlive the connections. Making them takes ten times as long as all else here.
    """
    assert context.apps is not None
    engine_queries = context.db(CONNECTION).query_class
    for model in context.apps.get_models_iterable():
        made = model._meta
        if getattr(made.basequery, "QUERY_CLS", None) is not engine_queries or made.fields != made.fields_map.keys():
            # Tortoise keeps statements by table name whatever the engine; another engine's would be wrong.
            EXECUTOR_CACHE.clear()
            context.apps._build_initial_querysets()
            return


def prepare_folder(settings: Settings) -> None:
    """Makes an SQLite file and its folder, readable by their owner only."""
    if is_sqlite(settings):
        path = sqlite_path(settings)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)


@asynccontextmanager
async def open_database(settings: Settings, pool: Mapping[str, Any] | None = None) -> AsyncIterator[Database]:
    """The database for the time of a block: for the command line and for tests. `pool` as for `tortoise_config`."""
    database = await init_database(settings, pool)
    try:
        yield database
    finally:
        await database.close()


def database_ctx(settings: Settings) -> Callable[[web.Application], AsyncIterator[None]]:
    """The database for the lifetime of the application.

    A database that is away does not stop the start (answers need none, and it may come back); one that is older than
    the program does, by raising NotMigrated.
    """

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with open_database(settings) as database:
            app[DATABASE] = database
            try:
                await database.check()
            except DatabaseAway as error:
                log.warning("database_away_at_start", cause=repr(error.__cause__))
            yield

    return context


@asynccontextmanager
async def transaction() -> AsyncIterator[BaseDBAsyncClient]:
    """One use case's transaction: commits at the end of the block, rolls back when it raises. Nested: a savepoint.

    No network call inside, and no task that outlives it. Raises DatabaseAway.
    """
    async with in_transaction(CONNECTION) as connection:
        yield connection


@asynccontextmanager
async def joined() -> AsyncIterator[None]:
    """The caller's transaction, or one of its own for a caller without: no savepoint, for what is undone with all the
    rest or not at all."""
    if is_in_transaction():
        yield
        return
    async with transaction():
        yield


def is_in_transaction() -> bool:
    """Whether the caller has a transaction open."""
    return isinstance(get_connections().get(CONNECTION), TransactionalDBClient)
