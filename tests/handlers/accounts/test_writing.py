"""Writing people: one place for normalising, fingerprints and histories; everything can be taken back."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from bot.clock import FrozenClock
from bot.storage.base import blind_index
from bot.storage.database import Database, transaction
from handlers.accounts.domain import AppointmentKind, PlacementReason, PupilStatus, Relation
from handlers.accounts.models import Appointment, Guardianship, Person, Placement, Pupil, SchoolClass
from handlers.accounts.service.enrolment import ClassMissing, MoveTooEarly
from handlers.accounts.service.records import SamePersonTwice
from handlers.accounts.service.relations import HeadTeacherTaken, OneGuardianTwice
from handlers.accounts.service.rows import TABLES, AlreadyThere, ChangedSince, RowChange, StillUsed, snapshot
from handlers.accounts.service.values import (
    AppointmentValues,
    ClassValues,
    GuardianshipValues,
    PersonValues,
    PupilValues,
    SchoolValues,
)
from handlers.accounts.service.writing import Writer, one
from tests.factories import make_class, make_guardianship, make_person, make_pupil, make_school, make_township

TODAY = date(2026, 9, 1)


@pytest.fixture
def writer(clock: FrozenClock, database: Database) -> Writer:
    return Writer(clock)


async def everything() -> dict[str, list[dict[str, Any]]]:
    return {
        table: sorted((snapshot(row) for row in await model.all()), key=lambda row: row["id"])
        for table, model in TABLES.items()
    }


async def test_the_same_child_is_found_by_roster_number_and_not_made_twice(writer: Writer) -> None:
    school_class = await make_class()
    values: dict[str, Any] = {"class_id": school_class.id, "on": TODAY, "birth_date": date(2017, 5, 6)}
    first = one(await writer.put_pupils([PupilValues(name="张 三", roster_number="００１２３", **values)]))
    again = one(await writer.put_pupils([PupilValues(name="张三", roster_number="00123", **values)]))
    assert first.is_new
    assert again.id == first.id
    assert again.changes == ()
    pupil = await Pupil.get()
    assert (pupil.name, pupil.roster_number, pupil.status) == ("张三", "00123", PupilStatus.ENROLLED)
    assert pupil.match_index == blind_index("match", "张三|2017-05-06")
    assert pupil.roster_number_index == blind_index("roster_number", "00123")
    assert await Placement.filter(pupil_id=pupil.id, school_class_id=school_class.id, until=None).count() == 1


async def test_a_changed_name_moves_the_match_index_along(writer: Writer) -> None:
    pupil = await make_pupil(name="李四", birth_date=date(2018, 1, 2))
    put = one(await writer.put_pupils([PupilValues(id=pupil.id, name="李思", on=TODAY)]))
    await pupil.refresh_from_db()
    assert pupil.match_index == blind_index("match", "李思|2018-01-02")
    assert pupil.version == 2
    (change,) = put.changes
    assert change.before is not None
    assert change.after is not None
    assert (change.before["name"], change.after["name"]) == ("李四", "李思")


async def test_cleared_numbers_go_with_their_fingerprints(writer: Writer) -> None:
    pupil = await make_pupil(roster_number="00123")
    await writer.put_pupils([PupilValues(id=pupil.id, on=TODAY, cleared=frozenset({"roster_number", "birth_date"}))])
    await pupil.refresh_from_db()
    kept = [pupil.roster_number, pupil.roster_number_index, pupil.birth_date, pupil.match_index]
    assert [value for value in kept if value is not None] == []


async def test_a_change_of_class_keeps_the_history(writer: Writer) -> None:
    school = await make_school()
    old, new = await make_class(school), await make_class(school, number=2)
    elsewhere = await make_class()
    pupil = await make_pupil(old)
    await writer.put_pupils([PupilValues(id=pupil.id, class_id=new.id, on=date(2026, 10, 8))])
    await writer.put_pupils([PupilValues(id=pupil.id, class_id=elsewhere.id, on=date(2027, 2, 22))])
    places = await Placement.filter(pupil_id=pupil.id).order_by("since")
    assert [(row.school_class_id, row.since, row.until, row.reason) for row in places] == [
        (old.id, date(2026, 9, 1), date(2026, 10, 7), PlacementReason.ENROLLED),
        (new.id, date(2026, 10, 8), date(2027, 2, 21), PlacementReason.MOVED),
        (elsewhere.id, date(2027, 2, 22), None, PlacementReason.TRANSFERRED),
    ]
    await pupil.refresh_from_db()
    assert (pupil.school_class_id, pupil.school_id) == (elsewhere.id, elsewhere.school_id)


async def test_a_place_that_lasted_no_day_leaves_no_trace(writer: Writer) -> None:
    old, new = await make_class(), await make_class()
    pupil = await make_pupil(old)
    await writer.put_pupils([PupilValues(id=pupil.id, class_id=new.id, on=date(2026, 9, 1))])
    assert await Placement.filter(pupil_id=pupil.id).values_list("school_class_id", flat=True) == [new.id]
    with pytest.raises(MoveTooEarly):
        await writer.put_pupils([PupilValues(id=pupil.id, class_id=old.id, on=date(2026, 8, 1))])


async def test_who_left_comes_back_by_being_put_into_a_class(writer: Writer) -> None:
    pupil = await make_pupil()
    await writer.let_go([pupil.id], PupilStatus.LEFT, date(2026, 11, 1))
    await pupil.refresh_from_db()
    assert (pupil.status, pupil.left_on, pupil.school_class_id) == (PupilStatus.LEFT, date(2026, 11, 1), None)
    school_class = await make_class()
    await writer.put_pupils([PupilValues(id=pupil.id, class_id=school_class.id, on=date(2026, 12, 1))])
    await pupil.refresh_from_db()
    assert (pupil.status, pupil.left_on, pupil.school_class_id) == (PupilStatus.ENROLLED, None, school_class.id)


async def test_numbers_of_two_rows_are_not_one_child(writer: Writer) -> None:
    await make_pupil(roster_number="00123")
    other = await make_pupil()
    await writer.put_pupils([PupilValues(id=other.id, id_number="11010519491231002X", on=TODAY)])
    with pytest.raises(SamePersonTwice):
        await writer.put_pupils([PupilValues(roster_number="00123", id_number="11010519491231002x", on=TODAY)])
    values: dict[str, Any] = {"name": "王五", "school_id": other.school_id, "roster_number": "00999", "on": TODAY}
    with pytest.raises(SamePersonTwice):
        await writer.put_pupils([PupilValues(**values), PupilValues(**values)])
    with pytest.raises(ClassMissing):
        await writer.put_pupils([PupilValues(name="王五", on=TODAY)])
    with pytest.raises(ClassMissing):
        await writer.put_pupils([PupilValues(name="王五", class_id=uuid4(), on=TODAY)])


async def test_a_guardian_of_two_children_in_one_sheet_is_one_person(writer: Writer) -> None:
    mother = PersonValues(name="陈 静", phone="+86 139 0000 0001")
    first, second, father = await writer.put_persons(
        [mother, PersonValues(name="陈静", phone="13900000001"), PersonValues(name="陈强", phone="13900000001")]
    )
    assert first.id == second.id
    assert father.id != first.id
    assert one(await writer.put_persons([mother])).changes == ()
    assert await Person.all().count() == 2


async def test_somebody_new_who_acts_takes_over_from_who_did(writer: Writer) -> None:
    pupil = await make_pupil()
    before = await make_guardianship(pupil, is_acting=True)
    person = await make_person()
    values = GuardianshipValues(
        pupil_id=pupil.id, person_id=person.id, relation=Relation.PATERNAL_GRANDMOTHER, is_acting=True
    )
    put = one(await writer.put_guardianships([values]))
    assert [change.row_id for change in put.changes] == [before.id, put.id]
    assert await Guardianship.filter(is_acting=True).values_list("person_id", flat=True) == [person.id]
    await writer.undo(put.changes)
    assert await Guardianship.filter(is_acting=True).values_list("id", flat=True) == [before.id]
    with pytest.raises(OneGuardianTwice):
        await writer.put_guardianships([values, values])


async def test_a_guardianship_that_begins_again_is_not_bound(writer: Writer) -> None:
    pupil = await make_pupil()
    row = await make_guardianship(pupil)
    await writer.end_guardianships([row.id], TODAY)
    await writer.put_guardianships([GuardianshipValues(pupil_id=pupil.id, person_id=row.person_id)])
    await row.refresh_from_db()
    assert [value for value in (row.ended_on, row.bound_at, row.bound_by) if value is not None] == []


async def test_a_class_has_one_head_teacher_at_a_time(writer: Writer) -> None:
    school_class = await make_class()
    old, new = await make_person(), await make_person()
    charge: dict[str, Any] = {"kind": AppointmentKind.HEAD_TEACHER, "class_id": school_class.id}
    first = one(await writer.put_appointments([AppointmentValues(person_id=old.id, since=TODAY, **charge)]))
    later = AppointmentValues(person_id=new.id, since=date(2026, 11, 1), **charge)
    with pytest.raises(HeadTeacherTaken):
        await writer.put_appointments([later])
    await writer.end_appointments([first.id], date(2026, 10, 31))
    await writer.put_appointments([later])
    rows = await Appointment.all().order_by("since")
    assert [(row.person_id, row.until) for row in rows] == [(old.id, date(2026, 10, 31)), (new.id, None)]
    assert {row.school_id for row in rows} == {school_class.school_id}


async def test_a_whole_roster_is_taken_back_to_the_last_column(writer: Writer) -> None:
    town = await make_township()
    school = await make_school(town)
    kept_class = await make_class(school, number=9)
    kept = await make_pupil(kept_class, roster_number="00001")
    await make_guardianship(kept, is_acting=True)
    before = await everything()
    changes: list[RowChange] = []
    async with transaction():
        made = await writer.put_school(SchoolValues(township_id=town.id, name="东村小学"))
        made_class = await writer.put_class(ClassValues(school_id=made.id, school_year=2026, grade=3, number=1))
        people = await writer.put_persons([PersonValues(name="新来的", phone="13900000001")])
        pupils = await writer.put_pupils(
            [
                PupilValues(name="甲", class_id=made_class.id, roster_number="00002", on=TODAY),
                PupilValues(name="乙", class_id=made_class.id, roster_number="00001", on=date(2026, 10, 1)),
            ]
        )
        links = await writer.put_guardianships(
            [GuardianshipValues(pupil_id=pupil.id, person_id=people[0].id, is_acting=True) for pupil in pupils]
        )
        charge = AppointmentValues(
            person_id=people[0].id, kind=AppointmentKind.HEAD_TEACHER, class_id=made_class.id, since=TODAY
        )
        charges = await writer.put_appointments([charge])
        for put in (made, made_class, *people, *pupils, *links, *charges):
            changes += put.changes
    assert await everything() != before
    async with transaction():
        await writer.undo(changes)
    assert await everything() == before


async def test_what_changed_since_or_is_used_since_is_not_taken_back(writer: Writer) -> None:
    school_class = await make_class()
    (put,) = await writer.put_pupils([PupilValues(name="甲", class_id=school_class.id, on=TODAY)])
    await writer.put_pupils([PupilValues(id=put.id, name="乙", on=TODAY)])
    with pytest.raises(ChangedSince):
        async with transaction():
            await writer.undo(put.changes)
    (other,) = await writer.put_pupils([PupilValues(name="丙", class_id=school_class.id, on=TODAY)])
    await make_guardianship(await Pupil.get(id=other.id))
    with pytest.raises(StillUsed):
        async with transaction():
            await writer.undo(other.changes)
    assert await Placement.filter(pupil_id=other.id).count() == 1


async def test_a_name_that_is_taken_is_a_conflict(writer: Writer) -> None:
    town = await make_township()
    one_school, other = await make_school(town, name="东村小学"), await make_school(town)
    with pytest.raises(AlreadyThere):
        async with transaction():
            await writer.put_school(SchoolValues(id=other.id, township_id=town.id, name=one_school.name))
    assert await SchoolClass.all().count() == 0
