"""A message to a parent, from the promise to the report of the platform, over the wire."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from bot.app import ASSEMBLY, CLOCK, METRICS, limiter_of, push_worker_of
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.outbox import Outbox
from bot.delivery.planner import Template
from bot.delivery.push_worker import PushWorker
from bot.delivery.pushes import Address, ChannelName, Composed, NewPush, Purpose, Push, Slot
from bot.emulator.templates import slots as keys_of
from bot.emulator.templates import subscription_notice_id, template_id
from bot.storage.base import blind_index
from bot.wechat.client import TEMPLATE_SEND
from tests.town import PARENT, Town

MOTHER = str(UUID(int=1))


class Book:
    """The mother has a phone."""

    async def addresses(self, person_ids: Collection[str]) -> Mapping[str, Address]:
        index = blind_index("openid", PARENT)
        return {each: Address(person_id=each, family="f", openid=PARENT, openid_index=index) for each in person_ids}


class Words:
    """Tomorrow it is time."""

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed]:
        words = Composed(
            text="明天截止", line="明天截止", slots={Slot.SUBJECT: "课后服务报名", Slot.WHEN: now}, path="/n/1"
        )
        return {push.id: words for push in pushes}


def worker_in(town: Town, *kinds: ChannelName) -> PushWorker:
    """The application's own, but for the words, the addresses and the templates."""
    ids = {ChannelName.TEMPLATE: template_id, ChannelName.SUBSCRIPTION_NOTICE: subscription_notice_id}
    purpose = Purpose.REMINDER
    keys = {Slot(slot): key for slot, key in keys_of(purpose.value).items()}
    templates = [Template(purpose, kind, ids[kind](purpose.value), keys) for kind in kinds]
    assembly = town.app[ASSEMBLY]
    planner = assembly.delivery.planner
    planner._book = Book
    planner._templates = {(each.channel, each.purpose): [each] for each in templates}
    assembly.pushes = {"test": Words()}
    return push_worker_of(town.app, limiter_of(town.app))


async def promise(town: Town, occurrence: str = "a") -> None:
    now = town.clock.now()
    push = NewPush(
        reason="test", occurrence=occurrence, person_id=MOTHER, rule="rule", purpose=Purpose.REMINDER, not_before=now,
        expires_at=now + timedelta(days=1),
    )  # fmt: skip
    assert await Outbox(town.app[CLOCK], town.app[METRICS]).promise([push]) == 1


async def statuses() -> dict[str, DeliveryStatus]:
    return {row.occurrence: row.status for row in await OutboxPush.all()}


async def test_a_reminder_arrives_and_the_report_of_one_that_did_not_is_heard(town: Town) -> None:
    phone = town.person(PARENT)
    worker = worker_in(town, ChannelName.TEMPLATE)
    await promise(town)
    await worker.run_once()
    [shown] = phone.screen
    assert shown.card is not None
    assert "课后服务报名" in shown.card.text
    town.emulator.platform.troubles.fail_jobs(TEMPLATE_SEND)
    await promise(town, "b")
    await worker.run_once()
    await town.emulator.platform.events.settled()
    assert await statuses() == {"a": DeliveryStatus.SENT, "b": DeliveryStatus.FAILED}


async def test_a_lost_answer_is_found_out_by_the_report(town: Town) -> None:
    worker = worker_in(town, ChannelName.TEMPLATE)
    town.person(PARENT)
    town.emulator.platform.troubles.lose(TEMPLATE_SEND)
    await promise(town)
    await worker.run_once()
    await town.emulator.platform.events.settled()
    await worker.run_once()
    assert await statuses() == {"a": DeliveryStatus.SENT}


async def test_an_accept_in_the_chat_is_one_message(town: Town) -> None:
    phone = town.person(PARENT)
    worker = worker_in(town, ChannelName.SUBSCRIPTION_NOTICE)
    await phone.accepts(subscription_notice_id("reminder"))
    await town.emulator.platform.events.settled()
    for occurrence in ("a", "b"):
        await promise(town, occurrence)
        await worker.run_once()
    assert await statuses() == {"a": DeliveryStatus.SENT, "b": DeliveryStatus.UNREACHABLE}
