"""The pages: they are read by people, so they are looked at as they are sent."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

import handlers
from bot.audit.log import Audit
from bot.errors import InvalidInput, NotFound
from bot.identity import Actor
from bot.rights import Action, roles_for
from bot.web.admin import AdminAnswer, AdminCall, Download, Page, Upload, WayOn
from bot.web.admin_pages import Pages
from handlers.accounts.models import Pupil
from handlers.rosters.admin import RosterPages
from handlers.rosters.service.exports import ExportService
from handlers.rosters.service.rosters import RosterService
from tests.factories import make_school
from tests.handlers.rosters.made_up import id_number, pupils, workbook
from tests.handlers.rosters.stage import Stage, digest_of_people, leader_of

FRAME = {"is_inside": True, "menu": [], "notice": "", "can_switch": False, "form_token": "token", "path": "/rosters"}


@pytest.fixture
def console(stage: Stage) -> RosterPages:
    return RosterPages(RosterService(stage.service, ExportService(stage.clock, Audit(stage.clock))))


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(sorted(Path(handlers.__file__).parent.glob("rosters/templates")))


def call(actor: Actor, *, path: dict[str, str] | None = None, **parts: Any) -> AdminCall:
    return AdminCall(actor=actor, path=path or {}, query=parts.pop("query", {}), **parts)


def shown(pages: Pages, answer: AdminAnswer, actor: Actor) -> str:
    """The page as it is sent, without its tags."""
    assert isinstance(answer, Page)
    html = pages.render(answer.template, FRAME | {"actor": actor} | dict(answer.values))
    assert "style=" not in html
    assert "onclick" not in html
    return re.sub(r"<[^>]+>|\s+", " ", html)


async def upload(console: RosterPages, stage: Stage, content: bytes) -> str:
    """The id of the import."""
    form = {"kind": "pupils", "coverage": "classes"}
    files = {"file": Upload("三年级.xlsx", content)}
    answer = await console.upload(call(stage.leader, form=form, files=files))
    assert isinstance(answer, WayOn), answer
    import_id = answer.path.rpartition("/")[2]
    await stage.service.finished(import_id)
    return import_id


async def test_from_upload_to_undoing_by_pages(stage: Stage, console: RosterPages, pages: Pages) -> None:
    before = await digest_of_people()
    import_id = await upload(console, stage, workbook(pupils(120, seed=1)))
    here = {"import_id": import_id}
    text = shown(pages, await console.one(call(stage.leader, path=here)), stage.leader)
    assert "新增：120行" in text
    assert "会新建的班级" in text
    second = await console.one(call(stage.leader, path=here, query={"start": "100", "state": "new"}))
    assert isinstance(second, Page)
    assert len(second.values["rows"]) == 20
    await console.apply(call(stage.leader, path=here))
    await stage.service.finished(import_id)
    assert await Pupil.all().count() == 120
    assert "已导入" in shown(pages, await console.home(call(stage.leader)), stage.leader)
    assert "新增的人会从系统里拿掉" in shown(
        pages, await console.undo_form(call(stage.leader, path=here)), stage.leader
    )
    await console.undo(call(stage.leader, path=here))
    await stage.service.finished(import_id)
    assert "已撤销" in shown(pages, await console.one(call(stage.leader, path=here)), stage.leader)
    assert await digest_of_people() == before
    with pytest.raises(NotFound):
        await console.undo_form(call(stage.leader, path=here))


async def test_a_faulty_upload_comes_back_with_its_columns_and_the_problems(
    stage: Stage, console: RosterPages, pages: Pages
) -> None:
    rows = pupils(3, seed=2)
    rows[1] |= {"class": "天字一号班", "备注": "走读", "phone1": "12"}
    import_id = await upload(console, stage, workbook(rows, heads={"phone1": "家长1电话"}, extra=("备注",)))
    here = {"import_id": import_id}
    text = shown(pages, await console.one(call(stage.leader, path=here)), stage.leader)
    assert "有1行要改" in text
    assert "填得不对" in text
    book = await console.problems(call(stage.leader, path=here))
    assert isinstance(book, Download)
    head, *lines = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert head[-1] == "问题"
    assert "备注" in head
    assert "家长1电话" in head
    assert lines[1][head.index("备注")] == "走读"
    assert "班级看不懂" in str(lines[1][-1])
    assert "监护人1电话" in str(lines[1][-1])
    assert [line[-1] for line in (lines[0], lines[2])] == ["", ""]


async def test_numbers_are_masked_on_the_page(stage: Stage, console: RosterPages, pages: Pages) -> None:
    rows = pupils(2, seed=3)
    await stage.take(workbook(rows))
    rows[0]["phone1"] = "17700001111"
    import_id = await upload(console, stage, workbook(rows))
    text = shown(pages, await console.one(call(stage.leader, path={"import_id": import_id})), stage.leader)
    assert "177****1111" in text
    assert "17700001111" not in text
    assert not re.search(r"\d{17}", text)


async def test_a_file_that_cannot_be_read_is_answered_on_the_form(
    stage: Stage, console: RosterPages, pages: Pages
) -> None:
    form = {"kind": "pupils", "coverage": "classes"}
    for files in ({}, {"file": Upload("a.xls", b"old")}):
        answer = await console.upload(call(stage.leader, form=form, files=files))
        assert isinstance(answer, Page)
        assert answer.status == 422
        assert ".xlsx" in shown(pages, answer, stage.leader)
    with pytest.raises(InvalidInput):
        await console.upload(call(stage.leader, form={}, files={"file": Upload("a.xlsx", b"PK")}))


async def test_who_has_left_is_ticked(stage: Stage, console: RosterPages, pages: Pages) -> None:
    rows = [row | {"class": "三年级1班"} for row in pupils(3, seed=4)]
    await stage.take(workbook(rows))
    import_id = await upload(console, stage, workbook(rows[:2]))
    here = {"import_id": import_id}
    answer = await console.one(call(stage.leader, path=here))
    assert rows[2]["name"] in shown(pages, answer, stage.leader)
    assert isinstance(answer, Page)
    (gone,) = answer.values["gone"]
    await console.apply(call(stage.leader, path=here, lists={"gone": [gone.subject_id]}))
    await stage.service.finished(import_id)
    assert await Pupil.filter(status="left").count() == 1


async def test_downloads_and_foreign_imports(stage: Stage, console: RosterPages) -> None:
    number = id_number(date(2017, 5, 6), 8)
    await stage.take(workbook([{"class": "三(1)班", "name": "林远", "id_number": number}]))
    template = await console.template(call(stage.leader, query={"kind": "pupils"}))
    book = await console.export(call(stage.leader, form={"kind": "pupils", "purpose": "check", "scope": ""}))
    assert isinstance(template, Download)
    assert isinstance(book, Download)
    assert book.name.endswith(".xlsx")
    other = leader_of(await make_school(stage.township))
    import_id = (await stage.service.history(stage.leader))[0].id
    for deed in (console.one, console.problems, console.apply, console.discard, console.undo, console.check):
        with pytest.raises(NotFound):
            await deed(call(other, path={"import_id": import_id}))
    for route in console.routes():
        assert route.action in (Action.ROSTER_IMPORT, Action.ROSTER_EXPORT)
        assert roles_for(route.action)
