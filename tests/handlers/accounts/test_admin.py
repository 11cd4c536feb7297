"""The pages about people, as a browser of each role sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from bot.audit.models import AuditRow
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Appointment, Bar, Guardianship, Invitation, Person, Pupil, School, SchoolClass
from tests.factories import (
    make_appointment,
    make_class,
    make_guardianship,
    make_person,
    make_pupil,
    make_school,
)
from tests.handlers.console.conftest import Stage, stage

__all__ = ["stage"]


@dataclass(frozen=True, slots=True)
class Village:
    """One school with two classes, and one school of another township."""

    school: School
    room: SchoolClass
    other_room: SchoolClass
    child: Pupil
    mother: Person
    head: Person
    leader: Person
    lead: Person
    foreign_child: Pupil
    foreign_room: SchoolClass


@pytest.fixture
async def village(stage: Stage) -> Village:
    school = await make_school(stage.town, name="柳庄小学")
    room, other_room = await make_class(school, grade=3, number=1), await make_class(school, grade=3, number=2)
    child = await make_pupil(room, name="赵小禾", roster_number="G341300000000000017")
    mother = await make_person(name="钱大姐", phone="19912345678")
    await make_guardianship(child, mother)
    await make_pupil(room, name="孙没人")
    head, leader, lead = [await make_person(name=name) for name in ("李班主任", "周校长", "吴保护")]
    await make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=room)
    await make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=school)
    await make_appointment(AppointmentKind.PROTECTION_LEAD, lead, school=school)
    foreign_room = await make_class()
    foreign_child = await make_pupil(foreign_room, name="外乡孩子")
    return Village(school, room, other_room, child, mother, head, leader, lead, foreign_child, foreign_room)


async def test_each_role_gets_the_pages_of_its_menu_and_no_others(stage: Stage, village: Village) -> None:
    menus = {}
    for person in (village.head, village.leader, village.lead, stage.admin):
        await stage.enter(person)
        page = await stage.browser.get("/")
        assert stage.browser.status == 200
        menus[person.name] = {title for title in TITLES if f">{title}</a></li>" in page}
        for title, path in TITLES.items():
            await stage.browser.get(path)
            assert (stage.browser.status == 200) == (title in menus[person.name]), (person.name, title)
    assert menus["李班主任"] == {"首页", "班级", "学生", "联系不上的学生", "绑定申请", "谁能做什么"}
    assert menus["周校长"] == set(TITLES) - {"查阅记录", "学校"}
    assert menus["吴保护"] == {"首页", "班级", "学生", "联系不上的学生", "教职工", "谁能做什么"}
    assert menus["孙管理"] == set(TITLES)


TITLES = {
    "首页": "/", "班级": "/classes", "学生": "/pupils", "联系不上的学生": "/unreachable", "教职工": "/staff",
    "绑定申请": "/bindings", "升级": "/promotion", "查阅记录": "/audit",
    "学校": "/schools", "谁能做什么": "/rights",
}  # fmt: skip


async def test_what_is_of_others_and_what_is_not_there_look_alike(stage: Stage, village: Village) -> None:
    await stage.enter(village.head)
    nobody = "00000000-0000-0000-0000-000000000000"
    pages = []
    for path in (
        f"/pupils/{village.foreign_child.id}", f"/pupils/{nobody}", "/pupils/x",
        f"/classes/{village.foreign_room.id}", f"/classes/{village.other_room.id}", f"/classes/{nobody}",
        f"/classes/{village.foreign_room.id}/invitations", f"/classes/{nobody}/handover",
    ):  # fmt: skip
        page = await stage.browser.get(path)
        pages.append(re.sub(r"[0-9a-f]{16}", "<request>", page.partition("<main")[2]))
        assert stage.browser.status == 404, path
    assert len(set(pages)) == 1
    assert await AuditRow.filter(outcome="denied", actor=str(village.head.id)).exists()


async def test_numbers_are_masked_until_somebody_asks_for_one(stage: Stage, village: Village) -> None:
    await stage.enter(village.head)
    page = await stage.browser.get(f"/pupils/{village.child.id}")
    assert "199****5678" in page
    assert "19912345678" not in page
    before = await AuditRow.filter(action="contact.reveal").count()
    form = {"kind": "person", "id": str(village.mother.id), "field": "phone"}
    page = await stage.browser.post(f"/pupils/{village.child.id}/reveal", form)
    assert "19912345678" in page
    rows = await AuditRow.filter(action="contact.reveal")
    assert (len(rows), rows[-1].fields_seen) == (before + 1, ["phone"])
    assert "G341300000000000017" not in page


async def test_a_list_is_filtered_sorted_and_exported_with_its_filter(stage: Stage, village: Village) -> None:
    await stage.enter(stage.admin)
    page = await stage.browser.get("/pupils?name=小禾&sort=name")
    assert "赵小禾" in page
    assert "孙没人" not in page
    assert "外乡孩子" not in await stage.browser.get("/pupils")
    await stage.browser.get(f"/pupils?school={village.school.id}&status=all&export=xlsx")
    assert stage.browser.response is not None
    assert "attachment" in stage.browser.response.headers["Content-Disposition"]
    book = CalamineWorkbook.from_filelike(BytesIO(await stage.browser.response.read()))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[1][0] == "筛选条件：学校：柳庄小学；状态：全部"
    assert str(rows[2][0]) == "导出人：孙管理　导出时间：2026-09-01 08:00"
    assert [row[0] for row in rows[5:]] == ["孙没人", "赵小禾"]


async def test_a_head_teacher_prints_a_slip_for_each_child_once(stage: Stage, village: Village) -> None:
    await stage.enter(village.head)
    path = f"/classes/{village.room.id}/invitations"
    await stage.browser.get(path)
    pupils = [str(pupil.id) for pupil in await Pupil.filter(school_class_id=village.room.id)]
    page = await stage.browser.post(path, {"days": "7"}, pupil=pupils)
    assert page.count('<section class="slip">') == 2
    assert page.count('<svg role="img"') == 2
    assert await Invitation.all().count() == 2
    page = await stage.browser.get(path)
    assert page.count("没有用") == 2
    first = await Invitation.all().first()
    assert first is not None
    await stage.browser.post("/invitations/revoke", {"id": str(first.id), "class_id": str(village.room.id)})
    assert "已作废" in await stage.browser.follow()
    for bad in ({"days": "0"}, {"days": "x"}):
        await stage.browser.post(path, bad, pupil=pupils)
        assert stage.browser.status == 422
    await stage.browser.post(path, {"days": "7"})
    assert stage.browser.status == 422
    await stage.browser.post(path, {"days": "7"}, pupil=[str(village.foreign_child.id)])
    assert stage.browser.status == 404


async def test_an_appointment_is_looked_at_before_it_is_made_and_ended(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    await stage.browser.get("/staff/appoint")
    form = {
        "name": "郑新来", "phone": "19911112222", "kind": "head_teacher", "class": str(village.other_room.id),
        "since": "2026-09-01",
    }  # fmt: skip
    page = await stage.browser.post("/staff/appoint", form)
    assert "请再确认一次" in page
    assert "柳庄小学三年级2班" in page
    assert not await Person.filter(name="郑新来").exists()
    await stage.browser.post("/staff/appoint", {**form, "sure": "yes"})
    assert stage.browser.location == "/staff"
    person = await Person.get(name="郑新来")
    page = await stage.browser.get(f"/staff/{person.id}")
    appointment = await Appointment.get(person_id=person.id)
    ending = {"id": str(appointment.id), "until": "2026-09-30"}
    assert "权限到最后一天为止" in await stage.browser.post(f"/staff/{person.id}/end", ending)
    assert (await Appointment.get(id=appointment.id)).until is None
    await stage.browser.post(f"/staff/{person.id}/end", {**ending, "sure": "yes"})
    assert str((await Appointment.get(id=appointment.id)).until) == "2026-09-30"
    for bad in ({**form, "kind": "emperor"}, {**form, "since": "gestern"}, {**form, "class": ""}, {**form, "name": ""}):
        await stage.browser.post("/staff/appoint", {**bad, "sure": "yes"})
        assert stage.browser.status == 422
    await stage.browser.post("/staff/appoint", {**form, "class": str(village.foreign_room.id), "sure": "yes"})
    assert stage.browser.status == 404
    await stage.browser.post("/staff/appoint", {**form, "kind": "township_administrator", "sure": "yes"})
    assert stage.browser.status == 403


async def test_a_class_is_handed_over_and_signed_for(stage: Stage, village: Village) -> None:
    successor = await make_person(name="冯接手")
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, successor, school_class=village.room)
    await stage.enter(village.head)
    path = f"/classes/{village.room.id}/handover"
    await stage.browser.get(path)
    form = {"to": str(successor.id), "on": "2026-09-01"}
    page = await stage.browser.post(path, form)
    assert "从2026-09-01起，<strong>冯接手</strong>是三年级1班的班主任" in page
    await stage.browser.post(path, {**form, "sure": "yes"})
    assert stage.browser.location == "/classes"
    await stage.enter(successor)
    page = await stage.browser.get("/")
    assert "等您签收的班级" in page
    await stage.browser.get("/handovers")
    await stage.browser.post("/handovers/accept", {"id": stage.browser.hidden("id")})
    assert "已经确认收到" in await stage.browser.follow()


async def test_somebody_is_barred_after_a_second_look(stage: Stage, village: Village) -> None:
    await stage.enter(village.lead)
    path = f"/pupils/{village.child.id}/bars"
    await stage.browser.get(path)
    form = {"person": str(village.mother.id), "reason": "法院文书第1号", "name": "", "phone": "", "until": ""}
    page = await stage.browser.post(path, form)
    assert "<strong>钱大姐</strong>看不到赵小禾的任何事" in page
    assert not await Bar.exists()
    await stage.browser.post(path, {**form, "sure": "yes"})
    assert "法院文书第1号" in await stage.browser.follow()
    guardianship = await Guardianship.get(person_id=village.mother.id)
    assert guardianship.bound_at is None or guardianship.ended_on is not None
    bar = await Bar.get()
    await stage.browser.post(f"{path}/lift", {"id": str(bar.id)})
    assert "没有禁止接触的人" in await stage.browser.follow()
    await stage.enter(village.head)
    await stage.browser.get(path)
    assert stage.browser.status == 403


async def test_a_bar_that_cannot_be_set_is_explained_and_nothing_typed_is_lost(stage: Stage, village: Village) -> None:
    await stage.enter(village.lead)
    path = f"/pupils/{village.child.id}/bars"
    await stage.browser.get(path)
    page = await stage.browser.post(path, {})
    assert (stage.browser.status, "请选定名册上的人" in page) == (422, True)
    form = {"person": "", "name": "赵外人", "phone": "19900001111", "reason": "法院文书第2号", "until": "2026-12-31"}
    gone = str(village.head.id)
    wrong = ({"name": " "}, {"reason": ""}, {"phone": "12"}, {"until": "gestern"}, {"person": gone})
    for bad, sure in [(bad, sure) for bad in wrong[:4] for sure in ("", "yes")] + [(wrong[4], "")]:
        page = await stage.browser.post(path, {**form, **bad, "sure": sure})
        assert (stage.browser.status, 'role="alert"' in page) == (422, True), (bad, sure)
        kept = {**form, **bad}
        assert all(f'value="{kept[name]}"' in page for name in ("name", "phone", "reason", "until")), (bad, sure)
    assert not await Bar.exists()
    # Somebody who is not on the roster.
    page = await stage.browser.post(path, form)
    assert (stage.browser.status, "<strong>赵外人</strong>看不到" in page) == (200, True)
    await stage.browser.post(path, {**form, "sure": "yes"})
    assert (await Bar.get()).person_id is None


async def test_a_school_is_promoted_as_it_was_looked_at(stage: Stage, village: Village) -> None:
    old = await make_class(village.school, school_year=2025, grade=6, number=1)
    await make_pupil(old, name="毕业生")
    await stage.enter(village.leader)
    page = await stage.browser.get("/promotion")
    assert "1名学生毕业离校" in page
    stale = {"school": str(village.school.id), "fingerprint": "stale"}
    page = await stage.browser.post("/promotion", stale)
    assert (stage.browser.status, "请重新查看" in page) == (409, True)
    fresh = {"school": stage.browser.hidden("school"), "fingerprint": stage.browser.hidden("fingerprint")}
    await stage.browser.post("/promotion", fresh)
    assert stage.browser.location == "/classes"
    assert (await Pupil.get(name="毕业生")).status == "graduated"


async def test_a_pupil_changes_class_after_a_second_look(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    path = f"/pupils/{village.child.id}/move"
    await stage.browser.get(path)
    form = {"class": str(village.other_room.id)}
    assert "从今天起在柳庄小学三年级2班" in await stage.browser.post(path, form)
    await stage.browser.post(path, {**form, "sure": "yes"})
    assert stage.browser.location == f"/pupils/{village.child.id}"
    assert (await Pupil.get(id=village.child.id)).school_class_id == village.other_room.id
