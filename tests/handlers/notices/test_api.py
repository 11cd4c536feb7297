"""The API's routes of notices, over the whole application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.clock import FrozenClock
from bot.config_values import decode_key
from bot.rights import Reach
from bot.storage.database import transaction
from handlers.accounts.domain import Account
from handlers.accounts.models import Person, Pupil, School, SchoolClass
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.sessions import SessionService
from handlers.notices.domain import Confirmation, NoticeContent, NoticeState, Question, QuestionKind, Target
from handlers.notices.models import Notice, NoticeChild, NoticeRecipient
from handlers.notices.service.rows import columns_of
from tests import factories
from tests.town import Town, running_town

MISSING = "00000000-0000-4000-8000-000000000000"
FORM = (Question("eat", QuestionKind.CHOICE, "在校吃午饭吗", ("吃", "不吃")),)


@dataclass
class Phone:
    """A mini-program a mother is logged in at, and a class whose head teacher writes."""

    town: Town
    child: Pupil
    mother: Person
    head: Person
    room: SchoolClass
    token: str

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and answer."""
        return await self._ask("GET", path)

    async def post(self, path: str, body: object, key: str | None = None) -> tuple[int, Any]:
        """Status and answer."""
        return await self._ask("POST", path, body, key)

    async def _ask(self, method: str, path: str, body: object = None, key: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Idempotency-Key": key} if key else {})
        async with self.town.client.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def notice(self, **values: Any) -> str:
        """One that is going out; gives its id."""
        rooms = frozenset({str(self.room.id)})
        target = Target(Audience(roles=frozenset({AudienceRole.GUARDIANS}), classes=rooms))
        content = NoticeContent(**{"title": "家长会", "text": "请来开会。", "target": target, **values})
        moments: dict[str, Any] = {"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO}
        school = await School.get(id=self.room.school_id)
        row = await Notice.create(
            **columns_of(content, Reach(classes=rooms)),
            **moments,
            number=1,
            state=NoticeState.SENDING,
            township_id=school.township_id,
            school_id=school.id,
            class_id=self.room.id,
            sender="三年级1班",
            written_on=factories.FIRST_DAY,
            written_by=self.head.id,
            changed_by=self.head.id,
            begun_at=factories.LONG_AGO,
            frozen_at=factories.LONG_AGO,
        )
        child: dict[str, Any] = {"notice_id": row.id, "child_id": self.child.id}
        await NoticeChild.create(**child, school_id=school.id, class_id=self.room.id, **moments)
        await NoticeRecipient.create(**child, person_id=self.mother.id, **moments)
        return str(row.id)


@pytest.fixture
async def phone(database_url: str, clock: FrozenClock) -> AsyncIterator[Phone]:
    """Hers."""
    async with running_town(database_url, clock) as town:
        room = await factories.make_class()
        child = await factories.make_pupil(room)
        mother, head = await factories.make_person(), await factories.make_person()
        await factories.make_guardianship(child, mother)
        identity = await factories.make_identity("mp_demo_g_000001", mother, account=Account.MINI_PROGRAM)
        sessions = SessionService(clock, decode_key(town.settings.security.session_key.get_secret_value()))
        async with transaction():
            opened = await sessions.open_api(identity.id)
        yield Phone(town, child, mother, head, room, opened.secret)


async def test_the_list_the_notice_and_its_confirmation(phone: Phone) -> None:
    own = await phone.notice(confirmation=Confirmation.BUTTON)
    status, listed = await phone.get("/notices")
    assert (status, listed["next_cursor"]) == (200, None)
    (item,) = listed["items"]
    assert (item["id"], item["is_open"], item["is_read"], item["is_confirmed"]) == (own, True, False, False)
    assert item["children"] == [{"id": str(phone.child.id), "name": phone.child.name, "is_done": False}]
    assert item["sent_at"].endswith("+08:00")
    status, read = await phone.get(f"/notices/{own}")
    assert (status, read["is_read"], read["is_confirmed"]) == (200, True, False)
    path = f"/notices/{own}/confirmation"
    status, done = await phone.post(path, {}, key="k1")
    assert (status, done["is_confirmed"], done["children"][0]["is_done"]) == (200, True, True)
    assert await phone.post(path, {}, key="k1") == (200, done)
    assert (await phone.post(path, {}))[0] == 200
    assert await NoticeRecipient.filter(how="api").count() == 1


async def test_reading_is_enough_where_reading_is_asked_for(phone: Phone) -> None:
    own = await phone.notice(confirmation=Confirmation.OPENED)
    assert (await phone.get(f"/notices/{own}"))[1]["is_confirmed"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"answers": {"eat": "也许"}}, 422, "answer_invalid"),
        ({}, 422, "answer_invalid"),
        ({"answers": {"drink": "水"}}, 422, "answer_invalid"),
        ({"answers": {"eat": 1}}, 422, "invalid_input"),
        ({"other": 1}, 422, "invalid_input"),
    ],
)
async def test_wrong_answers_are_named(phone: Phone, body: object, status: int, code: str) -> None:
    own = await phone.notice(confirmation=Confirmation.FORM, questions=FORM)
    got, answer = await phone.post(f"/notices/{own}/confirmation", body)
    assert (got, answer["error"]["code"]) == (status, code)
    assert (await phone.post(f"/notices/{own}/confirmation", {"answers": {"eat": "吃"}}))[1]["answers"] == {"eat": "吃"}


async def test_what_is_not_hers_is_not_there(phone: Phone) -> None:
    own = await phone.notice()
    await NoticeRecipient.all().delete()
    for path in (f"/notices/{own}", f"/notices/{MISSING}", "/notices/abc"):
        status, answer = await phone.get(path)
        assert (status, answer["error"]["code"]) == (404, "not_found")
    status, _ = await phone.post(f"/notices/{own}/confirmation", {})
    assert status == 404
    assert (await phone.get("/notices"))[1]["items"] == []


async def test_what_has_ended_takes_no_confirmation(phone: Phone) -> None:
    own = await phone.notice(confirmation=Confirmation.BUTTON)
    await Notice.filter(id=own).update(state=NoticeState.CLOSED)
    status, answer = await phone.post(f"/notices/{own}/confirmation", {})
    assert (status, answer["error"]["code"]) == (409, "not_open_for_confirmation")


async def test_without_a_token_nothing_is_shown(phone: Phone) -> None:
    async with phone.town.client.get("/api/v1/notices") as answer:
        assert answer.status == 401
