"""What a phone lets the mini-program send it: what to ask for next, and what was chosen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.clock import FrozenClock
from bot.delivery.credits import ConsentKind, Credits
from bot.storage.base import blind_index
from handlers.accounts.domain import Account, AppointmentKind
from tests.factories import make_appointment, make_class, make_guardianship, make_identity, make_person, make_pupil
from tests.miniprogram.client import MiniProgram
from tests.miniprogram.village import Village, running_village

PATH = "/subscriptions"


def template(purpose: str, own: str, kind: str = "mini_program") -> dict[str, Any]:
    return {"purpose": purpose, "kind": kind, "id": own, "slots": {"subject": "thing1"}}


TEMPLATES = [
    template("notice", "T_NOTICE"),
    template("reminder", "T_REMINDER"),
    template("result", "T_RESULT"),
    template("task", "T_TASK"),
    template("alarm", "T_ALARM"),
    template("result", "T_OTHER", "template"),
]


@pytest.fixture
async def village(database_url: str, clock: FrozenClock) -> AsyncIterator[Village]:
    async with running_village(database_url, clock, wechat={"templates": TEMPLATES}) as running:
        yield running


async def parent(village: Village, openid: str = "mp_demo_g_000001") -> MiniProgram:
    person = await make_person()
    await make_guardianship(await make_pupil(), person)
    await make_identity(openid, person, account=Account.MINI_PROGRAM)
    return village.phone(openid)


def left(body: dict[str, Any]) -> dict[str, int | None]:
    return {item["template_id"]: item["left"] for item in body["items"]}


async def test_a_parent_is_asked_for_what_parents_are_told(village: Village) -> None:
    answer = await (await parent(village)).get(PATH)
    assert answer.status == 200
    assert answer.body["ask"] == ["T_RESULT", "T_NOTICE", "T_REMINDER"]
    assert left(answer.body) == {"T_RESULT": 0, "T_NOTICE": 0, "T_REMINDER": 0}


async def test_staff_are_asked_for_what_staff_are_told(village: Village) -> None:
    person = await make_person()
    await make_appointment(AppointmentKind.HEAD_TEACHER, person, school_class=await make_class())
    await make_identity("mp_demo_h_0001", person, account=Account.MINI_PROGRAM)
    answer = await village.phone("mp_demo_h_0001").get(PATH)
    assert answer.body["ask"] == ["T_TASK", "T_ALARM", "T_NOTICE"]


async def test_what_was_chosen_counts(village: Village) -> None:
    phone = await parent(village)
    chosen = {"T_RESULT": "accept", "T_NOTICE": "reject", "T_REMINDER": "filter", "T_GONE": "accept"}
    answer = await phone.post(PATH, {"results": chosen})
    assert (answer.status, left(answer.body)) == (200, {"T_RESULT": 1, "T_NOTICE": 0, "T_REMINDER": 0})
    assert answer.body["ask"] == ["T_REMINDER", "T_RESULT", "T_NOTICE"], "who refused is asked after the others"
    again = await phone.post(PATH, {"results": {"T_RESULT": "acceptWithAudio", "T_REMINDER": "ban"}})
    assert left(again.body) == {"T_RESULT": 2, "T_NOTICE": 0, "T_REMINDER": 0}
    assert (await (await parent(village, "mp_demo_g_000002")).get(PATH)).body["items"][0]["left"] == 0


async def test_a_report_that_is_sent_twice_counts_once(village: Village) -> None:
    phone = await parent(village)
    answers = [await phone.post(PATH, {"results": {"T_RESULT": "accept"}}, key="tap-1") for _ in range(2)]
    assert answers[0] == answers[1]
    assert left((await phone.get(PATH)).body)["T_RESULT"] == 1
    other = await phone.post(PATH, {"results": {"T_RESULT": "reject"}}, key="tap-1")
    assert other.status == 409


async def test_who_accepted_for_good_is_not_asked_again(village: Village, clock: FrozenClock) -> None:
    phone = await parent(village)
    await Credits(clock).accepted(blind_index("openid", "mp_demo_g_000001"), "T_NOTICE", ConsentKind.LONG_TERM)
    answer = await phone.get(PATH)
    assert answer.body["ask"] == ["T_RESULT", "T_REMINDER"]
    assert left(answer.body)["T_NOTICE"] is None


@pytest.mark.parametrize("body", [{}, {"results": {}}, {"results": {"T_NOTICE": "maybe"}}, {"results": ["T_NOTICE"]}])
async def test_anything_else_is_refused(village: Village, body: dict[str, Any]) -> None:
    answer = await (await parent(village)).post(PATH, body)
    assert answer.status == 422


async def test_without_a_session_nobody_is_asked(village: Village) -> None:
    async with village.client.get("/api/v1" + PATH) as response:
        assert response.status == 401
