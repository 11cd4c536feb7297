"""The limiter: never more than the rate in any second, over all workers, whatever Redis forgets."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from bot.clock import FrozenClock
from bot.delivery.credits import Credits
from bot.delivery.limiter import Limiter
from bot.delivery.pushes import ChannelName
from bot.metrics import Metrics
from bot.storage.redis import RedisStore, redis_client
from tests.servers import RedisServer

RATE = 60.0
C = ChannelName


def most_in_a_second(moments: list[float]) -> int:
    """The most that lie in any second."""
    at = sorted(moments)
    return max(sum(1 for other in at if 0 <= other - moment < 1.0) for moment in at)


def limiters(number: int, store: RedisStore, clock: FrozenClock, a_second: float = RATE) -> list[Limiter]:
    return [Limiter(lambda: store, Credits(clock), clock, a_second=a_second, a_day=1_000_000) for _ in range(number)]


async def call(limiter: Limiter, number: int, made: list[float]) -> None:
    async def one() -> None:
        await limiter.pace(C.TEMPLATE)
        made.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(one() for _ in range(number)))


async def test_no_second_holds_more_than_the_rate(any_redis: RedisStore, clock: FrozenClock) -> None:
    made: list[float] = []
    await asyncio.gather(*(call(limiter, 40, made) for limiter in limiters(3, any_redis, clock)))
    assert len(made) == 120
    assert most_in_a_second(made) <= RATE


@pytest.mark.slow
async def test_nor_when_redis_forgets(redis_server: RedisServer, clock: FrozenClock, metrics: Metrics) -> None:
    client = redis_client(redis_server.url)
    assert isinstance(client, Redis)
    await client.flushall()
    store = RedisStore(client, metrics)
    made: list[float] = []
    calls = asyncio.gather(*(call(limiter, 50, made) for limiter in limiters(2, store, clock)))
    while len(made) < 30:  # noqa: ASYNC110 - until they are under way
        await asyncio.sleep(0.01)
    await client.flushall()
    await calls
    assert most_in_a_second(made) <= RATE
    await store.close()


async def test_without_spacing_it_would_hold_more(any_redis: RedisStore, clock: FrozenClock) -> None:
    """Negative control: counting in windows of a whole second lets twice the rate through at their border."""
    counted: dict[int, int] = {}
    made: list[float] = []
    moment = 0.9
    for _ in range(int(2 * RATE)):
        while counted.get(int(moment), 0) >= RATE:
            moment = int(moment) + 1.0
        counted[int(moment)] = counted.get(int(moment), 0) + 1
        made.append(moment)
        moment += 0.001
    assert most_in_a_second(made) > RATE


async def test_a_moment_that_passed_is_not_used(redis: RedisStore, clock: FrozenClock) -> None:
    [limiter] = limiters(1, redis, clock, a_second=1000.0)
    first = await limiter.moments(C.TEMPLATE, 20)
    assert len(first) == 20
    # Nobody uses them; they are too old by now.
    await asyncio.sleep(0.1)
    asked = asyncio.get_running_loop().time()
    [later] = await limiter.moments(C.TEMPLATE, 1)
    assert later > max(first)
    assert later >= asked - 0.05


async def test_a_pause_is_seen_by_all_and_ends(any_redis: RedisStore, clock: FrozenClock) -> None:
    first, second = limiters(2, any_redis, clock)
    until = clock.now() + timedelta(minutes=5)
    await first.pause(C.TEMPLATE.value, until)
    assert await second.paused([C.TEMPLATE.value, C.MASS.value]) == {C.TEMPLATE.value: until}
    clock.advance(timedelta(minutes=5))
    assert await second.paused([C.TEMPLATE.value]) == {}
