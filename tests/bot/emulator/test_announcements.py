"""Events about what became of messages: posted in the mode of the account, again where nobody answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from bot.emulator.platform import AccountKeys
from bot.emulator.rules import Rules
from bot.wechat.crypto import CallbackCrypto, Mode
from bot.wechat.messages import Event, parse
from tests.bot.emulator.conftest import SetScene
from tests.bot.emulator.scenes import OPENID, Scene, success
from tests.bot.wechat.samples import callback_keys


@pytest.fixture
async def scene(set_scene: SetScene) -> Scene:
    """One whose platform has the patience of the real one: a busy machine causes no second delivery."""
    return await set_scene(Rules())


def announce(scene: Scene, keys: AccountKeys | None = None, **fields: Any) -> None:
    scene.emulator.platform.events.announce(keys or scene.account.keys, OPENID, "TEMPLATESENDJOBFINISH", fields)


@pytest.mark.parametrize("mode", Mode)
async def test_the_account_can_read_them_in_its_mode(set_scene: SetScene, mode: Mode) -> None:
    scene = await set_scene(mode=mode)
    announce(scene, MsgID=7, Status="success")
    await scene.emulator.platform.events.settled()
    query, body = scene.callback.received[0]
    event = parse(CallbackCrypto(callback_keys(mode), scene.clock).open_envelope(query, body))
    assert isinstance(event, Event)
    assert (event.name, event.openid, event.fields["MsgID"]) == ("templatesendjobfinish", OPENID, "7")


async def test_one_that_fails_is_posted_again(set_scene: SetScene) -> None:
    scene = await set_scene(Rules(answer_within_s=0.5))
    scene.callback.answers += [lambda _request, _body: web.Response(status=500), success]
    announce(scene)
    await scene.emulator.platform.events.settled()
    (announced,) = scene.emulator.platform.events.log
    assert announced.is_taken
    assert announced.deliveries >= 2


async def test_many_at_once_all_arrive(scene: Scene) -> None:
    for number in range(60):
        announce(scene, MsgID=number)
    await scene.emulator.platform.events.settled()
    assert len(scene.callback.received) == 60


async def test_without_an_address_they_are_only_noted(scene: Scene) -> None:
    scene.emulator.callback_url = ""
    announce(scene)
    await scene.emulator.platform.events.settled()
    assert len(scene.emulator.platform.events.log) == 1
    assert scene.callback.received == []


async def test_an_account_without_a_callback_hears_nothing(scene: Scene) -> None:
    announce(scene, AccountKeys(app_id="wxmini0000000001", app_secret="f" * 32))
    assert scene.emulator.platform.events.log == []


async def test_what_is_under_way_is_given_up_when_the_platform_stops(set_scene: SetScene) -> None:
    scene = await set_scene(Rules(answer_within_s=30))
    scene.emulator.callback_url = "http://127.0.0.1:9/wechat"
    announce(scene)
    await asyncio.sleep(0)
    await scene.emulator.platform.events.close()
    assert not scene.emulator.platform.events.log[0].is_taken
