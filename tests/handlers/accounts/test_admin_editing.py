"""Pupils, guardians and phones by hand; what two people change at once; picking a child; lists that leave the house."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from bot.audit.models import AuditRow
from handlers.accounts.domain import AppointmentKind, BindingState, Relation
from handlers.accounts.models import BindingRequest, Guardianship, Person, Pupil
from tests.factories import LONG_AGO, make_appointment, make_guardianship, make_identity, make_person, make_pupil
from tests.handlers.accounts.test_admin import Village, village
from tests.handlers.console.conftest import Stage, stage

__all__ = ["stage", "village"]


# -------------------------------------------------------------------------------------------------------------- pupils
async def test_a_pupil_is_enrolled_by_hand(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    page = await stage.browser.get(f"/pupils/new?class={village.other_room.id}")
    assert f'value="{village.other_room.id}" selected' in page
    form = {
        "name": "冯新来", "class": str(village.other_room.id), "on": "2026-09-01", "sex": "女",
        "birth_date": "2017-05-06", "roster_number": "G341300000000000099", "id_number": "",
    }  # fmt: skip
    await stage.browser.post("/pupils/new", form)
    pupil = await Pupil.get(name="冯新来")
    assert stage.browser.location == f"/pupils/{pupil.id}"
    assert (pupil.school_class_id, pupil.sex, pupil.birth_date) == (village.other_room.id, "女", "2017-05-06")
    assert await AuditRow.filter(action="pupil.edit", subject=f"pupil:{pupil.id}", about=str(pupil.id)).exists()
    page = await stage.browser.post("/pupils/new", {**form, "name": "冯另名"})
    assert (stage.browser.status, "已经登记过" in page, 'value="冯另名"' in page) == (409, True, True)


async def test_a_namesake_in_the_class_is_asked_about_first(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    await stage.browser.get("/pupils/new")
    form = {"name": "赵小禾", "class": str(village.room.id), "on": "2026-09-01"}
    page = await stage.browser.post("/pupils/new", form)
    assert "已经有1名叫赵小禾的学生" in page
    assert await Pupil.filter(name="赵小禾").count() == 1
    await stage.browser.post("/pupils/new", {**form, "sure": "yes"})
    assert await Pupil.filter(name="赵小禾").count() == 2


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"class": ""}, {"on": "x"}, {"birth_date": "2030-01-01"}, {"id_number": "123"}], ids=str
)
async def test_what_is_wrong_is_told_and_what_was_typed_stays(
    stage: Stage, village: Village, wrong: dict[str, str]
) -> None:
    await stage.enter(village.leader)
    await stage.browser.get("/pupils/new")
    form = {"name": "冯新来", "class": str(village.room.id), "on": "2026-09-01", "roster_number": "G1234", **wrong}
    page = await stage.browser.post("/pupils/new", form)
    assert (stage.browser.status, 'value="G1234"' in page) == (422, True)
    assert not await Pupil.filter(name="冯新来").exists()


def fields_of(stage: Stage, *names: str) -> dict[str, str]:
    return {name: stage.browser.hidden(name) for name in names}


async def test_two_who_edit_a_pupil_at_once_lose_nothing(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    path = f"/pupils/{village.child.id}/edit"
    await stage.browser.get(path)
    seen = fields_of(stage, "version", "was_name", "was_sex")
    await stage.browser.post(path, {**seen, "name": "赵禾苗", "sex": "", "roster_number": ""})
    assert stage.browser.location == f"/pupils/{village.child.id}"
    # Somebody else had the same page open.
    late = {**seen, "name": "赵小禾", "sex": "男", "roster_number": "G8888", "id_number": ""}
    page = await stage.browser.post(path, late)
    assert stage.browser.status == 409
    assert "刚才有人先改了这份资料，您写的还没有保存" in page
    assert "您刚才写的" in page
    assert '<option value="男" selected>' in page
    assert 'value="G8888"' in page
    # The name nobody touched here is the other's new one, not the old one again.
    assert 'value="赵禾苗"' in page
    pupil = await Pupil.get(id=village.child.id)
    assert (pupil.name, pupil.sex) == ("赵禾苗", "")
    again = {**late, **fields_of(stage, "version", "was_name", "was_sex"), "name": "赵禾苗"}
    await stage.browser.post(path, again)
    pupil = await Pupil.get(id=village.child.id)
    assert [pupil.name, pupil.sex, pupil.roster_number] == ["赵禾苗", "男", "G8888"]


async def test_a_number_is_taken_away_only_when_said(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    path = f"/pupils/{village.child.id}/edit"
    page = await stage.browser.get(path)
    assert "G341300000000000017" not in page
    assert "2017-05-06" not in page
    seen = fields_of(stage, "version")
    await stage.browser.post(path, {**seen, "name": "赵小禾", "roster_number": "坏的！"})
    assert stage.browser.status == 422
    await stage.browser.post(path, {**seen, "name": "赵小禾"}, cleared=["roster_number"])
    pupil = await Pupil.get(id=village.child.id)
    assert pupil.birth_date == "2017-05-06"
    assert not pupil.roster_number


async def test_a_pupil_leaves_after_a_second_look(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    path = f"/pupils/{village.child.id}/leave"
    assert "不在柳庄小学三年级1班" in await stage.browser.get(path)
    seen = fields_of(stage, "version")
    await stage.browser.post(path, {**seen, "day": "2027-01-01"})
    assert stage.browser.status == 422
    await stage.browser.post(path, {"version": "7", "day": "2026-09-01"})
    assert stage.browser.status == 409
    await stage.browser.post(path, {**seen, "day": "2026-09-01"})
    assert (await Pupil.get(id=village.child.id)).status == "left"


# ------------------------------------------------------------------------------------------------------------ families
async def test_a_guardian_is_added_made_acting_and_ended(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    own = f"/pupils/{village.child.id}"
    await stage.browser.get(f"{own}/guardians")
    form = {"name": "周奶奶", "relation": "paternal_grandmother", "phone": "19912349999"}
    for bad in ({"name": ""}, {"relation": "king"}, {"phone": "12"}):
        page = await stage.browser.post(f"{own}/guardians", {**form, **bad})
        assert stage.browser.status == 422
    assert 'value="周奶奶"' in page
    await stage.browser.post(f"{own}/guardians", form)
    grandmother = await Person.get(name="周奶奶")
    path = f"{own}/guardians/{grandmother.id}"
    assert "赵小禾平时由周奶奶照看" in await stage.browser.get(f"{path}/acting")
    await stage.browser.post(f"{path}/acting", fields_of(stage, "seen"))
    assert (await Guardianship.get(person_id=grandmother.id)).is_acting
    mother = f"{own}/guardians/{village.mother.id}"
    await stage.browser.get(f"{mother}/acting")
    page = await stage.browser.post(f"{mother}/acting", {"seen": str(village.mother.id)})
    assert (stage.browser.status, "刚才有人先改了日常照看的人" in page) == (409, True)
    assert "周奶奶马上看不到赵小禾的任何事" in await stage.browser.get(f"{path}/end")
    assert (await Guardianship.get(person_id=grandmother.id)).ended_on is None
    await stage.browser.post(f"{path}/end")
    assert (await Guardianship.get(person_id=grandmother.id)).ended_on is not None
    await stage.browser.get(f"{path}/end")
    assert stage.browser.status == 404
    assert await AuditRow.filter(action="pupil.edit", subject__startswith="guardianship:").count() == 3


async def test_two_who_edit_a_phone_at_once_lose_nothing(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    path = f"/people/{village.mother.id}/edit"
    page = await stage.browser.get(f"{path}?pupil={village.child.id}")
    assert "199****5678" in page
    assert "19912345678" not in page
    seen = fields_of(stage, "version", "was_name", "pupil")
    await stage.browser.post(path, {**seen, "name": "钱大姐", "phone": "19900001111"})
    assert stage.browser.location == f"/pupils/{village.child.id}"
    page = await stage.browser.post(path, {**seen, "name": "钱小妹", "phone": "19900002222"})
    assert (stage.browser.status, "您写的还没有保存" in page) == (409, True)
    for kept in ('value="钱小妹"', 'value="19900002222"', "199****1111"):
        assert kept in page
    assert (await Person.get(id=village.mother.id)).phone == "19900001111"
    await stage.browser.post(
        path, {**fields_of(stage, "version", "was_name", "pupil"), "name": "钱小妹", "phone": "19900002222"}
    )
    person = await Person.get(id=village.mother.id)
    assert (person.name, person.phone) == ("钱小妹", "19900002222")
    await stage.browser.get(path)
    await stage.browser.post(path, {**fields_of(stage, "version"), "name": "钱小妹", "phone": "12"})
    assert stage.browser.status == 422


async def test_the_phone_of_somebody_on_the_staff_is_edited_and_taken_away(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    path = f"/people/{village.head.id}/edit"
    await stage.browser.get(f"{path}?staff={village.head.id}")
    form = {**fields_of(stage, "version", "staff"), "name": "李班主任", "phone": "", "cleared": "phone"}
    await stage.browser.post(path, form)
    assert stage.browser.location == f"/staff/{village.head.id}"
    assert (await Person.get(id=village.head.id)).phone is None
    assert await AuditRow.filter(action="staff.edit", subject=f"person:{village.head.id}").exists()
    stranger = await make_person()
    await make_guardianship(village.foreign_child, stranger)
    await stage.browser.get(f"/people/{stranger.id}/edit")
    assert stage.browser.status == 404


# ------------------------------------------------------------------------------------------------- which child is meant
async def request_for(village: Village, **values: Any) -> BindingRequest:
    identity = await make_identity(f"openid-{values.get('child', '')}{await BindingRequest.all().count()}")
    said = {"kind": "guardian", "name": "何外婆", "child": "赵小和"}
    return await BindingRequest.create(
        identity_id=identity.id, school_id=village.school.id, said=json.dumps(said),
        relation=Relation.MATERNAL_GRANDMOTHER, state=BindingState.PENDING, created_at=LONG_AGO,
        updated_at=LONG_AGO, **values,
    )  # fmt: skip


async def test_the_decider_picks_the_child_the_request_did_not_find(stage: Stage, village: Village) -> None:
    request = await request_for(village)
    await stage.enter(village.leader)
    path = f"/bindings/{request.id}/child"
    assert path in await stage.browser.get("/bindings")
    page = await stage.browser.get(path)
    assert 'value="赵小和"' in page
    assert "外乡孩子" not in await stage.browser.get(f"{path}?name=外乡")
    page = await stage.browser.get(f"{path}?name=赵小")
    assert f"{path}?pupil={village.child.id}" in page
    assert await AuditRow.filter(action="pupil.search", purpose="search").count() == 2
    page = await stage.browser.get(f"{path}?pupil={village.child.id}")
    assert "<strong>何外婆</strong>成为<strong>赵小禾</strong>" in page
    form = {"id": str(request.id), "pupil": str(village.child.id), "answer": "yes"}
    await stage.browser.post("/bindings/decide", form)
    assert stage.browser.location == "/bindings"
    request = await BindingRequest.get(id=request.id)
    assert (request.state, request.pupil_id) == (BindingState.APPROVED, village.child.id)
    guardianship = await Guardianship.get(pupil_id=village.child.id, person__name="何外婆")
    assert guardianship.bound_at is not None
    assert "已经有人办了" in await stage.browser.get(path)


async def test_a_child_out_of_reach_cannot_be_picked(stage: Stage, village: Village) -> None:
    request = await request_for(village)
    await stage.enter(village.leader)
    await stage.browser.get(f"/bindings/{request.id}/child?pupil={village.foreign_child.id}")
    assert stage.browser.status == 404
    await stage.browser.get("/bindings")
    form = {"id": str(request.id), "pupil": str(village.foreign_child.id), "answer": "yes"}
    await stage.browser.post("/bindings/decide", form)
    assert stage.browser.status == 404
    assert (await BindingRequest.get(id=request.id)).state is BindingState.PENDING


async def test_many_requests_come_in_pages(stage: Stage, village: Village) -> None:
    for _ in range(52):
        await request_for(village)
    await stage.enter(village.leader)
    page = await stage.browser.get("/bindings?page=2")
    assert ("共52条，第2页" in page, page.count("何外婆号") or page.count('name="answer" value="no"')) == (True, 2)
    assert '<span class="todo-count">52</span>' in await stage.browser.get("/")


# ------------------------------------------------------------------------------------------------------- lists as files
@pytest.mark.parametrize(
    ("path", "action", "table", "fields"),
    [
        ("/pupils?name=小&status=all", "roster.export", "pupils", ["name", "status"]),
        ("/staff?kind=head_teacher", "roster.export", "staff", ["kind"]),
        ("/classes?year=2026", "roster.export", "classes", ["year"]),
        ("/unreachable?sort=name", "reach.view", "unreachable", []),
    ],
)
async def test_a_list_that_leaves_the_house_is_written_down(
    stage: Stage, village: Village, path: str, action: str, table: str, fields: list[str]
) -> None:
    await stage.enter(village.leader)
    await stage.browser.get(path)
    assert not await AuditRow.filter(purpose="export").exists()
    await stage.browser.get(f"{path}&export=xlsx")
    row = await AuditRow.get(purpose="export")
    assert (row.action, row.subject, row.fields_seen) == (action, f"table:{table}", fields)
    assert (row.actor, row.school) == (str(village.leader.id), str(village.school.id))
    assert stage.browser.response is not None
    book = CalamineWorkbook.from_filelike(BytesIO(await stage.browser.response.read()))
    rows = book.get_sheet_by_index(0).to_python()
    assert str(rows[1][0]).startswith("筛选条件：")
    assert str(rows[2][0]) == "导出人：周校长　导出时间：2026-09-01 08:00"


async def test_who_may_not_export_leaves_no_row(stage: Stage, village: Village) -> None:
    await stage.enter(village.head)
    assert "<h1>学生</h1>" in await stage.browser.get("/pupils?export=xlsx")
    assert not await AuditRow.filter(purpose="export").exists()


async def test_lists_are_sorted_by_their_columns_both_ways(stage: Stage, village: Village) -> None:
    await make_appointment(AppointmentKind.DUTY, village.head, school=village.school)
    bare = await make_pupil(village.room, name="安没人")
    known = await make_pupil(village.room, name="白有人")
    await make_guardianship(known, bound_at=None)
    await make_guardianship(known, ended_on=LONG_AGO.date(), bound_at=None)
    await stage.enter(village.leader)

    async def order(path: str, *names: str) -> list[str]:
        page = (await stage.browser.get(path)).partition("<tbody>")[2]
        return sorted(names, key=lambda name: page.index(f">{name}</a>"))

    names = ("白有人", "安没人")
    assert await order("/unreachable?sort=guardians", *names) == ["安没人", "白有人"]
    assert await order("/unreachable?sort=guardians&desc=1", *names) == ["白有人", "安没人"]
    first = await order("/unreachable?sort=name", *names)
    assert await order("/unreachable?sort=name&desc=1", *names) == first[::-1]
    assert bare.name in names
    people = ("周校长", "吴保护")
    for sort in ("name", "kind"):
        first = await order(f"/staff?sort={sort}&desc=0", *people)
        assert await order(f"/staff?sort={sort}&desc=1", *people) == first[::-1]
    first = await order("/pupils?sort=name", *names)
    assert await order("/pupils?sort=name&desc=1", *names) == first[::-1]
