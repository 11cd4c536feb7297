"""What a worker that is lost had taken: everything is given back, the place in a family's day too."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context
from datetime import timedelta

import pytest

from bot.delivery.claims import Claims
from bot.delivery.credits import FAMILY, day_of
from bot.delivery.models import CountedBatch, DeliveryClaim, DeliveryStatus, OutboxPush
from bot.delivery.push_worker import PushLimits
from bot.delivery.pushes import ChannelName
from bot.metrics import Metrics
from bot.storage.database import transaction
from bot.storage.errors import DatabaseAway
from bot.storage.redis import RedisStore
from bot.storage.redis_stand_in import StandIn
from tests.bot.delivery.push_stage import Phone, PostOffice, person

S = DeliveryStatus


class Deadly(RedisStore):
    """Whoever asks it for a turn dies."""

    async def take_turns(self, key: str, number: int, spacing_s: float, *, rest_s: float) -> float:
        raise asyncio.CancelledError


async def counted(post: PostOffice, who: int = 0) -> int:
    used = await post.credits.used(FAMILY, [person(who)], day_of(post.clock.now()))
    return used.get(person(who), 0)


async def die_before_sending(post: PostOffice) -> None:
    """A worker that has everything ready, and is gone."""
    living, post.redis, post.a_second = post.redis, Deadly(StandIn(), Metrics()), 50.0
    with pytest.raises(asyncio.CancelledError):
        await post.worker(Phone()).run_once()
    post.redis, post.a_second = living, 0.0


async def test_a_family_misses_no_message_because_workers_died(post: PostOffice) -> None:
    post.cap = 1
    await post.promise(post.push())
    for _ in range(3):
        await die_before_sending(post)
        assert await counted(post) == 1
        post.clock.advance(PushLimits().lease)
    await post.drain(post.worker(Phone()))
    assert await post.statuses() == {"a": S.SENT}
    assert await counted(post) == 1


async def test_what_was_counted_yesterday_is_not_taken_off_today(post: PostOffice) -> None:
    await post.promise(post.push(), post.push("b", who=1))
    await die_before_sending(post)
    post.clock.advance(timedelta(days=1))
    await post.credits.count(FAMILY, person(1), day_of(post.clock.now()), 9)
    await post.drain(post.worker(Phone()))
    assert (await counted(post, 0), await counted(post, 1)) == (1, 2)


@pytest.mark.parametrize("written", [False, True])
async def test_what_could_not_be_prepared_leaves_nothing_counted_or_reserved(post: PostOffice, written: bool) -> None:
    """Whether the transaction was written before the database went away, its worker cannot know."""
    post.use(ChannelName.SUBSCRIPTION_NOTICE)
    await post.credits.accepted("index-0001", "subscription_notice-reminder", count=2)
    await post.promise(post.push())
    claims, now = Claims(post.credits), post.clock.now()
    rows = await claims.take(1, now, PushLimits().lease)
    preparation = post.preparation()
    with suppress(DatabaseAway):
        async with transaction():
            await preparation.prepare(rows)
            if not written:
                raise DatabaseAway
    await claims.let_go(rows, now, now)
    [consent] = (await post.credits.consents(["index-0001"])).values()
    assert (consent.free, await counted(post), await post.statuses()) == (2, 0, {"a": S.PLANNED})


async def test_what_may_have_gone_out_stays_counted(post: PostOffice) -> None:
    async def die(*_: object) -> str:
        raise asyncio.CancelledError

    await post.promise(post.push())
    with pytest.raises(asyncio.CancelledError):
        await post.worker(Phone(behaviour=die)).run_once()
    post.clock.advance(PushLimits().lease)
    await post.drain(post.worker(Phone()))
    assert await post.statuses() == {"a": S.UNKNOWN}
    assert await counted(post) == 1


async def test_what_waited_too_long_for_its_moment_is_taken_anew_at_once(post: PostOffice) -> None:
    """A call might outlive what is left of the lease: it does not begin, and keeps nobody waiting until its end."""
    post.cap = 1
    await post.promise(post.push())
    phone = Phone()
    short = PushLimits(lease=timedelta(seconds=20), send_s=30)
    assert await post.worker(phone, limits=short).run_once() == 1
    assert (phone.lines, await post.statuses(), await counted(post)) == ([], {"a": S.PLANNED}, 0)
    await post.drain(post.worker(phone))
    assert (phone.lines, await post.statuses(), await counted(post)) == (["a"], {"a": S.SENT}, 1)


async def test_which_claim_counted_what_is_forgotten_the_next_day(post: PostOffice) -> None:
    await post.promise(post.push())
    await post.drain(post.worker(Phone()))
    assert await CountedBatch.all().count() == 1
    post.clock.advance(timedelta(days=1, minutes=1))
    await post.outbox.forget_settled()
    assert not await CountedBatch.exists()
    assert await post.statuses() == {"a": S.SENT}


async def test_a_claim_is_listed_while_it_stands_and_no_longer(post: PostOffice) -> None:
    await post.promise(post.push())
    await die_before_sending(post)
    assert await DeliveryClaim.all().count() == 1
    post.clock.advance(PushLimits().lease)
    await post.drain(post.worker(Phone()))
    assert await post.statuses() == {"a": S.SENT}
    assert not await DeliveryClaim.exists()


async def test_what_a_version_without_the_list_had_in_hand_is_found(post: PostOffice) -> None:
    await post.promise(post.push())
    await die_before_sending(post)
    await DeliveryClaim.all().delete()
    post.clock.advance(PushLimits().lease)
    claims = Claims(post.credits)
    assert not await claims.recover(post.clock.now())
    await claims.adopt()
    assert set(await claims.recover(post.clock.now())) == {S.PLANNED}


@pytest.mark.engine("postgres")
async def test_a_claim_stays_listed_while_something_of_it_is_being_settled(post: PostOffice) -> None:
    """That may still come to nothing: then the row is taken back at the next look."""
    await post.promise(post.push(), post.push("b", who=1))
    await die_before_sending(post)
    post.clock.advance(PushLimits().lease)
    now, claims = post.clock.now(), Claims(post.credits)
    (busy, _) = await OutboxPush.all().order_by("id")
    with suppress(DatabaseAway):
        async with transaction():
            await OutboxPush.filter(id=busy.id).update(last_error="settling")
            elsewhere = asyncio.get_running_loop().create_task(claims.recover(now), context=Context())
            assert len((await elsewhere)[S.PLANNED]) == 1
            raise DatabaseAway
    assert await DeliveryClaim.all().count() == 1
    assert len((await claims.recover(now))[S.PLANNED]) == 1
    assert not await DeliveryClaim.exists()
