"""Lists of what families said that come in as a workbook: the dry run, entering, taking back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from datetime import timedelta

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from bot.clock import local_date
from bot.errors import NotFound
from handlers.after_school.domain.ledger import Standing
from handlers.after_school.domain.statements import ConsentHow, Source, Wish
from handlers.after_school.models import AfterSchoolIntake, AfterSchoolStatement
from handlers.after_school.service.collection.lists import ListView
from handlers.after_school.service.collection.records import CollectionRecords
from handlers.after_school.texts import collection as texts
from handlers.rosters.domain import (
    BaseChanged,
    ImportState,
    LaterDepends,
    MoveNotAllowed,
    NoSuchColumns,
    NoWorkbook,
    RowState,
)
from tests import factories
from tests.handlers.after_school.collecting import Collecting
from tests.handlers.after_school.stage import Stage

S = Standing
HEAD = ("班级", "姓名", "家长答复", "家长怎样说的", "课程", "不参加的原因")


@pytest.fixture
async def collecting(stage: Stage) -> Collecting:
    return await Collecting(stage).build()


def book(*rows: Sequence[str], head: Sequence[str] = HEAD) -> bytes:
    """A workbook with the rows."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate((head, *rows)):
            for place, cell in enumerate(row):
                sheet.write_string(number, place, cell)
    return buffer.getvalue()


GOOD = (
    ("三(1)班", "何若曦", "参加", "签字", "合唱", ""),
    ("三(1)班", "陈小满", "不参加", "电话", "", "爷爷接"),
    ("三(1)班", "杨平安", "", "", "", ""),
)


async def uploaded(collecting: Collecting, *rows: Sequence[str]) -> ListView:
    """By the head teacher; as it is then shown."""
    own = await collecting.lists.upload(collecting.head, collecting.plan, "意向表.xlsx", book(*rows))
    return await collecting.lists.look(collecting.head, collecting.plan, own)


async def applied(collecting: Collecting, *rows: Sequence[str]) -> str:
    """Entered; its id."""
    view = await uploaded(collecting, *rows)
    await collecting.lists.apply(collecting.head, collecting.plan, view.id)
    return view.id


async def test_a_list_is_looked_at_and_then_entered(collecting: Collecting) -> None:
    view = await uploaded(collecting, *GOOD)
    assert view.state is ImportState.READY
    assert [report.state for report in view.reports] == [RowState.NEW, RowState.NEW, RowState.UNCHANGED]
    assert not await AfterSchoolStatement.exists(), "looking enters nothing"
    assert await collecting.lists.apply(collecting.head, collecting.plan, view.id) == 2
    assert await collecting.standings() == [S.WANTS, S.NOT_JOINING, S.UNANSWERED, S.UNANSWERED, S.UNANSWERED]
    row = await AfterSchoolStatement.get(pupil_id=collecting.child(1))
    assert (row.source, row.consent_how, row.reason) == (Source.IMPORT, ConsentHow.BY_PHONE, "爷爷接")
    with pytest.raises(MoveNotAllowed):
        await collecting.lists.apply(collecting.head, collecting.plan, view.id)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("九(9)班", "何若曦", "参加", "签字"), texts.LIST_CLASS_UNKNOWN),
        (("三(1)班", "何小曦", "参加", "签字"), texts.LIST_CHILD_UNKNOWN),
        (("三(1)班", "何若曦", "也许", "签字"), texts.LIST_WISH_WRONG),
        (("三(1)班", "何若曦", "参加", ""), texts.LIST_HOW_WRONG),
        (("三(1)班", "何若曦", "参加", "签字", "游泳"), texts.LIST_COURSE_UNKNOWN),
        (("三(1)班", "何若曦", "不参加", "签字", "合唱"), texts.LIST_COURSE_NOT),
        (("三(1)班", "何若曦", "不参加", "签字", "", "长" * 201), texts.LIST_REASON_LONG),
    ],
)
async def test_one_bad_row_keeps_the_whole_out(collecting: Collecting, row: Sequence[str], words: str) -> None:
    view = await uploaded(collecting, GOOD[1], row)
    assert view.state is ImportState.FAULTY
    assert [fault.text for report in view.reports for fault in report.faults] == [words]
    with pytest.raises(MoveNotAllowed):
        await collecting.lists.apply(collecting.head, collecting.plan, view.id)
    content = await collecting.lists.problems(collecting.head, collecting.plan, view.id)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert words in str(rows[2][-1]), "the reason stands in a column of its own"
    assert rows[1][-1] in ("", None) or len(rows[1]) < len(rows[2])


async def test_namesakes_are_told_apart_by_number_and_nobody_is_named_twice(collecting: Collecting) -> None:
    twin = await factories.make_pupil(collecting.stage.room, name="何若曦", roster_number="G123")
    view = await uploaded(collecting, GOOD[0])
    assert view.reports[0].faults[0].text == texts.LIST_NAMESAKES
    head = (*HEAD, "学籍号")
    rows = [(*GOOD[0], "G123"), (*GOOD[0], "G123")]
    content = book(*rows, head=head)
    own = await collecting.lists.upload(collecting.head, collecting.plan, "a.xlsx", content)
    view = await collecting.lists.look(collecting.head, collecting.plan, own)
    assert [report.state for report in view.reports] == [RowState.NEW, RowState.FAULTY]
    assert view.reports[1].faults[0].text == texts.LIST_TWICE
    assert str(twin.id) not in (collecting.child(number) for number in range(5))


async def test_a_list_that_contradicts_the_family_says_so_and_overwrites_nothing(collecting: Collecting) -> None:
    await collecting.stage.sign_up(1, "合唱")
    view = await uploaded(collecting, GOOD[1])
    assert "说法不一" in view.reports[0].warnings[0].text
    collecting.stage.clock.advance(timedelta(minutes=1))
    await collecting.lists.apply(collecting.head, collecting.plan, view.id)
    assert (await collecting.standings())[1] is S.DISAGREEING
    assert await collecting.stage.states("合唱") == {"enrolled": 1}


async def test_the_same_list_again_enters_nothing(collecting: Collecting) -> None:
    await applied(collecting, *GOOD)
    view = await uploaded(collecting, *GOOD)
    assert not view.can_apply
    assert {report.state for report in view.reports} == {RowState.UNCHANGED}


async def test_what_has_changed_since_the_dry_run_is_not_entered(collecting: Collecting) -> None:
    view = await uploaded(collecting, *GOOD)
    await collecting.close()
    with pytest.raises(BaseChanged):
        await collecting.lists.apply(collecting.head, collecting.plan, view.id)
    assert not await AfterSchoolStatement.exists()


async def test_two_who_enter_one_list_enter_it_once(collecting: Collecting) -> None:
    view = await uploaded(collecting, *GOOD)
    asked = [collecting.lists.apply(actor, collecting.plan, view.id) for actor in (collecting.head, collecting.leader)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, BaseException) for each in found) == 1
    assert await AfterSchoolStatement.all().count() == 2


async def test_a_list_is_taken_back_as_a_whole_and_the_day_before_still_knows_it(collecting: Collecting) -> None:
    own = await applied(collecting, *GOOD)
    collecting.stage.clock.advance(timedelta(days=1))
    await collecting.lists.undo(collecting.head, collecting.plan, own)
    assert set(await collecting.standings()) == {S.UNANSWERED}
    yesterday = local_date(collecting.stage.clock.now()) - timedelta(days=1)
    tally = await collecting.tallies.of_class(collecting.head, collecting.plan, collecting.room, yesterday)
    assert tally.counts[S.NOT_JOINING.value] == 1
    assert (await AfterSchoolIntake.get()).sheet is None, "nothing of it is kept"


async def test_a_list_on_which_something_rests_is_not_taken_back(collecting: Collecting) -> None:
    own = await applied(collecting, *GOOD)
    collecting.stage.clock.advance(timedelta(minutes=1))
    await collecting.say(1, Wish.JOIN, ConsentHow.BY_PHONE, settles=True)
    await collecting.close()
    with pytest.raises(LaterDepends) as caught:
        await collecting.lists.undo(collecting.head, collecting.plan, own)
    assert caught.value.details == {"tallies": 1, "settled": 1}
    assert await AfterSchoolStatement.filter(taken_back_at=None).count() == 3


async def test_a_class_of_somebody_else_is_not_entered_and_its_list_is_not_there(collecting: Collecting) -> None:
    other = await factories.make_class(collecting.stage.school, grade=3, number=2)
    await factories.make_pupil(other, name="蒋青山")
    row = ("三(2)班", "蒋青山", "参加", "签字")
    view = await uploaded(collecting, row)
    assert view.reports[0].faults[0].text == texts.LIST_CLASS_UNKNOWN
    own = await collecting.lists.upload(collecting.leader, collecting.plan, "a.xlsx", book(row))
    _, mine = await collecting.lists.history(collecting.head, collecting.plan)
    assert own not in {each.id for each in mine}
    for asked in (collecting.lists.look, collecting.lists.apply, collecting.lists.undo, collecting.lists.discard):
        with pytest.raises(NotFound):
            await asked(collecting.head, collecting.plan, own)


async def test_the_form_brings_the_children_and_can_be_uploaded_as_it_is(collecting: Collecting) -> None:
    name, content = await collecting.lists.form(collecting.head, collecting.plan)
    assert name.endswith("三年级1班.xlsx")
    own = await collecting.lists.upload(collecting.head, collecting.plan, name, content)
    view = await collecting.lists.look(collecting.head, collecting.plan, own)
    assert len(view.reports) == 5
    assert {report.state for report in view.reports} == {RowState.UNCHANGED}


async def test_what_is_no_list_is_refused_as_a_whole(collecting: Collecting) -> None:
    with pytest.raises(NoWorkbook):
        await collecting.lists.upload(collecting.head, collecting.plan, "a.xlsx", b"no workbook")
    with pytest.raises(NoSuchColumns):
        await collecting.lists.upload(collecting.head, collecting.plan, "a.xlsx", book(("x",), head=("别的",)))
    assert not await AfterSchoolIntake.exists()


async def test_a_list_is_kept_encrypted_for_a_term_and_goes_with_a_child(collecting: Collecting) -> None:
    await uploaded(collecting, *GOOD)
    connection = AfterSchoolIntake._meta.db
    [row] = await connection.execute_query_dict("SELECT sheet FROM after_school_intake")
    assert "何若曦".encode() not in bytes(row["sheet"])
    records, today = CollectionRecords(), local_date(collecting.stage.clock.now())
    assert not await records.due(today)
    [due] = await records.due(today + timedelta(days=92))
    await records.dispose(due)
    assert (await AfterSchoolIntake.get()).sheet is None
    second = await uploaded(collecting, *GOOD)
    await records.erase_child(collecting.child(4), keep_duty=False)
    assert (await AfterSchoolIntake.get(id=second.id)).sheet is not None
    await records.erase_child(collecting.child(0), keep_duty=True)
    assert (await AfterSchoolIntake.get(id=second.id)).sheet is None
