"""Pictures and voice notes in the dialogue of a record: kept encrypted beside it, never instead of its words."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from aiohttp import FormData
from tortoise.connection import connections

from bot.emulator.media import A_VOICE
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor
from bot.storage.models import StoredFile
from handlers.contacts.models import ContactsDraft, ContactsRecord
from handlers.contacts.service.recording.recording import RecordingService
from handlers.contacts.service.records.files import DRAFT_FILES, FILES
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.contacts.test_admin_recording import Desk, desk
from tests.handlers.contacts.test_chat_recording import Talk, talk, town

__all__ = ["desk", "talk", "town"]


async def kinds(owner: str) -> Collection[tuple[str, str]]:
    rows = await StoredFile.all()
    return {(row.owner_kind, row.media_type) for row in rows if row.owner_kind == owner}


async def spoken(talk: Talk, content: bytes = A_VOICE) -> str:
    return await talk.person.sends_voice(content=content) or ""


async def begun(talk: Talk) -> None:
    """As far as the sentence."""
    for text in ("家访", talk.name(0), "1 5 6"):
        await talk.says(text)


async def test_a_voice_note_lies_beside_the_record_and_the_sentence_is_asked_for_all_the_same(talk: Talk) -> None:
    await begun(talk)
    told = await spoken(talk)
    assert "请再用文字" in told
    assert "一句话" in told
    assert await kinds(DRAFT_FILES) == {(DRAFT_FILES, "audio/amr")}
    for text in ("作业没人管", "没有"):
        await talk.says(text)
    row = await ContactsRecord.get()
    assert row.finding == "作业没人管"
    assert await kinds(DRAFT_FILES) == set()
    assert await kinds(FILES) == {(FILES, "audio/amr")}
    found = await StoredFile.get(id=row.voice_id)
    assert (bytes(found.content), found.delete_after) == (A_VOICE, None)
    raw = await connections.get("default").execute_query_dict("SELECT content FROM stored_file")
    assert A_VOICE not in bytes(raw[0]["content"])


async def test_a_voice_note_alone_is_no_record(talk: Talk) -> None:
    await begun(talk)
    await spoken(talk)
    assert await ContactsRecord.all().count() == 0
    assert await ContactsDraft.all().count() == 1


async def test_the_last_of_several_counts_and_a_dropped_draft_takes_it_along(talk: Talk) -> None:
    await begun(talk)
    await spoken(talk)
    await spoken(talk, A_VOICE + b"again")
    assert [bytes(row.content) for row in await StoredFile.all()] == [A_VOICE + b"again"]
    for text in ("退出", "家访", "2"):
        await talk.says(text)
    assert (await ContactsDraft.all().count(), await StoredFile.all().count()) == (0, 0)


async def test_a_picture_and_a_voice_note_in_the_chat(talk: Talk) -> None:
    await begun(talk)
    assert "照片加密存下了" in (await talk.person.sends_image(png()) or "")
    await talk.says("作业没人管")
    assert "接下来" in await spoken(talk)
    assert "登记好了" in await talk.says("没有")
    assert await kinds(FILES) == {(FILES, "audio/amr"), (FILES, "image/jpeg")}
    row = await ContactsRecord.get()
    assert row.photo_id
    assert row.voice_id


@pytest.mark.parametrize(("content", "said"), [(b"RIFF....WAVE", "读不出来"), (b"#!AMR\n" + bytes(3 << 20), "太长")])
async def test_what_is_no_voice_note_is_refused_and_nothing_is_lost(talk: Talk, content: bytes, said: str) -> None:
    await begun(talk)
    assert said in await spoken(talk, content)
    assert await StoredFile.all().count() == 0
    await talk.says("作业没人管")
    assert "登记好了" in await talk.says("没有")


async def test_before_the_child_is_known_nothing_is_kept(talk: Talk) -> None:
    await talk.says("家访")
    assert "哪位同学" in await spoken(talk)
    assert "哪位同学" in (await talk.person.sends_image(png()) or "")
    assert await StoredFile.all().count() == 0


async def test_only_the_author_and_the_lead_hear_it_and_it_is_written_down(talk: Talk) -> None:
    await begun(talk)
    await spoken(talk)
    for text in ("作业没人管", "没有"):
        await talk.says(text)
    contacts, record = talk.contacts, str((await ContactsRecord.get()).id)
    people, recording = contacts.people, contacts.machinery.services.get(RecordingService)
    teacher = await contacts.actor(str(people.teacher.person_id))
    lead_hears = recording.sealed(people.lead, record, is_voice=True)
    for actor, heard in ((teacher, recording.voice(teacher, record)), (people.lead, lead_hears)):
        assert (await heard).content == A_VOICE
        last = (await contacts.deeds(contacts.child()))[-1]
        assert (last.actor, last.fields_seen) == (actor.person_id, ["file"])
    await contacts.pairing.pair(people.lead, contacts.child(), str(people.colleague.person_id))
    others: list[Actor] = [people.head, people.colleague, people.leader, people.foreign_lead]
    for actor in others:
        with pytest.raises(NotFound):
            await recording.voice(actor, record)
        with pytest.raises(NotFound):
            await recording.photo(actor, record)
        with pytest.raises((NotFound, NotPermitted)):
            await recording.sealed(actor, record, is_voice=True)


async def test_the_lead_sees_the_picture_of_a_form_too(desk: Desk) -> None:
    data = FormData()
    for name, value in {**await desk.form(), "met": "child", "form_token": desk.browser.token}.items():
        data.add_field(name, value)
    data.add_field("picture", png(), filename="a.png", content_type="image/png")
    await desk.browser.client.post(f"/admin{desk.own}/record", data=data, allow_redirects=False)
    row = await ContactsRecord.get()
    ways = [f"/admin/contacts/{way}/{row.id}/{what}" for way in ("records", "sealed") for what in ("photo", "voice")]
    seen = {"teacher": [200, 404, 403, 403], "lead": [404, 404, 200, 404], "head": [404, 404, 403, 403]}
    for who, statuses in seen.items():
        await desk.enter(getattr(desk.contacts.people, who))
        found = []
        for way in ways:
            answer = await desk.browser.client.get(way)
            found.append(answer.status)
        assert found == statuses, who


async def test_what_lies_with_a_draft_goes_with_the_file(talk: Talk) -> None:
    await begun(talk)
    await spoken(talk)
    await talk.contacts.keeping.erase_child(talk.contacts.child(), keep_duty=False)
    assert (await ContactsDraft.all().count(), await StoredFile.all().count()) == (0, 0)
