"""The limit against floods."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import FrozenClock
from bot.dialogue import limits
from bot.dialogue.limits import RateLimit


def allowed(limit: RateLimit, clock: FrozenClock, times: int, key: str = "a") -> int:
    return sum(limit.allows(key, clock.now()) for _ in range(times))


def test_as_many_as_the_limit_pass_in_a_minute(clock: FrozenClock) -> None:
    assert allowed(RateLimit(5), clock, 9) == 5


def test_the_next_minute_opens_slowly_not_at_once(clock: FrozenClock) -> None:
    """Ten at the end of a minute and ten at the beginning of the next would be twenty within a second."""
    limit = RateLimit(10)
    allowed(limit, clock, 1)
    clock.advance(timedelta(seconds=59))
    assert allowed(limit, clock, 10) == 9
    clock.advance(timedelta(seconds=1))
    assert allowed(limit, clock, 10) == 0
    clock.advance(timedelta(seconds=30))
    assert allowed(limit, clock, 10) == 5
    clock.advance(timedelta(minutes=2))
    assert allowed(limit, clock, 10) == 10


def test_people_do_not_count_for_one_another(clock: FrozenClock) -> None:
    limit = RateLimit(1)
    assert allowed(limit, clock, 2, "a") == 1
    assert allowed(limit, clock, 2, "b") == 1


def test_a_refused_act_does_not_count(clock: FrozenClock) -> None:
    limit = RateLimit(2)
    allowed(limit, clock, 50)
    clock.advance(timedelta(seconds=90))
    assert allowed(limit, clock, 1) == 1


def test_it_never_grows_without_bound(clock: FrozenClock) -> None:
    limit = RateLimit(1)
    for number in range(limits.MAX_KEYS + 10):
        limit.allows(str(number), clock.now())
    assert len(limit) == limits.MAX_KEYS
