"""Bringing the database up to date, by Tortoise's own migrations under a lock.

All that is due is applied in one transaction together with its record: wholly or not at all, on both engines. Several
processes may call `migrate` at once: one works, the others wait and find nothing left to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import aiosqlite
import asyncpg
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.operations import AlterModelOptions
from tortoise.migrations.schema_generator.state import ModelState, State
from tortoise.migrations.schema_generator.state_apps import StateApps
from tortoise.migrations.writer import MigrationWriter, format_migration_name
from tortoise.models import Model
from tortoise.transactions import in_transaction

from bot.config import Settings
from bot.errors import Conflict
from bot.logs import get_logger
from bot.storage.context import DatabaseContext
from bot.storage.database import is_sqlite, prepare_folder, sqlite_path, tortoise_config
from bot.storage.encryption import KeyRing
from bot.storage.errors import DatabaseAway
from bot.storage.schema import APP_LABEL, CONNECTION, MIGRATIONS, migration_names, model_modules, pending_migrations

# Any number will do as long as every release uses the same.
LOCK_NUMBER = 0x7869_616E_6778_6961
LOCK_PATIENCE_S = 600.0
CONNECT_TIMEOUT_S = 5.0

log = get_logger(__name__)


class BrokenReferences(Conflict):
    """After migrating, rows refer to rows that are not there; nothing was committed."""

    code = "broken_references"
    default_message = "升级后有记录失去了关联，已全部撤回。请先备份数据库，再联系维护人员。"


class _ClonedLater:
    """The classes of the models as they were, made only when somebody asks for one.

    Most operations do not, and making the classes of all models anew before each is most of the time a migration takes.
    """

    def __init__(self, apps: StateApps, models: dict[tuple[str, str], ModelState]) -> None:
        self._apps = apps
        self._models = models

    @cached_property
    def _made(self) -> StateApps:
        return self._apps.clone(model_states=self._models)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)


class _State(State):
    def clone(self) -> State:
        """As it is now, whatever becomes of it."""
        models = {key: model.clone() for key, model in self.models.items()}
        return State(models, cast(StateApps, _ClonedLater(self.apps, models)))


class _Apps(StateApps):
    """The models as classes, each made ready for questions once: not all of them again after every operation.

    An operation makes the classes it changes anew, with all that are related to them; the others stay as they are.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._ready: dict[type[Model], frozenset[str]] = {}

    def _build_initial_querysets(self) -> None:
        whole = self.apps
        self.apps = {
            label: {n: m for n, m in models.items() if not self._is_ready(m)} for label, models in whole.items()
        }
        try:
            super()._build_initial_querysets()
            made = [model for models in self.apps.values() for model in models.values() if model._meta._inited]
            self._ready |= {model: frozenset(model._meta.fields_map) for model in made}
        finally:
            self.apps = whole

    def _is_ready(self, model: type[Model]) -> bool:
        # A relation that points here adds a field to the class it finds.
        return self._ready.get(model) == frozenset(model._meta.fields_map)


class _Executor(MigrationExecutor):
    async def _project_state(self, applied: set[MigrationKey], *, upto: MigrationKey | None = None) -> State:
        state = await super()._project_state(applied, upto=upto)
        apps = _Apps(state.apps._default_connections, state.apps._connections)
        apps.apps = state.apps.apps
        return _State(state.models, apps)


async def migrate(settings: Settings) -> list[str]:
    """Applies what is due and returns its names, in order; an empty list when there was nothing.

    Raises DatabaseAway when the server or the lock cannot be had, BrokenReferences when the result does not hold.
    """
    prepare_folder(settings)
    lock = _sqlite_lock(sqlite_path(settings)) if is_sqlite(settings) else _postgres_lock(settings)
    async with lock:
        return await migrate_unlocked(settings)


async def migrate_unlocked(settings: Settings) -> list[str]:
    """As `migrate`, for a caller that knows to be the only one. Two at once on a fresh database fail."""
    async with DatabaseContext(KeyRing.from_settings(settings)) as context:
        # Off, because SQLite rebuilds a table by dropping it, which would delete the rows that refer to it.
        config = tortoise_config(settings, foreign_keys="OFF")
        await context.init(config=config)
        recorder = MigrationExecutor(context.db(CONNECTION), config["apps"])
        await recorder.recorder.ensure_schema(recorder._schema_editor(atomic=False))
        due = await pending_migrations(context.db(CONNECTION))
        if not due:
            return []
        async with in_transaction(CONNECTION) as connection:
            await _Executor(connection, config["apps"]).migrate(direction="forward")
            if is_sqlite(settings) and await connection.execute_query_dict("PRAGMA foreign_key_check"):
                raise BrokenReferences
    log.info("migrated", applied=due)
    return due


@contextlib.asynccontextmanager
async def _postgres_lock(settings: Settings) -> AsyncIterator[None]:
    """An advisory lock on a connection of its own: the server lets go of it when the process dies."""
    credentials = tortoise_config(settings)["connections"][CONNECTION]["credentials"]
    wanted = credentials.keys() & {"host", "port", "user", "password", "database", "ssl"}
    try:
        connection = await asyncpg.connect(**{key: credentials[key] for key in wanted}, timeout=CONNECT_TIMEOUT_S)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise DatabaseAway(details={"cause": str(error)}) from error
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_NUMBER, timeout=LOCK_PATIENCE_S)
        yield
    except TimeoutError as error:
        raise DatabaseAway(details={"cause": "another migration holds the lock"}) from error
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_S)


@contextlib.asynccontextmanager
async def _sqlite_lock(database: Path) -> AsyncIterator[None]:
    """An exclusive transaction in a file beside the database: works wherever SQLite does, ends with the process."""
    beside = database.with_name(database.name + ".migrating")
    async with aiosqlite.connect(beside, isolation_level=None, timeout=LOCK_PATIENCE_S) as connection:
        try:
            await connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise DatabaseAway(details={"cause": str(error)}) from error
        yield
        await connection.rollback()


async def planned_changes() -> list[MigrationWriter]:
    """What the models have that the migrations do not: empty when they agree. Needs no database."""
    app = {"models": model_modules(), "default_connection": CONNECTION, "migrations": MIGRATIONS}
    ring = KeyRing({"none": bytes(32)}, bytes(32))
    async with DatabaseContext(ring) as context:
        connection = {"engine": "bot.storage.sqlite_engine", "credentials": {"file_path": ":memory:"}}
        await context.init(config={"connections": {CONNECTION: connection}, "apps": {APP_LABEL: app}})
        assert context.apps is not None
        writers = await MigrationAutodetector(context.apps, {APP_LABEL: app}).changes()
    for writer in writers:
        # A model's docstring counts as an option to Tortoise; it changes nothing in the database.
        writer.operations = [each for each in writer.operations if not isinstance(each, AlterModelOptions)]
    return [writer for writer in writers if writer.operations]


def write_migration(name: str) -> list[Path]:
    """Writes the next migration from what the models say; for developers (`make migration NAME=…`)."""
    paths = []
    for writer in asyncio.run(planned_changes()):
        writer.name = format_migration_name(len(migration_names()) + 1, name)
        paths.append(Path(writer.write()))
    return paths
