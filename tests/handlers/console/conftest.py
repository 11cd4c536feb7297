"""The console over a fresh database, and people who may use it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.capability import EntryPoints, Machinery
from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, Township
from handlers.accounts.service.sessions import SessionService
from tests.factories import make_appointment, make_person, make_township
from tests.handlers.console.stage import (
    Browser,
    DrawingWeChat,
    accounts_part,
    browser_of,
    console_app,
    console_part,
    machinery_of,
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything of a console that runs."""

    machinery: Machinery
    part: EntryPoints
    browser: Browser
    wechat: DrawingWeChat
    town: Township
    admin: Person

    async def enter(self, person: Person) -> None:
        """The person is logged in at the browser."""
        opened = await self.machinery.services.get(SessionService).open_console(person.id, device="Windows 电脑，Edge")
        self.browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": opened.secret})


@pytest.fixture
async def stage(database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock) -> AsyncIterator[Stage]:
    """A township with one administrator."""
    wechat = DrawingWeChat()
    machinery = machinery_of(settings, redis, clock, wechat)
    part = console_part(machinery)
    accounts_part(machinery)
    town = await make_township()
    admin = await make_person(name="孙管理")
    await make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR, admin, township=town)
    async with browser_of(console_app(machinery, machinery.parts)) as browser:
        yield Stage(machinery, part, browser, wechat, town, admin)
