"""The API's routes of consent, over the whole application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.config_values import decode_key
from bot.storage.database import transaction
from handlers.accounts.domain import Account
from handlers.accounts.models import BindingRequest, Person, Pupil
from handlers.accounts.service.sessions import SessionService
from handlers.consent.models import ConsentEvent
from tests import factories
from tests.handlers.consent.conftest import statement
from tests.town import Town, running_town

MISSING = "00000000-0000-4000-8000-000000000000"


@dataclass
class Phone:
    """A mini-program somebody is logged in at."""

    town: Town
    child: Pupil
    mother: Person
    token: str

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and answer."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: object, key: str | None = None) -> tuple[int, Any]:
        """Status and answer."""
        return await self._ask("POST", path, body, key)

    async def _ask(self, method: str, path: str, body: object, key: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Idempotency-Key": key} if key else {})
        async with self.town.client.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def phone(database_url: str, clock: FrozenClock) -> AsyncIterator[Phone]:
    """A mother's, with one child."""
    async with running_town(database_url, clock) as town:
        child, mother = await factories.make_pupil(), await factories.make_person()
        await factories.make_guardianship(child, mother)
        identity = await factories.make_identity("mp_demo_g_000001", mother, account=Account.MINI_PROGRAM)
        sessions = SessionService(clock, decode_key(town.settings.security.session_key.get_secret_value()))
        async with transaction():
            opened = await sessions.open_api(identity.id)
        yield Phone(town, child, mother, opened.secret)


async def test_anybody_may_read_the_notice(phone: Phone) -> None:
    async with phone.town.client.get("/api/v1/notices/children-data") as answer:
        assert answer.status == 200
        notice = await answer.json()
    assert len(notice["short"]) <= 300
    assert notice["officer"] == phone.town.settings.support.officer
    assert any("不同意" in section["title"] for section in notice["sections"])


async def test_consent_is_read_given_and_withdrawn(phone: Phone) -> None:
    path = f"/children/{phone.child.id}/consent"
    status, state = await phone.get(path)
    assert (status, state["standing"], state["needs_answer"], state["own_at"]) == (200, "unasked", True, None)
    version = state["notice_version"]
    status, state = await phone.post(path, {"decision": "given", "version": version}, key="a")
    assert (status, state["standing"], state["own_decision"]) == (200, "given", "given")
    assert state["own_at"].endswith("+08:00")
    assert await phone.post(path, {"decision": "given", "version": version}, key="a") == (200, state)
    status, state = await phone.post(path, {"decision": "withdrawn"})
    assert (status, state["standing"]) == (200, "withdrawn")
    assert [event.channel for event in await ConsentEvent.all()] == ["api", "api"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"decision": "given", "version": "0.0000.0000"}, 409, "notice_changed"),
        ({"decision": "given"}, 409, "notice_changed"),
        ({"decision": "withdrawn"}, 409, "nothing_to_withdraw"),
        ({"decision": "perhaps", "version": "1"}, 422, "invalid_input"),
        ({}, 422, "invalid_input"),
        ({"decision": "given", "version": "1", "channel": "paper"}, 422, "invalid_input"),
        ([], 422, "invalid_input"),
    ],
)
async def test_what_is_no_decision_is_refused_by_name(phone: Phone, body: object, status: int, code: str) -> None:
    answered, answer = await phone.post(f"/children/{phone.child.id}/consent", body)
    assert (answered, answer["error"]["code"]) == (status, code)
    assert not await ConsentEvent.exists()


async def test_a_child_s_data_come_with_the_sentence_and_as_a_file(phone: Phone) -> None:
    status, data = await phone.get(f"/children/{phone.child.id}/data")
    assert (status, data["file"]) == (200, None)
    assert "不含学校依法单独保管的保护类记录（不论有没有）" in data["sentence"]
    titles = [section["title"] for section in data["sections"]]
    assert titles[:3] == ["孩子", "在校经历", "您与孩子"]
    status, data = await phone.get(f"/children/{phone.child.id}/data?file=html")
    assert data["file"]["name"] == "孩子的资料-2026-09-01.html"
    assert data["sentence"] in data["file"]["content"]
    assert phone.child.name in data["file"]["content"]
    assert await AuditRow.filter(action="child.download").count() == 2


async def test_erasure_shows_its_effect_first(phone: Phone) -> None:
    await statement(phone.child, phone.mother)
    path = f"/children/{phone.child.id}/erasure"
    status, preview = await phone.post(path, {})
    assert (status, preview["done"]) == (200, False)
    assert await BindingRequest.all().count() == 1
    status, done = await phone.post(path, {"confirm": True})
    assert (status, done["done"], done["gone"]) == (200, True, preview["gone"])
    assert done["kept"]
    assert await BindingRequest.all().count() == 0


@pytest.mark.parametrize("path", ["consent", "data"])
async def test_another_s_child_and_none_look_the_same(phone: Phone, path: str) -> None:
    other = await factories.make_pupil()
    answers = []
    for child in (other.id, MISSING, "no-id"):
        status, answer = await phone.get(f"/children/{child}/{path}")
        answer["error"].pop("request_id")
        answers.append((status, answer))
    assert answers[0][0] == 404
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize(
    ("path", "body"), [("consent", {"decision": "refused", "version": "x"}), ("erasure", {"confirm": True})]
)
async def test_nothing_is_done_to_another_s_child(phone: Phone, path: str, body: object) -> None:
    other = await factories.make_pupil()
    await statement(other, phone.mother)
    for child in (other.id, MISSING):
        assert (await phone.post(f"/children/{child}/{path}", body))[0] == 404
    assert await BindingRequest.all().count() == 1
    assert not await ConsentEvent.exists()


async def test_without_a_token_there_is_nothing(phone: Phone) -> None:
    for path in ("consent", "data"):
        async with phone.town.client.get(f"/api/v1/children/{phone.child.id}/{path}") as answer:
            assert answer.status == 401
