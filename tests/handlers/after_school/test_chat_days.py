"""Leave and who collects, asked for in the chat and at the API of the whole application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.clock import FrozenClock
from bot.config_values import decode_key
from handlers.accounts.domain import Account
from handlers.accounts.service.sessions import SessionService
from handlers.after_school.domain.days import CollectBy
from handlers.after_school.models import AfterSchoolCollection, AfterSchoolLeave
from tests import factories
from tests.handlers.after_school.days_stage import TUESDAY, Service, at, make_service
from tests.town import Town, running_town

MOTHER = "demo_g_000077"


@pytest.fixture
async def town(database_url: str, clock: FrozenClock) -> AsyncIterator[Town]:
    clock.set(at(TUESDAY, 12))
    async with running_town(database_url, clock) as running:
        yield running


@pytest.fixture
async def service(town: Town, clock: FrozenClock) -> Service:
    built = await make_service(clock)
    await factories.make_identity(MOTHER, built.mothers[0])
    return built


async def says(town: Town, text: str) -> str:
    """What the mother reads."""
    return await town.person(MOTHER).says(text) or ""


async def test_leave_is_asked_read_back_and_withdrawn(town: Town, service: Service) -> None:
    child = service.children[0].name
    assert f"{child}哪一天" in await says(town, "请假")
    assert "9月9日不参加课后服务，对吗" in await says(town, "明天")
    assert "请好假了" in await says(town, "是")
    row = await AfterSchoolLeave.get()
    assert (str(row.first_day), row.asked_by) == ("2026-09-09", service.mothers[0].id)
    assert "撤销了" in await says(town, "撤销请假")
    assert "没有请好的假" in await says(town, "撤销请假")


async def test_nothing_counts_without_a_yes(town: Town, service: Service) -> None:
    await says(town, "请假")
    await says(town, "今天")
    assert "没有请假" in await says(town, "不")
    assert await AfterSchoolLeave.all().count() == 0


async def test_who_collects_is_said_in_the_chat(town: Town, service: Service) -> None:
    assert f"1. {service.mothers[0].name}" in await says(town, "换人接")
    assert "姓名和手机号" in await says(town, "2")
    assert "姓名和手机号" in await says(town, "隔壁老周")
    assert "周二叔" in await says(town, "周二叔 19900001234")
    row = await AfterSchoolCollection.get()
    assert (row.how, row.name, row.phone) == (CollectBy.OTHER, "周二叔", "19900001234")


async def test_the_mini_program_asks_for_leave_too(town: Town, service: Service) -> None:
    identity = await factories.make_identity(f"mp_{MOTHER}", service.mothers[0], account=Account.MINI_PROGRAM)
    sessions = SessionService(town.clock, decode_key(town.settings.security.session_key.get_secret_value()))
    headers = {"Authorization": f"Bearer {(await sessions.open_api(identity.id)).secret}"}
    body: dict[str, Any] = {
        "student_id": str(service.children[0].id), "first_day": "2026-09-09", "last_day": "2026-09-10",
    }  # fmt: skip
    made = await town.client.post("/api/v1/after-school/leaves", json=body, headers=headers)
    assert made.status == 201
    leave = await made.json()
    again = await town.client.post("/api/v1/after-school/leaves", json=body, headers=headers)
    assert (await again.json())["id"] == leave["id"]
    other = {**body, "student_id": str(service.children[1].id)}
    assert (await town.client.post("/api/v1/after-school/leaves", json=other, headers=headers)).status == 404
    listed = await town.client.get("/api/v1/after-school/leaves", headers=headers)
    assert [each["id"] for each in (await listed.json())["items"]] == [leave["id"]]
    gone = await town.client.delete(f"/api/v1/after-school/leaves/{leave['id']}", headers=headers)
    assert (await gone.json())["status"] == "withdrawn"
