"""A replica in a process of its own that makes things, one row each. Says its port, then serves until it is killed.

Arguments: database address, mode: `made` answers, `hang` writes the row and never gets to its answer.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import BaseModel, Field
from tortoise import Tortoise

from bot.clock import FrozenClock
from bot.errors import AppError, Conflict, LimitReached, NotAuthenticated, Unavailable
from bot.identity import Actor, Role
from bot.metrics import Metrics
from bot.rights import Action
from bot.storage.database import open_database, transaction
from bot.storage.redis import RedisStore, redis_client
from bot.storage.schema import CONNECTION
from bot.web.api import PREFIX, ApiCall, ApiRoute, Surroundings, api_application
from bot.web.idempotency import Answers
from bot.web.limits import Addresses, FailureLimit, PersonLimit
from bot.web.middlewares import edge
from tests.bot.dialogue.stage import NOW
from tests.settings import make_settings

TABLE = "CREATE TABLE made_thing (name TEXT NOT NULL)"
PEOPLE = ("wang", "li")


class Wish(BaseModel):
    name: str = Field(min_length=1, max_length=20)


class Made(BaseModel):
    id: str
    name: str


async def write(name: str | None) -> None:
    connection = Tortoise.get_connection(CONNECTION)
    mark = "$1" if connection.capabilities.dialect == "postgres" else "?"
    await connection.execute_query(f"INSERT INTO made_thing (name) VALUES ({mark})", [name])


async def made() -> list[str]:
    """Everything that was made."""
    rows: list[dict[str, Any]] = await Tortoise.get_connection(CONNECTION).execute_query_dict(
        "SELECT * FROM made_thing"
    )
    return sorted(row["name"] for row in rows)


async def make(call: ApiCall) -> Made:
    """As a service would: its own transaction, then the answer. Some names go wrong."""
    name = call.body.name
    if name.startswith("limited"):
        async with transaction():
            await write(name)
        raise LimitReached
    async with transaction():
        await write(name)
        if name.startswith("taken"):
            raise Conflict("已经有了，请换一个。", details={"name": name})
        if name.startswith("away"):
            raise Unavailable
    if name.startswith("counted"):
        raise Conflict
    return Made(id=str(uuid4()), name=name)


async def make_together(calls: Sequence[ApiCall]) -> list[Made | AppError]:
    """The same for many in one transaction. Of what is named `broken` the database itself wants nothing."""
    outcomes: list[Made | AppError] = []
    for call in calls:
        name = call.body.name
        if name.startswith("taken"):
            outcomes.append(Conflict("已经有了，请换一个。", details={"name": name}))
        elif name.startswith("away"):
            outcomes.append(Unavailable())
        else:
            await write(None if name.startswith("broken") else name)
            outcomes.append(Made(id=str(uuid4()), name=f"{name} of {len(calls)}"))
    return outcomes


async def make_and_hang(call: ApiCall) -> Made:
    async with transaction():
        await write(call.body.name)
    sys.stdout.write("written\n")
    sys.stdout.flush()
    await asyncio.Event().wait()
    raise AssertionError("nobody wakes it")


async def authenticate(token: str) -> Actor:
    if token not in PEOPLE:
        raise NotAuthenticated
    return Actor(roles=frozenset({Role.GUARDIAN}), identity_id=token, has_agreed=True)


def application(clock: FrozenClock, mode: str = "made") -> web.Application:
    """The edge over two routes: a key is optional at one, required at the other."""
    store = RedisStore(redis_client("memory://"), Metrics())
    parts = Surroundings(
        failures=FailureLimit(lambda: store, clock, 10_000),
        people=PersonLimit(lambda: store, clock, 10_000),
        answers=Answers(clock),
        addresses=Addresses([]),
        authenticate=authenticate,
    )
    handle = make_and_hang if mode == "hang" else make
    routes = [
        ApiRoute(
            method="POST", path=path, summary="做一个", handle=handle, request=Wish, response=Made, status=201,
            action=Action.CHILD_VIEW, errors=(409,), key_required=required,
        )
        for path, required in (("/things", False), ("/enrolments", True))
    ]  # fmt: skip
    together = ApiRoute(
        method="POST", path="/together", summary="一起做", together=make_together, request=Wish, response=Made,
        status=201, action=Action.CHILD_VIEW, errors=(409,), key_required=True,
    )  # fmt: skip
    routes.append(together)
    app = web.Application(middlewares=[edge(Metrics())])
    app.add_subapp(PREFIX, api_application(routes, parts))
    return app


async def main(database_url: str, mode: str) -> None:
    async with open_database(make_settings(database={"url": database_url})) as database:
        await database.check()
        async with TestServer(application(FrozenClock(NOW), mode)) as server:
            sys.stdout.write(f"{server.port}\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
