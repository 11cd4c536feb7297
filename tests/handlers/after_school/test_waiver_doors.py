"""Waivers over the whole application: the mini-program's JSON and the chat."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from bot.clock import FrozenClock
from bot.config_values import decode_key
from bot.storage.database import transaction
from handlers.accounts.domain import Account
from handlers.accounts.models import Person, Pupil
from handlers.accounts.service.sessions import SessionService
from handlers.after_school.domain.waivers import WaiverState
from handlers.after_school.models import AfterSchoolWaiver, AfterSchoolWaiverCategory
from tests import factories
from tests.handlers.after_school.stage import NOW
from tests.handlers.after_school.waivers_stage import png
from tests.town import Town, running_town

WAIVERS = "/after-school/waivers"


@dataclass
class Family:
    """A mother with a phone, her child, and what the township waives for."""

    town: Town
    child: Pupil
    mother: Person
    kind: str
    token: str

    async def ask(self, method: str, path: str, body: object = None, key: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Idempotency-Key": key} if key else {})
        sent: dict[str, Any] = {}
        if body is not None:
            # Not as one piece: large bodies are sent as they are read.
            sent["data"] = io.BytesIO(json.dumps(body).encode())
            headers["Content-Type"] = "application/json"
        async with self.town.client.request(method, f"/api/v1{path}", headers=headers, **sent) as answer:
            return answer.status, await answer.json()

    def wanted(self, **values: str) -> dict[str, str]:
        return {"student_id": str(self.child.id), "category_id": self.kind, **values}


@pytest.fixture
async def family(database_url: str, clock: FrozenClock) -> AsyncIterator[Family]:
    async with running_town(database_url, clock) as town:
        yield await family_of(town, clock)


async def family_of(town: Town, clock: FrozenClock) -> Family:
    """In a running application."""
    clock.set(NOW)
    township = await factories.make_township()
    school = await factories.make_school(township)
    child = await factories.make_pupil(await factories.make_class(school), name="王小明")
    mother = await factories.make_person()
    await factories.make_guardianship(child, mother)
    await factories.make_identity("demo_g_000001", mother, account=Account.SERVICE)
    identity = await factories.make_identity("mp_demo_g_000001", mother, account=Account.MINI_PROGRAM)
    rule = await AfterSchoolWaiverCategory.create(
        township_id=township.id,
        code="10",
        percent=50,
        since=date(2026, 9, 1),
        clause="县教发〔2026〕1号",
        created_at=NOW,
        updated_at=NOW,
    )
    sessions = SessionService(clock, decode_key(town.settings.security.session_key.get_secret_value()))
    async with transaction():
        opened = await sessions.open_api(identity.id)
    return Family(town, child, mother, str(rule.id), opened.secret)


# ------------------------------------------------------------------------------------------------------------ the API
async def test_from_the_options_to_the_school(family: Family) -> None:
    status, options = await family.ask("GET", f"/after-school/waiver-options?student_id={family.child.id}")
    assert (status, options["next_cursor"]) == (200, None)
    assert options["items"] == [
        {
            "id": family.kind, "title": "家里有突发困难", "percent": 50, "clause": "县教发〔2026〕1号",
            "evidence": "村（居）委会写的情况证明", "is_listed": False,
        }
    ]  # fmt: skip
    status, own = await family.ask("POST", WAIVERS, family.wanted(note="房子着火"), key="k1")
    assert (status, own["status"], own["note"]) == (201, "draft", "房子着火")
    assert await family.ask("POST", WAIVERS, family.wanted(note="房子着火"), key="k1") == (201, own)
    one = f"{WAIVERS}/{own['id']}"
    status, refused = await family.ask("POST", f"{one}/submission")
    assert (status, refused["error"]["code"]) == (422, "evidence_missing")
    picture = {"picture": base64.b64encode(png()).decode()}
    status, shown = await family.ask("POST", f"{one}/evidence", picture)
    assert (status, shown["pictures"]) == (201, 1)
    status, submitted = await family.ask("POST", f"{one}/submission")
    assert (status, submitted["status"], submitted["asked_at"]) == (200, "submitted", "2026-09-08T09:00:00+08:00")
    assert (await family.ask("GET", f"{WAIVERS}?student_id={family.child.id}"))[1]["items"] == [submitted]
    status, again = await family.ask("POST", WAIVERS, family.wanted())
    assert (status, again["error"]["code"]) == (409, "waiver_open")
    status, gone = await family.ask("POST", f"{one}/withdrawal")
    assert (status, gone["status"], gone["pictures"]) == (200, "withdrawn", 0)


async def test_a_large_picture_passes_and_one_too_large_does_not(family: Family) -> None:
    own = (await family.ask("POST", WAIVERS, family.wanted()))[1]["id"]
    noise = png(size=(900, 700))
    assert len(noise) > 1024 * 1024
    status, _ = await family.ask("POST", f"{WAIVERS}/{own}/evidence", {"picture": base64.b64encode(noise).decode()})
    assert status == 201
    status, _ = await family.ask("POST", f"{WAIVERS}/{own}/evidence", {"picture": "A" * (6 * 1024 * 1024)})
    assert status == 413
    # The control: no other route takes so much.
    status, _ = await family.ask("POST", WAIVERS, family.wanted(note="长" * 90_000))
    assert status == 413


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("evidence", {"picture": "***"}, 422, "picture_unreadable"),
        ("evidence", {"picture": "QUJD"}, 422, "picture_unreadable"),
        ("evidence", {}, 422, "invalid_input"),
        ("appeal", {"reason": "不同意"}, 409, "waiver_state_conflict"),
        ("appeal", {"reason": ""}, 422, "invalid_input"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    family: Family, path: str, body: object, status: int, code: str
) -> None:
    own = (await family.ask("POST", WAIVERS, family.wanted()))[1]["id"]
    got, answer = await family.ask("POST", f"{WAIVERS}/{own}/{path}", body)
    assert (got, answer["error"]["code"]) == (status, code)


async def test_another_family_s_child_and_case_are_not_there(family: Family) -> None:
    other = await factories.make_pupil(await factories.make_class())
    status, _ = await family.ask("POST", WAIVERS, family.wanted(student_id=str(other.id)))
    assert status == 404
    assert (await family.ask("GET", f"/after-school/waiver-options?student_id={other.id}"))[0] == 404
    assert (await family.ask("GET", "/after-school/waiver-options"))[0] == 422
    assert (await family.ask("GET", f"{WAIVERS}/{uuid4()}"))[0] == 404


# ------------------------------------------------------------------------------------------------------------ the chat
async def test_asking_in_the_chat(family: Family) -> None:
    phone = family.town.person("demo_g_000001")
    said = await phone.says("申请减免") or ""
    assert "1. 家里有突发困难（减50%）" in said
    said = await phone.says("1") or ""
    assert "王小明" in said
    assert "县教发〔2026〕1号" in said
    assert "确认" in (await phone.says("嗯嗯") or "")
    assert "小程序" in (await phone.says("确认") or "")
    assert (await AfterSchoolWaiver.get()).state is WaiverState.DRAFT
    assert "还没有交上去" in (await phone.says("办理结果") or "")
    assert "已经有一件申请在办" in await _ask_again(family)
    assert "已经撤回" in (await phone.says("撤回申请") or "")
    assert "没有可以撤回" in (await phone.says("撤回申请") or "")
    assert "没有可以申诉" in (await phone.says("申诉 不同意") or "")


async def _ask_again(family: Family) -> str:
    phone = family.town.person("demo_g_000001")
    await phone.says("申请减免")
    await phone.says("1")
    return await phone.says("确认") or ""


async def test_appealing_in_the_chat(family: Family) -> None:
    phone = family.town.person("demo_g_000001")
    await _ask_again(family)
    row = await AfterSchoolWaiver.get()
    await AfterSchoolWaiver.filter(id=row.id).update(
        state=WaiverState.REFUSED, active_key=None, checked_by=uuid4(), decided_by=uuid4()
    )
    assert "可以回复“申诉”" in (await phone.says("办理结果") or "")
    assert "申诉 名单漏了我家" in (await phone.says("申诉") or "")
    assert "另一位工作人员" in (await phone.says("申诉 证明是对的") or "")
    assert (await AfterSchoolWaiver.get()).appeal == "证明是对的"


async def test_a_stranger_is_told_who_may_ask(family: Family) -> None:
    assert "由家长申请" in (await family.town.person("demo_g_000099").says("申请减免") or "")
    await AfterSchoolWaiverCategory.all().delete()
    assert "没有登记" in (await family.town.person("demo_g_000001").says("申请减免") or "")
