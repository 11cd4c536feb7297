"""What the platform tells afterwards: arrived or not, accepted or refused."""

from __future__ import annotations

import asyncio
import contextvars
from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.pushes import ChannelName, Purpose
from bot.delivery.reports import Reports
from bot.storage.database import transaction
from bot.wechat.client import TEMPLATE_SEND
from bot.wechat.errors import OutcomeUnknown
from bot.wechat.messages import Event
from bot.wechat.outgoing import TemplateJob
from bot.wechat.xml import Fields
from tests.bot.delivery.push_stage import Phone, PostOffice, index_of, person

S = DeliveryStatus
NOTICE = "subscription_notice-reminder"


def reports_of(post: PostOffice) -> Reports:
    return Reports(post.credits, lambda: [post.listener], post.clock)


def job(message_id: str, *, delivered: bool = True) -> TemplateJob:
    return TemplateJob(message_id=message_id, is_delivered=delivered, is_blocked=not delivered)


def happened(clock: FrozenClock, name: str, fields: Fields) -> Event:
    return Event(
        openid="o", account="gh", created_at=clock.now(), message_id=None, dedupe_key="d", authenticated=True,
        name=name, key="", scene=None, ticket=None, fields=fields,
    )  # fmt: skip


async def test_a_message_that_did_not_arrive_is_failed_and_somebody_is_told(post: PostOffice) -> None:
    await post.promise(post.push("a"), post.push("b", who=1))
    await post.drain(post.worker(Phone()))
    ids = {occurrence: row.platform_id or "" for (occurrence, _), row in (await post.rows()).items()}
    reports = reports_of(post)
    for _ in range(2):
        await reports.take_jobs(
            [(job(ids["a"], delivered=False), index_of(person(0))), (job(ids["b"]), index_of(person(1)))]
        )
    assert await post.statuses() == {"a": S.FAILED, "b": S.SENT}
    assert post.listener.told == [(person(0), "user_block")]


@pytest.mark.engine("postgres")
async def test_a_report_waits_for_an_outcome_that_is_just_being_written(post: PostOffice) -> None:
    """Else neither would see the other, and a message that did not arrive would stand there as sent."""
    await post.promise(post.push("a"))
    own = OutboxPush.filter(reason__not="")
    await own.update(status=S.SENDING, recipient_index=index_of(person(0)), channel=ChannelName.TEMPLATE)
    reports = reports_of(post)
    async with transaction():
        await own.update(status=S.SENT, platform_id="msg-1")
        # As by another process: in a connection of its own.
        told = asyncio.get_running_loop().create_task(
            reports.take_jobs([(job("msg-1", delivered=False), index_of(person(0)))]), context=contextvars.Context()
        )
        await asyncio.wait((told,), timeout=0.3)
        assert not told.done()
    await told
    assert await post.statuses() == {"a": S.FAILED}


async def test_a_report_may_come_before_the_outcome_is_written(post: PostOffice) -> None:
    await reports_of(post).take_jobs([(job("msg-1", delivered=False), index_of(person(0)))])
    await post.promise(post.push("a"))
    await post.drain(post.worker(Phone()))
    assert await post.statuses() == {"a": S.FAILED}
    assert post.listener.told == [(person(0), "user_block")]


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_report_tells_what_a_lost_answer_did_not(post: PostOffice, delivered: bool) -> None:
    await post.promise(post.push("a"), post.push("b"))
    await post.drain(post.worker(Phone(OutcomeUnknown(TEMPLATE_SEND))))
    assert set((await post.statuses()).values()) == {S.UNKNOWN}
    post.clock.advance(timedelta(seconds=3))
    await reports_of(post).take_jobs([(job("999", delivered=delivered), index_of(person(0)))])
    assert set((await post.statuses()).values()) == {S.SENT if delivered else S.FAILED}
    assert len(post.listener.told) == (0 if delivered else 2)


async def test_a_report_of_one_of_two_unknown_messages_decides_neither(post: PostOffice) -> None:
    worker = post.worker(Phone(OutcomeUnknown(TEMPLATE_SEND), OutcomeUnknown(TEMPLATE_SEND)))
    for occurrence in "ab":
        await post.promise(post.push(occurrence))
        await post.drain(worker)
    await reports_of(post).take_jobs([(job("999"), index_of(person(0)))])
    assert await post.statuses() == {"a": S.UNKNOWN, "b": S.UNKNOWN}


async def test_accepts_and_refusals_reach_the_ledger(post: PostOffice) -> None:
    post.use(ChannelName.SUBSCRIPTION_NOTICE)
    reports, index = reports_of(post), index_of(person(0))

    async def told(name: str, status: str) -> None:
        fields: Fields = {
            "SubscribeMsgPopupEvent": {
                "List": {"TemplateId": NOTICE, "SubscribeStatusString": status, "PopupScene": "1"}
            }
        }
        async with transaction():
            await reports.take(happened(post.clock, name, fields), index)

    await told("subscribe_msg_popup_event", "accept")
    assert (await post.planner.reach([person(0)], Purpose.REMINDER))[
        person(0)
    ].channel is ChannelName.SUBSCRIPTION_NOTICE
    await told("subscribe_msg_change_event", "reject")
    assert (await post.planner.reach([person(0)], Purpose.REMINDER))[person(0)].channel is ChannelName.BY_HAND


async def test_a_mass_message_that_was_refused_failed_for_all(post: PostOffice) -> None:
    post.use(ChannelName.SUBSCRIPTION_NOTICE)
    post.source.same = True
    await post.promise(*(post.push("n", who=who, purpose=Purpose.NOTICE) for who in range(3)))
    await post.drain(post.worker(Phone()))
    ids = {row.platform_id for row in (await post.rows()).values()}
    assert len(ids) == 1
    fields: Fields = {"MsgID": str(ids.pop()), "Status": "err(20001)", "TotalCount": "3"}
    async with transaction():
        await reports_of(post).take(happened(post.clock, "masssendjobfinish", fields), "")
    rows = (await post.rows()).values()
    assert {(row.status, row.last_error) for row in rows} == {(S.FAILED, "mass_20001")}
    assert len(post.listener.told) == 3
