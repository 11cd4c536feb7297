"""Each message takes effect once: across retries, replicas, processes, crashes; and the tests would see it if not."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bot.clock import FrozenClock
from bot.dialogue.context import ChatContext
from bot.dialogue.inbox import Effect, Inbox
from bot.storage.models import ProcessedMessage, ProcessingState
from bot.wechat.messages import Reply, TextMessage, TextReply
from tests.bot.dialogue.conftest import OpenStore
from tests.bot.dialogue.stage import Stage, UnclaimedInbox, leave_mark, marks, route, said, text
from tests.programs import PIPE, Running, running

REPLICAS = 3
COPIES = 4


async def deliver_everywhere(stage: Stage, open_store: OpenStore, inbox: Inbox | None = None) -> list[str]:
    """One message, several copies to each of several replicas, all at once; the replies."""
    replicas = [stage.dispatcher([route(leave_mark)], await open_store(), inbox=inbox) for _ in range(REPLICAS)]
    message = text("报名")
    copies = [replica.dispatch(message) for replica in replicas for _ in range(COPIES)]
    return [said(reply) for reply in await asyncio.gather(*copies)]


async def test_copies_at_all_replicas_take_effect_once_and_are_answered_alike(
    stage: Stage, replica_store: OpenStore
) -> None:
    replies = await deliver_everywhere(stage, replica_store)
    assert await marks() == 1
    assert len(set(replies)) == 1


async def test_the_claim_alone_holds_when_the_locks_are_lost(stage: Stage, lone_store: OpenStore) -> None:
    replies = await deliver_everywhere(stage, lone_store)
    assert await marks() == 1
    assert len(set(replies)) == 1


async def test_without_the_claim_the_effect_happens_more_than_once(stage: Stage, lone_store: OpenStore) -> None:
    """The control: what the two tests above would see."""
    replies = await deliver_everywhere(stage, lone_store, UnclaimedInbox(stage.clock))
    assert await marks() == REPLICAS
    assert len(set(replies)) == REPLICAS


async def test_a_repetition_is_answered_alike_after_redis_has_lost_everything(
    stage: Stage, lone_store: OpenStore
) -> None:
    message = text("报名")
    first = await stage.dispatcher([route(leave_mark)], await lone_store()).dispatch(message)
    second = await stage.dispatcher([route(leave_mark)], await lone_store()).dispatch(message)
    assert first == second
    assert await marks() == 1


async def test_another_message_takes_its_own_effect(stage: Stage, replica_store: OpenStore) -> None:
    replica = stage.dispatcher([route(leave_mark)], await replica_store())
    assert said(await replica.dispatch(text("报名"))) != said(await replica.dispatch(text("报名")))
    assert await marks() == 2


async def test_a_refused_message_claims_nothing_and_may_come_again(stage: Stage, replica_store: OpenStore) -> None:
    tries: list[int] = []

    async def fail_once(context: ChatContext, message: TextMessage) -> Reply:
        reply = await leave_mark(context, message)
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("a fault in a handler")
        return reply

    replica = stage.dispatcher([route(fail_once)], await replica_store())
    message = text("报名")
    assert "出了点问题" in said(await replica.dispatch(message))
    assert await marks() == 0
    assert await ProcessedMessage.all().count() == 0
    assert "做了" in said(await replica.dispatch(message))
    assert await marks() == 1


async def test_a_retry_waits_for_the_result_of_the_first(stage: Stage, replica_store: OpenStore) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(context: ChatContext, message: TextMessage) -> Reply:
        begun.set()
        await go_on.wait()
        return await leave_mark(context, message)

    here = stage.dispatcher([route(slow)], await replica_store())
    there = stage.dispatcher([route(slow)], await replica_store())
    message = text("报名")
    first = asyncio.create_task(here.dispatch(message))
    await begun.wait()
    retries = [asyncio.create_task(replica.dispatch(message)) for replica in (here, there)]
    await asyncio.sleep(0)
    go_on.set()
    replies = {said(reply) for reply in await asyncio.gather(first, *retries)}
    assert len(replies) == 1
    assert await marks() == 1


async def test_messages_of_one_person_are_handled_one_after_another(stage: Stage, replica_store: OpenStore) -> None:
    inside = 0
    most = 0

    async def count(context: ChatContext, message: TextMessage) -> Reply:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        reply = await leave_mark(context, message)
        context.enter("count", str(int(context.session.step or "0") + 1))
        inside -= 1
        return reply

    replicas = [stage.dispatcher([route(count)], await replica_store()) for _ in range(REPLICAS)]
    await asyncio.gather(*(replicas[number % REPLICAS].dispatch(text("报名")) for number in range(12)))
    assert most == 1
    assert await marks() == 12


async def test_what_was_committed_but_not_saved_is_saved_by_the_repetition(
    stage: Stage, replica_store: OpenStore, clock: FrozenClock
) -> None:
    """The process died between the commit and the saving of session and reply."""

    async def step(context: ChatContext, message: TextMessage) -> Reply:
        reply = await leave_mark(context, message)
        context.enter("dialogue", "second")
        return reply

    async def tell_step(context: ChatContext, message: TextMessage) -> Reply:
        return TextReply(context.session.step or "none")

    class DyingInbox(Inbox):
        async def once(self, message_index: str, openid_index: str, act: Callable[[], Awaitable[Effect]]) -> Effect:
            await super().once(message_index, openid_index, act)
            raise asyncio.CancelledError

    message = text("报名")
    with pytest.raises(asyncio.CancelledError):
        await stage.dispatcher([route(step)], await replica_store(), inbox=DyingInbox(clock)).dispatch(message)
    replica = stage.dispatcher([route(step)], await replica_store())
    assert "做了" in said(await replica.dispatch(message))
    assert await marks() == 1
    teller = stage.dispatcher([route(tell_step, changes=False)], await replica_store())
    assert said(await teller.dispatch(text("到哪了"))) == "second"


async def test_old_claims_are_forgotten(stage: Stage, replica_store: OpenStore, clock: FrozenClock) -> None:
    from datetime import timedelta

    replica = stage.dispatcher([route(leave_mark)], await replica_store())
    await replica.dispatch(text("报名"))
    inbox = Inbox(clock)
    assert await inbox.forget_old() == 0
    clock.advance(timedelta(days=4))
    assert await inbox.forget_old() == 1


# ------------------------------------------------------------------------------------------------------------ processes
@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[Running]:
    """A replica in a process of its own (see replica.py)."""
    started = await running("tests.bot.dialogue.replica", *arguments, stdin=PIPE, stdout=PIPE)
    try:
        yield started
    finally:
        started.kill()
        await started.wait()


async def line(started: Running) -> str:
    assert started.stdout is not None
    async with asyncio.timeout(60):
        return (await started.stdout.readline()).decode().strip()


async def begin(started: Running) -> None:
    assert started.stdin is not None
    started.stdin.write(b"go\n")
    await started.stdin.drain()


async def replies_of_processes(database_url: str, redis_url: str, mode: str) -> list[list[str]]:
    """Three processes get the same forty messages at once, each in another order; their replies by message."""
    async with (
        process(database_url, redis_url, mode, "0") as one,
        process(database_url, redis_url, mode, "1") as two,
        process(database_url, redis_url, mode, "2") as three,
    ):
        running = (one, two, three)
        assert [await line(each) for each in running] == ["ready"] * 3
        for each in running:
            await begin(each)
        return [json.loads(await line(each)) for each in running]


@pytest.mark.engine("postgres")
@pytest.mark.parametrize("store", ["shared", "lost"])
async def test_processes_share_the_effects_of_the_same_messages(
    stage: Stage, database_url: str, redis_server: object, store: str
) -> None:
    from tests.servers import RedisServer

    assert isinstance(redis_server, RedisServer)
    url = redis_server.url if store == "shared" else "memory://"
    replies = await replies_of_processes(database_url, url, "claim")
    assert replies[0] == replies[1] == replies[2]
    assert await marks() == len(replies[0]) == 40


@pytest.mark.engine("postgres")
async def test_processes_without_claims_do_everything_again(stage: Stage, database_url: str) -> None:
    """The control of the test above."""
    replies = await replies_of_processes(database_url, "memory://", "noclaim")
    assert await marks() == 120
    assert replies[0] != replies[1]


@pytest.mark.engine("postgres")
async def test_a_message_whose_process_was_killed_is_taken_again(
    stage: Stage, database_url: str, lone_store: OpenStore
) -> None:
    async with process(database_url, "memory://", "hang", "0") as doomed:
        assert await line(doomed) == "ready"
        await begin(doomed)
        assert await line(doomed) == "claimed"
        doomed.kill()
        await doomed.wait()
    replica = stage.dispatcher([route(leave_mark)], await lone_store())
    assert "做了" in said(await replica.dispatch(text("报名", id=1)))
    assert await marks() == 1
    [claim] = await ProcessedMessage.all()
    assert claim.state is ProcessingState.DONE


@pytest.mark.engine("postgres")
async def test_a_message_whose_process_froze_is_taken_again_after_the_lease(
    stage: Stage, database_url: str, lone_store: OpenStore
) -> None:
    async with process(f"{database_url}?idle_in_transaction_s=1", "memory://", "hang", "0") as frozen:
        assert await line(frozen) == "ready"
        await begin(frozen)
        assert await line(frozen) == "claimed"
        frozen.send_signal(signal.SIGSTOP)
        try:
            replica = stage.dispatcher([route(leave_mark)], await lone_store())
            assert "做了" in said(await replica.dispatch(text("报名", id=1)))
        finally:
            frozen.send_signal(signal.SIGCONT)
    assert await marks() == 1
