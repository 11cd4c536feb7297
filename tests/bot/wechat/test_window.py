"""The ledger of customer-service windows against the platform's rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.redis import RedisStore, redis_client
from bot.wechat.messages import Inbound
from bot.wechat.window import CLOSED, UNKNOWN, WindowLedger
from tests.bot.dialogue.stage import event, text

INDEX = "index"


def at(inbound: Inbound, clock: FrozenClock) -> Inbound:
    object.__setattr__(inbound, "created_at", clock.now())
    return inbound


async def sent(ledger: WindowLedger, clock: FrozenClock, most: int = 20) -> int:
    """How many messages the ledger lets through."""
    for count in range(most):
        state = await ledger.state(INDEX, clock.now())
        if not state.is_open:
            return count
        await ledger.spend(INDEX, state)
    return most


async def test_of_a_stranger_nothing_is_known(redis: RedisStore, clock: FrozenClock) -> None:
    assert await WindowLedger(redis).state(INDEX, clock.now()) == UNKNOWN


async def test_a_message_opens_the_window_for_five_messages(any_redis: RedisStore, clock: FrozenClock) -> None:
    ledger = WindowLedger(any_redis)
    ledger.note(INDEX, at(text("你好"), clock))
    assert await sent(ledger, clock) == 5


async def test_the_window_of_a_message_lasts_48_hours(redis: RedisStore, clock: FrozenClock) -> None:
    ledger = WindowLedger(redis)
    ledger.note(INDEX, at(text("你好"), clock))
    clock.advance(timedelta(hours=48) - timedelta(seconds=1))
    assert (await ledger.state(INDEX, clock.now())).is_open
    clock.advance(timedelta(seconds=1))
    assert await ledger.state(INDEX, clock.now()) == CLOSED


async def test_a_further_message_begins_anew(redis: RedisStore, clock: FrozenClock) -> None:
    ledger = WindowLedger(redis)
    ledger.note(INDEX, at(text("你好"), clock))
    await sent(ledger, clock)
    clock.advance(timedelta(seconds=5))
    ledger.note(INDEX, at(text("还在吗"), clock))
    assert await sent(ledger, clock) == 5


@pytest.mark.parametrize("name", ["subscribe", "scan", "click", "scancode_push", "scancode_waitmsg"])
async def test_a_tap_a_follow_and_a_scan_open_it_for_three_within_a_minute(
    redis: RedisStore, clock: FrozenClock, name: str
) -> None:
    ledger = WindowLedger(redis)
    ledger.note(INDEX, at(event(name), clock))
    assert await sent(ledger, clock) == 3
    clock.advance(timedelta(seconds=5))
    ledger.note(INDEX, at(event(name), clock))
    clock.advance(timedelta(seconds=60))
    assert await ledger.state(INDEX, clock.now()) == CLOSED


async def test_looking_at_a_page_opens_nothing(redis: RedisStore, clock: FrozenClock) -> None:
    ledger = WindowLedger(redis)
    ledger.note(INDEX, at(event("view"), clock))
    assert await ledger.state(INDEX, clock.now()) == UNKNOWN


async def test_a_tap_in_a_menu_message_counts_as_a_tap(redis: RedisStore, clock: FrozenClock) -> None:
    ledger = WindowLedger(redis)
    tapped = text("晚托多少钱")
    object.__setattr__(tapped, "menu_item_id", "fee")
    ledger.note(INDEX, at(tapped, clock))
    assert await sent(ledger, clock) == 3


async def test_the_window_that_closes_first_is_used_first(redis: RedisStore, clock: FrozenClock) -> None:
    ledger = WindowLedger(redis)
    ledger.note(INDEX, at(text("你好"), clock))
    clock.advance(timedelta(seconds=5))
    ledger.note(INDEX, at(event("click"), clock))
    assert await sent(ledger, clock) == 8


async def test_what_the_platform_says_counts_until_the_person_acts_again(redis: RedisStore, clock: FrozenClock) -> None:
    ledger = WindowLedger(redis)
    ledger.note(INDEX, at(text("你好"), clock))
    await ledger.close(INDEX, clock.now())
    assert await ledger.state(INDEX, clock.now()) == CLOSED
    clock.advance(timedelta(seconds=5))
    ledger.note(INDEX, at(text("我又来了"), clock))
    assert (await ledger.state(INDEX, clock.now())).is_open


async def test_without_redis_nothing_is_known(metrics: Metrics, clock: FrozenClock) -> None:
    store = RedisStore(redis_client("redis://127.0.0.1:1/0"), metrics)
    ledger = WindowLedger(store)
    ledger.note(INDEX, at(text("你好"), clock))
    assert (await ledger.state(INDEX, clock.now())).is_open in (None, True)
    await ledger.close(INDEX, clock.now())
    await store.close()
    assert await ledger.state(INDEX, clock.now()) == UNKNOWN
