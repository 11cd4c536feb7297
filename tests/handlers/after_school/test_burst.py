"""Two thousand guardians want 45 places in the same second: exact, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bot.config import Settings
from bot.storage.database import transaction
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import AfterSchoolPool
from handlers.after_school.service.book import Book, Move, open_book
from tests.bench.service import Stores, embedded, external, serving
from tests.handlers.after_school.burst import Answer, inspect, judge, rush, settle
from tests.handlers.after_school.stage import NOW, Stage, check, pool
from tests.servers import PostgresServer, RedisServer
from tests.settings import make_settings

pytestmark = pytest.mark.slow
SIZES = [pytest.param(90, id="short"), pytest.param(2_000, id="full", marks=pytest.mark.trial)]


def settings_of(stores: Stores) -> Settings:
    return make_settings(database={"url": stores.database_url}, redis={"url": stores.redis_url})


@pytest.mark.engine("postgres")
@pytest.mark.parametrize("families", SIZES)
async def test_two_replicas_give_out_every_place_once(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path: Path, families: int
) -> None:
    stores = await asyncio.to_thread(external, postgres, redis_server)
    settings = settings_of(stores)
    claims = await settle(settings, families)
    started = partial(serving, stores=stores, mode="safe", folder=tmp_path, is_measured=False)
    with ExitStack() as stack:
        replicas = [stack.enter_context(started(name)) for name in ("one", "two")]
        answers = await rush(claims, replicas)
        assert judge(answers) == []
        # Everybody asks again with the same key, the other replica first: nothing changes.
        assert await rush(claims, replicas[::-1]) == answers
    await inspect(settings, claims)


@pytest.mark.engine("postgres")
@pytest.mark.parametrize("families", SIZES)
async def test_a_replica_killed_in_the_middle_changes_nothing(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path: Path, families: int
) -> None:
    stores = await asyncio.to_thread(external, postgres, redis_server)
    settings = settings_of(stores)
    claims = await settle(settings, families)
    started = partial(serving, stores=stores, mode="safe", folder=tmp_path, is_measured=False)
    with ExitStack() as stack:
        doomed, survivor = [stack.enter_context(started(name)) for name in ("one", "two")]

        def kill(count: int) -> None:
            if count == families // 5:
                doomed.process.kill()

        answers = await rush(claims, [doomed, survivor], kill)
        assert judge(answers) == []
        assert doomed.process.wait() != 0
        assert await rush(claims, [survivor]) == answers
    await inspect(settings, claims)


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("families", SIZES)
async def test_one_process_over_sqlite_is_as_exact(tmp_path: Path, families: int) -> None:
    stores = await asyncio.to_thread(embedded, tmp_path)
    settings = settings_of(stores)
    claims = await settle(settings, families)
    with serving("one", stores, "safe", tmp_path, is_measured=False) as server:
        answers = await rush(claims, [server])
        assert judge(answers) == []
        assert await rush(claims, [server]) == answers
    await inspect(settings, claims)


# ------------------------------------------------------------------------------------------------------------- controls
async def take(stage: Stage, child: int, book: Book) -> None:
    """One place, if the book has one left."""
    own, (pool_id, row) = uuid4(), next(iter(book.pools.items()))
    state = EnrolmentState.ENROLLED if row.taken < (row.places or 0) else EnrolmentState.WAITLISTED
    columns = {
        "id": own,
        "plan_id": row.plan_id,
        "programme_id": UUID(stage.programmes["围棋"]),
        "pool_id": pool_id,
        "pupil_id": stage.children[child].id,
        "party_id": own,
        "state": state,
        "turn": book.turn_of([pool_id]),
        "source": Source.CHAT,
    }
    book.add(columns, Move(None, Source.CHAT, NOW))
    await book.save(NOW)


@pytest.mark.engine("postgres")
async def test_without_the_lock_of_the_pool_places_are_given_out_twice(stage: Stage) -> None:
    """The control: both look before either writes."""
    await stage.build(4)
    await stage.publish(pool("围棋", 1))
    both_have_looked = asyncio.Barrier(2)

    async def careless(child: int) -> None:
        async with transaction():
            book = Book(await AfterSchoolPool.filter(id=stage.pools["围棋"]))
            await both_have_looked.wait()
            await take(stage, child, book)

    async def careful(child: int) -> None:
        async with transaction():
            await take(stage, child, await open_book([UUID(stage.programmes["围棋"])]))

    await asyncio.gather(careful(0), careful(1))
    await check()
    await asyncio.gather(careless(2), careless(3))
    with pytest.raises(AssertionError):
        await check()


def test_the_judge_sees_what_is_wrong() -> None:
    right: list[Answer] = [(201, {"id": str(n), "status": "enrolled", "position": None}) for n in range(2)]
    right += [(201, {"id": str(n + 2), "status": "waitlisted", "position": n}) for n in (1, 2)]
    assert judge(right, 2) == []
    assert judge(right, 1) != []
    assert judge([*right[:3], right[2]], 2) != []
    assert judge([*right[:3], (409, {"error": {}})], 2) != []
    assert judge([*right[:3], (201, {"id": "9", "status": "waitlisted", "position": 3})], 2) != []
