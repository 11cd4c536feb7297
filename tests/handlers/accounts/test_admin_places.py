"""Schools, classes and the township by hand: looked at before they change, written down when they do."""

from __future__ import annotations

import pytest

from bot.audit.models import AuditRow
from handlers.accounts.domain import AppointmentKind, SchoolKind
from handlers.accounts.models import Appointment, School, SchoolClass, Township
from tests.factories import make_appointment, make_class, make_pupil, make_school, make_township
from tests.handlers.accounts.test_admin import Village, village
from tests.handlers.console.conftest import Stage, stage

__all__ = ["stage", "village"]


async def test_a_teaching_point_is_made_under_its_school(stage: Stage, village: Village) -> None:
    await stage.enter(stage.admin)
    await stage.browser.get("/schools/new")
    form = {"name": "柳河教学点", "kind": "teaching_point", "parent": str(village.school.id), "place": "柳河村"}
    page = await stage.browser.post("/schools/new", form)
    assert "新建<strong>柳河教学点</strong>（教学点，属于柳庄小学）" in page
    assert not await School.filter(name="柳河教学点").exists()
    await stage.browser.post("/schools/new", {**form, "sure": "yes"})
    page = await stage.browser.follow()
    assert page.index("柳庄小学</a>") < page.index("柳河教学点</a>")
    point = await School.get(name="柳河教学点")
    assert (point.kind, point.parent_id, point.place) == (SchoolKind.TEACHING_POINT, village.school.id, "柳河村")
    assert await AuditRow.filter(action="school.edit", subject=f"school:{point.id}").count() == 1
    page = await stage.browser.post("/schools/new", {**form, "sure": "yes"})
    assert (stage.browser.status, "同样的名称" in page, 'value="柳河村"' in page) == (422, True, True)


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"kind": "palace"}, {"kind": "teaching_point", "parent": ""}],
    ids=["name", "kind", "parent"],
)
async def test_a_school_needs_its_name_kind_and_parent(stage: Stage, wrong: dict[str, str]) -> None:
    await stage.enter(stage.admin)
    await stage.browser.get("/schools/new")
    page = await stage.browser.post("/schools/new", {"name": "东村小学", "kind": "school", "place": "东村", **wrong})
    assert (stage.browser.status, 'value="东村"' in page) == (422, True)
    assert not await School.exists()


async def test_a_school_gets_another_name(stage: Stage, village: Village) -> None:
    await stage.enter(stage.admin)
    path = f"/schools/{village.school.id}"
    page = await stage.browser.get(path)
    assert "2名学生、2个班" in page
    form = {"name": "柳庄学校", "kind": "school", "parent": "", "place": ""}
    page = await stage.browser.post(path, form)
    assert "“柳庄小学”从现在起叫“柳庄学校”" in page
    await stage.browser.post(path, {**form, "sure": "yes"})
    assert stage.browser.location == "/schools"
    assert (await School.get(id=village.school.id)).name == "柳庄学校"


async def test_a_school_with_pupils_is_not_closed_and_an_empty_one_is(stage: Stage, village: Village) -> None:
    await stage.enter(stage.admin)
    page = await stage.browser.get(f"/schools/{village.school.id}/close")
    assert "还有2名在读学生，关不了" in page
    assert "确认关闭" not in page
    await stage.browser.post(f"/schools/{village.school.id}/close", {"day": "2026-09-01"})
    assert stage.browser.status == 409
    empty = await make_school(stage.town, name="北坡教学点")
    await make_appointment(AppointmentKind.DUTY, school=empty)
    path = f"/schools/{empty.id}/close"
    assert "还在任的1项任职到最后一天结束" in await stage.browser.get(path)
    await stage.browser.post(path, {"day": "gestern"})
    assert stage.browser.status == 409
    await stage.browser.post(path, {"day": "2026-09-01"})
    assert "已关闭" in await stage.browser.follow()
    assert str((await Appointment.get(school_id=empty.id)).until) == "2026-09-01"


async def test_the_township_gets_another_name(stage: Stage) -> None:
    other = await make_township(name="西镇")
    await stage.enter(stage.admin)
    path = f"/townships/{stage.town.id}"
    await stage.browser.get(path)
    form = {"name": "柳河新镇", "county": "白云县", "province": ""}
    page = await stage.browser.post(path, form)
    assert f"“{stage.town.name}”从现在起叫“柳河新镇”" in page
    assert (await Township.get(id=stage.town.id)).name == stage.town.name
    page = await stage.browser.post(path, {**form, "name": "西镇", "sure": "yes"})
    assert (stage.browser.status, "同样的名称" in page) == (422, True)
    await stage.browser.post(path, {**form, "sure": "yes"})
    assert (await Township.get(id=stage.town.id)).name == "柳河新镇"
    row = await AuditRow.get(action="school.edit", subject=f"township:{stage.town.id}", outcome="done")
    assert row.fields_seen == ["name"]
    await stage.browser.post(path, {"name": "", "county": "", "province": ""})
    assert stage.browser.status == 422
    await stage.browser.get(f"/townships/{other.id}")
    assert stage.browser.status == 404


async def test_a_leader_makes_renames_and_closes_a_class(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    await stage.browser.get("/classes/new")
    form = {"school": str(village.school.id), "year": "2026", "grade": "4", "number": "1"}
    page = await stage.browser.post("/classes/new", form)
    assert "新建柳庄小学四年级1班，属于2026—2027学年" in page
    await stage.browser.post("/classes/new", {**form, "sure": "yes"})
    room = await SchoolClass.get(grade=4)
    assert stage.browser.location == f"/classes/{room.id}"
    page = await stage.browser.post("/classes/new", {**form, "sure": "yes"})
    assert (stage.browser.status, "已经有这个班" in page) == (422, True)
    path = f"/classes/{room.id}/edit"
    await stage.browser.get(path)
    page = await stage.browser.post(path, {"grade": "5", "number": "2"})
    assert "“四年级1班”从现在起叫“五年级2班”" in page
    await stage.browser.post(path, {"grade": "3", "number": "1", "sure": "yes"})
    assert stage.browser.status == 422
    await stage.browser.post(path, {"grade": "5", "number": "2", "sure": "yes"})
    assert (await SchoolClass.get(id=room.id)).grade == 5
    assert "从来没有学生和老师" in await stage.browser.get(f"/classes/{room.id}/close")
    await stage.browser.post(f"/classes/{room.id}/close", {"day": "2026-09-01"})
    assert stage.browser.location == "/classes"
    assert not await SchoolClass.exists(id=room.id)
    assert await AuditRow.filter(action="class.edit", subject=f"class:{room.id}").count() == 3


@pytest.mark.parametrize(
    "wrong", [{"grade": "12"}, {"number": "0"}, {"number": "x"}, {"year": "1999"}, {"school": ""}], ids=str
)
async def test_a_class_that_cannot_be_is_told(stage: Stage, village: Village, wrong: dict[str, str]) -> None:
    await stage.enter(village.leader)
    await stage.browser.get("/classes/new")
    form = {"school": str(village.school.id), "year": "2026", "grade": "4", "number": "1", **wrong}
    await stage.browser.post("/classes/new", form)
    assert stage.browser.status == 422
    form["school"] = str(village.foreign_room.school_id)
    await stage.browser.post("/classes/new", {**form, "sure": "yes"})
    assert not await SchoolClass.filter(grade=4).exists()


async def test_a_class_with_pupils_is_not_closed_and_history_stays(stage: Stage, village: Village) -> None:
    await stage.enter(village.leader)
    await stage.browser.get("/classes")
    page = await stage.browser.post(f"/classes/{village.room.id}/close", {"day": "2026-09-01"})
    assert (stage.browser.status, "还有在读学生" in page) == (409, True)
    await stage.enter(village.head)
    for path in (f"/classes/{village.room.id}/edit", f"/classes/{village.room.id}/close", "/classes/new"):
        await stage.browser.get(path)
        assert stage.browser.status == 403


async def test_long_lists_come_in_pages(stage: Stage, village: Village) -> None:
    room = await make_class(village.school, grade=6, number=1)
    for number in range(53):
        await make_pupil(room, name=f"学生{'甲乙丙丁戊己庚辛壬癸'[number // 10]}{'甲乙丙丁戊己庚辛壬癸'[number % 10]}")
    await stage.enter(village.leader)
    page = await stage.browser.get(f"/classes/{room.id}")
    assert ("共53条，第1页，共2页" in page, page.count('href="/admin/pupils/') - page.count("pupils/new")) == (True, 50)
    page = await stage.browser.get(f"/classes/{room.id}?page=2")
    assert page.count('href="/admin/pupils/') - page.count("pupils/new") == 3
    page = await stage.browser.get(f"/classes/{room.id}/invitations")
    assert page.count('name="pupil"') == 53
