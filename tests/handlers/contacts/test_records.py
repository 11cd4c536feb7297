"""Contact records: once however often they are sent, corrected by another version, read as far as they are ours."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tortoise.exceptions import BaseORMException

from bot.errors import NotFound, NotPermitted
from bot.storage.database import transaction
from handlers.contacts.domain.records import (
    ContactOutcome,
    KeyReused,
    RecordCorrected,
    RecordInvalid,
    ReportOpen,
    ReportState,
    Way,
)
from handlers.contacts.models import ContactsRecord, ContactsReport
from handlers.contacts.service.records.drafts import DraftTooLarge
from handlers.contacts.service.records.files import Voice
from handlers.contacts.service.records.records import Attached
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.contacts.stage import NOW, TODAY, Contacts, contact
from tests.handlers.contacts.test_register import MISSING


async def test_sent_again_it_is_the_same_record_and_the_draft_is_gone(contacts: Contacts) -> None:
    teacher, child = contacts.people.teacher, contacts.child()
    await contacts.paired()
    await contacts.drafts.save(teacher, child, {"finding": "作业"})
    first = await contacts.records.write(teacher, child, contact())
    assert await contacts.drafts.read(teacher, child) is None
    again = await contacts.records.write(teacher, child, contact(finding="改了也不算"))
    assert (again.id, again.finding) == (first.id, first.finding)
    assert await ContactsRecord.all().count() == 1
    await contacts.paired(1)
    with pytest.raises(KeyReused):
        await contacts.records.write(teacher, contacts.child(1), contact())


async def test_sent_many_times_at_once_it_is_one_record(contacts: Contacts) -> None:
    teacher, child = contacts.people.teacher, contacts.child()
    await contacts.paired()
    found = await asyncio.gather(*(contacts.records.write(teacher, child, contact()) for _ in range(8)))
    assert len({each.id for each in found}) == 1
    assert await ContactsRecord.all().count() == 1


async def test_another_person_s_key_is_another_record(contacts: Contacts) -> None:
    await contacts.paired()
    for actor in (contacts.people.teacher, contacts.people.head):
        await contacts.records.write(actor, contacts.child(), contact())
    assert await ContactsRecord.all().count() == 2


async def test_who_reads_what_of_a_record(contacts: Contacts) -> None:
    people, child = contacts.people, contacts.child()
    await contacts.paired()
    voice = Voice("audio/amr", b"#!AMR")
    written = await contacts.records.write(
        people.teacher, child, contact(sealed_part="身上有伤", follow_up="再去一趟", follow_up_on=TODAY),
        Attached(png(), voice),
    )  # fmt: skip
    assert (written.finding, written.sealed_part) == ("作业没人管，奶奶腿脚不好", None)
    head = await contacts.records.one(people.head, written.id)
    assert (head.finding, head.sealed_part, head.photo_id, head.voice_id) == (None, None, None, None)
    assert (head.follow_up, head.way, head.outcome) == ("再去一趟", Way.VISIT, ContactOutcome.REACHED)
    lead = await contacts.records.one(people.lead, written.id)
    assert (lead.finding, lead.sealed_part) == (written.finding, "身上有伤")
    for reader in (people.teacher, people.lead):
        kept = await contacts.records.file(reader, written.id, str(written.voice_id))
        assert (kept.media_type, kept.content) == ("audio/amr", b"#!AMR")
    with pytest.raises(NotFound):
        await contacts.records.file(people.head, written.id, str(lead.photo_id))
    assert [each.finding for each in await contacts.records.of_child(people.head, child)] == [None]


async def test_records_of_others_are_not_there(contacts: Contacts) -> None:
    people, child, records = contacts.people, contacts.child(), contacts.records
    await contacts.paired()
    written = await records.write(people.teacher, child, contact())
    for actor in (people.colleague, people.leader, people.foreign_lead, people.foreign_teacher):
        for deed in (
            records.write(actor, child, contact("k2")), records.one(actor, written.id), records.of_child(actor, child),
            records.correct(actor, written.id, contact("k3")), records.follow_up_done(actor, written.id),
            records.file(actor, written.id, MISSING), contacts.drafts.save(actor, child, {}),
            contacts.drafts.read(actor, child), contacts.drafts.drop(actor, child),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                await deed
        assert await records.own(actor) == []
        assert await records.follow_ups(actor, TODAY) == []
    for refused in (
        records.write(people.admin, child, contact("k2")), records.one(people.admin, MISSING),
        records.own(people.admin), contacts.drafts.of(people.admin),
    ):  # fmt: skip
        with pytest.raises(NotPermitted):
            await refused
    for deed in (
        records.one(people.teacher, MISSING), records.one(people.teacher, "none"),
        records.write(people.head, contacts.child(1), contact("k2")),
        records.correct(people.head, written.id, contact("k4")),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await deed


async def test_a_correction_keeps_the_first_version(contacts: Contacts) -> None:
    teacher, child = contacts.people.teacher, contacts.child()
    await contacts.paired()
    first = await contacts.records.write(teacher, child, contact())
    second = await contacts.records.correct(teacher, first.id, contact("k2", finding="其实是外婆"))
    assert (await contacts.records.correct(teacher, first.id, contact("k2"))).id == second.id
    shown = {each.id: each for each in await contacts.records.of_child(teacher, child)}
    assert shown[first.id].superseded_by == second.id
    assert (shown[first.id].finding, shown[second.id].corrects) == ("作业没人管，奶奶腿脚不好", first.id)
    with pytest.raises(RecordCorrected):
        await contacts.records.correct(teacher, first.id, contact("k3"))
    assert await ContactsRecord.all().count() == 2


async def test_what_was_earlier_says_so_and_what_cannot_be_is_refused(contacts: Contacts) -> None:
    teacher, child = contacts.people.teacher, contacts.child()
    await contacts.paired()
    assert not (await contacts.records.write(teacher, child, contact())).is_backdated
    earlier = contact("k2", happened_on=TODAY - timedelta(days=3))
    assert (await contacts.records.write(teacher, child, earlier)).is_backdated
    with pytest.raises(RecordInvalid):
        await contacts.records.write(teacher, child, contact("k3", happened_on=TODAY + timedelta(days=1)))


async def test_follow_ups_wait_until_they_are_done(contacts: Contacts) -> None:
    teacher, child = contacts.people.teacher, contacts.child()
    await contacts.paired()
    day = TODAY + timedelta(days=7)
    written = await contacts.records.write(teacher, child, contact(follow_up="再去一趟", follow_up_on=day))
    assert await contacts.records.follow_ups(teacher, TODAY) == []
    assert [each.record_id for each in await contacts.records.follow_ups(teacher, day)] == [written.id]
    for _ in range(2):
        await contacts.records.follow_up_done(teacher, written.id)
    assert await contacts.records.follow_ups(teacher, day) == []
    other = await contacts.records.write(teacher, child, contact("k2"))
    with pytest.raises(NotFound):
        await contacts.records.follow_up_done(teacher, other.id)


async def test_an_open_report_comes_first(contacts: Contacts) -> None:
    teacher, child = contacts.people.teacher, contacts.child()
    await contacts.paired()
    report = await ContactsReport.create(
        pupil_id=child, school_id=contacts.school.id, township_id=contacts.township.id, triggers="[]",
        opened_by=teacher.person_id, opened_at=NOW, state=ReportState.OPEN, created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    with pytest.raises(ReportOpen):
        await contacts.records.write(teacher, child, contact())
    await ContactsReport.filter(id=report.id).update(state=ReportState.COMPLETE)
    await contacts.records.write(teacher, child, contact())


async def test_a_draft_is_its_author_s_alone_and_has_a_size(contacts: Contacts) -> None:
    people, child = contacts.people, contacts.child()
    await contacts.paired()
    for text in ("作业", "作业没人管"):
        await contacts.drafts.save(people.teacher, child, {"finding": text, "met": ["child"]})
    kept = await contacts.drafts.read(people.teacher, child)
    assert kept is not None
    assert kept.body == {"finding": "作业没人管", "met": ["child"]}
    assert [draft.ward.id for draft in await contacts.drafts.of(people.teacher)] == [child]
    assert await contacts.drafts.read(people.lead, child) is None
    assert await contacts.drafts.of(people.lead) == []
    with pytest.raises(DraftTooLarge):
        await contacts.drafts.save(people.teacher, child, {"finding": "长" * 5000})
    await contacts.drafts.drop(people.teacher, child)
    assert await contacts.drafts.of(people.teacher) == []


async def test_a_record_is_neither_changed_nor_removed(contacts: Contacts) -> None:
    await contacts.paired()
    await contacts.records.write(contacts.people.teacher, contacts.child(), contact())
    with pytest.raises(BaseORMException):
        async with transaction():
            await ContactsRecord.all().update(happened_on=TODAY - timedelta(days=1))
    with pytest.raises(BaseORMException):
        async with transaction():
            await ContactsRecord.all().delete()


async def test_no_record_is_shown_or_written_without_a_line_in_the_audit(contacts: Contacts) -> None:
    teacher, child = contacts.people.teacher, contacts.child()
    await contacts.paired()
    written = await contacts.records.write(teacher, child, contact())
    await contacts.records.one(teacher, written.id)
    assert [row.purpose for row in await contacts.deeds(child)][-2:] == ["write", "read"]
    await contacts.break_audit()
    for deed in (
        contacts.records.one(teacher, written.id), contacts.records.of_child(teacher, child),
        contacts.records.own(teacher), contacts.records.write(teacher, child, contact("k2")),
        contacts.records.follow_ups(teacher, TODAY), contacts.drafts.read(teacher, child),
    ):  # fmt: skip
        with pytest.raises(BaseORMException):
            await deed
    assert await ContactsRecord.all().count() == 1
