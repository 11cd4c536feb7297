"""Promises to people: once each, with the latest words, at the right time, in a named state."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest

from bot.clock import SHANGHAI, to_local
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.outbox import Selected
from bot.delivery.parcels import Outgoing
from bot.delivery.push_worker import PushLimits
from bot.delivery.pushes import Address, ChannelName, NotNeeded, NotYet, Purpose, PushClass
from bot.storage.database import transaction
from bot.wechat.client import STABLE_TOKEN, TEMPLATE_SEND
from bot.wechat.errors import OutcomeUnknown, RecipientNotFollowing, SystemBusy
from tests.bot.delivery.push_stage import Phone, PostOffice, person

S = DeliveryStatus


# ------------------------------------------------------------------------------------------------------------ promising
async def test_a_promise_is_kept_once_with_the_words_of_the_moment(post: PostOffice) -> None:
    phone = Phone()
    assert await post.promise(post.push(), post.push("b", who=1)) == 2
    worker = post.worker(phone)
    assert await worker.run_once() == 2
    assert await worker.run_once() == 0
    assert sorted(phone.sent) == [("open-0001", "a"), ("open-0002", "b")]
    row = (await post.rows())["a", person(0)]
    assert (row.status, row.channel, row.attempts) == (S.SENT, ChannelName.TEMPLATE, 1)
    assert row.platform_id
    assert row.begun_at == post.clock.now()
    assert row.claim is None


async def test_the_same_promise_twice_is_one(post: PostOffice) -> None:
    assert await post.promise(post.push(), post.push()) == 1
    assert await post.promise(post.push()) == 0
    phone = Phone()
    await post.drain(post.worker(phone))
    assert await post.promise(post.push()) == 0
    await post.drain(post.worker(phone))
    assert len(phone.sent) == 1


async def test_promises_to_all_whom_a_query_finds_are_made_by_the_database(post: PostOffice) -> None:
    async with transaction() as connection:
        is_postgres = connection.capabilities.dialect == "postgres"
    cast = "::uuid" if is_postgres else ""
    sql = " UNION ALL ".join(
        f"SELECT '{person(number)}'{cast} AS person_id, {place} AS child_ids"
        for number, place in enumerate(("$1::text", "NULL", "$1::text") if is_postgres else ("?1", "NULL", "?1"))
    )
    wanted = Selected(
        sql=sql, parameters=["k1+k2"], reason="test", occurrence="many", rule="rule", purpose=Purpose.NOTICE,
        not_before=post.clock.now(), expires_at=post.clock.now() + timedelta(hours=1), push_class=PushClass.URGENT,
    )  # fmt: skip
    assert await post.outbox.promise_selected(wanted) == 3
    assert await post.outbox.promise_selected(wanted) == 0
    rows = await post.rows()
    assert {row.child_ids for row in rows.values()} == {"k1+k2", None}
    phone = Phone()
    await post.drain(post.worker(phone))
    assert len(phone.sent) == 3


async def test_a_promise_goes_with_its_transaction(post: PostOffice) -> None:
    with pytest.raises(ValueError, match="no"):
        async with transaction():
            await post.promise(post.push())
            raise ValueError("no")
    assert await post.statuses() == {}


async def test_what_is_unsent_can_be_taken_back_and_moved(post: PostOffice) -> None:
    await post.promise(post.push(), post.push(who=1), post.push("b"), post.push("c"))
    assert await post.outbox.cancel("test", occurrence="a", person_ids=[person(1)]) == 1
    assert await post.outbox.cancel("test", occurrence="c") == 1
    assert await post.outbox.cancel("other") == 0
    later = post.clock.now() + timedelta(hours=3)
    assert await post.outbox.postpone("test", "b", later, expires_at=later + timedelta(hours=1)) == 1
    phone = Phone()
    await post.drain(post.worker(phone))
    assert phone.sent == [("open-0001", "a")]
    post.clock.set(later)
    await post.drain(post.worker(phone))
    assert phone.lines == ["a", "b"]
    assert await post.outbox.cancel("test") == 0


async def test_what_became_of_a_matter_can_be_read(post: PostOffice) -> None:
    post.book.unbound.add(person(1))
    await post.promise(post.push(), post.push(who=1), post.push(who=2, after=timedelta(hours=1)))
    await post.drain(post.worker(Phone()))
    states = await post.outbox.reached("test", "a")
    assert {who: state.status for who, state in states.items()} == {
        person(0): S.SENT, person(1): S.UNREACHABLE, person(2): S.PLANNED,
    }  # fmt: skip
    assert (states[person(1)].channel, states[person(1)].error) == (ChannelName.BY_HAND, "not_bound")
    assert await post.outbox.told("test", "a") == {person(0): ("c1", "c2")}


# ------------------------------------------------------------------------------------------------------------ re-checks
async def test_what_is_not_wanted_any_more_is_not_sent(post: PostOffice) -> None:
    post.source.answers = {"b": NotNeeded("signed_up"), "c": NotYet(post.clock.now() + timedelta(hours=1))}
    await post.promise(post.push(), post.push("b", who=1), post.push("c", who=2))
    phone = Phone()
    await post.drain(post.worker(phone))
    assert phone.lines == ["a"]
    assert await post.statuses() == {"a": S.SENT, "b": S.NOT_NEEDED, "c": S.PLANNED}
    assert (await post.rows())["b", person(1)].last_error == "signed_up"


async def test_a_source_that_fails_holds_up_no_other(post: PostOffice) -> None:
    post.source.answers = {"b": ZeroDivisionError()}
    await post.promise(post.push("b"), post.push("a", who=1, reason="unknown:x"))
    await post.drain(post.worker(Phone()))
    rows = (await post.rows()).values()
    assert {row.last_error for row in rows} == {"compose_failed"}
    assert {row.status for row in rows} == {S.PLANNED}


async def test_who_is_gone_is_not_written_to_and_who_has_no_phone_is_for_the_list(post: PostOffice) -> None:
    post.book.gone.add(person(0))
    post.book.unbound.add(person(1))
    await post.promise(post.push("a"), post.push("b", who=1))
    await post.drain(post.worker(Phone()))
    assert await post.statuses() == {"a": S.NOT_NEEDED, "b": S.UNREACHABLE}
    assert post.listener.told == [(person(1), "not_bound")]


async def test_a_push_cancelled_at_the_last_moment_is_not_sent(post: PostOffice) -> None:
    class Cancelling(type(post.book)):  # type: ignore[misc] # the class of a fixture
        def address(self, each: str) -> Address:
            return super().address(each)  # type: ignore[no-any-return]

    phone = Phone()
    worker = post.worker(phone)
    original = post.book.addresses

    async def cancelling(person_ids: object) -> object:
        await post.outbox.cancel("test", occurrence="b")
        return await original(person_ids)  # type: ignore[arg-type]

    post.book.addresses = cancelling  # type: ignore[method-assign,assignment]
    await post.promise(post.push("a"), post.push("b"))
    await worker.run_once()
    assert phone.lines == ["a"]
    assert await post.statuses() == {"a": S.SENT, "b": S.NOT_NEEDED}


# -------------------------------------------------------------------------------------------------------------- timing
async def test_quiet_hours_hold_and_do_not_drop(post: PostOffice) -> None:
    post.clock.set(datetime(2026, 9, 1, 22, 0, tzinfo=SHANGHAI))
    await post.promise(
        post.push("normal"),
        post.push("urgent", who=1, push_class=PushClass.URGENT),
        post.push("alarm", who=2, push_class=PushClass.ALARM),
        post.push("short", who=3, life=timedelta(hours=2)),
    )
    phone = Phone()
    worker = post.worker(phone)
    await post.drain(worker)
    assert sorted(phone.lines) == ["alarm", "urgent"]
    statuses = await post.statuses()
    assert (statuses["normal"], statuses["short"]) == (S.HELD, S.EXPIRED)
    assert post.listener.told == [(person(3), "quiet")]
    held = (await post.rows())["normal", person(0)]
    assert to_local(held.not_before) == datetime(2026, 9, 2, 7, 0, tzinfo=SHANGHAI)
    post.clock.set(held.not_before)
    await post.drain(worker)
    assert (await post.statuses())["normal"] is S.SENT


async def test_too_late_is_expired_and_said_so(post: PostOffice) -> None:
    await post.promise(post.push(life=timedelta(minutes=5)))
    post.clock.advance(timedelta(minutes=5))
    phone = Phone()
    await post.drain(post.worker(phone))
    assert phone.sent == []
    assert await post.statuses() == {"a": S.EXPIRED}
    assert post.listener.told == [(person(0), "expired")]


async def test_alarms_overtake_everything(post: PostOffice) -> None:
    await post.promise(*(post.push(f"n{number}", who=number) for number in range(8)))
    post.clock.advance(timedelta(seconds=1))
    await post.promise(
        post.push("urgent", who=20, push_class=PushClass.URGENT), post.push("alarm", who=21, push_class=PushClass.ALARM)
    )
    phone = Phone()
    await post.worker(phone, limits=PushLimits(batch=2)).run_once()
    assert sorted(phone.lines) == ["alarm", "urgent"]


# ------------------------------------------------------------------------------------------------------- digest and cap
async def test_several_of_one_person_become_one_message(post: PostOffice) -> None:
    for number in range(3):
        await post.promise(post.push(f"事{number}"), post.push(f"事{number}", who=1))
    await post.promise(post.push("急", push_class=PushClass.URGENT))
    messages: list[Outgoing] = []

    async def keep(message: Outgoing) -> str:
        messages.append(message)
        return f"id-{len(messages)}"

    # Even when a batch could hold only one of them.
    await post.drain(post.worker(Phone(behaviour=keep), limits=PushLimits(batch=2)))
    digests = [message for message in messages if "3" in message.words.line]
    assert len(messages) == 3
    assert len(digests) == 2
    lines = digests[0].words.text.splitlines()[1:4]
    assert [line[:3] for line in lines] == ["1. ", "2. ", "3. "]
    assert sorted(line[3:] for line in lines) == ["事0", "事1", "事2"]
    assert digests[0].words.path == "/n/1"
    rows = await post.rows()
    together = {rows[f"事{number}", person(0)].message_id for number in range(3)}
    assert len(together) == 1
    assert set((await post.statuses()).values()) == {S.SENT}


async def test_two_workers_at_once_do_not_part_a_digest(post: PostOffice) -> None:
    for number in range(4):
        await post.promise(*(post.push(f"事{number}", who=who, after=timedelta(seconds=number)) for who in range(12)))
    post.clock.advance(timedelta(seconds=10))
    phone = Phone()
    workers = [post.worker(phone, limits=PushLimits(batch=3)) for _ in range(3)]
    await asyncio.gather(*(post.drain(worker) for worker in workers))
    assert len(phone.sent) == 12
    assert all("4" in line for line in phone.lines)


async def test_a_family_gets_so_many_a_day_and_the_rest_the_next_morning(post: PostOffice) -> None:
    post.cap = 2
    post.book.families = {person(0): "family", person(1): "family"}
    phone = Phone()
    for number in range(3):
        await post.promise(post.push(f"事{number}", who=number % 2), post.push(f"别家{number}", who=5 + number))
        await post.drain(post.worker(phone))
        post.clock.advance(timedelta(minutes=5))
    await post.promise(post.push("急", push_class=PushClass.URGENT))
    await post.drain(post.worker(phone))
    assert [line for line in phone.lines if not line.startswith("别家")] == ["事0", "事1", "急"]
    held = (await post.rows())["事2", person(0)]
    assert (held.status, held.last_error) == (S.HELD, "cap")
    assert to_local(held.not_before) == datetime(2026, 9, 2, 7, 0, tzinfo=SHANGHAI)
    post.clock.set(held.not_before)
    await post.drain(post.worker(phone))
    assert "事2" in phone.lines


async def test_what_was_not_sent_is_not_counted_against_the_family(post: PostOffice) -> None:
    post.cap = 1
    phone = Phone(SystemBusy(STABLE_TOKEN, errcode=-1))
    await post.promise(post.push("a"))
    await post.drain(post.worker(phone))
    post.clock.advance(timedelta(minutes=1))
    await post.drain(post.worker(phone))
    assert phone.lines == ["a"]


# -------------------------------------------------------------------------------------------------------------- workers
async def test_an_unknown_outcome_is_never_sent_again_by_itself(post: PostOffice) -> None:
    phone = Phone(OutcomeUnknown(TEMPLATE_SEND))
    await post.promise(post.push())
    worker = post.worker(phone)
    for _ in range(30):
        await post.drain(worker)
        post.clock.advance(timedelta(hours=1))
    assert phone.sent == []
    assert await post.statuses() == {"a": S.UNKNOWN}
    [trouble] = await post.outbox.troubled()
    assert (trouble.status, trouble.person_id, trouble.error) == (S.UNKNOWN, person(0), "wechat_outcome_unknown")
    assert trouble.child_ids == ("c1", "c2")
    assert await post.outbox.decide(trouble.id, sent=True)
    assert not await post.outbox.decide(trouble.id, sent=False)
    assert await post.outbox.told("test", "a") == {person(0): ("c1", "c2")}


async def test_the_platform_gets_the_same_id_for_the_same_message(post: PostOffice) -> None:
    phone = Phone(SystemBusy(TEMPLATE_SEND, errcode=-1))
    await post.promise(post.push())
    worker = post.worker(phone)
    await post.drain(worker)
    post.clock.advance(timedelta(minutes=1))
    await post.drain(worker)
    assert len(phone.keys) == 2
    assert len(set(phone.keys)) == 1
    assert phone.keys[0] == (await post.rows())["a", person(0)].id.hex


@pytest.mark.parametrize("died", ["composing", "sending"])
async def test_what_a_dead_worker_had_in_hand_is_unknown_or_sent_by_another(post: PostOffice, died: str) -> None:
    async def die(*_: object) -> str:
        raise asyncio.CancelledError

    await post.promise(post.push())
    worker = post.worker(Phone(behaviour=die))
    if died == "composing":
        post.book.addresses, addresses = die, post.book.addresses  # type: ignore[method-assign,assignment]
    with pytest.raises(asyncio.CancelledError):
        await worker.run_once()
    if died == "composing":
        post.book.addresses = addresses  # type: ignore[method-assign]
    phone = Phone()
    other = post.worker(phone)
    assert await other.run_once() == 0
    post.clock.advance(PushLimits().lease)
    await post.drain(other)
    assert phone.lines == (["a"] if died == "composing" else [])
    assert await post.statuses() == {"a": S.SENT if died == "composing" else S.UNKNOWN}


async def test_workers_share_the_work_and_nothing_is_sent_twice(post: PostOffice) -> None:
    await post.promise(*(post.push(f"{number}", who=number) for number in range(120)))
    phone = Phone()
    workers = [post.worker(phone, limits=PushLimits(batch=7)) for _ in range(4)]
    await asyncio.gather(*(post.drain(worker) for worker in workers))
    assert Counter(phone.lines) == Counter(str(number) for number in range(120))


async def test_another_channel_is_tried_at_once(post: PostOffice) -> None:
    post.use(ChannelName.TEMPLATE, ChannelName.SUBSCRIPTION_NOTICE)
    await post.credits.accepted("index-0001", "subscription_notice-reminder")
    await post.promise(post.push("a"), post.push("b", who=1))
    template = Phone(*[RecipientNotFollowing(TEMPLATE_SEND, errcode=43004)] * 2)
    notice = Phone()
    await post.drain(post.worker(template=template, subscription_notice=notice))
    assert notice.lines == ["a"]
    assert await post.statuses() == {"a": S.SENT, "b": S.UNREACHABLE}
    assert post.listener.told == [(person(1), "refused")]


async def test_it_finishes_what_it_is_sending_before_it_stops(post: PostOffice) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(message: Outgoing) -> str:
        begun.set()
        await go_on.wait()
        return "id"

    await post.promise(*(post.push(f"{number}", who=number) for number in range(5)))
    worker = post.worker(Phone(behaviour=slow), limits=PushLimits(at_once=2))
    worker.start()
    async with asyncio.timeout(60):
        await begun.wait()
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    statuses = Counter((await post.statuses()).values())
    assert statuses[S.SENT] >= 1
    assert statuses[S.SENT] + statuses[S.PLANNED] == 5


async def test_nothing_of_a_person_stays(post: PostOffice) -> None:
    await post.promise(post.push())
    await post.credits.accepted("index-0001", "x")
    await post.drain(post.worker(Phone()))
    await post.outbox.erase("index-0001")
    assert not await OutboxPush.exists()
    assert await post.credits.consents(["index-0001"]) == {}
