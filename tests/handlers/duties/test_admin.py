"""The pages about recurring duties."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

import pytest

from bot.clock import FrozenClock
from bot.config import Settings
from bot.metrics import Metrics
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.accounts.models import Person
from handlers.accounts.service.places import PlaceService
from handlers.accounts.service.sessions import SessionService
from handlers.calendar.service.calendars import CalendarService
from handlers.duties.capability import built_with
from handlers.duties.models import DutyRule, DutyTask
from tests.handlers.console.stage import Browser, DrawingWeChat, browser_of, console_app, console_part, machinery_of
from tests.handlers.duties.stage import DutyStage, duty_stage


@dataclass
class Office:
    """The console with a school behind it."""

    stage: DutyStage
    sessions: SessionService
    app: object

    @asynccontextmanager
    async def browser(self, person: Person) -> AsyncIterator[Browser]:
        """Somebody logged in."""
        async with browser_of(self.app) as browser:  # type: ignore[arg-type]
            opened = await self.sessions.open_console(person.id, device="Windows 电脑")
            browser.client.session.cookie_jar.update_cookies(
                {"xiangxiao_console": opened.secret}, browser.client.make_url("/admin/")
            )
            yield browser


@pytest.fixture
async def office(
    settings: Settings, database: Database, redis: RedisStore, clock: FrozenClock, metrics: Metrics
) -> Office:
    machinery = machinery_of(settings, redis, clock, DrawingWeChat())
    console_part(machinery)
    machinery.parts.append(built_with(machinery, CalendarService(PlaceService())))
    stage = await duty_stage(clock, metrics)
    await stage.tick()
    return Office(stage, machinery.services.get(SessionService), console_app(machinery, machinery.parts))


RULE = {
    "title": "查看晨检记录", "detail": "", "owner": "school_leader", "rhythm": "weekly", "weekday": "5", "day": "",
    "remind_before": "1", "escalate_after": "1",
}  # fmt: skip


async def test_a_head_teacher_ticks_off_what_is_theirs(office: Office) -> None:
    task = await DutyTask.get(rule__shipped="roster_check")
    async with office.browser(office.stage.head) as browser:
        assert "要办的定期工作" in await browser.get("/")
        listed = await browser.get("/duties")
        assert "开学核对班级名单" in listed
        assert "每月书面报告" not in listed
        assert "核对名单" in await browser.get(f"/duties/{task.id}")
        assert "太长了" in await browser.post(f"/duties/{task.id}", {"note": "长" * 201})
        await browser.post(f"/duties/{task.id}", {"note": "两人转走，已改"})
        assert "开学核对班级名单办好了" in await browser.follow()
        assert "两人转走，已改" in await browser.get(f"/duties/{task.id}")
        assert "开学核对班级名单" in await browser.get("/duties?state=done")
        page = await browser.post(f"/duties/{task.id}", {"note": ""})
        assert "已经办好了" in page


async def test_the_leader_sees_who_is_charged_with_what_and_not_the_rules(office: Office) -> None:
    async with office.browser(office.stage.leader) as browser:
        page = await browser.get("/duties")
        assert f"儿童保护负责人{office.stage.lead.name}" in page
        assert "duty-rules" not in page
        assert "没有等您办的事" in await browser.get("/")
        await browser.get("/duty-rules")
        assert browser.status == 403


async def test_the_township_adds_a_rule_after_a_look_at_its_days(office: Office) -> None:
    async with office.browser(office.stage.admin) as browser:
        assert "每月最后一个上课日" in await browser.get("/duty-rules")
        await browser.get("/duty-rules/new")
        page = await browser.post("/duty-rules/new", RULE)
        assert "2026年9月4日" in page
        assert await DutyRule.filter(shipped=None).count() == 0
        await browser.post("/duty-rules/new", {**{name: browser.hidden(name) for name in RULE}, "sure": "yes"})
        assert "每周五" in await browser.follow()
    rule = await DutyRule.get(shipped=None)
    assert await DutyTask.filter(rule_id=rule.id, due_on=date(2026, 9, 4)).exists()


async def test_the_township_changes_and_stops_a_rule(office: Office) -> None:
    rule = await DutyRule.get(shipped="safety_check")
    async with office.browser(office.stage.admin) as browser:
        page = await browser.get(f"/duty-rules/{rule.id}")
        assert 'value="15"' in page
        form = {**RULE, "title": "每月安全检查", "owner": "protection_lead", "rhythm": "month_day", "weekday": "",
                "day": "20"}  # fmt: skip
        assert "2026年9月20日" in await browser.post(f"/duty-rules/{rule.id}", form)
        version = browser.hidden("version")
        await browser.post(f"/duty-rules/{rule.id}", {**form, "version": version, "sure": "yes"})
        assert "每月20号" in await browser.follow()
        await browser.get(f"/duty-rules/{rule.id}")
        fault = await browser.post(f"/duty-rules/{rule.id}", {**form, "version": version, "sure": "yes"})
        assert "刚被别人改过" in fault
        await browser.post(f"/duty-rules/{rule.id}/stop")
        assert "已停用" in await browser.follow()
        assert "已经停用" in await browser.get(f"/duty-rules/{rule.id}")
    assert not await DutyTask.exists(rule_id=rule.id)


@pytest.mark.parametrize(
    "wrong", [{"title": ""}, {"weekday": ""}, {"rhythm": "?"}, {"remind_before": "x"}, {"owner": ""}]
)
async def test_a_wrong_rule_is_refused_with_what_was_typed(office: Office, wrong: dict[str, str]) -> None:
    async with office.browser(office.stage.admin) as browser:
        await browser.get("/duty-rules/new")
        page = await browser.post("/duty-rules/new", {**RULE, **wrong})
        assert browser.status == 422
        assert "规定没有填好" in page
        assert await DutyRule.filter(shipped=None).count() == 0
