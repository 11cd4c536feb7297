"""The database as a rehearsal sees it: everything can be read, and what is written is gone afterwards.

SQLite: a copy, made while others write. PostgreSQL: one connection whose transactions may only read, and in it
temporary tables of the names of those a rehearsal writes to, which go before the real ones. What is not among them
cannot be written at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from bot.config import Database as DatabaseSection
from bot.config import Settings
from bot.storage.database import Database, is_sqlite, open_database, sqlite_path, transaction
from bot.storage.errors import DatabaseAway

# Who is who: planners only read it, and there is most of it.
_ONLY_READ: Final = ("accounts_", "rosters_", "policy_", "tortoise_")
# Nothing of the past is needed to go on, and there may be much of it.
_WITHOUT_ROWS: Final = ("audit_", "dialogue_", "api_")
_POOL: Final = {
    "minsize": 1,
    "maxsize": 1,
    "max_inactive_connection_lifetime": 0,
    "command_timeout": 600.0,
    "server_settings": {"default_transaction_read_only": "on"},
}
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
# A copy takes a moment's pause every so many pages, so that writers wait for nothing.
_PAGES_AT_ONCE: Final = 2000


@contextlib.asynccontextmanager
async def open_shadow(settings: Settings) -> AsyncIterator[Database]:
    """The database of the settings, for reading and for writing that is forgotten. Raises DatabaseAway, NotMigrated."""
    if not is_sqlite(settings):
        async with open_database(settings, _POOL) as database:
            await database.check()
            await _shadow_tables(database)
            yield database
        return
    source = sqlite_path(settings)
    if not source.is_file():
        raise DatabaseAway
    with tempfile.TemporaryDirectory(prefix="xiangxiao-rehearsal-") as folder:
        copy = Path(folder) / "copy.db"
        await asyncio.to_thread(_copy, source, copy)
        own = DatabaseSection(url=SecretStr(f"sqlite:////{str(copy).lstrip('/')}"))
        async with open_database(settings.model_copy(update={"database": own})) as database:
            await database.check()
            yield database


def _copy(source: Path, target: Path) -> None:
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as original,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy, pages=_PAGES_AT_ONCE)
    except sqlite3.Error as error:
        raise DatabaseAway from error


async def _shadow_tables(database: Database) -> None:
    _, rows = await database.connection.execute_query(_TABLES)
    names = [row["tablename"] for row in rows if not row["tablename"].startswith(_ONLY_READ)]
    async with transaction() as connection:
        await connection.execute_script("SET TRANSACTION READ WRITE")
        for name in names:
            # The names come from the catalogue of the database itself.
            await connection.execute_script(f'CREATE TEMP TABLE "{name}" (LIKE "{name}" INCLUDING ALL)')
            if not name.startswith(_WITHOUT_ROWS):
                schema = "current_schema()"
                await connection.execute_script(_FILL.format(name=name, schema=schema))
            await connection.execute_script(_NUMBER.format(name=name))
            await connection.execute_script(f'ANALYZE "{name}"')


# By format, since a temporary table goes before the real one of its name and the real one's schema is not always named
# the same.
_FILL: Final = """DO $$ DECLARE given text; BEGIN
-- What the database computes by itself cannot be given.
SELECT string_agg(format('%I', attname), ', ') INTO given FROM pg_attribute
 WHERE attrelid = 'pg_temp."{name}"'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
EXECUTE format('INSERT INTO pg_temp.%I (%s) SELECT %s FROM %I.%I', '{name}', given, given, {schema}, '{name}');
END $$"""
# Numbers that count by themselves come from a sequence of the real table, which must not be moved on.
_NUMBER: Final = """DO $$ DECLARE own text; counter text; at text; BEGIN
FOR own IN SELECT a.attname FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = 'pg_temp."{name}"'::regclass AND pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' LOOP
    counter := 'shadow_{name}_' || own;
    at := 'pg_temp.' || counter;
    EXECUTE format('CREATE TEMP SEQUENCE %I', counter);
    EXECUTE format('SELECT setval(%L, COALESCE(MAX(%I), 0) + 1) FROM pg_temp.%I', at, own, '{name}');
    EXECUTE format('ALTER TABLE pg_temp.%I ALTER COLUMN %I SET DEFAULT nextval(%L)', '{name}', own, at);
END LOOP;
END $$"""
