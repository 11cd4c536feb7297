"""What goes out can come in again and changes nothing; who took it out is printed on it and known."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import date, timedelta

import pytest
from python_calamine import CalamineWorkbook

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.identity import VISITOR
from handlers.accounts.domain import APPOINTMENT_WORDS, AppointmentKind, Relation
from handlers.rosters.domain import Coverage, ExportPurpose, RosterKind, RowState
from handlers.rosters.service.exports import ExportRequest, ExportService
from handlers.rosters.service.reading import read
from tests.factories import make_appointment, make_class, make_guardianship, make_person, make_pupil, make_school
from tests.handlers.rosters.made_up import pupils, workbook
from tests.handlers.rosters.stage import Stage, digest_of_people

PUPILS = ExportRequest(RosterKind.PUPILS, ExportPurpose.REIMPORT)
STAFF = ExportRequest(RosterKind.STAFF, ExportPurpose.CHECK)


@pytest.fixture
def exports(clock: FrozenClock) -> ExportService:
    return ExportService(clock, Audit(clock))


async def add_odd_people(stage: Stage, seed: int) -> None:
    """Who does not fit a form: nameless relations, four guardians, twins, none at all, no numbers, no phone."""
    chance = random.Random(seed)
    room = await make_class(stage.school, grade=chance.randrange(-2, 10), number=chance.randrange(20, 30))
    twin = await make_pupil(room, name="欧阳明远")
    await make_pupil(room, name="欧阳明远", sex="女")
    mother = await make_person(name="阿依古丽·买买提", phone="13812345678")
    await make_person(name="李安", phone="13812345678")
    await make_guardianship(twin, mother, is_acting=True)
    for _ in range(3):
        await make_guardianship(twin, relation=Relation.OTHER, bound_at=None)
    bare = await make_pupil(room, name="赵安", birth_date=twin_day(chance))
    await (
        type(bare)
        .filter(id=bare.id)
        .update(birth_date=None, match_index=None, roster_number=None, roster_number_index=None)
    )
    silent = await make_person(name="钱平")
    await type(silent).filter(id=silent.id).update(phone=None, phone_index=None)
    await make_guardianship(bare, silent, bound_at=None)
    await make_guardianship(bare, mother, ended_on=stage.clock.now().date())


def twin_day(chance: random.Random) -> date:
    """Some day."""
    return date(2017, 1, 1) + timedelta(days=chance.randrange(300))


@pytest.mark.parametrize("seed", range(8))
async def test_what_is_exported_and_imported_again_changes_nothing(
    stage: Stage, exports: ExportService, seed: int
) -> None:
    await stage.take(workbook(pupils(40 + seed, seed=seed)))
    await add_odd_people(stage, seed)
    before = await digest_of_people()
    book = await exports.export(stage.leader, PUPILS)
    view = await stage.read(book.content, coverage=Coverage.SCHOOLS)
    assert set(view.counts.by_state) == {RowState.UNCHANGED.value}, [
        row for row in await stage.rows(view) if row.state is not RowState.UNCHANGED
    ]
    assert view.counts.new_classes == ()
    await stage.apply(view)
    assert await digest_of_people() == before
    again = await exports.export(stage.leader, PUPILS)
    assert read(again.content, RosterKind.PUPILS) == read(book.content, RosterKind.PUPILS)


async def test_staff_exported_and_imported_again_change_nothing(stage: Stage, exports: ExportService) -> None:
    room = await make_class(stage.school, grade=3, number=2)
    teacher = await make_person(name="王老实", phone="13911110000")
    await make_appointment(AppointmentKind.HEAD_TEACHER, teacher, school_class=room)
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school_class=room, subject="语文")
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school_class=room, subject="数学")
    await make_appointment(AppointmentKind.DUTY, school=stage.school)
    await make_appointment(AppointmentKind.SCHOOL_LEADER, school=stage.school)
    before = await digest_of_people()
    book = await exports.export(stage.leader, STAFF)
    view = await stage.read(book.content, kind=RosterKind.STAFF, coverage=Coverage.SCHOOLS)
    assert view.counts.by_state == {RowState.UNCHANGED.value: 5}, await stage.rows(view)
    await stage.apply(view)
    assert await digest_of_people() == before


async def test_last_years_classes_are_not_taken_for_this_years(
    stage: Stage, exports: ExportService, clock: FrozenClock
) -> None:
    await make_pupil(await make_class(stage.school, school_year=2025, grade=3, number=1))
    book = await exports.export(stage.leader, PUPILS)
    view = await stage.read(book.content)
    assert view.counts.by_state == {RowState.UNCHANGED.value: 1}, "the school has not moved its classes up yet"


async def test_an_export_says_who_made_it_for_what_and_of_whom(
    stage: Stage, exports: ExportService, clock: FrozenClock
) -> None:
    room = await make_class(stage.school, grade=3, number=2)
    await make_pupil(room, name="=HYPERLINK(1)")
    request = ExportRequest(RosterKind.PUPILS, ExportPurpose.REPORT, class_id=str(room.id))
    book = await exports.export(stage.leader, request)
    about = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_name("导出说明").to_python()
    told = "\n".join(str(cell) for row in about for cell in row)
    assert "校长甲" in told
    assert "上报" in told
    assert f"{stage.school.name} 三年级2班" in told
    with zipfile.ZipFile(io.BytesIO(book.content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<oddFooter>" in sheet
    assert "校长甲" in sheet
    assert "三年级2班" in sheet.partition("<oddHeader>")[2]
    assert "<f>" not in sheet, "a name is never a formula"
    audited = await AuditRow.filter(action="roster.export").first()
    assert audited is not None
    assert audited.purpose == "report"
    assert audited.school == str(stage.school.id)
    assert "id_number" in audited.fields_seen
    assert "三年级" not in str(vars(audited)), "ids only"


async def test_only_ones_own_goes_out(stage: Stage, exports: ExportService) -> None:
    other = await make_school(stage.township)
    await make_pupil(await make_class(other), name="别校孩子")
    with pytest.raises(NotPermitted):
        await exports.export(VISITOR, PUPILS)
    with pytest.raises(NotFound):
        await exports.export(
            stage.leader, ExportRequest(RosterKind.PUPILS, ExportPurpose.CHECK, school_id=str(other.id))
        )
    whole = await exports.export(stage.administrator, PUPILS)
    assert "别校孩子" in str(read(whole.content, RosterKind.PUPILS).rows)
    assert [name for _, name in (await exports.choices(stage.leader)).schools] == [stage.school.name]


@pytest.mark.parametrize("kind", list(RosterKind))
async def test_a_template_can_be_filled_in_and_uploaded(stage: Stage, exports: ExportService, kind: RosterKind) -> None:
    book = await exports.template(stage.leader, kind)
    names = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).sheet_names
    assert "填写说明" in names
    with zipfile.ZipFile(io.BytesIO(book.content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "dataValidation" in sheet
    words = "妈妈" if kind is RosterKind.PUPILS else APPOINTMENT_WORDS[AppointmentKind.HEAD_TEACHER]
    assert words in sheet
