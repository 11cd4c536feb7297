"""The whole application with a mini-program, a WeChat beside it, and people with phones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.app import LIBRARY, build_app
from bot.clock import FrozenClock
from bot.config import Settings
from bot.emulator.platform import Account, AccountKeys
from bot.emulator.rules import Rules
from bot.emulator.server import Emulator
from tests.miniprogram.client import MiniProgram
from tests.settings import make_settings
from tests.town import town_base

APP_ID, SECRET = "wxmini0000000001", "fedcba9876543210fedcba9876543210"


@dataclass
class Village:
    """One running application."""

    app: web.Application
    client: TestClient[web.Request, web.Application]
    emulator: Emulator
    account: Account
    clock: FrozenClock
    settings: Settings
    session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        """Where it listens."""
        return str(self.client.make_url("")).rstrip("/")

    def phone(self, openid: str = "mp_demo_g_000001") -> MiniProgram:
        """Somebody opens the mini-program."""
        return MiniProgram(self.session, self.url, lambda: self.account.login_code(openid))

    async def user(self, openid: str = "mp_demo_g_000001") -> MiniProgram:
        """Somebody who is logged in and has agreed to the privacy notice."""
        phone = self.phone(openid)
        await phone.log_in()
        assert (await phone.post("/privacy-agreement", {"version": "1"})).status == 200
        return phone


@asynccontextmanager
async def running_village(
    database_url: str, clock: FrozenClock, *, rules: Rules | None = None, **sections: dict[str, Any]
) -> AsyncIterator[Village]:
    """A village over a database; `sections` are laid over its settings."""
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(clock, rules or Rules()))
        sections["wechat"] = {"api_base": emulator.url, **sections.get("wechat", {})}
        sections["miniprogram"] = {"app_id": APP_ID, "app_secret": SECRET, "api_base": emulator.url}
        settings = make_settings(database={"url": database_url}, **sections)
        app = build_app(settings, clock=clock, worker=False, knowledge=town_base)
        client = await stack.enter_async_context(TestClient(TestServer(app)))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100), cookie_jar=aiohttp.DummyCookieJar())
        )
        account = emulator.platform.add_account(AccountKeys(app_id=APP_ID, app_secret=SECRET))
        await app[LIBRARY].wait()
        yield Village(app, client, emulator, account, clock, settings, session)
