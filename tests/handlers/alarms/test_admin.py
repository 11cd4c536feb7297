"""The pages about alarms, as those who raise and answer them use them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.accounts.models import Person
from handlers.accounts.service.sessions import SessionService
from handlers.alarms.capability import build
from handlers.alarms.domain import AlarmState
from handlers.alarms.models import AlarmRow
from tests import factories
from tests.handlers.alarms.stage import Village, make_village, promised
from tests.handlers.console.stage import Browser, DrawingWeChat, browser_of, console_app, console_part, machinery_of


@dataclass
class Office:
    """The console with a village behind it."""

    village: Village
    sessions: SessionService
    app: object

    @asynccontextmanager
    async def browser(self, person: Person) -> AsyncIterator[Browser]:
        """Somebody logged in."""
        async with AsyncExitStack() as stack:
            browser = await stack.enter_async_context(browser_of(self.app))  # type: ignore[arg-type]
            opened = await self.sessions.open_console(person.id, device="Windows 电脑")
            browser.client.session.cookie_jar.update_cookies(
                {"xiangxiao_console": opened.secret}, browser.client.make_url("/admin/")
            )
            yield browser


@pytest.fixture
async def office(settings: Settings, database: Database, redis: RedisStore, clock: FrozenClock) -> Office:
    machinery = machinery_of(settings, redis, clock, DrawingWeChat())
    console_part(machinery)
    machinery.parts.append(build(machinery))
    return Office(await make_village(), machinery.services.get(SessionService), console_app(machinery, machinery.parts))


FORM = {"kind": "missing_child", "name": "林小满", "where": "下午四点半出校门", "said": "穿红色外套"}


async def raise_one(browser: Browser, **fields: str) -> str:
    """Fills in the form and sends it."""
    await browser.get("/alarms/new")
    return await browser.post("/alarms/new", {**FORM, **fields, "reference": browser.hidden("reference")})


async def test_a_teacher_raises_a_missing_child_and_sees_whom_to_call(office: Office) -> None:
    async with office.browser(office.village.head) as browser:
        assert "先打110、120" in await browser.get("/alarms/new")
        await raise_one(browser)
        assert browser.status == 303
        page = await browser.follow()
    assert "已经上报，1号" in page
    assert "林小满" in page
    for person in (*office.village.ladder, office.village.grandmother):
        assert f"tel:{person.phone}" in page
    assert "由我跟进" not in page, "the ladder answers, not whoever raised it"
    assert (await AlarmRow.get()).child_id == office.village.child.id
    assert await promised("alarms:family") == [str(office.village.grandmother.id)]


async def test_sending_the_form_twice_raises_one(office: Office) -> None:
    async with office.browser(office.village.head) as browser:
        await browser.get("/alarms/new")
        form = {**FORM, "reference": browser.hidden("reference")}
        await browser.post("/alarms/new", form)
        await browser.post("/alarms/new", form)
        assert "没有重复通知" in await browser.follow()
    assert await AlarmRow.all().count() == 1


async def test_a_child_nobody_finds_holds_nothing_up(office: Office) -> None:
    async with office.browser(office.village.head) as browser:
        await raise_one(browser, name="查无此人")
        page = await browser.follow()
    assert "查无此人" in page
    row = await AlarmRow.get()
    assert row.child_id is None
    assert row.school_id == office.village.school.id
    assert await promised() == [str(office.village.ladder[0].id)]


async def test_of_several_of_one_name_the_right_one_is_chosen(office: Office) -> None:
    other = await factories.make_pupil(office.village.room, name="林小满")
    async with office.browser(office.village.head) as browser:
        page = await raise_one(browser)
        assert "有几个孩子叫这个名字" in page
        assert not await AlarmRow.exists()
        hidden = {name: browser.hidden(name) for name in ("reference", *FORM)}
        await browser.post("/alarms/new", {**hidden, "child": str(other.id)})
    assert (await AlarmRow.get()).child_id == other.id


async def test_what_is_missing_or_too_long_is_said_and_what_was_typed_stays(office: Office) -> None:
    async with office.browser(office.village.head) as browser:
        page = await raise_one(browser, said="长" * 301)
        assert browser.status == 422
        assert "写得太长了" in page
        assert "下午四点半出校门" in page
        assert "请选是什么事" in await raise_one(browser, kind="?")


async def test_the_protection_lead_takes_it_on_and_closes_it_with_a_sentence(office: Office) -> None:
    async with office.browser(office.village.head) as browser:
        await raise_one(browser)
    row = await AlarmRow.get()
    async with office.browser(office.village.ladder[1]) as browser:
        assert "紧急事项等人接手（急）" in await browser.get("/")
        listed = await browser.get("/alarms")
        assert "孩子走失" in listed
        assert "林小满" not in listed
        await browser.get(f"/alarms/{row.key}")
        await browser.post(f"/alarms/{row.key}/acknowledge")
        page = await browser.follow()
        assert "1号由您跟进" in page
        assert "由我跟进" not in page
        assert "请写一句话" in await browser.post(f"/alarms/{row.key}/close", {"sentence": ""})
        await browser.post(f"/alarms/{row.key}/close", {"sentence": "孩子在外婆家找到，平安"})
        assert "没有这样的紧急事项" in await browser.follow()
        assert "孩子在外婆家找到，平安" in await browser.get(f"/alarms/{row.key}")
        assert "1号" in await browser.get("/alarms?state=closed")
        assert "已经办结" in await browser.post(f"/alarms/{row.key}/acknowledge")
    assert (await AlarmRow.get()).state is AlarmState.CLOSED


async def test_people_of_another_school_see_nothing(office: Office) -> None:
    async with office.browser(office.village.head) as browser:
        await raise_one(browser)
    row = await AlarmRow.get()
    other = await make_village()
    async with office.browser(other.ladder[2]) as browser:
        assert "没有这样的紧急事项" in await browser.get("/alarms")
        await browser.get(f"/alarms/{row.key}")
        assert browser.status == 404
        assert "紧急事项等人接手" not in await browser.get("/")
