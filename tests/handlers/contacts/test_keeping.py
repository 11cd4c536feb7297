"""Until when: sealed at leaving and of age, reduced to what is counted after the term; and nothing tells a family."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.errors import NotFound
from bot.storage.database import transaction
from bot.storage.models import StoredFile
from handlers.accounts.domain import PupilStatus
from handlers.accounts.models import Pupil
from handlers.consent.service.retention import RetentionService
from handlers.contacts.domain.card import FactKind, FactSource, Holder
from handlers.contacts.domain.register import Group
from handlers.contacts.models import (
    ContactsDraft,
    ContactsFact,
    ContactsFile,
    ContactsLevel,
    ContactsPair,
    ContactsRecord,
)
from handlers.contacts.service.cards.facts import Stated
from handlers.contacts.service.records.records import Attached
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.contacts.stage import NOW, TODAY, Contacts, contact

KEPT = timedelta(days=1095)


async def filled(contacts: Contacts) -> None:
    """A child with a file, a pair, a card, a record with a picture and a draft."""
    teacher, child = contacts.people.teacher, contacts.child()
    await contacts.paired()
    fact = Stated(
        holder=Holder.CARER, kind=FactKind.PHONE, value="19900001111", stated_on=TODAY, source=FactSource.CARER
    )
    await contacts.cards.state(teacher, child, fact)
    await contacts.records.write(teacher, child, contact(), Attached(png()))
    await contacts.drafts.save(teacher, child, {"finding": "还没写完"})


def retention(contacts: Contacts) -> RetentionService:
    return RetentionService(lambda: [contacts.keeping], contacts.machinery.audit, contacts.clock)


async def test_a_dry_run_says_how_many_and_changes_nothing(contacts: Contacts) -> None:
    await filled(contacts)
    assert (await retention(contacts).run(is_dry=True)).due == ()
    await Pupil.filter(id=contacts.child()).update(status=PupilStatus.LEFT, left_on=TODAY - timedelta(days=1))
    [due] = (await retention(contacts).run(is_dry=True)).due
    assert "1位同学" in due.what
    assert contacts.child() not in due.subject
    assert (await ContactsFile.get()).sealed_at is None


@pytest.mark.parametrize("is_of_age", [True, False])
async def test_it_is_sealed_at_leaving_and_of_age_and_reduced_after_the_term(
    contacts: Contacts, is_of_age: bool
) -> None:
    await filled(contacts)
    own = Pupil.filter(id=contacts.child())
    if is_of_age:
        await own.update(birth_date=date(2010, 9, 8).isoformat())
    else:
        await own.update(status=PupilStatus.LEFT, left_on=TODAY - timedelta(days=1))
    await retention(contacts).run(is_dry=False)
    file = await ContactsFile.get()
    assert (file.ended_on, file.active_key) == (TODAY, None)
    assert (await ContactsPair.get()).until == TODAY
    assert await ContactsDraft.all().count() == 0
    assert await ContactsRecord.all().count() == 1
    with pytest.raises(NotFound):
        await contacts.cards.card(contacts.people.teacher, contacts.child())
    assert (await retention(contacts).run(is_dry=True)).due == ()
    contacts.clock.set(NOW + KEPT)
    await retention(contacts).run(is_dry=False)
    left = [await table.all().count() for table in (ContactsRecord, ContactsFact, ContactsLevel, ContactsPair)]
    assert left == [0, 0, 0, 0]
    assert await StoredFile.all().count() == 0
    reduced = await ContactsFile.get()
    assert (reduced.care_group, reduced.reason_words, reduced.end_reason) == (Group.LEFT_BEHIND.value, None, None)
    assert (await retention(contacts).run(is_dry=False)).due == ()


async def test_the_term_of_a_pupil_reduces_it_too_and_consent_nothing(contacts: Contacts) -> None:
    await filled(contacts)
    async with transaction():
        await contacts.keeping.erase_child(contacts.child(), keep_duty=True)
    assert await ContactsRecord.all().count() == 1
    async with transaction():
        await contacts.keeping.erase_child(contacts.child(), keep_duty=False)
    assert await ContactsRecord.all().count() == 0


async def test_a_family_is_told_nothing_of_it(contacts: Contacts) -> None:
    await filled(contacts)
    assert await contacts.keeping.child_data(contacts.child(), str(contacts.people.teacher.person_id)) == {}


async def test_what_rests_on_a_child_or_a_person_is_counted(contacts: Contacts) -> None:
    await filled(contacts)
    teacher = str(contacts.people.teacher.person_id)
    assert (await contacts.keeping.dependents([contacts.child()], []))["contacts"] >= 6
    assert (await contacts.keeping.dependents([], [teacher]))["contacts"] == 3
    assert await contacts.keeping.dependents([contacts.child(1)], [str(contacts.people.admin.person_id)]) == {}
