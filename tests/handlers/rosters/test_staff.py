"""A roster of staff: people and what they are charged with."""

from __future__ import annotations

from datetime import date

from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Appointment, Person
from handlers.rosters.domain import Coverage, RosterKind, RowState
from handlers.rosters.service.imports import Choice
from tests.factories import make_appointment, make_class, make_guardianship, make_person, make_pupil
from tests.handlers.rosters.made_up import id_number, workbook
from tests.handlers.rosters.stage import Stage, digest_of_people

STAFF = RosterKind.STAFF
HEAD = {"name": "王老实", "phone": "13911110000", "kind": "班主任", "class": "三年级2班"}
TEACHER = {"name": "王老实", "phone": "13911110000", "kind": "任课教师", "class": "三年级2班", "subject": "语文"}
DUTY = {"name": "李值日", "phone": "13911110001", "kind": "值班人员"}


async def take(stage: Stage, *rows: dict[str, str]) -> None:
    await stage.take(workbook(rows, kind=STAFF), kind=STAFF)


async def conflicts(stage: Stage, *rows: dict[str, str]) -> list[str]:
    """Why rows cannot be applied."""
    view = await stage.read(workbook(rows, kind=STAFF), kind=STAFF)
    found = [*await stage.rows(view, RowState.CONFLICT), *await stage.rows(view, RowState.FAULTY)]
    return [fault.text for row in found for fault in row.faults]


async def test_one_person_with_two_charges_is_one_person(stage: Stage) -> None:
    await take(stage, HEAD, TEACHER, DUTY)
    assert await Person.filter(name="王老实").count() == 1
    assert await Appointment.all().count() == 3
    duty = await Appointment.get(kind=AppointmentKind.DUTY)
    assert (duty.school_id, duty.school_class_id, duty.since) == (stage.school.id, None, date(2026, 9, 1))


async def test_the_same_again_changes_nothing_and_a_new_phone_does(stage: Stage) -> None:
    await take(stage, HEAD, TEACHER, DUTY)
    again = await stage.read(workbook([HEAD, TEACHER, DUTY], kind=STAFF), kind=STAFF)
    assert again.counts.by_state == {RowState.UNCHANGED.value: 3}
    number = id_number(date(1985, 3, 4), 5)
    changed = await stage.read(workbook([HEAD | {"id_number": number}], kind=STAFF), kind=STAFF)
    assert changed.counts.by_state == {RowState.CHANGED.value: 1}
    await stage.apply(changed)
    assert (await Person.get(name="王老实")).id_number == number


async def test_a_staff_import_is_taken_back(stage: Stage) -> None:
    await take(stage, DUTY)
    before = await digest_of_people()
    until = DUTY | {"until": "2027-01-31"}
    done = await stage.take(workbook([until, HEAD, TEACHER], kind=STAFF), kind=STAFF)
    assert await digest_of_people() != before
    assert (await stage.undo(done)).undone_at is not None
    assert await digest_of_people() == before


async def test_a_class_has_one_head_teacher(stage: Stage) -> None:
    await take(stage, HEAD)
    assert "交接" in (await conflicts(stage, HEAD | {"name": "李新来", "phone": "13911110009"}))[0]
    two = [HEAD | {"class": "四年级1班"}, HEAD | {"class": "四年级1班", "name": "李新来", "phone": "13911110009"}]
    assert "交接" in (await conflicts(stage, *two))[0]


async def test_a_school_leader_makes_no_leaders_and_changes_none(stage: Stage) -> None:
    leader = HEAD | {"kind": "学校负责人", "class": ""}
    assert "乡镇管理员" in (await conflicts(stage, leader))[0]
    above = await make_person(name="赵镇长", phone="13811110000")
    await make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR, above, township=stage.township)
    room = await make_class(stage.school)
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, above, school_class=room, subject="语文")
    await make_guardianship(await make_pupil(room), above)
    row = {"name": "赵镇长", "phone": "13811110000", "kind": "任课教师", "class": "三年级1班", "subject": "语文"}
    taken_over = row | {"id_number": id_number(date(1970, 1, 1), 3)}
    assert "别的学校" in (await conflicts(stage, taken_over))[0]
    view = await stage.read(
        workbook([leader | {"school": stage.school.name}], kind=STAFF), kind=STAFF, actor=stage.administrator
    )
    assert view.counts.of(RowState.NEW) == 1


async def test_who_is_missing_ends_only_when_ticked(stage: Stage) -> None:
    await take(stage, HEAD, TEACHER, DUTY)
    view = await stage.read(workbook([HEAD, TEACHER], kind=STAFF), kind=STAFF, coverage=Coverage.SCHOOLS)
    (gone,) = await stage.rows(view, RowState.VANISHING)
    assert gone.name == "李值日"
    await stage.apply(view, Choice(gone=frozenset({str(gone.subject_id)})))
    assert await Appointment.filter(kind=AppointmentKind.DUTY).count() == 0, "it began today, so it never was"
    assert await Person.filter(name="李值日").count() == 1
