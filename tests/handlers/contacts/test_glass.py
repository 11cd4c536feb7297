"""Looking past one's own: for a reason, for two hours, told at once, written down, seen by whoever watches."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from tortoise.exceptions import BaseORMException

from bot.audit.models import AuditRow
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.pushes import Composed, NotNeeded, Push, PushClass, Slot
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor
from bot.storage.database import transaction
from bot.storage.files import FileNotFound
from handlers.accounts.domain import AppointmentKind, PupilStatus
from handlers.accounts.models import Pupil
from handlers.contacts.domain.card import FactKind, FactSource, Fitness, Holder
from handlers.contacts.domain.glass import GlassOver, Ground, NobodyWatches, NotWatched, ReasonMissing
from handlers.contacts.domain.triggers import Trigger
from handlers.contacts.models import ContactsFile, ContactsGlass
from handlers.contacts.service.cards.facts import Stated
from handlers.contacts.service.cards.fitness import Checked
from handlers.contacts.service.recording.reporting import ReportService
from handlers.contacts.service.records.files import Voice
from handlers.contacts.service.records.records import Attached
from tests import factories
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.contacts.stage import NOW, TODAY, Contacts, contact

WHY = "昨晚没有回家，邻居说他一个人在家"
VOICE = Voice("audio/amr", b"#!AMR")
LABELS = ("留守", "单亲", "贫困", "残疾", "困难")


async def filled(contacts: Contacts) -> None:
    """A child whose file has something confidential in every part."""
    people, child = contacts.people, contacts.child()
    await contacts.paired()
    await factories.make_guardianship(contacts.children[0], is_acting=True)
    await contacts.cards.state(
        people.lead, child,
        Stated(holder=Holder.CARER, kind=FactKind.HEALTH, value="有慢性病", stated_on=TODAY, source=FactSource.CARER),
    )  # fmt: skip
    await contacts.fitness.check(
        people.lead, child,
        Checked(
            age_ok=Fitness.YES, health_ok=Fitness.NO, no_barred_ground=Fitness.YES, checked_on=TODAY,
            written_on=TODAY, paper=png(),
        ),
    )  # fmt: skip
    await contacts.records.write(people.teacher, child, contact(sealed_part="问过，说不是"), Attached(png(), VOICE))


async def opened(contacts: Contacts, actor: Actor | None = None) -> str:
    return await contacts.glass.open(actor or contacts.people.head, contacts.child(), Ground.DANGER, WHY)


async def pushes() -> list[Push]:
    rows = await OutboxPush.filter(reason="contacts_glass:opened").order_by("id")
    return [
        Push(
            str(row.id), row.reason, row.occurrence, str(row.person_id), row.rule, row.purpose, row.push_class, (),
            row.not_before, row.expires_at,
        )
        for row in rows
    ]  # fmt: skip


async def lost(contacts: Contacts) -> None:
    """Nobody who was told so far hears of it."""
    unsent = [push for push in await pushes() if push.id in await _planned()]
    await OutboxPush.filter(id__in=[push.id for push in unsent]).update(status=DeliveryStatus.UNREACHABLE)
    async with transaction():
        await contacts.telling.could_not_reach(unsent, "not_bound")


async def _planned() -> set[str]:
    rows = OutboxPush.filter(status=DeliveryStatus.PLANNED).values_list("id", flat=True)
    return {str(row) for row in await rows}


async def told() -> set[str | None]:
    """Everybody who was told anything so far."""
    return {push.person_id for push in await pushes()}


# ------------------------------------------------------------------------------------------------------------- looking
async def test_a_reason_opens_the_whole_file_and_nothing_but_reports_is_left_out(contacts: Contacts) -> None:
    await filled(contacts)
    reports = contacts.machinery.services.get(ReportService)
    ward = await contacts.reaching.ward(contacts.people.teacher, contacts.child())
    async with transaction():
        await reports.open_for(contacts.people.teacher, ward, frozenset({Trigger.VIOLENCE}), "身上有伤")
    head, glass = contacts.people.head, await opened(contacts)
    shown, whole = await contacts.glass.file(head, glass)
    assert shown.until == NOW + timedelta(hours=2)
    assert whole.files is not None
    assert [each.reason for each in whole.files.levels] == ["奶奶年纪大，作业没人管"]
    assert [fact.value for fact in whole.facts] == ["有慢性病"]
    assert [check.health_ok for check in whole.checks] == [Fitness.NO]
    [record] = whole.records
    assert (record.finding, record.sealed_part) == ("作业没人管，奶奶腿脚不好", "问过，说不是")
    assert len(whole.roster) == 1
    assert whole.reports is None
    for own in (record.photo_id, record.voice_id, *whole.papers):
        assert own is not None
        assert (await contacts.glass.picture(head, glass, own)).content
    with pytest.raises(FileNotFound):
        await contacts.glass.picture(head, glass, contacts.child())
    assert [each.id for each in await contacts.glass.mine(head)] == [glass]


async def test_everything_that_is_read_is_written_down_under_the_glass(contacts: Contacts) -> None:
    await filled(contacts)
    head, glass = contacts.people.head, await opened(contacts)
    _, whole = await contacts.glass.file(head, glass)
    await contacts.glass.picture(head, glass, whole.papers[0])
    rows = await AuditRow.filter(purpose=f"glass:{glass}").order_by("id")
    assert [(row.action, row.actor, row.about) for row in rows] == [
        ("contacts.glass", head.person_id, contacts.child())
    ] * 2
    assert "sealed_part" in rows[0].fields_seen
    assert rows[1].fields_seen == ["file"]
    sheet = await contacts.watching.one(contacts.people.lead, glass)
    assert (sheet.reason, len(sheet.looks)) == (WHY, 2)


async def test_it_is_over_by_itself_and_opens_again_only_with_a_new_reason(contacts: Contacts) -> None:
    await filled(contacts)
    head, glass = contacts.people.head, await opened(contacts)
    assert await opened(contacts) == glass, "while it is open it is the same one"
    contacts.clock.set(NOW + timedelta(hours=2, seconds=-1))
    await contacts.glass.file(head, glass)
    contacts.clock.set(NOW + timedelta(hours=2))
    for look in (contacts.glass.file(head, glass), contacts.glass.picture(head, glass, glass)):
        with pytest.raises(GlassOver):
            await look
    assert await contacts.glass.mine(head) == []
    with pytest.raises(ReasonMissing):
        await contacts.glass.open(head, contacts.child(), Ground.OTHER, "急")
    assert await opened(contacts) != glass
    assert await ContactsGlass.all().count() == 2


async def test_a_form_sent_three_times_at_once_opens_one_and_tells_once(contacts: Contacts) -> None:
    await filled(contacts)
    head, child = contacts.people.head, contacts.child()
    sent = [contacts.glass.open(head, child, Ground.DANGER, WHY, key="form") for _ in range(3)]
    [glass] = set(await asyncio.gather(*sent))
    assert (await ContactsGlass.all().count(), len(await pushes())) == (1, 1)
    contacts.clock.set(NOW + timedelta(hours=3))
    assert await contacts.glass.open(head, child, Ground.DANGER, WHY, key="form") == glass
    with pytest.raises(GlassOver):
        await contacts.glass.file(head, glass)
    # The control: without a key each is one of its own.
    again = {await contacts.glass.open(head, contacts.child(1), Ground.DANGER, WHY, key=key) for key in "ab"}
    assert len(again) == 1, "but while one is open it is the same"


async def test_whose_it_is(contacts: Contacts) -> None:
    people, child = contacts.people, contacts.child()
    await filled(contacts)
    for actor in (people.teacher, people.lead, people.admin, people.duty):
        with pytest.raises(NotPermitted):
            await contacts.glass.open(actor, child, Ground.DANGER, WHY)
    other_head = await contacts.staff(AppointmentKind.HEAD_TEACHER, school_class=contacts.other_room)
    for actor in (other_head, await contacts.staff(AppointmentKind.SCHOOL_LEADER, school=contacts.foreign)):
        with pytest.raises(NotFound):
            await contacts.glass.open(actor, child, Ground.DANGER, WHY)
    glass = await opened(contacts)
    with pytest.raises(NotFound):
        await contacts.glass.file(people.leader, glass)
    await opened(contacts, people.leader)
    # A child that has moved on to another class is the head teacher's no more, glass or not.
    await Pupil.filter(id=child).update(school_class_id=contacts.other_room.id)
    with pytest.raises(NotFound):
        await contacts.glass.file(people.head, glass)


async def test_trying_tells_nobody_who_is_on_the_register_and_is_told_all_the_same(contacts: Contacts) -> None:
    await contacts.entered(0)
    glass = await contacts.glass.open(contacts.people.head, contacts.child(1), Ground.OTHER, WHY)
    _, whole = await contacts.glass.file(contacts.people.head, glass)
    assert (whole.files, whole.records, whole.roster) == (None, (), ())
    assert await told() == {contacts.people.lead.person_id}


async def test_a_sealed_file_is_not_opened(contacts: Contacts) -> None:
    await filled(contacts)
    glass = await opened(contacts)
    _, whole = await contacts.glass.file(contacts.people.head, glass)
    await ContactsFile.all().update(sealed_at=NOW, ended_on=TODAY, active_key=None)
    _, after = await contacts.glass.file(contacts.people.head, glass)
    assert (after.files, after.records) == (None, ())
    with pytest.raises(FileNotFound):
        await contacts.glass.picture(contacts.people.head, glass, whole.papers[0])


# ----------------------------------------------------------------------------------------- what cannot be written down
async def test_nothing_is_shown_that_cannot_be_written_down(contacts: Contacts) -> None:
    await filled(contacts)
    head, glass = contacts.people.head, await opened(contacts)
    _, whole = await contacts.glass.file(head, glass)
    await contacts.break_audit()
    for look in (
        contacts.glass.file(head, glass), contacts.glass.picture(head, glass, whole.papers[0]),
        contacts.glass.mine(head), contacts.watching.lines(contacts.people.lead),
        contacts.watching.one(contacts.people.lead, glass),
        contacts.glass.open(contacts.people.leader, contacts.child(), Ground.DANGER, WHY),
    ):  # fmt: skip
        with pytest.raises(BaseORMException):
            await look
    assert await ContactsGlass.all().count() == 1


async def test_without_a_promise_to_tell_nothing_opens(contacts: Contacts) -> None:
    await filled(contacts)
    await OutboxPush._meta.db.execute_query("ALTER TABLE outbox_push RENAME TO outbox_push_away")
    with pytest.raises(BaseORMException):
        await opened(contacts)
    assert await ContactsGlass.all().count() == 0
    assert not await AuditRow.filter(action="contacts.glass").exists()


async def test_a_look_stays_as_it_was_written(contacts: Contacts) -> None:
    await filled(contacts)
    glass = await opened(contacts)
    row = ContactsGlass.filter(id=glass)
    await contacts.watching.seen(contacts.people.lead, glass)
    for change in (
        {"until": NOW + timedelta(days=9)}, {"person_id": contacts.people.lead.person_id}, {"ground": Ground.OTHER},
        {"seen_at": None}, {"seen_by": contacts.people.head.person_id, "seen_at": NOW + timedelta(hours=1)},
    ):  # fmt: skip
        with pytest.raises(BaseORMException):
            async with transaction():
                await row.update(**change)
    with pytest.raises(BaseORMException):
        async with transaction():
            await row.delete()
    assert await row.exists()


async def test_it_goes_with_the_child_s_term_even_if_the_child_was_on_no_register(contacts: Contacts) -> None:
    await filled(contacts)
    await opened(contacts)
    await contacts.glass.open(contacts.people.head, contacts.child(1), Ground.OTHER, WHY)
    for number in range(2):
        async with transaction():
            await contacts.keeping.erase_child(contacts.child(number), keep_duty=False)
    assert await ContactsGlass.all().count() == 0


# ------------------------------------------------------------------------------------------------------------ watching
async def test_the_lead_is_told_at_once_and_no_word_says_of_whom(contacts: Contacts) -> None:
    await filled(contacts)
    contacts.clock.set(NOW.replace(hour=23))
    glass = await opened(contacts)
    [push] = await pushes()
    assert (push.person_id, push.push_class, push.child_ids) == (contacts.people.lead.person_id, PushClass.URGENT, ())
    assert push.not_before == contacts.clock.now()
    parts = contacts.machinery.parts
    sources = {name: source for part in parts for name, source in part.pushes.items()}
    assert sources[push.reason.partition(":")[0]] is contacts.telling
    assert contacts.telling in [listener for part in parts for listener in part.unreachable]
    said = (await contacts.telling.compose([push], contacts.clock.now()))[push.id]
    assert isinstance(said, Composed)
    words = f"{said.text}{said.line}{said.path}{''.join(str(said.slots[slot]) for slot in Slot)}"
    child = await Pupil.get(id=contacts.child())
    assert [word for word in (*LABELS, child.name, str(child.id), WHY, glass) if word in words] == []
    assert [todo.count for todo in await contacts.watching.todos_of(contacts.people.lead)] == [1]
    assert await contacts.watching.todos_of(contacts.people.leader) == []
    await contacts.watching.seen(contacts.people.lead, glass)
    assert await contacts.watching.todos_of(contacts.people.lead) == []
    assert (await contacts.telling.compose([push], contacts.clock.now()))[push.id] == NotNeeded("seen")
    await contacts.watching.seen(contacts.people.lead, glass)
    assert await AuditRow.filter(action="contacts.watch", purpose="seen").count() == 1


async def test_a_leader_s_own_glass_is_the_lead_s_and_without_a_lead_the_township_s(contacts: Contacts) -> None:
    people = contacts.people
    await filled(contacts)
    first = await opened(contacts, people.leader)
    assert await told() == {people.lead.person_id}
    with pytest.raises(NotWatched):
        await contacts.watching.seen(people.leader, first)
    await contacts.leave(people.lead)
    second = await contacts.glass.open(people.leader, contacts.child(1), Ground.OTHER, WHY)
    assert await told() == {people.lead.person_id, people.admin.person_id}
    third = await opened(contacts)
    assert await told() == {people.lead.person_id, people.admin.person_id, people.leader.person_id}
    for actor, counts in ((people.leader, [1]), (people.admin, [2])):
        assert [todo.count for todo in await contacts.watching.todos_of(actor)] == counts
    sheet = await contacts.watching.one(people.leader, third)
    assert (sheet.reason, sheet.line.ward) == (None, None), "of the child and the words the leader sees nothing"
    await contacts.watching.seen(people.leader, third)
    for glass in (first, second):
        await contacts.watching.seen(people.admin, glass)
    assert await contacts.watching.todos_of(people.admin) == []
    with pytest.raises(NotFound):
        await contacts.watching.one(people.foreign_lead, first)


async def test_where_nobody_watches_nothing_opens(contacts: Contacts) -> None:
    people = contacts.people
    await filled(contacts)
    for actor in (people.lead, people.leader, people.admin):
        await contacts.leave(actor)
    with pytest.raises(NobodyWatches):
        await opened(contacts)


async def test_who_cannot_be_reached_is_not_waited_for(contacts: Contacts) -> None:
    people = contacts.people
    await filled(contacts)
    glass = await opened(contacts)
    await lost(contacts)
    assert await told() == {people.lead.person_id, people.leader.person_id}
    await lost(contacts)
    assert await told() == {people.lead.person_id, people.leader.person_id, people.admin.person_id}
    await lost(contacts)
    assert len(await pushes()) == 3
    # Whoever was told confirms it, and so does the lead, who finds it on the first page.
    sheet = await contacts.watching.one(people.leader, glass)
    assert sheet.line.may_confirm
    await contacts.watching.seen(people.leader, glass)


async def test_whoever_has_left_school_is_not_looked_at(contacts: Contacts) -> None:
    await filled(contacts)
    glass = await opened(contacts)
    await Pupil.filter(id=contacts.child()).update(status=PupilStatus.LEFT, left_on=date(2026, 9, 8))
    with pytest.raises(NotFound):
        await contacts.glass.file(contacts.people.head, glass)
    with pytest.raises(NotFound):
        await opened(contacts)
