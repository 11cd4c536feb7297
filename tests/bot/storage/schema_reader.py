"""The tables of a database as it says itself, in the same words for both engines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tortoise.backends.base.client import BaseDBAsyncClient

OWN_TABLES = {"tortoise_migrations"}


@dataclass(frozen=True, slots=True)
class Table:
    """Column names; the columns of every index; the columns of every unique index or constraint (keys included)."""

    columns: frozenset[str]
    indexes: frozenset[tuple[str, ...]]
    uniques: frozenset[tuple[str, ...]]

    @staticmethod
    def dump(tables: Mapping[str, Table]) -> str:
        """All tables as JSON with one line a fact, to be kept and compared."""
        shown = {
            name: {
                "columns": sorted(table.columns),
                "indexes": [", ".join(columns) for columns in sorted(table.indexes)],
                "uniques": [", ".join(columns) for columns in sorted(table.uniques)],
            }
            for name, table in sorted(tables.items())
        }
        return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


async def read_schema(connection: BaseDBAsyncClient) -> dict[str, Table]:
    """Every table but Tortoise's own."""
    read = _from_sqlite if connection.capabilities.dialect == "sqlite" else _from_postgres
    return {name: table for name, table in (await read(connection)).items() if name not in OWN_TABLES}


async def _from_sqlite(connection: BaseDBAsyncClient) -> dict[str, Table]:
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    tables = {}
    for row in await connection.execute_query_dict(listed):
        columns = await connection.execute_query_dict(f"PRAGMA table_xinfo({row['name']})")
        indexes: set[tuple[str, ...]] = set()
        uniques = {tuple(column["name"] for column in columns if column["pk"])} - {()}
        for index in await connection.execute_query_dict(f"PRAGMA index_list({row['name']})"):
            parts = await connection.execute_query_dict(f"PRAGMA index_info({index['name']})")
            names = tuple(part["name"] for part in parts)
            (uniques if index["unique"] else indexes).add(names)
        tables[row["name"]] = Table(frozenset(c["name"] for c in columns), frozenset(indexes), frozenset(uniques))
    return tables


async def _from_postgres(connection: BaseDBAsyncClient) -> dict[str, Table]:
    columns = await connection.execute_query_dict(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    )
    indexes = await connection.execute_query_dict(
        "SELECT t.relname AS table_name, i.indisunique AS is_unique,"
        " array_agg(a.attname::text ORDER BY k.place) AS names"
        " FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
        " CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place)"
        " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number"
        " WHERE n.nspname = 'public' GROUP BY t.relname, i.indexrelid, i.indisunique"
    )
    names = {row["table_name"] for row in columns}

    def of(table: str, *, unique: bool) -> frozenset[tuple[str, ...]]:
        return frozenset(
            tuple(row["names"]) for row in indexes if row["table_name"] == table and row["is_unique"] is unique
        )

    return {
        name: Table(
            frozenset(row["column_name"] for row in columns if row["table_name"] == name),
            of(name, unique=False),
            of(name, unique=True),
        )
        for name in names
    }
