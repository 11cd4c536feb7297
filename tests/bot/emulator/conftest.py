"""A running platform for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import FrozenClock
from bot.emulator.rules import Rules
from bot.emulator.server import Emulator
from bot.wechat.crypto import Mode
from tests.bot.emulator.scenes import Callback, Scene
from tests.bot.wechat.samples import OPENID, account_keys

SetScene = Callable[..., Awaitable[Scene]]


@pytest.fixture
async def set_scene(clock: FrozenClock) -> AsyncIterator[SetScene]:
    """Makes a scene: `rules` of the platform, `mode` of the account."""
    async with AsyncExitStack() as stack:

        async def make(rules: Rules | None = None, mode: Mode = Mode.SAFE) -> Scene:
            emulator = await stack.enter_async_context(Emulator(clock, rules or Rules(answer_within_s=0.1)))
            account = emulator.platform.add_account(account_keys(mode))
            callback = Callback(account.keys)
            app = web.Application()
            app.router.add_post("/wechat", callback.handle)
            server = await stack.enter_async_context(TestServer(app))
            emulator.callback_url = str(server.make_url("/wechat"))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            follower = emulator.follower(account, OPENID)
            return Scene(emulator, account, follower, callback, clock, session)

        yield make


@pytest.fixture
async def scene(set_scene: SetScene) -> Scene:
    """The usual one: safe mode, five seconds shortened to a tenth."""
    return await set_scene()
