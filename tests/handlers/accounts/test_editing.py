"""The roster, corrected by hand: within reach, one after the other, written down."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID, uuid4

import pytest
from tortoise.exceptions import IntegrityError

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor, Grant, Role
from bot.storage.database import Database, transaction
from handlers.accounts.domain import AppointmentKind, IdNumberInvalid, Relation
from handlers.accounts.models import Guardianship, Person, Pupil
from handlers.accounts.service.editing import EditingService, KnownAlready, NewGuardian
from handlers.accounts.service.rows import ChangedMeanwhile
from handlers.accounts.service.values import PersonValues, PupilValues
from tests.factories import (
    make_appointment,
    make_class,
    make_guardianship,
    make_person,
    make_pupil,
    make_school,
)

TODAY = date(2026, 9, 1)


@pytest.fixture
def editing(clock: FrozenClock, database: Database) -> EditingService:
    return EditingService(clock, Audit(clock))


def leader_of(school_id: UUID) -> Actor:
    grant = Grant(Role.SCHOOL_LEADER, schools=frozenset({str(school_id)}))
    return Actor(person_id=str(uuid4()), roles=frozenset({Role.SCHOOL_LEADER}), grants=(grant,))


async def test_a_child_is_enrolled_once(editing: EditingService) -> None:
    school_class = await make_class()
    values = PupilValues(name="张三", class_id=school_class.id, roster_number="00123", on=TODAY)
    actor = leader_of(school_class.school_id)
    pupil_id = await editing.enrol(actor, values)
    (row,) = await AuditRow.all()
    assert (row.action, row.subject, row.about, row.school) == (
        "pupil.edit",
        f"pupil:{pupil_id}",
        pupil_id,
        str(school_class.school_id),
    )
    assert "name" in row.fields_seen
    assert "张三" not in str(row.fields_seen)
    with pytest.raises(KnownAlready):
        await editing.enrol(actor, values)
    for class_id in ((await make_class()).id, uuid4(), None):
        with pytest.raises(NotFound):
            await editing.enrol(actor, PupilValues(name="李四", class_id=class_id, on=TODAY))
    assert await Pupil.all().count() == 1


async def test_an_edit_of_what_has_changed_meanwhile_is_a_conflict(editing: EditingService) -> None:
    pupil = await make_pupil()
    actor = leader_of(pupil.school_id)
    await editing.edit_pupil(actor, PupilValues(id=pupil.id, name="李思", on=TODAY), 1)
    with pytest.raises(ChangedMeanwhile):
        await editing.edit_pupil(actor, PupilValues(id=pupil.id, name="李斯", on=TODAY), 1)
    with pytest.raises(IdNumberInvalid):
        await editing.edit_pupil(actor, PupilValues(id=pupil.id, id_number="110105194912310021", on=TODAY), 2)
    foreign = await make_pupil()
    for pupil_id in (foreign.id, uuid4()):
        with pytest.raises(NotFound):
            await editing.edit_pupil(actor, PupilValues(id=pupil_id, name="别人", on=TODAY), 1)
    teacher = Actor(roles=frozenset({Role.HEAD_TEACHER}))
    with pytest.raises(NotPermitted):
        await editing.edit_pupil(teacher, PupilValues(id=pupil.id, name="李斯", on=TODAY), 2)


async def test_two_edits_at_once_are_one_edit_and_one_conflict(editing: EditingService) -> None:
    pupil = await make_pupil()
    actor = leader_of(pupil.school_id)
    answers = await asyncio.gather(
        *(editing.edit_pupil(actor, PupilValues(id=pupil.id, name=name, on=TODAY), 1) for name in ("甲", "乙", "丙")),
        return_exceptions=True,
    )
    assert sorted(map(type, answers), key=str) == sorted([type(None), ChangedMeanwhile, ChangedMeanwhile], key=str)


async def test_a_guardian_is_added_and_ended(editing: EditingService) -> None:
    pupil = await make_pupil()
    actor = leader_of(pupil.school_id)
    mother = await make_guardianship(pupil, is_acting=True)
    person_id = await editing.add_guardian(
        actor, str(pupil.id), NewGuardian("王奶奶", Relation.PATERNAL_GRANDMOTHER, "13900000001", is_acting=True)
    )
    assert [str(each.person_id) for each in await Guardianship.filter(is_acting=True)] == [person_id]
    await editing.end_guardian(actor, str(pupil.id), person_id)
    assert await Guardianship.filter(is_acting=True).count() == 0
    for wrong in (person_id, str(uuid4())):
        with pytest.raises(NotFound):
            await editing.end_guardian(actor, str(pupil.id), wrong)
        with pytest.raises(NotFound):
            await editing.set_acting(actor, str(pupil.id), wrong)
    await editing.set_acting(actor, str(pupil.id), str(mother.person_id))
    with pytest.raises(ChangedMeanwhile):
        await editing.set_acting(actor, str(pupil.id), str(mother.person_id), seen=person_id)


async def test_people_with_affairs_elsewhere_are_not_changed_from_here(editing: EditingService) -> None:
    school = await make_school()
    pupil = await make_pupil(await make_class(school))
    own, both, teacher = await make_person(), await make_person(), await make_person()
    await make_guardianship(pupil, own)
    for child in (pupil, await make_pupil()):
        await make_guardianship(child, both)
    await make_appointment(AppointmentKind.DUTY, teacher, school=school)
    actor = leader_of(school.id)
    for person in (own, teacher):
        await editing.edit_person(actor, PersonValues(id=person.id, phone="13900000009"), 1)
        assert (await Person.get(id=person.id)).phone == "13900000009"
    for person_id in (both.id, (await make_person()).id, uuid4()):
        with pytest.raises(NotFound):
            await editing.edit_person(actor, PersonValues(id=person_id, phone="13900000009"), 1)
    with pytest.raises(ChangedMeanwhile):
        await editing.edit_person(actor, PersonValues(id=own.id, name="改名"), 1)


# ------------------------------------------------------------------------------------------------------ concurrency
async def drop_the_last_line(database: Database) -> None:
    await database.connection.execute_query("DROP INDEX uid_accounts_guardianship_acting")


async def test_at_most_one_guardian_acts_whatever_happens_at_once(editing: EditingService, database: Database) -> None:
    # Without the unique index, to see that the lock does it.
    await drop_the_last_line(database)
    pupil = await make_pupil()
    guardians = [await make_guardianship(pupil) for _ in range(6)]
    actor = leader_of(pupil.school_id)
    for _ in range(3):
        await asyncio.gather(*(editing.set_acting(actor, str(pupil.id), str(each.person_id)) for each in guardians))
        assert await Guardianship.filter(pupil_id=pupil.id, is_acting=True).count() == 1


async def set_carelessly(pupil: Pupil, guardian: Guardianship, both_have_read: asyncio.Barrier) -> None:
    async with transaction():
        acting = await Guardianship.filter(pupil_id=pupil.id, is_acting=True)
        await both_have_read.wait()
        await Guardianship.filter(id__in=[each.id for each in acting]).update(is_acting=False)
        await Guardianship.filter(id=guardian.id).update(is_acting=True)


@pytest.mark.engine("postgres")
async def test_without_the_lock_two_would_act(database: Database) -> None:
    """The negative control of the test above."""
    await drop_the_last_line(database)
    pupil = await make_pupil()
    guardians = [await make_guardianship(pupil) for _ in range(2)]
    both_have_read = asyncio.Barrier(2)
    await asyncio.gather(*(set_carelessly(pupil, each, both_have_read) for each in guardians))
    assert await Guardianship.filter(pupil_id=pupil.id, is_acting=True).count() == 2


@pytest.mark.engine("postgres")
async def test_the_database_itself_refuses_a_second_acting_guardian(database: Database) -> None:
    pupil = await make_pupil()
    guardians = [await make_guardianship(pupil) for _ in range(2)]
    both_have_read = asyncio.Barrier(2)
    answers = await asyncio.gather(
        *(set_carelessly(pupil, each, both_have_read) for each in guardians), return_exceptions=True
    )
    assert [type(each) for each in answers if each is not None] == [IntegrityError]
    assert await Guardianship.filter(pupil_id=pupil.id, is_acting=True).count() == 1
