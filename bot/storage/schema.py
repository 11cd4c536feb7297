"""Which tables belong to the program and which migrations lead to them: found by name, without importing either."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Sequence
from pathlib import Path

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import OperationalError

APP_LABEL = "models"
CONNECTION = "default"
MIGRATIONS = "migrations"


def model_modules() -> list[str]:
    """Every module with tables: `models`, a file or a package, in a package of `bot` or `handlers`."""
    return [
        f"{package}.{part.parent.name}.models"
        for package in ("bot", "handlers")
        for folder in _folders(package)
        for part in sorted([*Path(folder).glob("*/models.py"), *Path(folder).glob("*/models/")])
    ]


def migration_names() -> list[str]:
    """The migrations that come with the program, in order."""
    modules = pkgutil.iter_modules(_folders(MIGRATIONS))
    return sorted(module.name for module in modules if module.name[0].isdigit())


async def pending_migrations(connection: BaseDBAsyncClient) -> list[str]:
    """The migrations this database has not seen yet. Raises DatabaseAway."""
    query = f"SELECT name FROM tortoise_migrations WHERE app = '{APP_LABEL}'"  # noqa: S608 - a constant
    try:
        rows = await connection.execute_query_dict(query)
    except OperationalError:
        return migration_names()  # not even the table that records them
    seen = {row["name"] for row in rows}
    return [name for name in migration_names() if name not in seen]


def _folders(package: str) -> Sequence[str]:
    spec = importlib.util.find_spec(package)
    return spec.submodule_search_locations or () if spec else ()
