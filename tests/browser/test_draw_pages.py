"""The page of a plan's draws in a real browser, and what a family reads of it in the chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from bot.clock import SHANGHAI, FrozenClock
from bot.identity import Actor, Door, Grant, Hat, Role
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.after_school.domain.offers import Grades, Hours, Window
from handlers.after_school.domain.plans import Selection
from handlers.after_school.domain.statements import Source
from handlers.after_school.models import AfterSchoolDraw
from handlers.after_school.service.drawing.holding import DrawingService
from handlers.after_school.service.drawing.reading import DrawReading
from handlers.after_school.service.drawing.wording import reply
from handlers.after_school.service.offers import OffersService, PlanDraft, PoolDraft, ProgrammeDraft
from handlers.after_school.service.sign_up import SignUp, SignUpService, Wanted
from handlers.calendar.domain import Term
from handlers.calendar.service.founding import put_calendar
from handlers.consent.domain.decisions import Decision
from handlers.consent.service.consents import ConsentService
from handlers.consent.service.founding import MadeDecision, put_decisions
from tests.bot.emulator.phone_stage import PARENT
from tests.bot.emulator.phone_stage import Stage as PhoneStage
from tests.browser.conftest import DESK, PHONE, OpenPage
from tests.browser.inspection import faults_of
from tests.browser.profiles import Profile, Profiles
from tests.browser.test_console import SIZES, Looker, looker
from tests.handlers.notices.pages_stage import Office, open_office
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NOW = datetime(2026, 9, 2, 9, tzinfo=SHANGHAI)
FAMILIES = {"ready": ("ready",), "plain": ("plain",), "elder": ("elder", "younger")}
PLANS = ("early", "waiting", "pressed", "held", "empty")


@dataclass
class Site:
    """A running console, with a plan at each stage of a draw."""

    url: str
    office: Office
    plans: dict[str, str]

    def path(self, plan: str) -> str:
        return f"{self.url}/admin/after-school/plans/{self.plans[plan]}/draw"

    async def window(self, browser: Profiles, role: str, size: tuple[int, int], *, script: bool = True) -> Profile:
        """A window of somebody."""
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="zh-CN", java_script_enabled=script
        )
        cookie = {"name": "xiangxiao_console", "value": await self.office.secret(role), "url": f"{self.url}/admin/"}
        await context.add_cookies([cast(Any, cookie)])
        return context


def _actor(office: Office, person: str, role: Role, **reach: frozenset[str]) -> Actor:
    grant = Grant(role, **reach)
    hat, door = (Hat.GUARDIAN, Door.API) if role is Role.GUARDIAN else (Hat.STAFF, Door.CONSOLE)
    return Actor(
        roles=frozenset({role}), person_id=person, grants=(grant,), hat=hat, door=door, has_agreed=True
    )  # fmt: skip


def _pools(day: int) -> tuple[PoolDraft, ...]:
    hours = Hours(frozenset({day}), time(16), time(17, 20))
    titles = {"围棋入门": 1, "小小发明家（科学与动手制作）": 2, "书法": 0}
    return tuple(
        PoolDraft(
            title=title,
            places=places,
            programmes=(ProgrammeDraft(title=title, grades=Grades(1, 6), hours=hours, selection=Selection.DRAW),),
        )
        for title, places in titles.items()
    )


async def _plan(office: Office, admin: Actor, name: str, day: int) -> str:
    """Published, with all families signed up; not for the empty one."""
    village, get = office.village, office.machinery.services.get
    closes = NOW + (timedelta(days=3) if name == "early" else timedelta(hours=1))
    draft = PlanDraft(
        township_id=str(village.town.id),
        school_id=str(village.school.id),
        term="2026年秋季学期",
        title=f"兴趣班（星期{'一二三四五'[day - 1]}）",
        first_day=date(2026, 9, 14),
        last_day=date(2026, 12, 18),
        window=Window(NOW - timedelta(hours=1), closes),
        pools=_pools(day),
        complaint_phone="0527-8412345",
    )
    view = await get(OffersService).write(admin, draft)
    view = await get(OffersService).publish(admin, view.id, view.version)
    if name == "empty":
        return view.id
    programmes = [own for each in view.pools for own, _ in each.programmes]
    for family, children in FAMILIES.items():
        wards = frozenset(str(village.children[key].id) for key in children)
        actor = _actor(office, str(village.families[family].id), Role.GUARDIAN, children=wards)
        for child in sorted(wards):
            for rank, programme in enumerate(programmes, 1):
                wanted = (Wanted(child, programme),)
                await get(SignUpService).sign_up(
                    SignUp(actor=actor, wanted=wanted, source=Source.MINIPROGRAM, rank=rank)
                )
    return view.id


async def _site(office: Office, clock: FrozenClock) -> dict[str, str]:
    village, get = office.village, office.machinery.services.get
    await put_calendar(village.town.id, [Term(date(2026, 9, 1), date(2027, 1, 22), "秋季学期")], [], NOW)
    decided = [
        MadeDecision(village.children[key].id, village.families[family].id, Decision.GIVEN)
        for family, children in FAMILIES.items()
        for key in children
    ]
    await put_decisions(decided, version=get(ConsentService).notice.version, channel="chat", now=NOW)
    admin = _actor(
        office, str(village.people["admin"].id), Role.ADMINISTRATOR, townships=frozenset({str(village.town.id)})
    )
    plans = {name: await _plan(office, admin, name, day) for day, name in enumerate(PLANS, 1)}
    clock.set(NOW + timedelta(hours=2))
    held = await get(DrawingService).hold(admin, plans["held"])
    assert held is not None
    assert (held.children, held.lucky) == (4, 3)
    return plans


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("draw") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store, clock = RedisStore(redis_client("memory://"), Metrics()), FrozenClock(NOW)
    async with open_database(settings), open_office(settings, store, clock) as office:
        plans = await _site(office, clock)
        async with TestServer(office.app) as server:
            yield Site(str(server.make_url("")).rstrip("/"), office, plans)
    await store.close()


@pytest.mark.parametrize("size", SIZES)
async def test_no_stage_of_a_draw_has_a_serious_fault(site: Site, browser: Profiles, looker: Looker, size: str) -> None:
    context = await site.window(browser, "leader", SIZES[size])
    page = await context.new_page()
    faults: list[str] = []
    page.on("console", lambda entry: faults.append(entry.text) if "Security Policy" in entry.text else None)
    found, stages = (
        {},
        {
            "early": "截止以后在这里抽签",
            "waiting": "现在等抽签的有4个孩子",
            "held": "抽过的签",
            "empty": "没有等抽签的报名",
        },
    )
    for plan, words in stages.items():
        await page.goto(site.path(plan))
        await expect(page.get_by_text(words).first).to_be_visible()
        found[plan] = await looker.faults(page, f"draw-{plan}-{size}", is_whole=True)
    await context.close()
    assert {plan: each for plan, each in found.items() if each} == {}
    assert faults == []


async def test_without_javascript_a_draw_is_held_and_shown(site: Site, browser: Profiles, looker: Looker) -> None:
    context = await site.window(browser, "leader", SIZES["phone"], script=False)
    page = await context.new_page()
    await page.goto(site.path("pressed"))
    await page.get_by_role("button", name="现在抽签").click()
    await expect(page.get_by_text("3个抽中")).to_be_visible()
    await looker.keep(page, "draw-pressed-phone")
    row = await AfterSchoolDraw.get(plan_id=site.plans["pressed"])
    await expect(page.get_by_text(row.seed)).to_be_visible()
    await expect(page.get_by_role("button", name="现在抽签")).to_have_count(0)
    await context.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_family_can_read_the_explanation_in_the_chat(
    site: Site, stage: PhoneStage, open_page: OpenPage, looker: Looker, size: tuple[int, int]
) -> None:
    draws, children = site.office.machinery.services.get(DrawReading), site.office.village.children
    told = await draws.of_children({str(children[key].id) for key in ("plain", "elder", "younger")})
    found = [(each.name, told[str(each.id)]) for each in children.values() if str(each.id) in told]
    page = await open_page(f"{stage.url}/demo/phone/{PARENT}", size)
    await page.get_by_label("要发的消息").fill("抽签结果")
    await page.get_by_label("要发的消息").press("Enter")
    for words in (reply(found[:1]), reply(found[1:])):
        assert await stage.send_service(PARENT, {"msgtype": "text", "text": {"content": words}}) == 0
        bubble = page.locator(".service .bubble").last
        await expect(bubble).to_have_text(words, use_inner_text=True)
        assert await bubble.evaluate("node => node.scrollWidth <= node.clientWidth"), "a seed is not cut off"
    await looker.keep(page, f"draw-chat-{size[0]}")
    assert await faults_of(page) == []
