"""The page of how often contact is kept, and what a rehearsal shows of the messages that follow from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import pytest

from bot.capability import Machinery
from bot.chat import Assembly
from bot.clock import FrozenClock
from bot.config import Settings
from bot.metrics import Metrics
from bot.rehearsal.replay import Span
from bot.storage.database import Database, open_database
from bot.storage.redis import RedisStore
from handlers.accounts.models import Person
from handlers.accounts.service.sessions import SessionService
from handlers.catalogue import CAPABILITIES
from handlers.contacts.domain.register import Level
from handlers.contacts.models import ContactsRule
from tests import factories
from tests.bot.rehearsal.test_replay import DAYS, played
from tests.bot.rehearsal.test_years import with_templates
from tests.handlers.console.stage import Browser, DrawingWeChat, browser_of, console_app, machinery_of
from tests.handlers.contacts.clock_stage import ClockStage, clock_stage

FORM = {
    "since": "2026-09-01", "clause": "镇教〔2026〕3号第二条", "teacher_grace": "0", "lead_after": "3",
    "leader_after": "6", "daily_cap": "1", "contact_green": "60", "visit_green": "", "contact_yellow": "30",
    "visit_yellow": "90", "contact_red": "7", "visit_red": "30",
}  # fmt: skip


class Office:
    """The console with a school behind it."""

    def __init__(self, stage: ClockStage, machinery: Machinery) -> None:
        self.stage = stage
        self._sessions = machinery.services.get(SessionService)
        self._app = console_app(machinery, machinery.parts)

    @asynccontextmanager
    async def browser(self, person: Person) -> AsyncIterator[Browser]:
        """Somebody logged in."""
        async with browser_of(self._app) as browser:
            secret = (await self._sessions.open_console(person.id)).secret
            browser.client.session.cookie_jar.update_cookies(
                {"xiangxiao_console": secret}, browser.client.make_url("/admin/")
            )
            yield browser


@pytest.fixture
async def office(
    settings: Settings, database: Database, redis: RedisStore, clock: FrozenClock, metrics: Metrics
) -> Office:
    machinery = machinery_of(settings, redis, clock, DrawingWeChat())
    Assembly(CAPABILITIES, machinery)
    return Office(await clock_stage(clock, metrics), machinery)


async def test_a_township_writes_its_rule_from_a_suggestion_and_sees_what_it_changes_first(office: Office) -> None:
    await office.stage.enter(Level.RED, office.stage.teacher)
    async with office.browser(office.stage.admin) as browser:
        assert "家校联系的间隔还没有定" in await browser.get("/")
        page = await browser.get("/contacts/rules")
        assert "没有规定，谁也不会到期" in page
        suggested = await browser.get("/contacts/rules?suggest=1")
        assert "是建议，不是哪个文件的规定" in suggested
        assert 'value="60"' in suggested
        change = await browser.post("/contacts/rules", FORM)
        assert "按间隔联系的同学：少于5位" in change
        assert not await ContactsRule.all().exists()
        await browser.post("/contacts/rules", {**FORM, "sure": "yes"})
        assert "从2026-09-01起按新的间隔算" in await browser.follow()
        page = await browser.get("/contacts/rules")
        assert "镇教〔2026〕3号第二条" in page
        assert "绿 60天，黄 30天（90天），红 7天（30天）" in page
        assert "家校联系的间隔还没有定" not in await browser.get("/")
    [rule] = await ContactsRule.all()
    assert rule.cadence["green"] == {"contact_days": 60, "visit_days": None}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"since": "2026-08-31"}, "不能早于今天"),
        ({"since": "开学"}, "日期没有填好"),
        ({"contact_red": "七"}, "天数请填数字"),
        ({"contact_red": "31"}, "间隔没有填好"),
        ({"clause": ""}, "请写上依据"),
        ({"leader_after": "2"}, "间隔没有填好"),
        ({"daily_cap": "9"}, "间隔没有填好"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(office: Office, wrong: dict[str, str], said: str) -> None:
    async with office.browser(office.stage.admin) as browser:
        await browser.get("/contacts/rules")
        for sure in ({}, {"sure": "yes"}):
            page = await browser.post("/contacts/rules", FORM | wrong | sure)
            assert said in page
            assert 'value="90"' in page
    assert not await ContactsRule.all().exists()


async def test_a_rehearsal_shows_who_would_be_told_when(
    settings: Settings, metrics: Metrics, clock: FrozenClock
) -> None:
    async with open_database(settings):
        stage = await clock_stage(clock, metrics)
        await stage.rule()
        await stage.enter(Level.RED, stage.teacher)
        people = [str(person.id) for person in (stage.teacher, stage.lead, stage.leader)]
        for person in (stage.teacher, stage.lead, stage.leader):
            await factories.make_identity(f"o{str(person.id)[:8]}", person)
    span = Span(date(2026, 9, 7), date(2026, 9, 16))
    told = await played(with_templates(settings), span, "甲镇", DAYS)
    # A message may travel with others of the morning.
    lines = [line for line in told if any(part.rule == "contacts" for part in line.parts)]
    assert [(line.at[:10], line.recipient) for line in lines] == [
        ("2026-09-08", people[0]),
        ("2026-09-11", people[1]),
        ("2026-09-16", people[2]),
    ]
    assert {line.child for line in lines} == {None}
    assert lines[0].text == "您有1位同学的家校联系今天到期，请今天联系，打开“家校联系”登记。"
