"""Commands towards WeChat, as processes: delivering, and the menu."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.clock import SystemClock
from bot.delivery.outbox import NewMessage, Outbox
from bot.emulator.allowances import Act
from bot.emulator.server import Emulator
from bot.metrics import Metrics
from bot.storage.database import open_database
from tests.bot.test_serve import environment
from tests.programs import PIPE, Running, running
from tests.settings import make_settings
from tests.town import PARENT, account_keys

pytestmark = pytest.mark.slow


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(SystemClock()) as running:
        running.platform.add_account(account_keys(make_settings()))
        yield running


async def command(*arguments: str, env: dict[str, str]) -> Running:
    return await running("bot", *arguments, env=env, stdout=PIPE, stderr=PIPE)


async def test_a_worker_delivers_what_was_promised_and_stops_when_told(emulator: Emulator, database_url: str) -> None:
    account = emulator.platform.account(make_settings().wechat.app_id)
    parent = emulator.follower(account, PARENT)
    emulator.callback_url = "http://127.0.0.1:9/nobody"
    clock = SystemClock()
    account.allow(account.person(PARENT), Act.MESSAGE)
    async with open_database(make_settings(database={"url": database_url})):
        message = NewMessage(
            reason="test", occurrence="1", openid=PARENT, text="老师答复了", expires_at=clock.now() + timedelta(hours=1)
        )
        await Outbox(clock, Metrics()).enqueue(message)
    env = environment(database={"url": database_url}, wechat={"api_base": emulator.url})
    process = await command("worker", env=env)
    try:
        assert await parent.screen.wait_beyond(0, 60)
        assert parent.last_reply == "老师答复了"
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


async def test_the_menu_is_brought_to_the_account(emulator: Emulator, database_url: str) -> None:
    env = environment(database={"url": database_url}, wechat={"api_base": emulator.url})
    process = await command("menu", "sync", env=env)
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert "课后服务：我要报名、几点结束、收费多少、怎么报名、困难减免" in output.decode()
    [call] = emulator.platform.calls_of("/cgi-bin/menu/create")
    assert call is not None


async def test_a_menu_that_cannot_be_brought_says_why(database_url: str) -> None:
    env = environment(database={"url": database_url}, wechat={"api_base": "http://127.0.0.1:9"})
    process = await command("menu", "sync", env=env)
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert "微信" in errors.decode()
    assert "Traceback" not in errors.decode()
