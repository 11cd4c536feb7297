"""Who is at work on the deliveries: said by the workers, forgotten soon after they have gone."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.delivery.pulse import LIFE, PLACES, Pulse, measuring, workers_seen
from bot.delivery.rounds import Activity, Rounds
from bot.metrics import Metrics
from bot.storage import redis_keys
from bot.storage.errors import RedisAway
from bot.storage.redis import RedisStore, redis_client


@pytest.fixture
def pulse(redis: RedisStore, clock: FrozenClock) -> Pulse:
    return Pulse(redis, [Activity()], clock)


async def test_each_worker_sits_in_a_place_of_its_own(redis: RedisStore, clock: FrozenClock, pulse: Pulse) -> None:
    other = Pulse(redis, [Activity()], clock)
    for _ in range(3):
        await asyncio.gather(pulse.beat(), other.beat())
    found = await workers_seen(redis)
    assert {each.place for each in found} == {0, 1}
    assert {(each.since, each.worked_at) for each in found} == {(clock.now(), None)}
    await pulse.stop()
    assert len(await workers_seen(redis)) == 1


async def test_it_tells_when_it_last_found_something(redis: RedisStore, clock: FrozenClock) -> None:
    now = asyncio.get_running_loop().time()
    pulse = Pulse(redis, [Activity(now - 5, now - 60), Activity(now - 40, None)], clock)
    await pulse.beat()
    [seen] = await workers_seen(redis)
    assert seen.looked_at is not None
    assert seen.worked_at is not None
    assert abs(clock.now() - seen.looked_at - timedelta(seconds=40)) < timedelta(seconds=5)
    assert abs(clock.now() - seen.worked_at - timedelta(seconds=60)) < timedelta(seconds=5)


async def test_rounds_note_when_they_look_and_when_they_find(metrics: Metrics) -> None:
    found = [0, 0, 7]

    async def line() -> int:
        number = found.pop(0)
        looks.append((rounds.activity.looked, rounds.activity.worked))
        if not found:
            await rounds.stop()
        return number

    looks: list[tuple[float | None, float | None]] = []
    rounds = Rounds([line], metrics, idle_s=0.001, trouble_s=0.001, grace_s=1.0)
    await rounds.run()
    assert looks[0] == (None, None)
    assert looks[2][0] is not None
    assert looks[2][1] is None
    assert rounds.activity.worked == rounds.activity.looked


async def test_one_that_lost_its_place_takes_another(redis: RedisStore, clock: FrozenClock, pulse: Pulse) -> None:
    """It slept longer than its term, and somebody else sits there."""
    await pulse.beat()
    await redis.delete(redis_keys.worker(0))
    other = Pulse(redis, [Activity()], clock)
    await other.beat()
    await pulse.beat()
    assert {each.place for each in await workers_seen(redis)} == {0, 1}
    await pulse.stop()
    assert {each.place for each in await workers_seen(redis)} == {0}


async def test_more_workers_than_places_do_no_harm(redis: RedisStore, clock: FrozenClock, pulse: Pulse) -> None:
    for place in range(PLACES):
        await redis.set(redis_keys.worker(place), b'{"own": "x", "since": "2026-09-01T00:00:00+00:00",'
                        b' "looked": null, "worked": null}', LIFE)  # fmt: skip
    await pulse.beat()
    assert len(await workers_seen(redis)) == PLACES
    await pulse.stop()
    assert len(await workers_seen(redis)) == PLACES


async def test_the_metrics_say_who_is_alive(redis: RedisStore, clock: FrozenClock, pulse: Pulse) -> None:
    metrics = Metrics()
    measure = measuring(lambda: redis, clock, metrics)
    await measure()
    assert "xiangxiao_workers_alive 0.0" in metrics.render().decode()
    await pulse.beat()
    clock.advance(timedelta(minutes=2))
    await measure()
    text = metrics.render().decode()
    assert "xiangxiao_workers_alive 1.0" in text
    assert 'xiangxiao_worker_idle_seconds{place="0"} 120.0' in text


async def test_without_redis_nobody_knows(clock: FrozenClock) -> None:
    metrics = Metrics()
    store = RedisStore(redis_client("redis://127.0.0.1:1/0"), metrics)
    pulse = Pulse(store, [Activity()], clock)
    with pytest.raises(RedisAway):
        await pulse.beat()
    await measuring(lambda: store, clock, metrics)()
    assert math.isnan(metrics.registry.get_sample_value("xiangxiao_workers_alive") or 0.0)
    await pulse.stop()
    await store.close()
