"""The platform delivers again, at the same time or late; what a person sees and what happens stay the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.clock import FrozenClock
from bot.emulator.follower import Exchange
from bot.emulator.wire import Wire
from bot.storage import redis_keys
from bot.storage.base import blind_index
from bot.storage.redis import REDIS, RedisStore
from bot.storage.redis_stand_in import StandIn
from tests.scenarios.test_hand_over import TOPIC, pushes
from tests.town import OWNER, PARENT, Town, account_keys, running_town


async def again(town: Town, exchange: Exchange, nonce: str = "777") -> tuple[int, bytes]:
    """The same message once more, signed anew, as a redelivery with another nonce."""
    timestamp = str(int(town.clock.now().timestamp()))
    query, body = Wire(account_keys(town.settings)).push(exchange.clear_xml, PARENT, timestamp, nonce)
    response = await town.client.post("/wechat", params=query, data=body)
    return response.status, await response.read()


async def test_copies_delivered_at_once_register_one_matter(town: Town) -> None:
    parent = town.person()
    await parent.says("人工")
    assert "编号1" in (await parent.says(TOPIC, copies=5) or "")
    assert {town.opened(delivery.answer) for delivery in parent.exchanges[-1].deliveries} == {parent.last_reply}
    await parent.says("人工")
    assert "编号2" in (await parent.says(TOPIC) or "")


async def test_a_message_seen_before_gets_its_remembered_reply_whatever_its_nonce(town: Town) -> None:
    parent = town.person()
    await parent.says("人工")
    reply = await parent.says(TOPIC)
    status, answer = await again(town, parent.exchanges[-1])
    assert (status, town.opened(answer)) == (200, reply)
    assert "待办1件" in (await town.person(OWNER).says("待办") or "")


async def lose_everything(store: RedisStore) -> None:
    """What a Redis that was started anew knows: nothing."""
    assert isinstance(store._client, StandIn)
    await store.delete(*store._client.names())


async def test_it_does_so_after_redis_has_lost_everything(town: Town) -> None:
    parent = town.person()
    await parent.says("我在柳溪镇")
    reply = parent.last_reply
    await lose_everything(town.app[REDIS])
    status, answer = await again(town, parent.exchanges[-1])
    assert (status, town.opened(answer)) == (200, reply)


async def test_outside_the_window_it_is_refused(town: Town) -> None:
    parent = town.person()
    await parent.says("我在柳溪镇")
    delivery = parent.exchanges[-1].deliveries[0]
    town.clock.advance(timedelta(minutes=30))
    response = await town.client.post("/wechat", params=delivery.query, data=delivery.body)
    assert response.status == 403


async def test_a_place_survives_the_loss_of_redis(town: Town) -> None:
    parent = town.person()
    await parent.says("我在鹤山镇")
    await lose_everything(town.app[REDIS])
    assert (await parent.says("一个班最多多少人") or "").startswith("每班不超过40人")


async def test_an_answer_that_comes_late_follows_as_a_message(database_url: str, clock: FrozenClock) -> None:
    async with running_town(database_url, clock, wechat={"reply_budget_s": 0.5}) as town:
        parent = town.person()
        await parent.says("人工")
        index = blind_index("openid", PARENT)
        async with town.app[REDIS].lock(redis_keys.person_lock(index), timedelta(seconds=10)):
            assert await parent.says(TOPIC) is None
            assert parent.last_notice is None
        for _ in range(100):
            await town.deliver()
            if any("已经登记，编号1" in words for words in pushes(parent)):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the answer never came")
