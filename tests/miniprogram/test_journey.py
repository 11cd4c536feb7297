"""From wx.login to the first question, as a parent goes it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from bot.storage.base import blind_index
from handlers.accounts.domain import BindingWay, InvitationKind
from handlers.accounts.models import Guardianship, Invitation, Pupil
from handlers.accounts.service.codes import fingerprint
from tests.factories import LONG_AGO, make_class, make_guardianship, make_identity, make_person, make_pupil
from tests.miniprogram.client import Answer, MiniProgram, Weather
from tests.miniprogram.village import Village

CODE = "ACDE3467"


async def invite(village: Village, pupil: Pupil, *, person_id: UUID | None = None, code: str = CODE) -> None:
    """A slip of paper for a guardian of the child."""
    await Invitation.create(
        kind=InvitationKind.GUARDIAN,
        code_index=fingerprint(code),
        pupil_id=pupil.id,
        person_id=person_id,
        expires_at=village.clock.now() + timedelta(days=7),
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )


def proof(pupil: Pupil, *, code: str = CODE) -> dict[str, str]:
    """What is on the slip, and what a parent knows."""
    return {"code": code, "child_name": pupil.name, "birth_date": pupil.birth_date or ""}


async def bound(village: Village, openid: str = "mp_demo_g_000001") -> tuple[MiniProgram, Pupil]:
    """A parent with one child, who has come all the way."""
    pupil = await make_pupil()
    person = await make_person()
    await make_guardianship(pupil, person, bound_at=None)
    code = f"ACDE{(await Invitation.all().count()) % 10_000:04d}".translate(str.maketrans("012589", "ACDEFG"))
    await invite(village, pupil, person_id=person.id, code=code)
    phone = await village.user(openid)
    assert (await phone.post("/bindings", proof(pupil, code=code))).status == 201
    return phone, pupil


async def test_a_parent_logs_in_agrees_binds_sees_the_child_and_asks(village: Village) -> None:
    pupil = await make_pupil(name="王小明")
    mother = await make_person(name="李秀英")
    await make_guardianship(pupil, mother, bound_at=None)
    await invite(village, pupil, person_id=mother.id)
    phone = village.phone()

    answer = await phone.log_in()
    assert answer.status == 200
    assert set(answer.body) == {"token", "expires_at", "actor"}
    assert answer.body["expires_at"] == "2026-10-01T08:00:00+08:00"
    assert answer.body["actor"] == {
        "roles": ["visitor"], "name": None, "as": None, "may_be": [], "is_bound": False, "has_agreed": False,
    }  # fmt: skip

    refused = await phone.post("/bindings", proof(pupil))
    assert (refused.status, refused.code) == (403, "privacy_not_agreed")
    notice = await phone.get("/privacy-agreement")
    assert "隐私" in notice.body["text"]
    assert (await phone.post("/privacy-agreement", {"version": notice.body["version"]})).status == 200

    answer = await phone.post("/bindings", proof(pupil))
    assert (answer.status, answer.body["status"], answer.body["children"]) == (201, "bound", ["王小明"])
    assert answer.body["actor"]["roles"] == ["guardian"]
    assert answer.body["actor"]["name"] == "李秀英"

    answer = await phone.get("/children")
    [child] = answer.body["items"]
    assert child["id"] == str(pupil.id)
    assert set(child) == {"id", "name", "school", "class", "grade"}
    assert (child["name"], child["class"], child["grade"]) == ("王小明", "三年级1班", 3)
    assert answer.body["next_cursor"] is None

    answer = await phone.post("/questions", {"text": "小学报名是几号", "place": "柳溪镇"})
    assert answer.body["outcome"] == "answered"


async def test_the_place_is_kept_and_questions_are_answered_for_it(village: Village) -> None:
    phone = await village.user()
    assert (await phone.get("/place")).body == {"place": None}
    assert (await phone.post("/questions", {"text": "一个班最多多少人"})).body["outcome"] == "clarify"
    assert (await phone.put("/place", {"place": "鹤山镇"})).body == {"place": "鹤山镇"}
    answer = await phone.post("/questions", {"text": "一个班最多多少人"})
    assert answer.body["answer"].startswith("每班不超过40人")
    assert (await phone.put("/place", {"place": None})).body == {"place": None}
    assert (await phone.post("/questions", {"text": "一个班最多多少人"})).body["outcome"] == "clarify"


async def test_an_id_of_the_service_account_brings_its_person_along(village: Village) -> None:
    pupil = await make_pupil()
    person = await make_person(name="李秀英")
    await make_guardianship(pupil, person)
    await make_identity("demo_g_000001", person)
    answer = await village.phone("mp_demo_g_000001").log_in()
    assert answer.body["actor"]["roles"] == ["guardian"]
    # The name only once the privacy notice of this account is agreed to.
    assert answer.body["actor"]["name"] is None


async def test_the_confirmed_phone_number_binds_whom_the_roster_has(village: Village) -> None:
    pupil = await make_pupil()
    person = await make_person(phone="13812345678")
    await make_guardianship(pupil, person, bound_at=None)
    phone = await village.user()
    answer = await phone.post("/bindings/phone", {"code": village.account.phone_code("13999999999")})
    assert (answer.status, answer.code) == (404, "phone_not_known")
    code = village.account.phone_code("13812345678")
    # The answer gets lost: the code is used by then, and the key brings the answer all the same.
    phone.weather.extend([Weather.LOST])
    answer = await phone.post("/bindings/phone", {"code": code})
    assert (answer.status, answer.body["children"]) == (201, [pupil.name])
    assert (await phone.get("/profile")).body["phone"] == "138****5678"
    [row] = await Guardianship.all()
    assert row.bound_by is BindingWay.PHONE


async def test_a_changed_phone_number_is_confirmed_by_wechat_too(village: Village) -> None:
    phone, _ = await bound(village)
    answer = await phone.patch("/profile", {"phone_code": village.account.phone_code("13912345678")})
    assert (answer.status, answer.body["phone"]) == (200, "139****5678")
    answer = await phone.patch("/profile", {"phone_code": "made up"})
    assert (answer.status, answer.code) == (422, "phone_code_invalid")
    # Only the last number finds the person.
    assert blind_index("phone", "13912345678")


async def test_without_proof_the_school_is_asked_and_the_answer_tells_nothing(village: Village) -> None:
    school_class = await make_class()
    pupil = await make_pupil(school_class)
    phone = await village.user()
    schools = (await phone.get("/schools")).body["items"]
    assert [school["id"] for school in schools] == [str(school_class.school_id)]
    plea = {
        "child_name": pupil.name, "birth_date": pupil.birth_date or "", "school_id": schools[0]["id"],
        "relation": "mother", "name": "李秀英",
    }  # fmt: skip
    answers = [await phone.post("/binding-requests", body) for body in (plea, plea | {"child_name": "没有这人"})]
    assert [(each.status, each.body) for each in answers] == [(201, {"status": "waiting"})] * 2
    assert (await phone.get("/children")).body["items"] == []


async def test_a_parent_lets_go_of_a_child(village: Village) -> None:
    phone, pupil = await bound(village)
    other, foreign = await bound(village, "mp_demo_g_000002")
    refused = await phone.delete(f"/bindings/{foreign.id}")
    assert (refused.status, refused.code) == (404, "not_found")
    assert (await phone.delete(f"/bindings/{pupil.id}")).body == {"id": str(pupil.id), "status": "unbound"}
    assert (await phone.get("/children")).body["items"] == []
    assert len((await other.get("/children")).body["items"]) == 1


# --------------------------------------------------------------------------------------------------------- weak network
async def test_a_session_that_ended_is_renewed_without_a_word(village: Village) -> None:
    phone, _ = await bound(village)
    first = phone.token
    village.clock.advance(timedelta(days=31))
    assert (await phone.get("/children")).status == 200
    assert phone.token != first
    assert phone.logins == 2


async def test_what_gets_lost_on_the_way_is_sent_again_and_happens_once(village: Village) -> None:
    pupil = await make_pupil()
    person = await make_person()
    await make_guardianship(pupil, person, bound_at=None)
    await invite(village, pupil, person_id=person.id)
    phone = village.phone()
    phone.weather.extend([Weather.LOST, Weather.CLEAR])
    await phone.log_in()
    phone.weather.extend([Weather.DROPPED, Weather.LOST])
    assert (await phone.post("/privacy-agreement", {"version": "1"})).status == 200
    phone.weather.extend([Weather.DROPPED, Weather.LOST, Weather.LOST])
    answer = await phone.post("/bindings", proof(pupil))
    assert (answer.status, answer.body["status"]) == (201, "bound")


async def test_the_same_tap_counts_once_against_somebody_who_mistypes(village: Village) -> None:
    pupil = await make_pupil()
    await invite(village, pupil)
    phone = await village.user()
    phone.weather.extend([Weather.LOST, Weather.LOST])
    answer: Answer = await phone.post("/bindings", proof(pupil) | {"birth_date": "2001-01-01"})
    assert (answer.status, answer.code) == (422, "proof_wrong")
    assert (await Invitation.get(pupil_id=pupil.id)).failed_proofs == 1
