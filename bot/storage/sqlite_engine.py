"""SQLite for one process: transactions that take the write lock at once.

Tortoise begins transactions deferred. One that reads first and writes then fails at once with "database is locked" when
another process (the command line, say) has written in between, whatever the timeout. BEGIN IMMEDIATE waits its turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections

from bot.storage.errors import DatabaseAway


class ImmediateTransactionWrapper(SqliteTransactionWrapper):
    """A transaction that holds the write lock from its first moment."""

    async def begin(self) -> None:
        """Waits for the write lock, at most the busy timeout. Raises DatabaseAway."""
        try:
            await self._connection.commit()
            await self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise DatabaseAway from error

    async def execute_script(self, query: str) -> None:
        """Several statements, inside the transaction: SQLite's own way of running a script would commit it first."""
        for statement in _statements(query):
            await self.execute_query(statement)


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for piece in script.split(";"):
        pending += piece + ";"
        if pending.strip("; \n\t") and sqlite3.complete_statement(pending):
            yield pending
            pending = ""


class ImmediateTransactionContext(SqliteTransactionContext):
    """As Tortoise's, but a transaction that could not begin, or was cancelled while beginning, gives the lock back."""

    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        token = None
        try:
            await self.ensure_connection()
            token = get_connections().set(self.connection_name, self.connection)
            await self.connection.begin()
        except BaseException:
            get_connections().reset(token)
            await self._undo_begin()
            self._trxlock.release()
            raise
        self.token = token
        return self.connection  # type: ignore[no-any-return] # typed Any upstream

    async def _undo_begin(self) -> None:
        """A cancelled statement may still reach the connection's thread; a rollback queued behind it undoes it."""
        if self.connection._connection:
            with contextlib.suppress(sqlite3.Error, ValueError):
                await asyncio.shield(self.connection._connection.rollback())


class ImmediateSqliteClient(SqliteClient):
    """The client of the engine named by this module."""

    def __init__(self, file_path: str, **pragmas: Any) -> None:
        pragmas.setdefault("busy_timeout", 10_000)
        # With the write-ahead log, NORMAL loses at most the last commits on a power cut, never the database.
        pragmas.setdefault("synchronous", "FULL")
        super().__init__(file_path, **pragmas)

    def _in_transaction(self) -> TransactionContext:
        return ImmediateTransactionContext(ImmediateTransactionWrapper(self), self._lock)


client_class = ImmediateSqliteClient
