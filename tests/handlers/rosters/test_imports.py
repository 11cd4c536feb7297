"""A roster from upload to undoing, on a real database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.clock import FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.identity import VISITOR
from bot.storage.base import blind_index
from handlers.accounts.domain import PupilStatus
from handlers.accounts.models import Guardianship, Person, Placement, Pupil, SchoolClass
from handlers.rosters.domain import ConflictsLeft, Coverage, ImportState, MoveNotAllowed, RowState
from handlers.rosters.models import Import, ImportChange, ImportPage
from handlers.rosters.service.imports import Choice
from tests.factories import make_class, make_guardianship, make_person, make_pupil, make_school
from tests.handlers.rosters.made_up import id_number, pupils, workbook
from tests.handlers.rosters.stage import Stage, digest_of_people, leader_of


def with_new_phones(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Each mother has another phone; brothers and sisters the same."""
    return [row | {"phone1": "177" + row["phone1"][3:]} for row in rows]


async def test_a_new_roster_makes_children_guardians_and_classes(stage: Stage) -> None:
    rows = pupils(90, seed=3)
    view = await stage.read(workbook(rows))
    assert view.state is ImportState.READY
    assert view.counts.of(RowState.NEW) == 90
    assert await Pupil.all().count() == 0, "a dry run writes nothing about people"
    assert len(view.counts.new_classes) == 3
    done = await stage.apply(view)
    assert done.state is ImportState.APPLIED
    assert done.progress == 100
    assert await Pupil.filter(status=PupilStatus.ENROLLED).count() == 90
    assert await Placement.all().count() == 90
    assert await SchoolClass.all().count() == 3
    named = {(row[f"name{n}"], row[f"phone{n}"]) for row in rows for n in (1, 2, 3) if f"name{n}" in row}
    assert await Person.exclude(id__in=[stage.leader.person_id, stage.administrator.person_id]).count() == len(named)
    links = sum(f"name{n}" in row for row in rows for n in (1, 2, 3))
    assert await Guardianship.all().count() == links
    assert await Guardianship.filter(bound_at__isnull=False).count() == 0, "being on a list proves nothing"


async def test_the_same_roster_again_changes_nothing(stage: Stage) -> None:
    content = workbook(pupils(60, seed=4))
    await stage.take(content)
    before = await digest_of_people()
    again = await stage.read(content)
    assert again.counts.of(RowState.UNCHANGED) == 60, [
        row for row in await stage.rows(again) if row.state is not RowState.UNCHANGED
    ]
    await stage.apply(again)
    assert await digest_of_people() == before


async def test_undoing_leaves_people_as_they_were(stage: Stage, clock: FrozenClock) -> None:
    first = pupils(50, seed=5)
    await stage.take(workbook(first))
    clock.advance(timedelta(days=9))
    before = await digest_of_people()
    changed = [
        row | {"phone2": f"188{n:08d}", "name2": f"{row['name1']}乙", "relation2": "爸爸"}
        for n, row in enumerate(first[:20])
    ]
    changed = [row | {"class": "六年级3班", "acting2": "是", "acting1": "否"} for row in changed]
    changed = [{key: value for key, value in row.items() if not key.endswith("3")} for row in changed]
    more = pupils(30, seed=6, offset=500)
    view = await stage.read(workbook([*changed, *first[20:], *more]))
    assert view.counts.of(RowState.CHANGED) >= 20
    assert view.counts.of(RowState.NEW) == 30
    done = await stage.apply(view)
    assert await digest_of_people() != before
    undone = await stage.undo(done)
    assert undone.state is ImportState.UNDONE, undone.failure
    assert await digest_of_people() == before
    assert await ImportChange.filter(source_id=view.id).count() == 0
    assert await ImportPage.filter(source_id=view.id).count() == 0
    with pytest.raises(MoveNotAllowed):
        await stage.service.undo(stage.leader, view.id)


async def test_what_later_depends_forbids_the_undoing_and_is_named(stage: Stage, clock: FrozenClock) -> None:
    done = await stage.take(workbook(pupils(5, seed=7)))
    clock.advance(timedelta(hours=1))
    link = await Guardianship.all().first()
    assert link is not None
    await Guardianship.filter(id=link.id).update(bound_at=clock.now())
    await Pupil.filter(id=link.pupil_id).update(name="改名", version=2)
    stays = await stage.undo(done)
    assert stays.state is ImportState.APPLIED
    assert "1位监护人已经绑定微信" in stays.failure
    assert "1名孩子的资料后来改过" in stays.failure
    assert await Pupil.all().count() == 5


async def test_a_later_import_forbids_the_undoing(stage: Stage, clock: FrozenClock) -> None:
    rows = pupils(5, seed=8)
    done = await stage.take(workbook(rows))
    clock.advance(timedelta(hours=1))
    await stage.take(workbook(with_new_phones(rows)))
    stays = await stage.undo(done)
    assert "后来又有1次导入" in stays.failure


async def test_what_changed_since_the_dry_run_is_not_overwritten(stage: Stage, clock: FrozenClock) -> None:
    rows = pupils(5, seed=9)
    await stage.take(workbook(rows))
    view = await stage.read(workbook(with_new_phones(rows)))
    person = await Person.filter(name=rows[0]["name1"]).first()
    assert person is not None
    await Person.filter(id=person.id).update(name="后来改名")
    before = await digest_of_people()
    stays = await stage.apply(view)
    assert stays.state is ImportState.READY
    assert "重新核对" in stays.failure
    assert await digest_of_people() == before
    await stage.service.check_again(stage.leader, view.id)
    await stage.service.finished(view.id)
    assert (await stage.service.look(stage.leader, view.id)).failure == ""


async def test_who_is_missing_is_shown_and_leaves_only_when_ticked(stage: Stage) -> None:
    rows = [row | {"class": "三年级1班"} for row in pupils(10, seed=10)]
    await stage.take(workbook(rows))
    view = await stage.read(workbook(rows[:8]))
    missing = await stage.rows(view, RowState.VANISHING)
    assert {row.name for row in missing} == {row["name"] for row in rows[8:]}
    ticked = missing[0]
    await stage.apply(view, Choice(gone=frozenset({str(ticked.subject_id)})))
    left = await Pupil.filter(status=PupilStatus.LEFT)
    assert [str(row.id) for row in left] == [ticked.subject_id]
    assert await Pupil.all().count() == 10, "nobody is deleted"


async def test_a_class_list_says_nothing_of_other_classes(stage: Stage) -> None:
    rows = [row | {"class": "三年级1班"} for row in pupils(6, seed=11)]
    other = [row | {"class": "四年级1班"} for row in pupils(6, seed=12, offset=100)]
    await stage.take(workbook([*rows, *other]))
    only_third = await stage.read(workbook(rows))
    assert only_third.counts.of(RowState.VANISHING) == 0
    whole_school = await stage.read(workbook(rows), coverage=Coverage.SCHOOLS)
    assert whole_school.counts.of(RowState.VANISHING) == 6


async def test_a_faulty_row_keeps_all_rows_out(stage: Stage) -> None:
    rows = pupils(4, seed=13)
    rows[2]["id_number"] = rows[2].get("id_number", "341302201705060015")[:17] + "A"
    view = await stage.read(workbook(rows))
    assert view.state is ImportState.FAULTY
    (bad,) = await stage.rows(view, RowState.FAULTY)
    assert bad.row == 4
    assert "身份证号" in bad.faults[0].column
    with pytest.raises(MoveNotAllowed, match="问题"):
        await stage.service.apply(stage.leader, view.id, Choice())


async def test_a_child_of_another_school_is_a_conflict_and_its_school_not_told(stage: Stage) -> None:
    other = await make_class(await make_school(stage.township))
    birth = pupils(1, seed=14)[0]["birth_date"]
    number = id_number(date.fromisoformat(birth), 7)
    child = await make_pupil(other, name="林远")
    await Pupil.filter(id=child.id).update(id_number=number, id_number_index=blind_index("id_number", number))
    row = {"class": "三年级1班", "name": "林远", "id_number": number}
    view = await stage.read(workbook([row, *pupils(2, seed=15)]))
    (clash,) = await stage.rows(view, RowState.CONFLICT)
    assert "转学" in clash.faults[0].text
    with pytest.raises(ConflictsLeft):
        await stage.service.apply(stage.leader, view.id, Choice())
    done = await stage.apply(view, Choice(leave_out_conflicts=True))
    assert done.state is ImportState.APPLIED
    moved = await stage.read(workbook([row | {"school": stage.school.name}]), actor=stage.administrator)
    assert moved.counts.of(RowState.CHANGED) == 1, "the township may move a child"


async def test_a_grown_up_with_affairs_elsewhere_is_not_changed_from_here(stage: Stage) -> None:
    mother = await make_person(name="王安宁", phone="13911112222")
    here = await make_pupil(await make_class(stage.school), name="林远")
    there = await make_pupil(await make_class(await make_school(stage.township)))
    await make_guardianship(here, mother)
    await make_guardianship(there, mother)
    row = {"class": "三年级1班", "name": "林远", "birth_date": "2017-05-06"}
    row |= {"name1": "王安宁", "relation1": "妈妈", "phone1": "13900000000"}
    view = await stage.read(workbook([row]))
    (clash,) = await stage.rows(view, RowState.CONFLICT)
    assert "别的学校" in clash.faults[0].text
    allowed = await stage.read(workbook([row | {"school": stage.school.name}]), actor=stage.administrator)
    assert allowed.counts.of(RowState.CHANGED) == 1


async def test_only_whoever_may_import_does(stage: Stage) -> None:
    content = workbook(pupils(1, seed=16))
    view = await stage.read(content)
    with pytest.raises(NotPermitted):
        await stage.read(content, actor=VISITOR)
    stranger = leader_of(await make_school(stage.township))
    with pytest.raises(NotFound):
        await stage.service.look(stranger, view.id)
    assert (await stage.service.look(stage.administrator, view.id)).id == view.id
    assert [each.id for each in await stage.service.history(stage.administrator)] == [view.id]
    assert await stage.service.history(stranger) == []


async def test_an_upload_that_is_given_up_keeps_nobody(stage: Stage) -> None:
    view = await stage.read(workbook(pupils(3, seed=17)))
    await stage.service.discard(stage.leader, view.id)
    assert await ImportPage.all().count() == 0
    assert (await Import.get(id=view.id)).head is None
    with pytest.raises(MoveNotAllowed):
        await stage.service.apply(stage.leader, view.id, Choice())
