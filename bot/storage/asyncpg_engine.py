"""PostgreSQL through asyncpg, failing fast and under one name.

Every way in which the server can be away (refused, reset, silent, shutting down) becomes `DatabaseAway`. After a failed
attempt to connect, the next ones fail at once for a moment: a dead server costs one caller the timeout, not all.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import NestedTransactionContext, TransactionalDBClient, TransactionContextPooled
from tortoise.connection import get_connections
from tortoise.exceptions import DBConnectionError

from bot.logs import get_logger
from bot.storage.errors import DatabaseAway

CONNECT_TIMEOUT_S = 3.0
ACQUIRE_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 15.0
IDLE_IN_TRANSACTION_S = 15.0
REST_AFTER_FAILURE_S = 1.0

log = get_logger(__name__)

_AWAY: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.exceptions.ConnectionDoesNotExistError,
    asyncpg.InternalClientError,
    DBConnectionError,
)


def _is_away(error: BaseException) -> bool:
    # "connection is closed", "has been released": an interface error like any misuse, told apart by its words only.
    lost = isinstance(error, asyncpg.InterfaceError) and any(word in str(error) for word in ("clos", "released"))
    return lost or isinstance(error, _AWAY)


class _Door:
    """Lets callers through to the server unless it was found away a moment ago."""

    def __init__(self) -> None:
        self._closed_until = 0.0

    def check(self) -> None:
        if asyncio.get_running_loop().time() < self._closed_until:
            raise DatabaseAway

    def close(self) -> None:
        self._closed_until = asyncio.get_running_loop().time() + REST_AFTER_FAILURE_S


class _BoundedPool:
    """The pool as Tortoise uses it, with a bound on how long a caller waits for a connection."""

    def __init__(self, pool: asyncpg.Pool, door: _Door) -> None:
        self._pool = pool
        self._door = door

    async def acquire(self) -> Any:
        self._door.check()
        try:
            return await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except Exception as error:
            if not _is_away(error):
                raise
            if not self._is_merely_busy(error):
                self._door.close()
            raise DatabaseAway from error

    def _is_merely_busy(self, error: Exception) -> bool:
        return isinstance(error, TimeoutError) and self._pool.get_size() >= self._pool.get_max_size()

    async def release(self, connection: Any) -> None:
        await self._pool.release(connection)

    async def close(self) -> None:
        await self._pool.close()

    def terminate(self) -> None:
        self._pool.terminate()

    async def expire_connections(self) -> None:
        await self._pool.expire_connections()


class PooledTransaction(TransactionContextPooled):
    """As Tortoise's, but a transaction that could not begin gives its connection back, and a lost server has a name."""

    async def __aenter__(self) -> TransactionalDBClient:
        try:
            return await super().__aenter__()
        except BaseException:
            await self._give_back()
            raise

    async def _give_back(self) -> None:
        token = getattr(self, "token", None)
        if token is not None:
            get_connections().reset(token)
        if self.client._connection is not None:
            await self.client._parent._pool.release(self.client._connection)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(exc_type, exc, traceback)
        except Exception as error:
            if not _is_away(error):
                raise
            if exc_type is None:
                raise DatabaseAway from error
            # What went wrong inside says more than a rollback that found nobody: it goes on by itself.
            log.info("rollback_found_no_server", error=repr(error))


class _UnchangedConnection(asyncpg.Connection):  # type: ignore[misc] # asyncpg has no types
    """A connection that is given back as it is, which saves a round trip each time.

    Nothing done through the pool outlives its transaction: settings are `SET LOCAL`, locks are those of transactions,
    and nobody listens. Whoever needs more opens a connection of their own, as the migrations do.
    """

    def get_reset_query(self) -> str:
        """Nothing. An open transaction is rolled back all the same."""
        return ""


class _Translating(AsyncpgDBClient):
    connection_class = _UnchangedConnection

    async def _translate_exceptions(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._translate_exceptions(func, *args, **kwargs)
        except Exception as error:
            if _is_away(error):
                raise DatabaseAway from error
            raise


class PromptTransactionWrapper(_Translating, TransactionWrapper):
    """A transaction on one connection of the pool."""

    def _in_transaction(self) -> NestedTransactionContext:
        return NestedTransactionContext(PromptTransactionWrapper(self))


class PromptAsyncpgClient(_Translating):
    """The client of the engine named by this module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("timeout", CONNECT_TIMEOUT_S)
        kwargs.setdefault("command_timeout", COMMAND_TIMEOUT_S)
        kwargs.setdefault("application_name", "xiangxiao")
        kwargs.setdefault("maxsize", 10)
        # The lease of what a transaction claims: when its process has frozen, the server undoes it after this.
        idle_s = float(kwargs.pop("idle_in_transaction_s", IDLE_IN_TRANSACTION_S))
        given = kwargs.get("server_settings") or {}
        kwargs["server_settings"] = {"idle_in_transaction_session_timeout": f"{idle_s * 1000:.0f}", **given}
        super().__init__(*args, **kwargs)
        self._door = _Door()

    async def create_connection(self, with_db: bool) -> None:
        """Opens the pool. Raises DatabaseAway."""
        self._door.check()
        try:
            await super().create_connection(with_db)
        except Exception as error:
            if not _is_away(error):
                raise
            self._door.close()
            raise DatabaseAway from error

    async def create_pool(self, **kwargs: Any) -> Any:
        """The pool, with bounded waits."""
        return _BoundedPool(await super().create_pool(**kwargs), self._door)

    def _in_transaction(self) -> PooledTransaction:
        return PooledTransaction(PromptTransactionWrapper(self), self._pool_init_lock)


client_class = PromptAsyncpgClient
