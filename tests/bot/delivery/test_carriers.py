"""Carriers take the next when they have done one; what is combined comes back to those who put it in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bot.delivery.carriers import Carriers
from bot.delivery.combining import Combiner


class Road:
    """Where items are carried until the gate opens; some of them are cut off."""

    def __init__(self, *cut_off: int) -> None:
        self.gate = asyncio.Event()
        self.under_way: set[int] = set()
        self.most = 0
        self.arrived: list[int] = []
        self._cut_off = cut_off

    async def carry(self, item: int) -> None:
        self.under_way.add(item)
        self.most = max(self.most, len(self.under_way))
        try:
            await self.gate.wait()
            if item in self._cut_off:
                raise asyncio.CancelledError
            self.arrived.append(item)
        finally:
            self.under_way.discard(item)


async def settled() -> None:
    """Everything that can go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_so_many_are_under_way_and_no_more() -> None:
    road = Road()
    carriers = Carriers(road.carry, at_once=3, most=10)
    carriers.take(range(8))
    await settled()
    assert road.under_way == {0, 1, 2}
    road.gate.set()
    await settled()
    assert sorted(road.arrived) == list(range(8))
    assert road.most == 3


async def test_who_asks_for_room_waits_until_there_is_room_for_all() -> None:
    road = Road()
    carriers = Carriers(road.carry, at_once=2, most=4)
    await carriers.reserve(3)
    carriers.release(3)
    carriers.take(range(3))
    waiting = asyncio.create_task(carriers.reserve(2))
    await settled()
    assert not waiting.done()
    road.gate.set()
    await waiting
    assert len(road.arrived) >= 1


async def test_more_than_there_can_ever_be_room_for_goes_when_nothing_is_in_hand() -> None:
    carriers = Carriers(Road().carry, at_once=1, most=2)
    async with asyncio.timeout(60):
        await carriers.reserve(5)


async def test_one_that_is_cut_off_leaves_the_others_to_others() -> None:
    road = Road(0)
    carriers = Carriers(road.carry, at_once=1, most=10)
    carriers.take(range(4))
    road.gate.set()
    await settled()
    assert road.arrived == [1, 2, 3]


async def test_closing_lets_everything_fall() -> None:
    road = Road()
    carriers = Carriers(road.carry, at_once=2, most=10)
    carriers.take(range(5))
    await settled()
    await carriers.close()
    road.gate.set()
    await settled()
    assert (road.arrived, road.under_way) == ([], set())


async def test_what_is_put_in_during_a_call_goes_into_the_next_together() -> None:
    calls: list[list[int]] = []
    gate = asyncio.Event()

    async def call(items: Sequence[int]) -> int:
        calls.append(list(items))
        await gate.wait()
        return sum(items)

    combiner = Combiner(call, linger_s=0.0, most=4)
    first = asyncio.create_task(combiner.put([1]))
    while not calls:
        await settled()
    others = [asyncio.create_task(combiner.put([each])) for each in (2, 3, 4, 5, 6)]
    await settled()
    gate.set()
    assert await first == 1
    assert await asyncio.gather(*others) == [14, 14, 14, 14, 6]
    assert calls == [[1], [2, 3, 4, 5], [6]]


async def test_a_call_that_fails_fails_for_its_own() -> None:
    async def call(items: Sequence[int]) -> int:
        if 2 in items:
            raise ValueError
        return len(items)

    combiner = Combiner(call, linger_s=0.0, most=1)
    told = await asyncio.gather(*(combiner.put([each]) for each in (1, 2, 3)), return_exceptions=True)
    assert (told[0], told[2]) == (1, 1)
    assert isinstance(told[1], ValueError)


async def test_one_who_stops_waiting_stops_nobody_else() -> None:
    gate = asyncio.Event()

    async def call(items: Sequence[int]) -> int:
        await gate.wait()
        return len(items)

    combiner = Combiner(call, linger_s=0.0, most=10)
    first, second = (asyncio.create_task(combiner.put([each])) for each in (1, 2))
    await settled()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.set()
    assert await second == 2
