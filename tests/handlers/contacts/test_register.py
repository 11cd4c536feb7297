"""The register and the levels: who may, what follows, what the audit has; and the rules the database holds itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tortoise.exceptions import BaseORMException

from bot.errors import NotFound, NotPermitted
from bot.storage.database import transaction
from handlers.accounts.domain import PupilStatus
from handlers.accounts.models import Pupil
from handlers.contacts.domain.register import AlreadyEntered, FileEnded, Group, Level, Reason, RegisterInvalid, TooOld
from handlers.contacts.domain.suggestions import Sign
from handlers.contacts.models import ContactsDue, ContactsFile, ContactsLevel
from handlers.contacts.service.register.entering import Entry, Shown
from tests import factories
from tests.handlers.contacts.stage import NOW, TODAY, Contacts, level

MISSING = "5b5a7e0e-0000-4000-8000-000000000000"


def entry(child_id: str, **values: object) -> Entry:
    given: dict[str, object] = {
        "child_id": child_id, "group": Group.LEFT_BEHIND, "reason": Reason.BOTH_AWAY, "since": TODAY,
        "review_on": TODAY + timedelta(days=180), "level": level(), **values,
    }  # fmt: skip
    return Entry(**given)  # type: ignore[arg-type]


async def test_a_child_is_entered_seen_reviewed_and_ended_with_every_step_written_down(contacts: Contacts) -> None:
    lead, child = contacts.people.lead, contacts.child()
    file_id = await contacts.entered(words="爸妈在东莞")
    shown = await contacts.register.child(lead, child)
    assert [(each.group, each.reason, each.words) for each in shown.files] == [
        (Group.LEFT_BEHIND, Reason.BOTH_AWAY, "爸妈在东莞")
    ]
    assert shown.level is Level.YELLOW
    assert shown.files[0].decided_by
    await contacts.register.review(lead, file_id, TODAY + timedelta(days=300))
    await contacts.register.end(lead, file_id, "妈妈回家了")
    ended = (await contacts.register.child(lead, child)).files[0]
    assert (ended.review_on, ended.ended_on, ended.end_reason) == (TODAY + timedelta(days=300), TODAY, "妈妈回家了")
    assert [row.purpose for row in await contacts.deeds(child)] == ["enter", None, "review", "end", None]
    with pytest.raises(FileEnded):
        await contacts.register.review(lead, file_id, TODAY + timedelta(days=30))
    with pytest.raises(FileEnded):
        await contacts.levels.set(lead, child, level(Level.RED))


async def test_one_open_file_for_each_group_and_another_once_it_is_ended(contacts: Contacts) -> None:
    first = await contacts.entered()
    with pytest.raises(AlreadyEntered):
        await contacts.entered()
    await contacts.entered(group=Group.HARDSHIP, level=None)
    await contacts.register.end(contacts.people.lead, first, "妈妈回家了")
    await contacts.entered(level=None)
    assert await ContactsFile.all().count() == 3
    assert await ContactsDue.all().count() == 1
    [line] = await contacts.register.lines(contacts.people.lead)
    assert set(line.groups) == {Group.LEFT_BEHIND, Group.HARDSHIP}


async def test_the_first_file_needs_a_level_with_a_reason(contacts: Contacts) -> None:
    with pytest.raises(RegisterInvalid):
        await contacts.entered(level=None)
    with pytest.raises(RegisterInvalid):
        await contacts.entered(level=level(reason=" "))
    assert await ContactsFile.all().count() == 0


async def test_nobody_of_age_is_entered_and_who_has_no_birthday_on_record_is(contacts: Contacts) -> None:
    old = await factories.make_pupil(contacts.room, birth_date=date(2010, 9, 8))
    young = await factories.make_pupil(contacts.room, birth_date=date(2010, 9, 9))
    await Pupil.filter(id=contacts.child()).update(birth_date=None)
    with pytest.raises(TooOld):
        await contacts.register.enter(contacts.people.lead, entry(str(old.id)))
    await contacts.register.enter(contacts.people.lead, entry(str(young.id)))
    await contacts.entered()
    assert (await contacts.register.child(contacts.people.lead, contacts.child())).of_age_on is None


async def test_nobody_but_the_lead_of_the_school_has_a_register(contacts: Contacts) -> None:
    file_id, people, child = await contacts.entered(), contacts.people, contacts.child()
    register = contacts.register
    for actor in (people.head, people.teacher, people.leader, people.admin, people.duty):
        for deed in (
            register.lines(actor),
            register.child(actor, child),
            register.candidate(actor, child),
            register.enter(actor, entry(child, group=Group.MIGRANT)),
            register.review(actor, file_id, TODAY + timedelta(days=9)),
            register.end(actor, file_id, "没有了"),
            contacts.levels.set(actor, child, level()),
        ):
            with pytest.raises(NotPermitted):
                await deed
        assert await register.todos_of(actor) == []
    for far in (
        register.child(people.foreign_lead, child),
        register.candidate(people.foreign_lead, child),
        register.enter(people.foreign_lead, entry(child, group=Group.MIGRANT)),
        register.review(people.foreign_lead, file_id, TODAY + timedelta(days=9)),
        register.end(people.foreign_lead, file_id, "没有了"),
        contacts.levels.set(people.foreign_lead, child, level()),
        register.child(people.lead, MISSING),
        register.child(people.lead, "nobody"),
        register.child(people.lead, contacts.child(1)),
        register.end(people.lead, MISSING, "没有了"),
        register.end(people.lead, "none", "没有了"),
    ):
        with pytest.raises(NotFound):
            await far
    assert await register.lines(people.foreign_lead) == []


async def test_the_lead_of_a_school_has_its_teaching_points_too(contacts: Contacts) -> None:
    child = await factories.make_pupil(await factories.make_class(contacts.point))
    await contacts.register.enter(contacts.people.lead, entry(str(child.id)))
    assert [line.ward.id for line in await contacts.register.lines(contacts.people.lead)] == [str(child.id)]


async def test_the_list_narrows_to_reviews_orphans_and_levels(contacts: Contacts) -> None:
    lead = contacts.people.lead
    await contacts.paired(0)
    await contacts.entered(1, review_on=TODAY + timedelta(days=10), level=level(Level.RED))
    lines = contacts.register.lines
    assert {line.ward.id for line in await lines(lead)} == {contacts.child(0), contacts.child(1)}
    assert [line.ward.id for line in await lines(lead, Shown.REVIEW)] == [contacts.child(1)]
    assert [line.ward.id for line in await lines(lead, Shown.ORPHANED)] == [contacts.child(1)]
    assert [line.ward.id for line in await lines(lead, level=Level.YELLOW)] == [contacts.child(0)]
    contacts.clock.set(NOW + timedelta(hours=1))
    await contacts.levels.set(lead, contacts.child(0), replace(level(), review_on=TODAY + timedelta(days=12)))
    assert len(await lines(lead, Shown.REVIEW)) == 2, "a level is reviewed too"
    contacts.clock.set(NOW + timedelta(hours=2))
    await contacts.levels.set(lead, contacts.child(0), level())
    contacts.clock.set(NOW + timedelta(days=20))
    assert [todo.count for todo in await contacts.register.todos_of(lead)] == [1, 1]


async def test_whoever_left_the_school_is_on_no_list(contacts: Contacts) -> None:
    await contacts.entered()
    await Pupil.filter(id=contacts.child()).update(status=PupilStatus.LEFT, left_on=TODAY)
    assert await contacts.register.lines(contacts.people.lead) == []
    with pytest.raises(NotFound):
        await contacts.register.child(contacts.people.lead, contacts.child())


async def test_a_child_that_moves_within_the_township_is_the_other_lead_s_at_once(contacts: Contacts) -> None:
    await contacts.entered()
    room = await factories.make_class(contacts.foreign, number=5)
    await Pupil.filter(id=contacts.child()).update(school_id=contacts.foreign.id, school_class_id=room.id)
    assert await contacts.register.lines(contacts.people.lead) == []
    assert (await contacts.register.child(contacts.people.foreign_lead, contacts.child())).level is Level.YELLOW


async def test_levels_follow_one_another_and_what_speaks_for_another_is_said_and_changes_nothing(
    contacts: Contacts,
) -> None:
    lead, child = contacts.people.lead, contacts.child()
    await contacts.paired()
    contacts.clock.set(NOW + timedelta(hours=1))
    await contacts.levels.set(lead, child, level(Level.GREEN, "姑姑搬来同住"))
    shown = await contacts.register.child(lead, child)
    assert [each.level for each in shown.levels] == [Level.GREEN, Level.YELLOW]
    assert [each.sign for each in shown.suggestions] == [Sign.NO_CARER]
    assert shown.level is Level.GREEN


# --------------------------------------------------------------------------------------------- what the database holds
async def test_a_level_is_neither_changed_nor_removed(contacts: Contacts) -> None:
    await contacts.entered()
    with pytest.raises(BaseORMException):
        async with transaction():
            await ContactsLevel.all().update(level=Level.GREEN)
    with pytest.raises(BaseORMException):
        async with transaction():
            await ContactsLevel.all().delete()
    assert await ContactsLevel.all().count() == 1


async def test_it_is_removed_once_the_file_is_reduced(contacts: Contacts) -> None:
    await contacts.entered()
    await ContactsFile.all().update(reduced_at=NOW)
    await ContactsLevel.all().delete()
    assert await ContactsLevel.all().count() == 0


async def test_nothing_is_shown_that_cannot_be_written_down(contacts: Contacts) -> None:
    lead = contacts.people.lead
    await contacts.entered()
    await contacts.break_audit()
    for look in (contacts.register.lines(lead), contacts.register.child(lead, contacts.child())):
        with pytest.raises(BaseORMException):
            await look
