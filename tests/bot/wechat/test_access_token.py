"""The shared token: one refresher, a dead one replaced once, the store away (wechat-contract.md §3.2, §3.3)."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.storage.errors import RedisAway
from bot.storage.redis import RedisStore
from bot.wechat.access_token import AccessToken, AccessTokens
from bot.wechat.token_store import RedisTokenStore

APP_ID = "wx0123456789abcdef"


class PlatformTokens:
    """The stable endpoint: the same token to everybody until it is replaced. Counts the enquiries."""

    def __init__(self) -> None:
        self.serial = 1
        self.asked = 0
        self.life = timedelta(seconds=7200)
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self) -> tuple[str, timedelta]:
        self.asked += 1
        self.reached.set()
        await self.open.wait()
        return f"token-{self.serial}", self.life


class AwayStore:
    """A store that nobody reaches."""

    async def read(self) -> AccessToken | None:
        raise RedisAway

    async def write(self, token: AccessToken, life: timedelta) -> None:
        raise RedisAway

    async def drop(self, value: str) -> None:
        raise RedisAway

    def refresher(self) -> AbstractAsyncContextManager[bool]:
        raise RedisAway


class BreakingStore(AwayStore):
    """A store that goes away between the lock and the writing."""

    async def read(self) -> AccessToken | None:
        return None

    def refresher(self) -> AbstractAsyncContextManager[bool]:
        return nullcontext(True)


@pytest.fixture
def platform() -> PlatformTokens:
    return PlatformTokens()


def replica(platform: PlatformTokens, redis: RedisStore, clock: FrozenClock) -> AccessTokens:
    return AccessTokens(platform.fetch, RedisTokenStore(redis, APP_ID), clock)


async def test_token_is_fetched_once_and_kept(
    platform: PlatformTokens, any_redis: RedisStore, clock: FrozenClock
) -> None:
    tokens = replica(platform, any_redis, clock)
    assert [await tokens.current() for _ in range(3)] == ["token-1"] * 3
    assert platform.asked == 1


async def test_replicas_share_one_token(platform: PlatformTokens, any_redis: RedisStore, clock: FrozenClock) -> None:
    for _ in range(4):
        assert await replica(platform, any_redis, clock).current() == "token-1"
    assert platform.asked == 1


async def test_only_one_caller_of_a_replica_fetches(
    platform: PlatformTokens, redis: RedisStore, clock: FrozenClock
) -> None:
    tokens = replica(platform, redis, clock)
    assert set(await asyncio.gather(*(tokens.current() for _ in range(20)))) == {"token-1"}
    assert platform.asked == 1


async def test_only_one_of_many_replicas_fetches(
    platform: PlatformTokens, any_redis: RedisStore, clock: FrozenClock
) -> None:
    platform.open.clear()
    waiting = [asyncio.create_task(replica(platform, any_redis, clock).current()) for _ in range(5)]
    await platform.reached.wait()
    platform.open.set()
    assert set(await asyncio.gather(*waiting)) == {"token-1"}
    assert platform.asked == 1


async def test_without_a_shared_store_every_replica_fetches(platform: PlatformTokens, clock: FrozenClock) -> None:
    """The control: it is the store that saves the enquiries."""
    for _ in range(4):
        assert await AccessTokens(platform.fetch, AwayStore(), clock).current() == "token-1"
    assert platform.asked == 4


async def test_token_is_left_five_minutes_before_its_end(
    platform: PlatformTokens, redis: RedisStore, clock: FrozenClock
) -> None:
    tokens = replica(platform, redis, clock)
    await tokens.current()
    platform.serial = 2
    clock.advance(timedelta(seconds=6899))
    assert await tokens.current() == "token-1"
    clock.advance(timedelta(seconds=1))
    assert await tokens.current() == "token-2"


async def test_short_remaining_life_still_gives_a_minute(
    platform: PlatformTokens, redis: RedisStore, clock: FrozenClock
) -> None:
    platform.life = timedelta(seconds=300)
    tokens = replica(platform, redis, clock)
    await tokens.current()
    clock.advance(timedelta(seconds=59))
    await tokens.current()
    assert platform.asked == 1


async def test_dead_token_is_replaced_once_for_all_who_met_it(
    platform: PlatformTokens, any_redis: RedisStore, clock: FrozenClock
) -> None:
    tokens = replica(platform, any_redis, clock)
    await tokens.current()
    platform.serial = 2
    clock.advance(timedelta(minutes=1))
    assert set(await asyncio.gather(*(tokens.after("token-1") for _ in range(50)))) == {"token-2"}
    assert platform.asked == 2
    assert await replica(platform, any_redis, clock).current() == "token-2"


async def test_newer_token_of_another_replica_is_not_dropped(
    platform: PlatformTokens, any_redis: RedisStore, clock: FrozenClock
) -> None:
    first, second = (replica(platform, any_redis, clock) for _ in range(2))
    await first.current()
    await second.current()
    platform.serial = 2
    clock.advance(timedelta(minutes=1))
    await first.after("token-1")
    assert await second.after("token-1") == "token-2"
    assert platform.asked == 2


async def test_platform_that_insists_is_asked_once_not_by_every_call(
    platform: PlatformTokens, redis: RedisStore, clock: FrozenClock
) -> None:
    tokens = replica(platform, redis, clock)
    await tokens.current()
    clock.advance(timedelta(minutes=1))
    assert set(await asyncio.gather(*(tokens.after("token-1") for _ in range(50)))) == {"token-1"}
    assert platform.asked == 2


async def test_store_away_leaves_each_replica_on_its_own(platform: PlatformTokens, clock: FrozenClock) -> None:
    tokens = AccessTokens(platform.fetch, AwayStore(), clock)
    assert [await tokens.current() for _ in range(3)] == ["token-1"] * 3
    platform.serial = 2
    clock.advance(timedelta(minutes=1))
    assert await tokens.after("token-1") == "token-2"
    assert platform.asked == 2


async def test_store_that_breaks_after_the_fetch_costs_no_second_one(
    platform: PlatformTokens, clock: FrozenClock
) -> None:
    assert await AccessTokens(platform.fetch, BreakingStore(), clock).current() == "token-1"
    assert platform.asked == 1


async def test_follower_fetches_itself_when_the_refresher_never_writes(
    platform: PlatformTokens, redis: RedisStore, clock: FrozenClock
) -> None:
    waited = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    store = RedisTokenStore(redis, APP_ID)
    async with store.refresher() as is_refresher:
        assert is_refresher
        assert await AccessTokens(platform.fetch, store, clock, pause=pause).current() == "token-1"
    assert sum(waited) == pytest.approx(3.0)


async def test_follower_takes_what_the_refresher_writes(
    platform: PlatformTokens, redis: RedisStore, clock: FrozenClock
) -> None:
    store = RedisTokenStore(redis, APP_ID)

    async def pause(_: float) -> None:
        await store.write(AccessToken("token-0", clock.now() + timedelta(hours=1)), timedelta(hours=1))

    async with store.refresher():
        assert await AccessTokens(platform.fetch, store, clock, pause=pause).current() == "token-0"
    assert platform.asked == 0


async def test_what_is_no_token_in_the_store_is_ignored(
    platform: PlatformTokens, redis: RedisStore, clock: FrozenClock
) -> None:
    from bot.storage.redis_keys import access_token

    for odd in (b"", b"token", b"[]", b'{"value": "x"}', b"\xff"):
        await redis.set(access_token(APP_ID), odd, timedelta(minutes=1))
        assert await replica(platform, redis, clock).current() == "token-1"
    assert platform.asked == 5


def test_token_does_not_show_in_representations(clock: FrozenClock) -> None:
    assert "secret" not in repr(AccessToken("secret", clock.now()))
