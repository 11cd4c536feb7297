"""A request with a key takes effect once: repeated, at the same time, in other processes, across a crash."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.clock import FrozenClock
from bot.storage.database import Database
from bot.storage.models import IdempotentAnswer
from bot.web.api import PREFIX
from bot.web.idempotency import KEPT_FOR, Answers
from tests.bot.web.maker import TABLE, application, made
from tests.programs import PIPE, Running, running

Client = TestClient[web.Request, web.Application]
Result = tuple[int, dict[str, Any]]


@pytest.fixture
async def table(database: Database) -> None:
    await database.connection.execute_script(TABLE)


@pytest.fixture
async def client(table: None, clock: FrozenClock) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application(clock))) as running:
        yield running


def headers(key: str | None, who: str = "wang") -> dict[str, str]:
    return {"Authorization": f"Bearer {who}"} | ({} if key is None else {"Idempotency-Key": key})


async def post(
    client: Client, key: str | None, name: str = "凳子", *, who: str = "wang", path: str = "/things"
) -> Result:
    response = await client.post(f"{PREFIX}{path}", json={"name": name}, headers=headers(key, who))
    return response.status, await response.json()


def code(result: Result) -> tuple[int, str]:
    return result[0], result[1]["error"]["code"]


async def test_the_same_key_and_body_gets_the_same_answer_and_one_effect(client: Client) -> None:
    first = await post(client, "k1")
    assert first[0] == 201
    assert await post(client, "k1") == first
    assert await made() == ["凳子"]


async def test_without_a_key_everything_happens_again(client: Client) -> None:
    """The control of the test above."""
    first = await post(client, None)
    assert await post(client, None) != first
    assert await made() == ["凳子", "凳子"]


async def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    await post(client, "k1")
    assert code(await post(client, "k1", "桌子")) == (409, "idempotency_key_reused")
    assert code(await post(client, "k1", path="/enrolments")) == (409, "idempotency_key_reused")
    assert await made() == ["凳子"]


async def test_the_order_and_spaces_of_a_body_do_not_matter(client: Client) -> None:
    first = await post(client, "k1")
    request = {
        "data": b'{ "name" :  "\\u51f3\\u5b50" }',
        "headers": headers("k1") | {"Content-Type": "application/json"},
    }
    response = await client.post(f"{PREFIX}/things", **request)  # type: ignore[arg-type]
    assert (response.status, await response.json()) == first


async def test_a_key_is_its_caller_s_own(client: Client) -> None:
    first = await post(client, "k1")
    other = await post(client, "k1", "桌子", who="li")
    assert other[0] == 201
    assert other != first


@pytest.mark.parametrize("key", ["", " ", "钥匙", "x" * 129, "a b"])
async def test_a_key_that_is_none_is_refused(client: Client, key: str) -> None:
    assert code(await post(client, key)) == (400, "idempotency_key_invalid")
    assert await made() == []


async def test_where_a_key_is_required_nothing_happens_without_one(client: Client) -> None:
    assert code(await post(client, None, path="/enrolments")) == (400, "idempotency_key_required")
    assert (await post(client, "k1", path="/enrolments"))[0] == 201
    assert await made() == ["凳子"]


async def test_a_refusal_is_an_answer_too(client: Client) -> None:
    first = await post(client, "k1", "taken")
    second = await post(client, "k1", "taken")
    assert code(first) == code(second) == (409, "conflict")
    for part in ("message", "details"):
        assert first[1]["error"][part] == second[1]["error"][part]
    assert await made() == []
    assert code(await post(client, "k1", "桌子")) == (409, "idempotency_key_reused")


async def test_what_was_counted_before_a_refusal_stays_counted(client: Client) -> None:
    """A wrong guess with a key counts as one without."""
    assert code(await post(client, "k1", "counted")) == (409, "conflict")
    assert await made() == ["counted"]
    assert code(await post(client, "k1", "limited")) == (409, "idempotency_key_reused")
    assert code(await post(client, "k2", "limited")) == (429, "limit_reached")
    assert await made() == ["counted", "limited"]


@pytest.mark.parametrize("name", ["away", "limited"])
async def test_what_may_go_well_the_next_moment_leaves_the_key_free(client: Client, name: str) -> None:
    assert (await post(client, "k1", name))[0] in {429, 503}
    assert (await post(client, "k1"))[0] == 201


async def test_a_wrong_body_leaves_the_key_free(client: Client) -> None:
    assert (await post(client, "k1", ""))[0] == 422
    assert (await post(client, "k1"))[0] == 201


async def test_what_comes_at_the_same_time_gets_the_same_answer(client: Client) -> None:
    results = await asyncio.gather(*(post(client, "k1") for _ in range(8)))
    assert all(result == results[0] for result in results)
    assert await made() == ["凳子"]


async def test_answers_are_kept_encrypted_and_forgotten_in_time(
    client: Client, database: Database, clock: FrozenClock
) -> None:
    await post(client, "k1")
    [row] = await database.connection.execute_query_dict("SELECT * FROM idempotent_answer")
    assert "凳子".encode() not in bytes(row["body"])
    assert await Answers(clock).forget_old() == 0
    clock.advance(KEPT_FOR + timedelta(seconds=1))
    assert await Answers(clock).forget_old() == 1


# ------------------------------------------------------------------------------------------------------------- together
async def together(client: Client, *wanted: tuple[str, str], who: str = "wang") -> list[Result]:
    """Keys and names, sent at the same moment."""
    return await asyncio.gather(*(post(client, key, name, who=who, path="/together") for key, name in wanted))


async def test_what_comes_while_others_are_answered_is_answered_in_one_transaction(client: Client) -> None:
    results = await together(client, *((f"k{number}", f"n{number}") for number in range(30)))
    assert [result[0] for result in results] == [201] * 30
    assert await made() == sorted(f"n{number}" for number in range(30))
    assert max(int(result[1]["name"].rpartition(" ")[2]) for result in results) > 1
    # Repeated, in whatever company, everybody gets what they had.
    again = await together(client, *((f"k{number}", f"n{number}") for number in reversed(range(30))), ("new", "new"))
    assert again[:-1] == results[::-1]
    assert again[-1][0] == 201


async def test_each_is_refused_by_itself(client: Client) -> None:
    wanted = [("k1", "凳子"), ("k2", "taken"), ("k3", "away"), ("k1", "桌子"), ("k1", "凳子"), ("k4", "椅子")]
    results = await together(client, *wanted)
    assert [result[0] for result in results] == [201, 409, 503, 409, 201, 201]
    assert results[4] == results[0]
    assert code(results[1]) == (409, "conflict")
    assert code(results[3]) == (409, "idempotency_key_reused")
    assert await made() == ["凳子", "椅子"]
    repeated = await together(client, ("k2", "taken"), ("k3", "书桌"))
    assert (repeated[0][0], repeated[0][1]["error"]["details"]) == (409, {"name": "taken"})
    assert repeated[1][0] == 201, "what may go well the next moment leaves the key free"


async def test_what_the_database_refuses_spoils_nobody_else_s(client: Client) -> None:
    results = await together(client, ("k1", "凳子"), ("k2", "broken"), ("k3", "椅子"), ("k4", "书桌"))
    assert [result[0] for result in results] == [201, 500, 201, 201]
    assert await made() == sorted(["凳子", "椅子", "书桌"])
    assert (await together(client, ("k2", "书架")))[0][0] == 201


async def test_without_a_key_nothing_is_done_together(client: Client) -> None:
    assert code(await post(client, None, path="/together")) == (400, "idempotency_key_required")
    assert code(await post(client, "钥匙", path="/together")) == (400, "idempotency_key_invalid")
    assert await made() == []


# ------------------------------------------------------------------------------------------------------------ processes
class Replica:
    """A process that serves, and a way to ask it."""

    def __init__(self, process: Running, session: aiohttp.ClientSession) -> None:
        self.process = process
        self._session = session
        self._port = ""

    async def line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            return (await self.process.stdout.readline()).decode().strip()

    async def listen(self) -> None:
        self._port = await self.line()

    async def post(self, key: str | None, name: str = "凳子", path: str = "/things") -> Result | None:
        """None when the process died over it."""
        url = f"http://127.0.0.1:{self._port}{PREFIX}{path}"
        try:
            async with self._session.post(url, json={"name": name}, headers=headers(key)) as response:
                return response.status, await response.json()
        except aiohttp.ClientError:
            return None

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def replica(database_url: str, mode: str = "made") -> AsyncIterator[Replica]:
    process = await running("tests.bot.web.maker", database_url, mode, stdout=PIPE)
    async with aiohttp.ClientSession() as session:
        replica = Replica(process, session)
        try:
            yield replica
        finally:
            await replica.kill()


@pytest.mark.engine("postgres")
async def test_processes_share_keys(table: None, database_url: str) -> None:
    keys = [f"k{number}" for number in range(30)]
    async with replica(database_url) as one, replica(database_url) as two:
        await asyncio.gather(one.listen(), two.listen())
        pairs = await asyncio.gather(
            *(asyncio.gather(one.post(key, key), two.post(key, key), one.post(key, key)) for key in keys)
        )
        assert all(pair[0] is not None and pair[0] == pair[1] == pair[2] for pair in pairs)
        assert await made() == sorted(keys)
        shared = await asyncio.gather(
            *(each.post(f"t{key}", f"t{key}", "/together") for key in keys for each in (one, two, one))
        )
        assert all(shared[at] == shared[at + 1] == shared[at + 2] for at in range(0, len(shared), 3))
        assert await made() == sorted([*keys, *(f"t{key}" for key in keys)])
        # The control: without keys each of them makes its own.
        await asyncio.gather(*(each.post(None, "again") for each in (one, two)))
        assert (await made()).count("again") == 2


@pytest.mark.engine("postgres")
async def test_the_effect_of_a_process_that_died_before_its_answer_is_undone(table: None, database_url: str) -> None:
    async with replica(database_url, "hang") as doomed, replica(database_url) as other:
        await asyncio.gather(doomed.listen(), other.listen())
        lost = asyncio.create_task(doomed.post("k1"))
        assert await doomed.line() == "written"
        # One that comes meanwhile waits, and is served when the first is gone.
        waiting = asyncio.create_task(other.post("k1"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await doomed.kill()
        assert await lost is None
        result = await waiting
        assert result is not None
        assert result[0] == 201
        assert await other.post("k1") == result
    assert await made() == ["凳子"]


@pytest.mark.engine("postgres")
@pytest.mark.parametrize(
    ("kills", "seed"), [(4, 0), *(pytest.param(17, seed, marks=pytest.mark.trial) for seed in (1, 2, 3))]
)
async def test_killed_at_any_moment_nothing_is_doubled_or_lost(
    table: None, database_url: str, kills: int, seed: int
) -> None:
    """Each request is repeated until it is answered, as a client on a weak network does."""
    chance = random.Random(seed)
    wanted: list[str] = []
    async with replica(database_url) as survivor:
        await survivor.listen()
        for _ in range(kills):
            async with replica(database_url) as doomed:
                await doomed.listen()
                await doomed.post(None, "warm")
                keys = [uuid4().hex[:20] for _ in range(12)]
                wanted += keys
                sent = [asyncio.create_task(doomed.post(key, key)) for key in keys]
                await asyncio.sleep(chance.uniform(0.0, 0.06))
                await doomed.kill()
                first = await asyncio.gather(*sent)
                again = await asyncio.gather(*(survivor.post(key, key) for key in keys))
                assert all(later is not None and later[0] == 201 for later in again)
                # Whoever had an answer keeps it.
                assert all(early in (None, later) for early, later in zip(first, again, strict=True))
    assert [name for name in await made() if name != "warm"] == sorted(wanted)
    assert await IdempotentAnswer.all().count() == len(wanted)
