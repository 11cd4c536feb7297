"""A question of danger left unanswered: its author hears of it after an hour, once, and finds it until it is said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.delivery.models import OutboxPush
from bot.delivery.pushes import Composed, NotNeeded, Push, PushClass
from handlers.contacts.domain.reports import TriggerAsked
from handlers.contacts.models import ContactsDraft
from handlers.contacts.service.recording.recording import Asked, RecordingService
from handlers.contacts.service.recording.unanswered import REASON, Unanswered, reminder_of
from handlers.contacts.service.records.drafts import QuestionWaits
from tests.handlers.contacts.stage import NOW, Contacts, contact
from tests.handlers.contacts.test_admin_recording import Desk, desk
from tests.handlers.contacts.test_chat_recording import Talk, talk, town

__all__ = ["desk", "talk", "town"]

DANGER = {"key": "k1", "finding": "身上有伤，说是被打的"}


def recording_of(contacts: Contacts) -> RecordingService:
    return contacts.machinery.services.get(RecordingService)


async def asked(contacts: Contacts) -> ContactsDraft:
    """A record was held back with the question."""
    await contacts.paired()
    teacher, recording = contacts.people.teacher, recording_of(contacts)
    with pytest.raises(TriggerAsked):
        await recording.write(teacher, contacts.child(), contact(finding=DANGER["finding"]), Asked())
    await recording.keep(teacher, contacts.child(), DANGER, is_asked=True)
    return await ContactsDraft.get()


async def composed(contacts: Contacts) -> Composed | NotNeeded:
    """What the promise says now."""
    row = await OutboxPush.get(reason=REASON)
    push = Push(
        str(row.id), row.reason, row.occurrence, str(row.person_id), row.rule, row.purpose, row.push_class, (),
        row.not_before, row.expires_at,
    )  # fmt: skip
    source = Unanswered(contacts.reaching)
    found = (await source.compose([push], contacts.clock.now()))[push.id]
    assert isinstance(found, Composed | NotNeeded)
    return found


async def todos(contacts: Contacts) -> list[int]:
    return [todo.count for todo in await Unanswered(contacts.reaching).todos_of(contacts.people.teacher)]


async def test_the_author_is_told_after_an_hour_once(contacts: Contacts) -> None:
    draft = await asked(contacts)
    contacts.clock.set(NOW + timedelta(minutes=30))
    await recording_of(contacts).keep(contacts.people.teacher, contacts.child(), DANGER, is_asked=True)
    row = await OutboxPush.get(reason=REASON)
    assert (str(row.person_id), row.push_class) == (contacts.people.teacher.person_id, PushClass.ALARM)
    assert row.not_before == NOW + timedelta(hours=1), "asked again within the hour, it is the first time that counts"
    found = await composed(contacts)
    assert isinstance(found, Composed)
    for planted in (contacts.children[0].name, "有伤", "被打", contacts.child()):
        assert planted not in f"{found.text}{found.line}{found.slots}{found.path}{row.occurrence}"
    assert await todos(contacts) == [1]
    assert draft.asked_at == NOW


async def test_whoever_answers_hears_nothing(contacts: Contacts) -> None:
    await asked(contacts)
    teacher, recording = contacts.people.teacher, recording_of(contacts)
    await recording.write(teacher, contacts.child(), contact(finding=DANGER["finding"]), Asked(is_denied=True))
    assert await composed(contacts) == NotNeeded("answered")
    assert await todos(contacts) == []


async def test_a_draft_that_is_only_kept_goes_on_waiting_for_its_answer(contacts: Contacts) -> None:
    draft = await asked(contacts)
    await recording_of(contacts).keep(contacts.people.teacher, contacts.child(), {**DANGER, "way": "visit"})
    assert await todos(contacts) == [1]
    assert reminder_of(draft).occurrence == reminder_of(await ContactsDraft.get()).occurrence
    await recording_of(contacts).keep(contacts.people.teacher, contacts.child(), {"key": "k1", "finding": "作业没写"})
    assert await todos(contacts) == [], "the words are not there any more"


async def test_what_was_never_asked_waits_for_nothing(contacts: Contacts) -> None:
    await contacts.paired()
    await recording_of(contacts).keep(contacts.people.teacher, contacts.child(), DANGER)
    assert await OutboxPush.filter(reason=REASON).count() == 0
    assert await todos(contacts) == []


async def test_whoever_has_the_child_no_more_is_not_told(contacts: Contacts) -> None:
    await asked(contacts)
    pair = (await contacts.pairing.pairs(contacts.people.lead, contacts.child()))[0].id
    await contacts.pairing.end(contacts.people.lead, pair)
    assert await composed(contacts) == NotNeeded("not_paired")
    assert await todos(contacts) == []


async def test_the_draft_is_not_dropped_before_it_is_answered(contacts: Contacts) -> None:
    await asked(contacts)
    with pytest.raises(QuestionWaits):
        await contacts.drafts.drop(contacts.people.teacher, contacts.child())
    assert await ContactsDraft.all().count() == 1


async def test_the_pages_show_it_until_it_is_answered(desk: Desk) -> None:
    form = {**await desk.form(), "finding": DANGER["finding"]}
    page = await desk.browser.post(f"{desk.own}/record", form, met=["child"])
    assert (desk.browser.status, "您写的可能是" in page) == (422, True)
    assert "没回答" in await desk.browser.get("/contacts/today")
    page = await desk.browser.get(desk.own)
    assert "还没有回答" in page
    assert "删掉草稿" not in page
    await desk.browser.post(f"{desk.own}/record", {**form, "is_so": "no"}, met=["child"])
    assert desk.browser.status == 303
    assert "没回答" not in await desk.browser.get("/contacts/today")


async def test_the_chat_promises_it_too(talk: Talk) -> None:
    for text in ("家访", talk.name(0), "1 5"):
        await talk.says(text)
    await talk.says("身上有伤，说是被打的")
    assert "您写的可能是" in await talk.says("没有")
    assert await OutboxPush.filter(reason=REASON).count() == 1
    for text in ("退出", "家访"):
        await talk.says(text)
    assert "还没有回答" in await talk.says("2")
    assert await ContactsDraft.all().count() == 1
