"""The API of accounts through the whole application: sessions, hats, limits, and what is not one's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from openapi_spec_validator import validate

from bot.clock import FrozenClock
from bot.storage.base import blind_index
from handlers.accounts.domain import Account, AppointmentKind, InvitationKind
from handlers.accounts.models import Invitation, WeChatIdentity
from handlers.accounts.service.codes import ALPHABET, LENGTH, fingerprint
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_class,
    make_guardianship,
    make_identity,
    make_person,
    make_pupil,
)
from tests.miniprogram.client import MiniProgram
from tests.miniprogram.village import Village, running_village

AGREED = {"privacy_version": "1", "privacy_agreed_at": LONG_AGO}


@pytest.fixture
async def village(database_url: str, clock: FrozenClock) -> AsyncIterator[Village]:
    """With the limits a deployment begins with."""
    async with running_village(database_url, clock) as running:
        yield running


async def parent(village: Village, openid: str = "mp_demo_g_000001", **child: Any) -> tuple[MiniProgram, str]:
    """Somebody bound, logged in; and their child's id."""
    person, pupil = await make_person(), await make_pupil(**child)
    await make_guardianship(pupil, person)
    await make_identity(openid, person, account=Account.MINI_PROGRAM)
    phone = village.phone(openid)
    await phone.log_in()
    return phone, str(pupil.id)


# ------------------------------------------------------------------------------------------------------------- sessions
async def test_a_session_can_be_looked_at_and_ended(village: Village) -> None:
    phone, _ = await parent(village)
    answer = await phone.get("/session")
    assert (answer.status, answer.body["actor"]["roles"]) == (200, ["guardian"])
    assert answer.body["expires_at"].endswith("+08:00")
    token = phone.token
    assert (await phone.delete("/session")).body == {"status": "ended"}
    assert (await phone.get("/children")).status == 200
    assert phone.token != token


async def test_a_lost_phone_is_logged_out_from_another(village: Village) -> None:
    lost, _ = await parent(village)
    own = village.phone("mp_demo_g_000001")
    await own.log_in()
    rows = (await own.get("/sessions")).body["items"]
    assert [row["is_current"] for row in rows].count(True) == 1
    [other] = [row["id"] for row in rows if not row["is_current"]]
    assert (await own.delete(f"/sessions/{other}")).status == 200
    before = lost.logins
    assert (await lost.get("/children")).status == 200
    assert lost.logins == before + 1


@pytest.mark.parametrize("row_id", ["0137a54c-eefd-46d8-baa9-47977d51c3c3", "7", "%00", "a b", "钥匙"])
async def test_what_is_not_one_s_own_and_what_is_not_there_look_the_same(village: Village, row_id: str) -> None:
    phone, _ = await parent(village)
    other, foreign = await parent(village, "mp_demo_g_000002")
    [session] = [row["id"] for row in (await other.get("/sessions")).body["items"]]
    answers = [
        await phone.delete(path)
        for path in (f"/sessions/{session}", f"/sessions/{row_id}", f"/bindings/{foreign}", f"/bindings/{row_id}")
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(404, "not_found")}
    assert len({answer.body["error"]["message"] for answer in answers if answer.body}) == 1


@pytest.mark.parametrize(
    ("errcode", "expected"),
    [(40226, (403, "login_blocked")), (45011, (429, "login_too_often")), (-1, (503, "external_error"))],
)
async def test_what_wechat_refuses_has_a_sentence(village: Village, errcode: int, expected: tuple[int, str]) -> None:
    village.emulator.platform.troubles.fail("/sns/jscode2session", errcode, times=None)
    answer = await village.phone().log_in()
    assert (answer.status, answer.code) == expected
    assert "errcode" not in str(answer.body)


async def test_no_mini_program_no_login(database_url: str, clock: FrozenClock) -> None:
    from aiohttp.test_utils import TestClient, TestServer

    from bot.app import build_app
    from tests.settings import make_settings
    from tests.town import town_base

    settings = make_settings(database={"url": database_url})
    app = build_app(settings, clock=clock, worker=False, knowledge=town_base)
    async with TestClient(TestServer(app)) as client:
        response = await client.post("/api/v1/session", json={"code": "x"})
        assert (response.status, (await response.json())["error"]["code"]) == (503, "mini_program_missing")


# ----------------------------------------------------------------------------------------------------------------- hats
async def test_a_teacher_who_is_a_parent_switches_with_one_tap(village: Village) -> None:
    person, pupil = await make_person(), await make_pupil()
    await make_guardianship(pupil, person)
    await make_appointment(AppointmentKind.HEAD_TEACHER, person, school_class=await make_class())
    await make_identity("mp_x", person, account=Account.MINI_PROGRAM)
    phone = village.phone("mp_x")
    actor = (await phone.log_in()).body["actor"]
    assert (actor["roles"], actor["as"], actor["may_be"]) == (["head_teacher"], "staff", ["guardian", "staff"])
    answer = await phone.get("/children")
    assert (answer.status, answer.code) == (403, "not_permitted")
    answer = await phone.post("/identity", {"as": "guardian"})
    assert (answer.status, answer.body["roles"], answer.body["as"]) == (200, ["guardian"], "guardian")
    assert len((await phone.get("/children")).body["items"]) == 1
    # Kept for the next login.
    assert (await phone.log_in()).body["actor"]["as"] == "guardian"


async def test_there_is_nothing_to_switch_to_with_one_hat(village: Village) -> None:
    phone, _ = await parent(village)
    answer = await phone.post("/identity", {"as": "staff"})
    assert (answer.status, answer.code) == (409, "only_one_identity")
    answer = await phone.post("/identity", {"as": "administrator"})
    assert answer.body["error"]["details"]["fields"] == {"as": "只能是 guardian、staff"}


# -------------------------------------------------------------------------------------------------------------- privacy
async def test_another_version_of_the_notice_is_not_agreed_to(village: Village) -> None:
    phone = village.phone()
    await phone.log_in()
    answer = await phone.post("/privacy-agreement", {"version": "0"})
    assert (answer.status, answer.code) == (409, "privacy_version_outdated")
    answer = await phone.get("/profile")
    assert (answer.status, answer.code) == (403, "privacy_not_agreed")


# --------------------------------------------------------------------------------------------------------------- limits
MISTAKEN = 20
SLIPS_A_CHILD = 3


async def settle(count: int, signing_up: int) -> None:
    """Phones of a village: most are bound already, the last ones have a slip of paper."""
    school_class = await make_class()
    person, bound_child = await make_person(), await make_pupil(school_class)
    await make_guardianship(bound_child, person)
    await WeChatIdentity.bulk_create(
        WeChatIdentity(
            id=uuid4(), account=Account.MINI_PROGRAM, openid=name, openid_index=blind_index("openid", name),
            person_id=None if number >= count - signing_up else person.id,
            created_at=LONG_AGO, updated_at=LONG_AGO, **AGREED,
        )
        for number, name in ((number, f"mp_v_{number}") for number in range(count))
    )  # fmt: skip
    children = [await make_pupil(school_class, name="王小明") for _ in range(signing_up // SLIPS_A_CHILD)]
    await Invitation.bulk_create(
        Invitation(
            id=uuid4(), kind=InvitationKind.GUARDIAN, code_index=fingerprint(code_of(number)),
            pupil_id=children[number // SLIPS_A_CHILD].id,
            expires_at=LONG_AGO + timedelta(days=400), created_at=LONG_AGO, updated_at=LONG_AGO,
        )
        for number in range(signing_up)
    )  # fmt: skip


def code_of(number: int) -> str:
    digits = [ALPHABET[number // len(ALPHABET) ** place % len(ALPHABET)] for place in range(LENGTH)]
    return "".join(digits)


async def in_turns(jobs: Iterable[Any], at_once: int = 20) -> list[Any]:
    gate = asyncio.Semaphore(at_once)

    async def run(job: Any) -> Any:
        async with gate:
            return await job

    return await asyncio.gather(*(run(job) for job in jobs))


async def sign_up(phone: MiniProgram, number: int) -> int:
    """Some mistype the date of birth first."""
    slip = {
        "code": code_of(number), "child_name": "王小明", "birth_date": "2017-05-06", "relation": "other",
        "name": "李" + "甲乙丙丁戊己庚辛壬癸"[number % 10] + "子丑寅卯辰巳午未申酉"[number // 10 % 10],
    }  # fmt: skip
    if number < MISTAKEN:
        assert (await phone.post("/bindings", slip | {"birth_date": "2017-05-07"})).status == 422
    return (await phone.post("/bindings", slip)).status


@pytest.mark.slow
@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(("honest", "binding"), [(600, 60), pytest.param(2_000, 300, marks=pytest.mark.trial)])
async def test_a_village_logs_in_and_signs_up_from_one_address_in_one_minute(
    village: Village, honest: int, binding: int
) -> None:
    await settle(honest, binding)
    phones = [village.phone(f"mp_v_{number}") for number in range(honest)]
    answers = await in_turns(phone.log_in() for phone in phones)
    assert [answer.status for answer in answers] == [200] * honest
    signing_up = phones[honest - binding :]
    statuses = await in_turns(sign_up(phone, number) for number, phone in enumerate(signing_up))
    assert statuses == [201] * binding
    # The control: somebody who guesses is stopped, at the same address in the same minute.
    limit = village.settings.limits.failed_attempts_per_minute
    guesses = await in_turns(guess(village, f"guess {number}") for number in range(limit))
    # Those under way while the last of the limit is noted have been let in already.
    stopped = guesses.count(429)
    assert guesses.count(401) == limit - stopped
    assert 0 < stopped <= MISTAKEN
    # With what they know, honest people of that address still work; only new logins wait for a minute.
    assert (await phones[0].get("/children")).status == 200
    assert await guess(village, village.account.login_code("mp_v_0")) == 429
    village.clock.advance(timedelta(minutes=1))
    assert await guess(village, village.account.login_code("mp_v_0")) == 200


async def guess(village: Village, code: str) -> int:
    async with village.session.post(f"{village.url}/api/v1/session", json={"code": code}) as response:
        return response.status


async def test_without_the_limit_nobody_who_guesses_is_stopped(database_url: str, clock: FrozenClock) -> None:
    """The control of the test above."""
    limits = {"failed_attempts_per_minute": 1_000_000}
    async with running_village(database_url, clock, limits=limits) as village:
        assert await in_turns(guess(village, f"guess {number}") for number in range(330)) == [401] * 330


async def test_invitations_cannot_be_guessed_with_many_ids(database_url: str, clock: FrozenClock) -> None:
    async with running_village(database_url, clock, limits={"failed_attempts_per_minute": 5}) as village:
        statuses = []
        for number in range(7):
            phone = village.phone(f"mp_attacker_{number}")
            await make_identity(f"mp_attacker_{number}", account=Account.MINI_PROGRAM)
            if await guess(village, village.account.login_code(f"mp_attacker_{number}")) == 200:
                await phone.log_in()
            if phone.token is not None:
                answer = await phone.post("/bindings", {"code": code_of(number), "roster_number": "G1234567"})
                statuses.append(answer.status)
        assert statuses == [422] * 5


async def test_one_person_cannot_keep_the_service_busy(village: Village) -> None:
    phone, _ = await parent(village)
    other, _ = await parent(village, "mp_demo_g_000002")
    limit = village.settings.limits.requests_per_minute
    statuses = [(await phone.get("/children")).status for _ in range(limit + 3)]
    assert statuses == [200] * limit + [429] * 3
    assert (await other.get("/children")).status == 200


# ---------------------------------------------------------------------------------------------------------- description
async def test_the_description_holds_all_of_it_and_is_valid(village: Village) -> None:
    document = (await village.phone().get("/openapi.json")).body
    validate(document)
    children = document["components"]["schemas"]["ChildOut"]["properties"]
    assert list(children) == ["id", "name", "school", "class", "grade"]
    binding = document["paths"]["/api/v1/bindings"]["post"]
    [key] = binding["parameters"]
    assert (key["name"], key["in"], key["required"]) == ("Idempotency-Key", "header", False)
