"""The console and the families' page over all capabilities, and a village whose families are reached in every way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

import handlers
from bot.capability import Machinery
from bot.chat import Assembly
from bot.clock import FrozenClock
from bot.config import Settings
from bot.delivery.credits import ConsentKind
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.pushes import ChannelName
from bot.storage.base import blind_index
from bot.storage.redis import RedisStore
from bot.web.admin_pages import Pages
from bot.web.public import PublicPages
from handlers.accounts.domain import AppointmentKind, Relation
from handlers.accounts.models import Person, Pupil, School, SchoolClass, Township
from handlers.accounts.service.sessions import SessionService
from handlers.catalogue import CAPABILITIES
from handlers.notices.models import Notice
from handlers.notices.service.sending import NoticeSender
from handlers.notices.service.tickets import tickets_for
from tests import factories
from tests.handlers.console.stage import Browser, DrawingWeChat, browser_of, console_app, machinery_of
from tests.settings import make_settings

TEMPLATE_ID = "notice-template"
TEMPLATE = {
    "purpose": "notice",
    "kind": "subscription_notice",
    "id": TEMPLATE_ID,
    "slots": {"subject": "thing1", "when": "time2", "sender": "thing3"},
}
"""What families may have accepted."""


def with_templates(settings: Settings, limit: int = 40) -> Settings:
    """The settings with a template for notices; above `limit` people a second person signs."""
    url = settings.database.url.get_secret_value()
    return make_settings(
        database={"url": url}, wechat={"templates": [TEMPLATE]}, limits={"notice_people_unsigned": limit}
    )


@dataclass
class Village:
    """Two schools, three classes. Of class 3.1: a child whose mother has accepted, one whose father has not, one whose
    grandmother is on the roster only, one with nobody, and two of one mother."""

    town: Township
    school: School
    other_school: School
    room: SchoolClass
    next_room: SchoolClass
    far_room: SchoolClass
    people: dict[str, Person] = field(default_factory=dict)
    children: dict[str, Pupil] = field(default_factory=dict)
    families: dict[str, Person] = field(default_factory=dict)


STAFF = {
    "head": "李秋云",
    "next_head": "周明远",
    "leader": "钱校长",
    "admin": "孙主任",
    "second": "吴主任",
    "teacher": "郑老师",
    "editor": "冯编辑",
    "far_head": "韩远山",
}


async def build_village(machinery: Machinery) -> Village:
    """The rows."""
    town = await factories.make_township(name="柳河镇")
    school = await factories.make_school(town, name="柳河镇中心小学")
    other = await factories.make_school(town, name="柳庄教学点")
    village = Village(
        town,
        school,
        other,
        await factories.make_class(school, grade=3, number=1),
        await factories.make_class(school, grade=3, number=2),
        await factories.make_class(other, grade=1, number=1),
    )
    for role, name in STAFF.items():
        village.people[role] = await factories.make_person(name=name)
    await _appoint(village)
    await _families(village, machinery)
    return village


async def _appoint(village: Village) -> None:
    people, kinds = village.people, AppointmentKind
    await factories.make_appointment(kinds.HEAD_TEACHER, people["head"], school_class=village.room)
    await factories.make_appointment(kinds.HEAD_TEACHER, people["next_head"], school_class=village.next_room)
    await factories.make_appointment(kinds.HEAD_TEACHER, people["far_head"], school_class=village.far_room)
    await factories.make_appointment(
        kinds.SUBJECT_TEACHER, people["teacher"], school_class=village.room, subject="数学"
    )
    await factories.make_appointment(kinds.SCHOOL_LEADER, people["leader"], school=village.school)
    await factories.make_appointment(kinds.TOWNSHIP_ADMINISTRATOR, people["admin"], township=village.town)
    await factories.make_appointment(kinds.TOWNSHIP_ADMINISTRATOR, people["second"], township=village.town)
    await factories.make_appointment(kinds.EDITOR, people["editor"], township=village.town)


async def _families(village: Village, machinery: Machinery) -> None:
    names = {
        "ready": "何若曦",
        "plain": "陈小满",
        "roster": "杨平安",
        "alone": "褚远",
        "elder": "沈明禾",
        "younger": "沈明川",
    }
    for key, name in names.items():
        village.children[key] = await factories.make_pupil(village.room, name=name)
    village.children["next"] = await factories.make_pupil(village.next_room, name="蒋青山")
    village.children["far"] = await factories.make_pupil(village.far_room, name="韩雨田")
    grown = {
        "ready": "何云",
        "plain": "陈大山",
        "roster": "杨奶奶",
        "elder": "沈妈妈",
        "next": "蒋爸爸",
        "far": "韩妈妈",
    }
    for key, name in grown.items():
        village.families[key] = await factories.make_person(name=name)
        relation = Relation.PATERNAL_GRANDMOTHER if key == "roster" else Relation.MOTHER
        bound = {"bound_at": None} if key == "roster" else {}
        child = village.children[key]
        await factories.make_guardianship(child, village.families[key], relation=relation, is_acting=True, **bound)
    await factories.make_guardianship(village.children["younger"], village.families["elder"], is_acting=True)
    for key in ("ready", "plain", "elder", "next", "far"):
        await factories.make_identity(f"openid-{key}", village.families[key])
    for key in ("ready", "elder"):
        index = blind_index("openid", f"openid-{key}")
        await machinery.delivery.credits.accepted(index, TEMPLATE_ID, ConsentKind.LONG_TERM)


@dataclass
class Office:
    """A running console and the families' page. `clock` is everybody's."""

    machinery: Machinery
    assembly: Assembly
    browser: Browser
    village: Village
    clock: FrozenClock
    app: web.Application

    async def enter(self, role: str) -> Browser:
        """Somebody of the staff is logged in at the browser."""
        self.browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": await self.secret(role)})
        return self.browser

    async def secret(self, role: str) -> str:
        """A session of somebody of the staff."""
        person = self.village.people[role]
        return (await self.machinery.services.get(SessionService).open_console(person.id)).secret

    async def tick(self) -> None:
        """What the clock does to notices."""
        await self.machinery.services.get(NoticeSender).tick()

    async def deliver(self, *, failing: tuple[str, ...] = (), keep: int = 0) -> None:
        """Delivery has done its work: all but the last `keep` messages have ended, those of `failing` badly."""
        lost = {str(self.village.families[key].id) for key in (*failing, "roster")}
        rows = await OutboxPush.filter(status=DeliveryStatus.PLANNED).order_by("created_at", "id")
        for row in rows[: len(rows) - keep if keep else None]:
            is_lost = str(row.person_id) in lost
            row.status = DeliveryStatus.UNREACHABLE if is_lost else DeliveryStatus.SENT
            if not is_lost:
                row.channel = ChannelName.SUBSCRIPTION_NOTICE
            row.updated_at = self.clock.now()
            await row.save()

    async def sent(self, notice_id: str) -> Notice:
        """The notice has gone out to everybody it could."""
        await self.tick()
        await self.deliver()
        await self.tick()
        return await Notice.get(id=notice_id)

    async def ticket(self, notice_id: str, family: str) -> str:
        """The link in a family's message."""
        row, person = await Notice.get(id=notice_id), str(self.village.families[family].id)
        return (await tickets_for(row, [person], self.clock.now()))[person]


def whole_app(machinery: Machinery) -> tuple[web.Application, Assembly]:
    """Console and public pages of all capabilities, without chat, API and workers."""
    assembly = Assembly(CAPABILITIES, machinery)
    app = console_app(machinery, assembly.parts)
    public = [route for part in assembly.parts for route in part.public]
    pages = Pages(sorted(Path(handlers.__file__).parent.glob("*/templates")))
    PublicPages(public, pages, machinery.metrics).add_to(app)
    return app, assembly


@asynccontextmanager
async def open_office(settings: Settings, store: RedisStore, clock: FrozenClock) -> AsyncIterator[Office]:
    """The office over an open database."""
    machinery = machinery_of(with_templates(settings), store, clock, DrawingWeChat())
    app, assembly = whole_app(machinery)
    village = await build_village(machinery)
    async with browser_of(app) as browser:
        yield Office(machinery, assembly, browser, village, clock, app)


def content_form(**changes: Any) -> dict[str, str]:
    """What the form for a notice sends at least."""
    return {
        "title": "周五开家长会",
        "text": "9月11日（星期五）下午3点开家长会，请带笔。",
        "role": "guardians",
        "confirmation": "button",
        "who": "any",
        "remind_hours": "24",
        "remind_times": "1",
        "deed": "save",
        **changes,
    }
