"""The console's pages over real services, a person at a browser, and a WeChat that only draws codes."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any, cast

from aiohttp import ClientResponse, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

import handlers
from bot.audit.log import Audit
from bot.capability import EntryPoints, Erasure, Machinery, Services
from bot.clock import Clock
from bot.config import Settings
from bot.config_values import decode_key
from bot.delivery.outbox import Outbox
from bot.library import Library
from bot.metrics import Metrics
from bot.storage.redis import RedisStore
from bot.web.admin import PREFIX
from bot.web.admin_edge import Console, add_console
from bot.web.admin_pages import Pages
from bot.web.admin_seals import Seals
from bot.web.limits import Addresses, FailureLimit
from bot.web.middlewares import BODY_LIMIT, edge
from bot.wechat.client import WeChatClient
from handlers.accounts.admin.pages import PeoplePages
from handlers.accounts.service.appointments import AppointmentService
from handlers.accounts.service.bars import BarService
from handlers.accounts.service.decisions import DecisionService
from handlers.accounts.service.editing import EditingService
from handlers.accounts.service.exports import ExportService
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.invitations import InvitationService
from handlers.accounts.service.notices import BindingNotices
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.sessions import SessionService
from handlers.accounts.service.structure import StructureService
from handlers.accounts.service.ties import Ties
from handlers.accounts.service.writing import Writer
from handlers.console.capability import build

KEY = bytes(range(32))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A QR code as WeChat gives it."""

    ticket: str
    url: str


class DrawingWeChat:
    """Gives codes whose contents name their scene."""

    def __init__(self) -> None:
        self.scenes: list[str] = []

    async def create_qr_code(self, scene: str, life: timedelta) -> Drawn:
        self.scenes.append(scene)
        return Drawn(scene, f"http://weixin.qq.com/q/{scene}")


@dataclass
class Browser:
    """Somebody at the console. Follows no redirect by itself; fills in the token of the last page."""

    client: TestClient[web.Request, web.Application]
    page: str = ""
    status: int = 0
    response: ClientResponse | None = None

    async def get(self, path: str) -> str:
        """Opens a page."""
        return await self._take(await self.client.get(PREFIX + path, allow_redirects=False))

    async def post(self, path: str, form: Mapping[str, Any] | None = None, **lists: Sequence[str]) -> str:
        """Sends a form of the last page."""
        fields = [("form_token", self.token), *(form or {}).items()]
        fields += [(name, value) for name, values in lists.items() for value in values]
        return await self._take(await self.client.post(PREFIX + path, data=fields, allow_redirects=False))

    async def follow(self) -> str:
        """Goes where the last answer led."""
        return await self.get(self.location)

    async def _take(self, response: ClientResponse) -> str:
        self.response, self.status = response, response.status
        if "text/html" not in response.headers.get("Content-Type", "") and response.status != 303:
            return ""
        text = await response.text()
        self.page = text if response.status != 303 else self.page
        return unescape(text)

    @property
    def location(self) -> str:
        """Where the last answer leads, without /admin."""
        assert self.response is not None
        return self.response.headers["Location"].removeprefix(PREFIX)

    @property
    def token(self) -> str:
        """Of the forms of the last page."""
        found = re.search(r'name="form_token" value="([^"]*)"', self.page)
        return found[1] if found else ""

    def hidden(self, name: str) -> str:
        """The value of a hidden field of the last page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found, f"no {name} on the page"
        return unescape(found[1])


def machinery_of(
    settings: Settings, store: RedisStore, clock: Clock, wechat: DrawingWeChat, audit: Audit | None = None
) -> Machinery:
    """Machinery without a running application."""
    metrics = Metrics()

    def no_knowledge() -> Any:
        raise AssertionError("nothing here asks the knowledge")

    services = Services()
    services.add(SessionService(clock, KEY))
    return Machinery(
        settings=settings,
        clock=clock,
        metrics=metrics,
        library=Library(no_knowledge),
        outbox=Outbox(clock, metrics),
        erasure=Erasure(),
        audit=audit or Audit(clock),
        services=services,
        redis=lambda: store,
        wechat=lambda: cast(WeChatClient, wechat),
        miniprogram=lambda: cast(Any, None),
    )


def console_app(machinery: Machinery, parts: Sequence[EntryPoints], *, is_secure: bool = False) -> web.Application:
    """The console of some capabilities as an application."""
    app = web.Application(middlewares=[edge(machinery.metrics)], client_max_size=BODY_LIMIT)
    console = Console(
        [route for part in parts for route in part.admin],
        Pages(sorted(Path(handlers.__file__).parent.glob("*/templates"))),
        Seals(decode_key(machinery.settings.security.session_key.get_secret_value())),
        audit=machinery.audit,
        failures=FailureLimit(machinery.redis, machinery.clock, 20),
        addresses=Addresses(()),
        authenticate=next((part.console_authenticate for part in parts if part.console_authenticate), None),
        metrics=machinery.metrics,
        is_secure=is_secure,
    )
    add_console(app, console)
    return app


@asynccontextmanager
async def browser_of(app: web.Application) -> AsyncIterator[Browser]:
    """A browser at an application that runs as long as it is open."""
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
        yield Browser(client)


def console_part(machinery: Machinery) -> EntryPoints:
    """The console's own capability."""
    part = build(machinery)
    machinery.parts.append(part)
    return part


def accounts_part(machinery: Machinery) -> EntryPoints:
    """The pages about people."""
    clock, audit = machinery.clock, machinery.audit
    identity = AccountsIdentity(clock)
    notices = BindingNotices(machinery.outbox, clock)
    ties = Ties(clock, audit, notices, identity.forget)
    decisions = DecisionService(clock, audit, ties, notices, Writer(clock))
    pages = PeoplePages(
        people=PeopleService(clock, audit),
        structure=StructureService(clock, audit),
        appointments=AppointmentService(clock, audit),
        invitations=InvitationService(clock, audit, machinery.wechat),
        decisions=decisions,
        bars=BarService(clock, audit, ties),
        editing=EditingService(clock, audit),
        exports=ExportService(audit),
        clock=clock,
    )
    part = EntryPoints(admin=pages.routes(), todos=(pages, decisions))
    machinery.parts.append(part)
    return part


def config_file(settings: Settings, path: Path) -> Path:
    """The settings as a file for the command line."""
    wechat, keys = settings.wechat, settings.security
    sections = {
        "database": {"url": settings.database.url.get_secret_value()},
        "wechat": {
            "app_id": wechat.app_id,
            "app_secret": wechat.app_secret.get_secret_value(),
            "token": wechat.token.get_secret_value(),
            "encoding_aes_key": wechat.encoding_aes_key.get_secret_value(),
        },
        "security": {
            "field_keys": keys.field_keys.get_secret_value(),
            "blind_index_key": keys.blind_index_key.get_secret_value(),
            "session_key": keys.session_key.get_secret_value(),
        },
    }
    lines = [
        line
        for name, values in sections.items()
        for line in (f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()))
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
