"""The worker: claim, check, send, settle; nothing twice, nothing for ever."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import datetime, timedelta

import pytest

from bot.delivery.channels import Letter
from bot.delivery.models import DeliveryAttempt, DeliveryStatus, IllegalMove, OutboxMessage, advance
from bot.delivery.worker import WorkerLimits
from bot.storage.database import transaction
from bot.wechat.client import CUSTOM_SEND, STABLE_TOKEN
from bot.wechat.errors import (
    AccountLimited,
    AllowanceUsedUp,
    ContentRefused,
    DuplicateMessage,
    InvalidCall,
    OutcomeUnknown,
    QuotaExceeded,
    RateExceeded,
    RecipientNotFollowing,
    RecipientUnknown,
    SystemBusy,
    TokenExpired,
    WeChatError,
    WeChatUnreachable,
    WindowClosed,
)
from tests.bot.delivery.stage import Office, ScriptedChannel
from tests.programs import PIPE, running

S = DeliveryStatus


# ----------------------------------------------------------------------------------------------------------- the outbox
async def test_what_is_promised_is_sent_once(office: Office) -> None:
    channel = ScriptedChannel()
    await office.promise("好的")
    worker = office.worker(channel)
    assert await worker.run_once() == 1
    assert await worker.run_once() == 0
    assert channel.sent == ["好的"]
    [row] = await OutboxMessage.all()
    assert (row.status, row.platform_id, row.attempts) == (S.SENT, "id-1", 1)
    assert not row.lease_until


async def test_the_same_promise_twice_is_one(office: Office) -> None:
    channel = ScriptedChannel()
    await office.promise("第一次", occurrence="a")
    await office.promise("第二次", occurrence="a")
    await office.promise("别人的", occurrence="a", openid="demo_g_000002")
    await office.worker(channel).run_once()
    assert channel.sent == ["第一次", "别人的"]


async def test_a_promise_goes_with_its_transaction(office: Office) -> None:
    with pytest.raises(ValueError, match="no"):
        async with transaction():
            await office.promise("从未发生")
            raise ValueError("no")
    assert await office.statuses() == {}


async def test_a_duplicate_promise_does_not_spoil_the_transaction(office: Office) -> None:
    await office.promise("好的")
    async with transaction():
        await office.promise("好的")
        await office.promise("还有")
    assert await office.statuses() == {"好的": S.PLANNED, "还有": S.PLANNED}


async def test_a_promise_can_be_taken_back_until_it_is_in_hand(office: Office) -> None:
    await office.promise("好的")
    [row] = await OutboxMessage.all()
    assert await office.outbox.withdraw("test", "好的", row.openid_index)
    assert not await office.outbox.withdraw("test", "好的", row.openid_index)
    assert await office.worker(ScriptedChannel()).run_once() == 0


async def test_neither_recipient_nor_text_can_be_read_in_the_table(office: Office) -> None:
    await office.promise("孩子的事")
    async with transaction() as connection:
        [row] = await connection.execute_query_dict("SELECT * FROM outbox_message")
    assert "demo_g_000001" not in repr(row)
    assert "孩子".encode() not in bytes(row["payload"])


async def test_erasing_a_person_leaves_nothing_of_them(office: Office) -> None:
    await office.promise("好的")
    await office.promise("别人的", openid="demo_g_000002")
    await office.worker(ScriptedChannel()).run_once()
    [index] = [row.openid_index for row in await OutboxMessage.all() if row.recipient == "demo_g_000001"]
    await office.outbox.erase(index)
    assert list(await office.statuses()) == ["别人的"]
    assert await DeliveryAttempt.all().count() == 1


async def test_what_was_settled_long_ago_is_forgotten_and_what_waits_is_not(office: Office) -> None:
    await office.promise("发过的")
    await office.worker(ScriptedChannel()).run_once()
    await office.promise("还没发", life=timedelta(days=200))
    await office.outbox.forget_settled()
    assert len(await office.statuses()) == 2
    office.clock.advance(timedelta(days=91))
    await office.outbox.forget_settled()
    assert await office.statuses() == {"还没发": S.PLANNED}


# --------------------------------------------------------------------------------------------------------------- timing
async def test_nothing_goes_out_before_its_time_or_after_its_end(office: Office) -> None:
    channel = ScriptedChannel()
    await office.promise("早", life=timedelta(minutes=1))
    office.clock.advance(timedelta(minutes=1))
    await office.worker(channel).run_once()
    assert channel.sent == []
    assert await office.statuses() == {"早": S.EXPIRED}


async def test_messages_of_one_recipient_keep_their_order(office: Office) -> None:
    channel = ScriptedChannel()
    for number in range(6):
        await office.promise(f"{number}")
        await office.promise(f"别人{number}", openid="demo_g_000002")
        office.clock.advance(timedelta(seconds=1))
    await office.worker(channel).run_once()
    assert [words for words in channel.sent if not words.startswith("别人")] == ["0", "1", "2", "3", "4", "5"]


async def test_a_message_that_became_pointless_is_not_sent(office: Office) -> None:
    class Pointless:
        async def is_needed(self, reason: str, occurrence: str, openid_index: str) -> bool:
            return occurrence != "已办结"

    channel = ScriptedChannel()
    await office.promise("已办结")
    await office.promise("没办结")
    await office.worker(channel, checks={"test": Pointless()}).run_once()
    assert channel.sent == ["没办结"]
    assert (await office.statuses())["已办结"] is S.NOT_NEEDED


# --------------------------------------------------------------------------------------------------------------- faults
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (WindowClosed(CUSTOM_SEND), S.UNREACHABLE),
        (AllowanceUsedUp(CUSTOM_SEND), S.UNREACHABLE),
        (RecipientNotFollowing(CUSTOM_SEND), S.UNREACHABLE),
        (RecipientUnknown(CUSTOM_SEND), S.UNREACHABLE),
        (DuplicateMessage(CUSTOM_SEND), S.SENT),
        (OutcomeUnknown(CUSTOM_SEND), S.UNKNOWN),
        (InvalidCall(CUSTOM_SEND), S.FAILED),
        (SystemBusy(CUSTOM_SEND), S.PLANNED),
        (RateExceeded(CUSTOM_SEND), S.PLANNED),
        (QuotaExceeded(CUSTOM_SEND), S.PLANNED),
        (TokenExpired(CUSTOM_SEND), S.PLANNED),
        (WeChatUnreachable(CUSTOM_SEND), S.PLANNED),
        (AccountLimited(CUSTOM_SEND), S.PLANNED),
        (ContentRefused(CUSTOM_SEND), S.FAILED),
        # The send itself never went out.
        (OutcomeUnknown(STABLE_TOKEN), S.PLANNED),
    ],
)
async def test_each_fault_settles_the_message_as_it_should(office: Office, fault: WeChatError, status: S) -> None:
    await office.promise()
    await office.worker(ScriptedChannel(fault)).run_once()
    [row] = await OutboxMessage.all()
    assert row.status is status
    assert row.last_error == fault.code
    assert not row.lease_until
    if status is S.PLANNED:
        assert row.not_before > office.clock.now()


async def test_an_unknown_outcome_is_never_sent_again_by_itself(office: Office) -> None:
    channel = ScriptedChannel(OutcomeUnknown(CUSTOM_SEND))
    await office.promise(life=timedelta(days=2))
    worker = office.worker(channel)
    for _ in range(30):
        await worker.run_once()
        office.clock.advance(timedelta(hours=1))
    assert channel.sent == []
    assert await office.statuses() == {"好的": S.UNKNOWN}


async def test_a_busy_platform_is_tried_again_with_growing_pauses_and_at_last_given_up(office: Office) -> None:
    channel = ScriptedChannel(*[SystemBusy(CUSTOM_SEND)] * 20)
    await office.promise(life=timedelta(days=2))
    worker = office.worker(channel)
    pauses = []
    for _ in range(20):
        await worker.run_once()
        [row] = await OutboxMessage.all()
        if row.status is not S.PLANNED:
            break
        pauses.append((row.not_before - office.clock.now()).total_seconds())
        office.clock.set(row.not_before)
    assert row.status is S.FAILED
    assert len(pauses) == 7
    assert pauses == sorted(pauses)
    assert 3 < pauses[0] < 7


async def test_a_busy_platform_that_recovers_gets_the_message(office: Office) -> None:
    channel = ScriptedChannel(SystemBusy(CUSTOM_SEND), RateExceeded(CUSTOM_SEND))
    await office.promise()
    worker = office.worker(channel)
    for _ in range(3):
        await worker.run_once()
        office.clock.advance(timedelta(minutes=3))
    assert channel.sent == ["好的"]
    outcomes = [attempt.outcome for attempt in await DeliveryAttempt.all().order_by("number")]
    assert outcomes == [S.PLANNED, S.PLANNED, S.SENT]


async def test_a_day_s_quota_waits_for_midnight_in_china(office: Office) -> None:
    from bot.clock import to_local

    await office.promise(life=timedelta(days=2))
    await office.worker(ScriptedChannel(QuotaExceeded(CUSTOM_SEND))).run_once()
    [row] = await OutboxMessage.all()
    local = to_local(row.not_before)
    assert (local.day, local.hour) == (2, 0)


async def test_a_fault_nobody_foresaw_settles_one_message_only(office: Office) -> None:
    channel = ScriptedChannel(ZeroDivisionError())
    for words in ("怪的", "好的"):
        await office.promise(words)
        office.clock.advance(timedelta(seconds=1))
    await office.worker(channel).run_once()
    assert await office.statuses() == {"怪的": S.UNKNOWN, "好的": S.SENT}


async def test_a_check_that_fails_puts_its_message_off_and_no_other(office: Office) -> None:
    class Faulty:
        async def is_needed(self, reason: str, occurrence: str, openid_index: str) -> bool:
            if occurrence == "怪的":
                raise ZeroDivisionError
            return True

    channel = ScriptedChannel()
    for words in ("怪的", "好的"):
        await office.promise(words)
    await office.worker(channel, checks={"test": Faulty()}).run_once()
    assert await office.statuses() == {"怪的": S.PLANNED, "好的": S.SENT}


async def test_one_bad_message_holds_up_no_other(office: Office) -> None:
    channel = ScriptedChannel(InvalidCall(CUSTOM_SEND))
    for words in ("坏的", "好的", "也好"):
        await office.promise(words)
        office.clock.advance(timedelta(seconds=1))
    await office.worker(channel).run_once()
    assert channel.sent == ["好的", "也好"]


# ------------------------------------------------------------------------------------------------------- dead and many
async def test_a_message_whose_worker_died_while_sending_is_unknown(office: Office) -> None:
    async def die(letter: Letter) -> None:
        raise asyncio.CancelledError

    await office.promise()
    with pytest.raises(asyncio.CancelledError):
        await office.worker(ScriptedChannel(behaviour=die)).run_once()
    channel = ScriptedChannel()
    worker = office.worker(channel)
    assert await worker.run_once() == 0
    assert await office.statuses() == {"好的": S.SENDING}
    office.clock.advance(WorkerLimits().lease)
    await worker.run_once()
    assert channel.sent == []
    assert await office.statuses() == {"好的": S.UNKNOWN}


async def test_a_message_whose_worker_died_before_sending_is_sent_by_another(office: Office) -> None:
    class Dying:
        async def is_needed(self, reason: str, occurrence: str, openid_index: str) -> bool:
            raise asyncio.CancelledError

    await office.promise()
    with pytest.raises(asyncio.CancelledError):
        await office.worker(ScriptedChannel(), checks={"test": Dying()}).run_once()
    office.clock.advance(WorkerLimits().lease)
    channel = ScriptedChannel()
    await office.worker(channel).run_once()
    assert channel.sent == ["好的"]


async def test_a_platform_that_never_answers_ends_as_unknown(office: Office) -> None:
    async def hang(letter: Letter) -> None:
        await asyncio.Event().wait()

    await office.promise()
    await office.worker(ScriptedChannel(behaviour=hang), limits=WorkerLimits(send_s=0.05)).run_once()
    assert await office.statuses() == {"好的": S.UNKNOWN}


async def test_workers_share_the_work_and_nothing_is_sent_twice(office: Office) -> None:
    for number in range(60):
        await office.promise(f"{number}", openid=f"demo_g_{number % 12:06d}")
    channel = ScriptedChannel()
    workers = [office.worker(channel, limits=WorkerLimits(batch=7)) for _ in range(4)]

    async def work(number: int) -> None:
        while await workers[number].run_once():
            pass

    await asyncio.gather(*(work(number) for number in range(4)))
    assert Counter(channel.sent) == Counter(str(number) for number in range(60))


@pytest.mark.engine("postgres")
async def test_workers_in_several_processes_send_nothing_twice(office: Office, database_url: str) -> None:
    for number in range(90):
        await office.promise(f"{number}", openid=f"demo_g_{number % 12:06d}")
    processes = [await running("tests.bot.delivery.process", database_url, stdout=PIPE) for _ in range(3)]
    outputs = [(await process.communicate())[0] for process in processes]
    sent = [words for output in outputs for words in json.loads(output)]
    assert Counter(sent) == Counter(str(number) for number in range(90))


async def test_a_settled_message_never_moves_again() -> None:
    with pytest.raises(IllegalMove):
        advance(S.UNREACHABLE, S.SENDING)
    with pytest.raises(IllegalMove):
        advance(S.UNKNOWN, S.PLANNED)


# ------------------------------------------------------------------------------------------------------- in background
async def test_it_finishes_what_it_is_sending_before_it_stops(office: Office) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(letter: Letter) -> None:
        begun.set()
        await go_on.wait()

    channel = ScriptedChannel(behaviour=slow)
    await office.promise()
    worker = office.worker(channel)
    worker.start()
    await begun.wait()
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    assert channel.sent == ["好的"]
    assert await office.statuses() == {"好的": S.SENT}


async def test_what_does_not_end_in_time_is_cut_off(office: Office) -> None:
    begun = asyncio.Event()

    async def hang(letter: Letter) -> None:
        begun.set()
        await asyncio.Event().wait()

    await office.promise()
    worker = office.worker(ScriptedChannel(behaviour=hang), limits=WorkerLimits(grace_s=0.05))
    worker.start()
    await begun.wait()
    await worker.stop()
    assert await office.statuses() == {"好的": S.SENDING}


async def test_a_fault_of_its_own_does_not_end_the_worker(office: Office) -> None:
    sent = asyncio.Event()

    class StutteringClock:
        calls = 0

        def now(self) -> datetime:
            self.calls += 1
            if self.calls == 1:
                raise ZeroDivisionError
            return office.clock.now()

    async def tell(letter: Letter) -> None:
        sent.set()

    await office.promise()
    channel = ScriptedChannel(behaviour=tell)
    worker = office.worker(channel, limits=WorkerLimits(trouble_s=0.01), clock=StutteringClock())
    worker.start()
    async with asyncio.timeout(60):
        await sent.wait()
    await worker.stop()
    assert office.metrics.registry.get_sample_value("xiangxiao_errors_total", {"where": "delivery"}) == 1
