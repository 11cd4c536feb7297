"""Using a PostgreSQL database again: every row removed, every sequence back at its start, the tables as they were."""

from __future__ import annotations

import asyncpg

MIGRATIONS = "tortoise_migrations"
# More rows than this and a new copy is cheaper, and leaves no dead rows behind for the next test to read past.
MOST_ROWS = 2_000

_OF_PUBLIC = "relnamespace = 'public'::regnamespace"
_FORM = f"""
SELECT md5(concat_ws('|',
  (SELECT string_agg(concat_ws(' ', c.relname, a.attname, a.atttypid, a.attnotnull), ',' ORDER BY c.relname, a.attnum)
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.{_OF_PUBLIC} AND NOT a.attisdropped),
  (SELECT string_agg(concat_ws(' ', tgname, tgenabled), ',' ORDER BY tgname, tgrelid)
     FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE c.{_OF_PUBLIC}),
  (SELECT string_agg(conname, ',' ORDER BY conname, conrelid)
     FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
  (SELECT string_agg(concat_ws(' ', app, name), ',' ORDER BY id) FROM {MIGRATIONS})))
"""
# In one go at the server: a question for each table would take longer than its answer.
_REMOVE = f"""
DO $$
DECLARE one name; gone bigint; removed bigint := 0;
BEGIN
  FOR one IN SELECT relname FROM pg_class WHERE {_OF_PUBLIC} AND relkind = 'r' AND relname <> '{MIGRATIONS}' LOOP
    EXECUTE format('DELETE FROM %I', one);
    GET DIAGNOSTICS gone = ROW_COUNT;
    removed := removed + gone;
  END LOOP;
  FOR one IN SELECT relname FROM pg_class WHERE {_OF_PUBLIC} AND relkind = 'S' AND relname NOT LIKE '{MIGRATIONS}%' LOOP
    PERFORM setval(quote_ident(one)::regclass, 1, false);
  END LOOP;
  PERFORM set_config('emptying.removed', removed::text, true);
END $$
"""
_OTHERS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
_ARE_HERE = "WHERE datname = current_database() AND pid <> pg_backend_pid()"


async def form_of(url: str) -> str:
    """A digest of the tables, triggers, constraints and migrations of a database."""
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval(_FORM))
    finally:
        await connection.close()


async def emptied(url: str, form: str) -> bool:
    """Empties a database; `False` when it has not the given form any more, or held too much to be worth it."""
    try:
        connection = await asyncpg.connect(url)
    except asyncpg.PostgresError:
        return False
    try:
        await connection.fetch(f"{_OTHERS} {_ARE_HERE}")
        if await connection.fetchval(_FORM) != form:
            return False
        return await _remove_rows(connection) <= MOST_ROWS
    except asyncpg.PostgresError:
        return False
    finally:
        await connection.close()


async def _remove_rows(connection: asyncpg.Connection) -> int:
    """How many rows there were. As a replica: neither foreign keys nor the triggers that guard the audit log run."""
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(_REMOVE)
        return int(await connection.fetchval("SELECT current_setting('emptying.removed')"))
