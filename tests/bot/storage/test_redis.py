"""Redis and its stand-in: combined reads, deferred writes, locks, and failing fast."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.metrics import Metrics
from bot.storage import redis_keys
from bot.storage.errors import LockBusy, RedisAway
from bot.storage.redis import RedisStore, redis_client, server_client
from bot.storage.redis_batches import LARGEST_BACKLOG, DeferredWrites
from bot.storage.redis_commands import Write
from bot.storage.redis_stand_in import StandIn
from tests.servers import RedisServer, running_redis

MINUTE = timedelta(minutes=1)
# Half of what the fifty calls would take that each waited for its answer.
FAST_S = 25.0


async def calls(client: Redis, command: str) -> int:
    """How often a real server was asked for a command, by its own count."""
    stats = await client.info("commandstats")
    return int(stats.get(f"cmdstat_{command}", {}).get("calls", 0))


@pytest.fixture
async def own_server() -> AsyncIterator[RedisServer]:
    """A server this test may stop."""
    with running_redis() as server:
        yield server


@pytest.fixture
async def own_store(own_server: RedisServer, metrics: Metrics) -> AsyncIterator[RedisStore]:
    store = RedisStore(redis_client(own_server.url), metrics)
    yield store
    await store.close()


@pytest.fixture
async def server_store(redis_server: RedisServer, metrics: Metrics) -> AsyncIterator[RedisStore]:
    """For what only a round trip makes necessary: on a real, emptied Redis."""
    client = server_client(redis_server.url)
    await client.flushall()
    store = RedisStore(client, metrics)
    yield store
    await store.close()


# ------------------------------------------------------------------------------------------------------ single values
async def test_values_are_kept_for_their_time(any_redis: RedisStore) -> None:
    assert await any_redis.get("k") is None
    assert await any_redis.set("k", b"\x00\xff", MINUTE)
    assert await any_redis.get("k") == b"\x00\xff"
    await any_redis.delete("k", "other")
    assert await any_redis.get("k") is None


async def test_if_absent_writes_once(any_redis: RedisStore) -> None:
    assert await any_redis.set("k", b"1", MINUTE, if_absent=True)
    assert not await any_redis.set("k", b"2", MINUTE, if_absent=True)
    assert await any_redis.get("k") == b"1"


async def test_values_of_any_bytes_and_sizes_come_back(any_redis: RedisStore) -> None:
    values = {"": b"no name", "line": b"\n", "empty": b"", "long": bytes(range(256)) * 400, "见": "中文\n 1".encode()}
    await any_redis.set_many([(f"size:{name}", value, MINUTE) for name, value in values.items()])
    keys = [f"size:{name}" for name in values]
    assert await any_redis.read_many([*keys, "size:none", *keys]) == [*values.values(), None, *values.values()]
    assert await any_redis.read_many([]) == []


async def test_lives_end(any_redis: RedisStore) -> None:
    await any_redis.set_many([("short", b"1", timedelta(milliseconds=1)), ("long", b"2", MINUTE)])
    for _ in range(100_000):
        if await any_redis.set("short", b"new", MINUTE, if_absent=True):
            break
    assert await any_redis.read_many(["short", "long"]) == [b"new", b"2"]


async def test_the_stand_in_keeps_nothing_that_has_expired() -> None:
    seconds = 0.0
    stand_in = StandIn(lambda: seconds)
    stand_in.put("lasting", b"", 10**9)
    for number in range(30_000):
        seconds = number / 1000
        stand_in.put(str(number), b"v", 1_000)
    assert len(stand_in._values) < 15_000
    assert len(stand_in.names()) == 1_001
    assert await stand_in.increment("n", 1_000) == 1
    seconds += 0.9
    assert await stand_in.increment("n", 1_000) == 2
    seconds += 0.2
    assert await stand_in.increment("n", 1_000) == 1
    assert not await stand_in.delete_if(str(number), b"v")


async def test_several_values_are_written_as_one(any_redis: RedisStore) -> None:
    any_redis.write_behind("a", b"deferred", MINUTE)
    await any_redis.set_many([("a", b"1", MINUTE), ("b", b"", MINUTE)])
    await any_redis.flush()
    assert await any_redis.read_many(["a", "b"]) == [b"1", b""]
    await any_redis.set_many([])


async def test_delete_if_spares_a_newer_value(any_redis: RedisStore) -> None:
    await any_redis.set("k", b"new", MINUTE)
    assert not await any_redis.delete_if("k", b"old")
    assert await any_redis.get("k") == b"new"
    assert await any_redis.delete_if("k", b"new")
    assert await any_redis.get("k") is None


async def test_increment_counts_from_one_for_a_time(any_redis: RedisStore) -> None:
    assert [await any_redis.increment("n", MINUTE) for _ in range(3)] == [1, 2, 3]
    assert await any_redis.increment("m", timedelta(milliseconds=1)) == 1


async def test_a_wrong_command_is_our_fault_and_not_called_away(redis_server: RedisServer, metrics: Metrics) -> None:
    client = server_client(redis_server.url)
    store = RedisStore(client, metrics)
    await client.rpush("list", "x")
    with pytest.raises(ResponseError):
        await store.increment("list", MINUTE)
    await store.ping()
    await client.delete("list")
    await store.close()


# ------------------------------------------------------------------------------------------------------ combined reads
async def test_reads_of_one_tick_share_one_round_trip(server_store: RedisStore, metrics: Metrics) -> None:
    for number in range(100):
        server_store.write_behind(f"k{number}", str(number).encode(), MINUTE)
    await server_store.flush()
    before = metrics.registry.get_sample_value("xiangxiao_redis_combined_reads_total")
    asked: list[Sequence[str]] = [[f"k{number}", f"absent{number}"] for number in range(100)]
    results = await asyncio.gather(*(server_store.read_many(keys) for keys in asked))
    assert results == [[str(number).encode(), None] for number in range(100)]
    assert before is not None
    assert metrics.registry.get_sample_value("xiangxiao_redis_combined_reads_total") == before + 1


async def test_the_server_counts_one_mget_too(redis_server: RedisServer, metrics: Metrics) -> None:
    client = server_client(redis_server.url)
    store = RedisStore(client, metrics)
    before = await calls(client, "mget")
    await asyncio.gather(*(store.read_many(["a", "b", "c"]) for _ in range(64)))
    assert await calls(client, "mget") == before + 1
    for _ in range(3):
        await store.read_many(["a"])
    assert await calls(client, "mget") == before + 4
    await store.close()


async def test_reads_that_arrive_while_one_is_under_way_share_the_next(
    server_store: RedisStore, metrics: Metrics
) -> None:
    await server_store.set("k", b"v", MINUTE)
    first = asyncio.create_task(server_store.read_many(["k"]))
    for _ in range(3):
        await asyncio.sleep(0)
    later = [asyncio.create_task(server_store.read_many(["k", "none"])) for _ in range(20)]
    assert await first == [b"v"]
    assert await asyncio.gather(*later) == [[b"v", None]] * 20
    reads = metrics.registry.get_sample_value("xiangxiao_redis_combined_reads_total")
    assert reads is not None
    assert reads <= 2


async def test_a_reader_that_gives_up_harms_no_other(server_store: RedisStore) -> None:
    await server_store.set("k", b"v", MINUTE)
    impatient = asyncio.create_task(server_store.read_many(["k"]))
    patient = asyncio.create_task(server_store.read_many(["k"]))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == [b"v"]
    with pytest.raises(asyncio.CancelledError):
        await impatient


# ----------------------------------------------------------------------------------------------------- deferred writes
async def test_deferred_writes_arrive_in_one_batch(redis_server: RedisServer, metrics: Metrics) -> None:
    client = server_client(redis_server.url)
    store = RedisStore(client, metrics)
    for number in range(50):
        store.write_behind(f"behind{number}", b"old", MINUTE)
        store.write_behind(f"behind{number}", b"new", MINUTE)
    assert await client.get("behind7") is None
    before = await calls(client, "set")
    await store.flush()
    assert await client.get("behind7") == b"new"
    assert 0 < await client.pttl("behind7") <= 60_000
    assert await calls(client, "set") == before + 50
    await store.close()


async def test_deferred_writes_leave_by_themselves(metrics: Metrics) -> None:
    left = asyncio.Event()
    sent: list[Write] = []

    async def write_all(writes: Sequence[Write]) -> None:
        sent.extend(writes)
        left.set()

    DeferredWrites(write_all, metrics).put("k", b"v", 60_000)
    async with asyncio.timeout(60):
        await left.wait()
    assert sent == [("k", b"v", 60_000)]


async def test_a_backlog_is_bounded(metrics: Metrics) -> None:
    async def never(_: Sequence[Write]) -> None:
        await asyncio.Event().wait()

    writes = DeferredWrites(never, metrics)
    for number in range(LARGEST_BACKLOG + 10):
        writes.put(str(number), b"v", 60_000)
    assert metrics.registry.get_sample_value("xiangxiao_write_behind_lost_total") == 10


async def test_a_process_reads_what_it_wrote_behind(any_redis: RedisStore) -> None:
    await any_redis.set("k", b"old", MINUTE)
    any_redis.write_behind("k", b"new", MINUTE)
    any_redis.write_behind("empty", b"", MINUTE)
    assert await any_redis.read_many(["k", "empty", "none"]) == [b"new", b"", None]


async def test_a_direct_write_outlives_a_deferred_one(any_redis: RedisStore) -> None:
    any_redis.write_behind("deleted", b"deferred", MINUTE)
    any_redis.write_behind("written", b"deferred", MINUTE)
    flushing = asyncio.create_task(any_redis.flush())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await any_redis.delete("deleted")
    await any_redis.set("written", b"direct", MINUTE)
    await flushing
    assert await any_redis.read_many(["deleted", "written"]) == [None, b"direct"]


async def test_deferred_writes_are_sent_at_shutdown(redis_server: RedisServer, metrics: Metrics) -> None:
    store = RedisStore(redis_client(redis_server.url), metrics)
    store.write_behind("last", b"words", MINUTE)
    await store.close()
    other = RedisStore(redis_client(redis_server.url), metrics)
    assert await other.get("last") == b"words"
    await other.close()


# --------------------------------------------------------------------------------------------------------------- locks
async def test_a_lock_has_one_holder_and_serves_in_order(any_redis: RedisStore) -> None:
    order: list[int] = []
    inside = 0

    async def enter(number: int) -> None:
        nonlocal inside
        async with any_redis.lock("l", MINUTE):
            inside += 1
            assert inside == 1
            order.append(number)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(enter(number) for number in range(20)))
    assert order == list(range(20))


async def test_without_the_lock_they_would_meet(any_redis: RedisStore) -> None:
    """The control of the test above: the same steps, unlocked, do meet."""
    most = inside = 0

    async def enter() -> None:
        nonlocal inside, most
        await any_redis.get("l")
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1

    await asyncio.gather(*(enter() for _ in range(20)))
    assert most > 1


async def test_another_process_is_kept_out_and_let_in_afterwards(redis_server: RedisServer, metrics: Metrics) -> None:
    here = RedisStore(redis_client(redis_server.url), metrics)
    there = RedisStore(redis_client(redis_server.url), metrics)
    async with here.lock("shared", MINUTE):
        with pytest.raises(LockBusy):
            async with there.lock("shared", MINUTE, wait=timedelta()):
                pytest.fail("held here")
        waiting = asyncio.create_task(_hold(there, "shared"))
        await asyncio.sleep(0)
    await waiting
    await here.close()
    await there.close()


async def _hold(store: RedisStore, key: str) -> None:
    async with store.lock(key, MINUTE):
        pass


async def test_a_lock_that_ran_out_is_not_taken_from_its_next_holder(any_redis: RedisStore) -> None:
    async with any_redis.lock("l", MINUTE):
        await any_redis.set("l", b"somebody else", MINUTE)
    assert await any_redis.get("l") == b"somebody else"


async def test_waiting_in_line_ends_too(any_redis: RedisStore) -> None:
    async with any_redis.lock("l", MINUTE):
        with pytest.raises(LockBusy):
            async with any_redis.lock("l", MINUTE, wait=timedelta(milliseconds=20)):
                pytest.fail("held already")
    async with any_redis.lock("l", MINUTE, wait=timedelta()):
        pass


async def test_a_holder_that_fails_or_is_cancelled_lets_go(any_redis: RedisStore) -> None:
    with pytest.raises(ZeroDivisionError):
        async with any_redis.lock("l", MINUTE):
            raise ZeroDivisionError
    never = asyncio.Event()

    async def hang() -> None:
        async with any_redis.lock("l", MINUTE):
            await never.wait()

    task = asyncio.create_task(hang())
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with any_redis.lock("l", MINUTE, wait=timedelta(seconds=1)):
        pass


# ---------------------------------------------------------------------------------------------------------------- away
async def test_every_operation_says_away_and_none_waits(own_store: RedisStore, own_server: RedisServer) -> None:
    await own_store.set("k", b"v", MINUTE)
    own_server.kill()
    started = asyncio.get_running_loop().time()
    for _ in range(20):
        for operation in (
            own_store.get("k"),
            own_store.read_many(["a", "b"]),
            own_store.set("k", b"v", MINUTE),
            own_store.delete("k"),
            own_store.increment("n", MINUTE),
            own_store.ping(),
            _hold(own_store, "l"),
        ):
            with pytest.raises(RedisAway):
                await operation
    assert asyncio.get_running_loop().time() - started < FAST_S


async def test_all_readers_of_a_tick_hear_that_it_is_away(own_store: RedisStore, own_server: RedisServer) -> None:
    own_server.kill()
    results = await asyncio.gather(*(own_store.read_many(["k"]) for _ in range(10)), return_exceptions=True)
    assert all(isinstance(result, RedisAway) for result in results)


async def test_a_server_that_hangs_costs_one_timeout_not_many(own_store: RedisStore, own_server: RedisServer) -> None:
    await own_store.set("k", b"v", MINUTE)
    own_server.freeze()
    started = asyncio.get_running_loop().time()
    for _ in range(50):
        with pytest.raises(RedisAway):
            await own_store.get("k")
    assert asyncio.get_running_loop().time() - started < FAST_S
    own_server.thaw()


async def test_it_is_used_again_when_it_is_back(own_store: RedisStore, own_server: RedisServer) -> None:
    await own_store.set("k", b"v", MINUTE)
    own_server.kill()
    with pytest.raises(RedisAway):
        await own_store.get("k")
    own_server.start()
    await own_store.ping()
    assert await own_store.get("k") is None
    assert await own_store.set("k", b"v", MINUTE)


async def test_deferred_writes_lost_to_an_outage_are_counted(
    own_store: RedisStore, own_server: RedisServer, metrics: Metrics
) -> None:
    own_server.kill()
    own_store.write_behind("k", b"v", MINUTE)
    await own_store.flush()
    assert metrics.registry.get_sample_value("xiangxiao_write_behind_lost_total") == 1


async def test_closing_without_a_server_ends(own_server: RedisServer, metrics: Metrics) -> None:
    store = RedisStore(redis_client(own_server.url), metrics)
    own_server.kill()
    store.write_behind("k", b"v", MINUTE)
    async with asyncio.timeout(FAST_S):
        await store.close()


# --------------------------------------------------------------------------------------------------------------- names
def test_every_key_has_a_name_of_its_own() -> None:
    names = [
        redis_keys.reply("x"),
        redis_keys.session("x"),
        redis_keys.profile("x"),
        redis_keys.frame("x"),
        redis_keys.person_lock("x"),
        redis_keys.rate("x", 1),
        redis_keys.failures("x", 1),
        redis_keys.requests("x", 1),
        redis_keys.access_token("x"),
        redis_keys.access_token_lock("x"),
    ]
    assert len(set(names)) == len(names)
    assert all(name.startswith("xiangxiao:") for name in names)


def test_key_names_stand_in_one_module_only() -> None:
    root = Path(__file__).parents[3]
    holders = [
        path
        for folder in ("bot", "handlers")
        for path in (root / folder).rglob("*.py")
        if "xiangxiao:" in path.read_text()
    ]
    assert [path.name for path in holders] == ["redis_keys.py"]
