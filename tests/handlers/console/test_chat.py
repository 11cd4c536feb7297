"""Scanning a log-in page in the chat: who is asked, what is compared, and who gets in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from bot.clock import FrozenClock
from bot.dialogue.dispatcher import Dispatcher, Surroundings
from bot.dialogue.inbox import Inbox
from bot.dialogue.router import Router
from bot.dialogue.store import ChatStore
from bot.metrics import Metrics
from bot.storage.redis import RedisStore
from bot.wechat.messages import Inbound, TextReply
from bot.wechat.window import WindowLedger
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.identity import AccountsIdentity
from handlers.console import texts
from handlers.console.domain import TicketState
from handlers.console.service.tickets import TicketService
from tests.bot.dialogue.stage import event, guard, said, text
from tests.factories import make_appointment, make_guardianship, make_identity, make_person, make_pupil
from tests.handlers.console.conftest import Stage

SUN, ZHOU, PARENT = "demo_a_0001", "demo_h_0001", "demo_g_000001"


@dataclass
class Talk:
    """Three people who may scan, and a ticket of a browser."""

    dispatcher: Dispatcher
    tickets: TicketService
    ticket: str

    async def scan(self, openid: str, name: str = "scan") -> str:
        scene = f"l_{self.ticket}"
        key = scene if name == "scan" else f"qrscene_{scene}"
        return said(await self.dispatcher.dispatch(replace(event(name, openid=openid, key=key), scene=scene)))

    async def say(self, openid: str, words: str) -> str:
        return said(await self.dispatcher.dispatch(text(words, openid=openid)))

    async def state(self) -> TicketState:
        return (await self.tickets.of_browser(self.ticket, "browser")).state


@pytest.fixture
async def talk(stage: Stage, redis: RedisStore, clock: FrozenClock, metrics: Metrics) -> AsyncIterator[Talk]:
    await make_identity(SUN, stage.admin)
    zhou, parent = await make_person(), await make_person()
    await make_appointment(AppointmentKind.EDITOR, zhou, township=stage.town)
    await make_identity(ZHOU, zhou)
    await make_guardianship(await make_pupil(), parent)
    await make_identity(PARENT, parent)

    async def send_later(inbound: Inbound, reply: TextReply) -> None:
        raise AssertionError("nothing here is late")

    parts = Surroundings(
        store=ChatStore(redis), inbox=Inbox(clock), ledger=WindowLedger(redis), identity=AccountsIdentity(clock),
        alarm=guard, send_later=send_later, messages_per_minute=1000, clock=clock, metrics=metrics,
    )  # fmt: skip
    dispatcher = Dispatcher(Router(stage.part.routes), parts)
    tickets = TicketService(stage.machinery.redis, stage.machinery.wechat)
    yield Talk(dispatcher, tickets, await tickets.begin("browser"))
    await dispatcher.drain()


@pytest.mark.parametrize("name", ["scan", "subscribe"])
async def test_staff_are_asked_with_the_number_of_the_page(talk: Talk, stage: Stage, name: str) -> None:
    asked = await talk.scan(SUN, name)
    number = (await talk.tickets.of_browser(talk.ticket, "browser")).number
    assert f"数字：{number}" in asked
    assert "别人发来的，千万不要确认" in asked
    assert await talk.tickets.redeem(talk.ticket, "browser") is None
    assert await talk.say(SUN, "确认") == texts.CONFIRMED
    redeemed = await talk.tickets.redeem(talk.ticket, "browser")
    assert redeemed is not None
    assert redeemed[0] == stage.admin.id


async def test_no_lets_nobody_in(talk: Talk) -> None:
    await talk.scan(SUN)
    assert await talk.say(SUN, "取消") == texts.REFUSED
    assert await talk.state() is TicketState.REFUSED
    assert await talk.scan(SUN) == texts.TICKET_TAKEN


async def test_a_code_belongs_to_the_first_who_scans_it(talk: Talk) -> None:
    await talk.scan(SUN)
    assert await talk.scan(ZHOU) == texts.TICKET_TAKEN
    assert await talk.state() is TicketState.SEEN
    assert "数字" in await talk.scan(SUN)


async def test_families_and_strangers_are_told_that_it_is_for_the_staff(talk: Talk) -> None:
    for openid in (PARENT, "demo_g_999999"):
        assert "后台只给教职工用" in await talk.scan(openid)
    assert await talk.state() is TicketState.NEW


async def test_a_code_that_has_run_out_is_told(talk: Talk) -> None:
    talk.ticket = "unknown"
    assert await talk.scan(SUN) == texts.TICKET_OVER
