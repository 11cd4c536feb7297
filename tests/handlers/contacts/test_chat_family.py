"""Families in the chat of the whole application: wanting the month's word, calling it off, booking a call."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest

from bot.clock import SHANGHAI
from bot.identity import Door, Hat
from handlers.accounts.models import Guardianship, Person
from handlers.consent.domain.decisions import Decision
from handlers.consent.service.consents import ConsentService
from handlers.consent.service.founding import MadeDecision, put_decisions
from handlers.contacts.domain.family import CallState
from handlers.contacts.models import ContactsCall, ContactsWish
from handlers.contacts.service.family.calls import Calls
from tests import factories
from tests.handlers.contacts.stage import NOW
from tests.handlers.contacts.test_chat_recording import Talk, talk, town
from tests.town import Town

__all__ = ["talk", "town"]

MOTHER = "demo_g_000701"
LABELS = ("留守", "单亲", "贫困", "困难", "残疾", "关爱")


class Mother:
    """A guardian's side of the chat."""

    def __init__(self, town: Town, talk: Talk, person: Person) -> None:
        self._town = town
        self.contacts, self.person = talk.contacts, person

    async def says(self, text: str) -> str:
        """What she reads; never why."""
        answer = await self._town.person(MOTHER).says(text) or ""
        assert [label for label in LABELS if label in answer] == []
        return answer

    async def consent(self) -> None:
        version = self.contacts.machinery.services.get(ConsentService).notice.version
        made = MadeDecision(UUID(self.contacts.child()), UUID(str(self.person.id)), Decision.GIVEN)
        await put_decisions([made], version=version, channel="chat", now=NOW)


@pytest.fixture
async def mother(town: Town, talk: Talk) -> Mother:
    row = await factories.make_guardianship(talk.contacts.children[0])
    await Guardianship.filter(id=row.id).update(bound_at=NOW)
    person = await Person.get(id=row.person_id)
    await factories.make_identity(MOTHER, person)
    return Mother(town, talk, person)


async def test_a_parent_wants_it_and_takes_it_back(mother: Mother) -> None:
    assert "随时可以不要" in await mother.says("每月一句")
    assert "1（愿意）" in await mother.says("也许")
    assert "儿童信息授权" in await mother.says("1")
    await mother.consent()
    await mother.says("不要每月一句")
    await mother.says("每月一句")
    assert "写了就发" in await mother.says("1")
    assert "不再发了" in await mother.says("不要每月一句")
    rows = await ContactsWish.all().order_by("said_at")
    assert [row.is_wanted for row in rows] == [True, False, True, False]


async def test_a_parent_books_moves_and_calls_off_a_call(mother: Mother) -> None:
    await mother.says("约通话")
    assert "每月一句" in await mother.says("9月10日19:30"), "first she has to want to hear"
    await mother.says("退出")
    await mother.consent()
    await mother.says("每月一句")
    await mother.says("1")
    await mother.says("约通话")
    assert "日期和几点" in await mother.says("看您方便")
    assert "9月10日19:30" in await mother.says("9月10日晚上7点半")
    row = await ContactsCall.get()
    assert row.at == datetime(2026, 9, 10, 19, 30, tzinfo=SHANGHAI)
    assert "没有要答复" in await mother.says("同意通话"), "it is the teacher's to answer"
    assert "9月11日20:00" in await mother.says("通话改9月11日20点")
    assert "取消了" in await mother.says("取消通话")
    assert "没有要答复" in await mother.says("取消通话")
    assert (await ContactsCall.get()).state is CallState.CANCELLED


async def test_a_parent_agrees_to_what_a_teacher_proposes(mother: Mother) -> None:
    await mother.consent()
    await mother.says("每月一句")
    await mother.says("1")
    contacts = mother.contacts
    teacher = await contacts.identity.actor_of_person(
        str(contacts.people.teacher.person_id), hat=Hat.STAFF, door=Door.CONSOLE
    )
    at = datetime(2026, 9, 10, 19, 30, tzinfo=SHANGHAI)
    await contacts.machinery.services.get(Calls).propose(teacher, contacts.child(), str(mother.person.id), at)
    assert "9月10日19:30" in await mother.says("同意通话")
    assert (await ContactsCall.get()).state is CallState.AGREED
