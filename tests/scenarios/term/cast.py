"""The school of the play: its people, their phones, and the doors they go through."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from typing import Any, cast

from aiohttp import ClientSession, CookieJar
from yarl import URL

from bot.app import ASSEMBLY, limiter_of, push_worker_of, worker_of
from bot.config_values import decode_key
from bot.emulator.screen import Shown
from bot.scheduler.jobs import Daily
from handlers.accounts.domain import Account, AppointmentKind
from handlers.accounts.models import Person, Pupil, School, SchoolClass, Township, WeChatIdentity
from handlers.accounts.service.sessions import SessionService
from handlers.calendar.domain import Term
from handlers.calendar.service.founding import put_calendar
from handlers.consent.domain.decisions import Decision
from handlers.consent.service.consents import ConsentService
from handlers.consent.service.founding import MadeDecision, put_decisions
from tests import factories
from tests.handlers.console.stage import Browser
from tests.town import Town

# Who answers which way: by the number of the family within its class.
WAYS = ("chat", "mini", "paper", "late", "chat", "mini", "silent", "out", "mini", "paper")
_ROW = re.compile(r"<tr[^>]*>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)


@dataclass
class Family:
    """One child, one grown-up. `openid` "": no phone."""

    number: int
    way: str
    room: int
    child: Pupil
    person: Person
    openid: str = ""
    mini: WeChatIdentity | None = None

    @property
    def child_id(self) -> str:
        """As the doors take it."""
        return str(self.child.id)


@dataclass
class Cast:
    """Everybody. Rooms and families by number."""

    town: Town
    township: Township
    school: School
    rooms: list[SchoolClass] = field(default_factory=list)
    heads: list[Person] = field(default_factory=list)
    families: dict[int, Family] = field(default_factory=dict)
    staff: dict[str, Person] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def sessions(self) -> SessionService:
        """Logs people in."""
        key = self.town.settings.security.session_key.get_secret_value()
        return SessionService(self.town.clock, decode_key(key))

    def by_child(self, child_id: str) -> Family:
        """Whose child it is."""
        return next(family for family in self.families.values() if family.child_id == child_id)

    # ------------------------------------------------------------------------------------------------------------ doors
    @asynccontextmanager
    async def desk(self, person: Person, page: str = "/") -> AsyncIterator[Browser]:
        """Somebody at the console, with a page open."""
        base = URL(str(self.town.client.make_url("/")))
        async with ClientSession(base, cookie_jar=CookieJar(unsafe=True)) as session:
            secret = (await self.sessions.open_console(person.id)).secret
            session.cookie_jar.update_cookies({"xiangxiao_console": secret}, base)
            browser = Browser(cast("Any", session))
            await browser.get(page)
            yield browser

    async def call(self, family: Family, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The mini-program; gives status and answer."""
        assert family.mini is not None
        headers = {"Authorization": f"Bearer {(await self.sessions.open_api(family.mini.id)).secret}"}
        if method == "POST":
            self.seen["keys"] = self.seen.get("keys", 0) + 1
            headers["Idempotency-Key"] = f"term-play-{self.seen['keys']:08d}"
        url = f"/api/v1/after-school{path}"
        async with self.town.client.request(method, url, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def says(self, openid: str, *words: str) -> str:
        """The chat; gives the last answer."""
        reply = None
        for word in words:
            reply = await self.town.person(openid).says(word)
        assert reply is not None
        return reply

    # ------------------------------------------------------------------------------------------------------------- time
    async def tick(self) -> None:
        """What the clock does by itself, and the workers: those of every few minutes, and those of the night."""
        for job in self.town.app[ASSEMBLY].jobs:
            if job.id.startswith(("after_school.", "reminders.", "alarms.")) and not (
                isinstance(job.trigger, Daily) and job.id.startswith("reminders.")
            ):
                await job.run()
        limiter = limiter_of(self.town.app)
        for worker in (worker_of(self.town.app, limiter), push_worker_of(self.town.app, limiter)):
            while await worker.run_once():
                pass

    def pushed(self, openid: str) -> list[Shown]:
        """What came to a phone by itself since it was last asked."""
        screen = self.town.person(openid).screen
        fresh = [item for item in list(screen)[self.seen.get(openid, 0) :] if item.is_push]
        self.seen[openid] = len(screen)
        return fresh


async def gather(town: Town, rooms: int, children: int) -> Cast:
    """The rows: classes of grades 1 to 6, each with so many families."""
    township = await factories.make_township(name="柳溪镇")
    school = await factories.make_school(township, name="柳溪小学")
    term = Term(date(2026, 9, 1), date(2027, 1, 22), "秋季学期")
    await put_calendar(township.id, [term], [], town.clock.now())
    cast_ = Cast(town, township, school)
    kinds = AppointmentKind
    for name, kind, openid in (
        ("leader", kinds.SCHOOL_LEADER, "demo_t_0001"),
        ("duty", kinds.DUTY, "demo_t_0002"),
        ("ball", kinds.SUBJECT_TEACHER, "demo_t_0003"),
        ("brush", kinds.SUBJECT_TEACHER, "demo_t_0004"),
    ):
        cast_.staff[name] = await _member(kind, openid, school=school)
    cast_.staff["office"] = await _member(kinds.TOWNSHIP_ADMINISTRATOR, "demo_a_0001", township=township)
    for number in range(rooms):
        room = await factories.make_class(school, grade=number % 6 + 1, number=number // 6 + 1)
        cast_.rooms.append(room)
        cast_.heads.append(await _member(kinds.HEAD_TEACHER, f"demo_h_{number + 1:04d}", school_class=room))
        for _ in range(children):
            await _family(cast_, number)
    await _agree(cast_)
    for identity in await WeChatIdentity.filter(account=Account.SERVICE):
        town.person(str(identity.openid))
    return cast_


async def _member(kind: AppointmentKind, openid: str, **where: Any) -> Person:
    person = await factories.make_person()
    await factories.make_appointment(kind, person, **where)
    await factories.make_identity(openid, person)
    return person


async def _family(cast_: Cast, room: int) -> None:
    number = len(cast_.families)
    own = sum(family.room == room for family in cast_.families.values())
    way = WAYS[own % len(WAYS)]
    child, person = await factories.make_pupil(cast_.rooms[room]), await factories.make_person()
    has_phone = way != "paper"
    bound = {} if has_phone else {"bound_at": None}
    await factories.make_guardianship(child, person, is_acting=True, **bound)
    family = Family(number, way, room, child, person)
    if has_phone:
        family.openid = f"demo_g_{number:06d}"
        await factories.make_identity(family.openid, person)
        family.mini = await factories.make_identity(f"mp_{family.openid}", person, account=Account.MINI_PROGRAM)
    cast_.families[number] = family


async def _agree(cast_: Cast) -> None:
    machinery = vars(cast_.town.app[ASSEMBLY])["_machinery"]
    consents = machinery.services.get(ConsentService)
    decided = [
        MadeDecision(family.child.id, family.person.id, Decision.GIVEN)
        for family in cast_.families.values()
        if family.openid
    ]
    version = consents.notice.version
    await put_decisions(decided, version=version, channel="chat", now=cast_.town.clock.now())


def rows_of(page: str) -> list[list[str]]:
    """The cells of all tables of a page, as somebody reads them."""
    return [[_plain(cell) for cell in _CELL.findall(row)] for row in _ROW.findall(page)]


def _plain(cell: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
