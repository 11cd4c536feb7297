"""The letter to parents: a slip for each child, whose code leads back only whoever may enter it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.audit.models import AuditRow
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor, Grant, Role
from bot.storage.database import transaction
from handlers.accounts.models import SchoolClass
from handlers.after_school.domain.offers import Grades
from handlers.after_school.models import AfterSchoolSlip
from handlers.after_school.service.offering.letters import LetterService, LettersOver, SlipUnknown
from handlers.after_school.service.records import KEPT_DAYS, AfterSchoolRecords
from tests import factories
from tests.handlers.after_school.stage import LAST, Stage, hours, pool


def letters(stage: Stage) -> LetterService:
    return stage.machinery.services.get(LetterService)


def head_of(stage: Stage, room: SchoolClass) -> Actor:
    return replace(stage.head, grants=(Grant(Role.HEAD_TEACHER, classes=frozenset({str(room.id)})),))


async def test_each_child_of_the_class_gets_a_letter_with_what_its_grade_may_choose(stage: Stage) -> None:
    await stage.build(3, grade=3)
    await stage.publish(pool("围棋", 5), pool("编程", 5, grades=Grades(5, 6), hours=hours("6")))
    found = await letters(stage).letters(stage.head, stage.plan_id, str(stage.room.id))
    assert [line.title for line in found.lines] == ["围棋"]
    assert {each.seat.child_id for each in found.letters} == {str(child.id) for child in stage.children}
    assert len({each.code for each in found.letters}) == 3
    again = await letters(stage).letters(stage.head, stage.plan_id, str(stage.room.id))
    assert again.letters == found.letters, "every copy leads back"
    assert await AuditRow.filter(purpose="letters").count() == 2


async def test_a_slip_leads_back_only_whoever_may_enter_it(stage: Stage) -> None:
    await stage.build(1, grade=3)
    await stage.publish(pool("围棋", 5))
    [letter] = (await letters(stage).letters(stage.head, stage.plan_id, str(stage.room.id))).letters
    own = (stage.plan_id, str(stage.children[0].id))
    for said in (letter.code, f" {letter.code[:4]}-{letter.code[4:]} ".lower()):
        assert await letters(stage).resolve(stage.head, said) == own
    assert await letters(stage).resolve(stage.admin, letter.code) == own
    other = head_of(stage, await factories.make_class(stage.school, grade=3, number=2))
    with pytest.raises(SlipUnknown) as foreign:
        await letters(stage).resolve(other, letter.code)
    with pytest.raises(SlipUnknown) as nobodys:
        await letters(stage).resolve(other, "ACDE-3467")
    assert foreign.value.message == nobodys.value.message
    with pytest.raises(NotPermitted):
        await letters(stage).resolve(stage.guardians[0], letter.code)
    with pytest.raises(NotFound):
        await letters(stage).letters(other, stage.plan_id, str(stage.room.id))


@pytest.mark.engine("postgres")
async def test_two_who_print_at_the_same_moment_print_the_same_codes(stage: Stage) -> None:
    await stage.build(8)
    await stage.publish(pool("围棋", 5))
    printed = await asyncio.gather(
        *(letters(stage).letters(stage.head, stage.plan_id, str(stage.room.id)) for _ in range(4))
    )
    assert all(found.letters == printed[0].letters for found in printed)
    assert await AfterSchoolSlip.all().count() == 8


async def test_letters_are_for_what_may_still_be_answered(stage: Stage) -> None:
    await stage.build(1)
    view = await stage.offers.write(stage.admin, stage.draft(pool("围棋", 5)))
    with pytest.raises(NotFound):
        await letters(stage).letters(stage.head, view.id, str(stage.room.id))
    await stage.publish(pool("书法", 5))
    assert [plan.id for plan in await letters(stage).plans(stage.head)] == [stage.plan_id]
    await stage.offers.close(stage.admin, stage.plan_id, stage.version)
    with pytest.raises(LettersOver):
        await letters(stage).letters(stage.head, stage.plan_id, str(stage.room.id))
    assert await letters(stage).plans(stage.head) == []


async def test_slips_go_with_the_child_and_with_the_term(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(pool("围棋", 5))
    await letters(stage).letters(stage.head, stage.plan_id, str(stage.room.id))
    records, own = AfterSchoolRecords(stage.leaving), str(stage.children[0].id)
    assert await records.dependents([own], []) == {"after_school": 1}
    async with transaction():
        await records.erase_child(own, keep_duty=False)
    assert await AfterSchoolSlip.all().count() == 1
    [due] = await records.due(LAST + timedelta(days=KEPT_DAYS + 1))
    await records.dispose(due)
    assert await AfterSchoolSlip.all().count() == 0
    assert await records.due(LAST + timedelta(days=KEPT_DAYS + 1)) == []
