"""Who is told when, what a township sets, what the figures of a year are, and what is kept, on a real database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tortoise.exceptions import BaseORMException

from bot.audit.models import AuditRow
from bot.delivery.pushes import NotNeeded, Purpose, Push, PushClass
from bot.errors import NotFound, NotPermitted
from bot.rights import Action
from handlers.term_check.domain.cases import (
    CaseEvent,
    CaseState,
    StepKind,
)
from handlers.term_check.domain.cases import (
    Stage as Rung,
)
from handlers.term_check.domain.figures import Level, RateName
from handlers.term_check.domain.rules import CheckRuleInvalid, Ladder
from handlers.term_check.models import (
    TermCheckAbsence,
    TermCheckReturn,
    TermCheckRule,
    TermCheckStep,
)
from handlers.term_check.service.cases import Ending, Talk
from handlers.term_check.service.records import KEPT_DAYS, CheckRecords
from tests import factories
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.term_check.stage import FIRST, NEXT_SPRING, Stage, at, opened

S = CaseState
WORDS = "见到奶奶，说下周一回来"


# -------------------------------------------------------------------------------------------------------------- ladder
async def test_a_child_that_stays_away_climbs_by_the_rule_and_each_is_told_once(stage: Stage) -> None:
    await stage.build((3,), (4,))
    home, centre = stage.schools
    await stage.rule(centre=centre)
    await stage.begin()
    room = home.rooms[0]
    await stage.report(room, room.children[0])
    await stage.go_to(date(2026, 9, 14))
    # The Saturday and the Sunday between do not count.
    assert await stage.told(home.leader, "school") == ["2026-09-02"]
    assert await stage.told(centre.leader, "centre") == ["2026-09-04"]
    assert await stage.told(stage.admin, "township") == ["2026-09-08"]
    assert (await stage.case_of(room.children[0])).stage is Rung.TOWNSHIP
    assert await stage.told(stage.admin, "school") == []
    lines = await stage.board.centre(await stage.actor(centre.leader))
    assert [(line.school, line.cases) for line in lines] == [(home.row.name, 1)]
    assert await stage.board.centre(await stage.actor(home.leader)) == []


async def test_without_a_rule_nothing_climbs_and_without_a_centre_the_township_is_told(stage: Stage) -> None:
    await stage.build()
    await stage.begin()
    room = stage.schools[0].rooms[0]
    await stage.report(room, room.children[0])
    await stage.go_to(date(2026, 9, 14))
    assert (await stage.case_of(room.children[0])).stage is Rung.CLASS
    await stage.rule()
    await stage.run()
    assert (await stage.case_of(room.children[0])).stage is Rung.TOWNSHIP
    assert await stage.told(stage.schools[0].leader, "school") == ["2026-09-14"]
    assert await stage.told(stage.admin, "centre") == await stage.told(stage.admin, "township") == ["2026-09-14"]


async def test_whoever_owes_a_report_is_asked_every_school_day_until_all_have_come(stage: Stage) -> None:
    await stage.build((3, 4))
    await stage.run()
    silent, good = stage.schools[0].rooms
    await stage.report(good)
    await stage.go_to(date(2026, 9, 8))
    days = ["2026-09-01", "2026-09-02", "2026-09-03", "2026-09-04", "2026-09-07", "2026-09-08"]
    assert await stage.told(silent.head, "return") == days
    assert await stage.told(good.head, "return") == days[:1]
    assert await stage.told(stage.schools[0].leader, "late") == days[1:]
    await stage.report(silent)
    await stage.go_to(date(2026, 9, 11))
    assert await stage.told(silent.head, "return") == days


async def composed(stage: Stage, word: str, place_id: str, person_id: str, day: date) -> object:
    """What a promise comes to now."""
    push = Push(
        "1", f"term_check:{word}", f"{place_id}:{day}", person_id, "", Purpose.TASK, PushClass.NORMAL, (), at(day),
        at(day, 20),
    )  # fmt: skip
    return (await stage.climbing.compose([push], stage.clock.now()))["1"]


async def test_what_is_said_names_no_child_and_nothing_is_said_that_is_not_so_any_more(stage: Stage) -> None:
    await stage.build()
    await stage.rule()
    await stage.begin()
    campus, room = stage.schools[0], stage.schools[0].rooms[0]
    head, school = str(room.head.id), str(campus.leader.id)
    for word, own, person in (("return", room.id, head),):
        said = await composed(stage, word, own, person, FIRST)
        assert "今天的到校情况还没有交" in said.text  # type: ignore[attr-defined]
    await stage.report(room, room.children[0])
    assert await composed(stage, "return", room.id, head, FIRST) == NotNeeded("settled")
    await stage.go_to(date(2026, 9, 2))
    said = await composed(stage, "school", campus.id, school, date(2026, 9, 2))
    assert "1名学生没有到校" in said.text  # type: ignore[attr-defined]
    assert all(child.name not in repr(said) + said.text for child in room.children)  # type: ignore[attr-defined]
    assert await composed(stage, "school", campus.id, head, date(2026, 9, 2)) == NotNeeded("not_theirs")
    await stage.report(room)
    assert await composed(stage, "school", campus.id, school, date(2026, 9, 2)) == NotNeeded("settled")


# --------------------------------------------------------------------------------------------------------------- rules
async def test_rules_follow_one_another_and_are_never_changed(stage: Stage) -> None:
    await stage.build()
    await stage.rule()
    with pytest.raises(CheckRuleInvalid):
        await stage.rule()
    await stage.rule(since=date(2026, 10, 8), ladder=Ladder(2, 2, 4))
    admin = await stage.actor(stage.admin)
    later, first = await stage.rules.rules(admin, str(stage.town.id))
    assert (first.until, later.until, later.ladder) == (date(2026, 10, 7), None, Ladder(2, 2, 4))
    for wrong in (
        {"since": date(2026, 8, 1)}, {"since": date(2026, 12, 1), "clause": " "},
        {"since": date(2026, 12, 1), "centre_school_id": str((await factories.make_school()).id)},
    ):  # fmt: skip
        with pytest.raises(CheckRuleInvalid):
            await stage.rule(**wrong)
    with pytest.raises(NotFound):
        await stage.rules.rules(admin, str((await factories.make_township()).id))
    with pytest.raises(NotPermitted):
        await stage.rules.townships(await stage.actor(stage.schools[0].leader))


async def test_the_database_refuses_to_change_what_was_written(stage: Stage) -> None:
    _, own = await opened(stage)
    await stage.rule()
    steps, returns, rules = TermCheckStep.filter(absence_id=own), TermCheckReturn.all(), TermCheckRule.all()
    for deed in (
        lambda: steps.update(on_day=date(2026, 9, 9)),
        lambda: steps.delete(),
        lambda: returns.update(counts={}),
        lambda: returns.delete(),
        lambda: rules.update(primary_limit=999),
        lambda: rules.delete(),
    ):
        with pytest.raises(BaseORMException):
            await deed()
    await TermCheckStep.filter(absence_id=own).update(words=None)


# ------------------------------------------------------------------------------------------------------------- figures
async def test_a_year_of_two_terms_counts_each_child_once(stage: Stage) -> None:
    await stage.build((3, 7))
    primary, junior = stage.schools[0].rooms
    await stage.rule()
    await stage.begin()
    await stage.report(primary, primary.children[0])
    leader = await stage.actor(stage.schools[0].leader)
    year = await stage.board.year(leader)
    assert (year.year, year.schools[0].silent) == (2026, 1)
    assert year.total[Level.JUNIOR].all.listed == 0, "a class that said nothing is in no figure"
    await stage.report(junior, junior.children[0])
    await stage.cases.end(leader, str((await stage.case_of(junior.children[0])).id), Ending(CaseEvent.RETURN))
    stage.clock.set(at(NEXT_SPRING.first_day))
    await stage.begin()
    for room in (primary, junior):
        await stage.report(room, *room.children[:1])
    year = await stage.board.year(leader)
    rate = year.total[Level.PRIMARY].rate(RateName.DROP_OUT)
    assert (rate.part, rate.whole, rate.is_below(year.rule.limits.primary if year.rule else 0)) == (1, 3, False)
    assert (year.total[Level.JUNIOR].rate(RateName.RETENTION).part, year.years) == (2, [2026])
    with pytest.raises(NotPermitted):
        await stage.board.year(await stage.actor(primary.head))
    await stage.board.export(leader)
    assert await AuditRow.filter(action=Action.CHECK_FIGURES.value, purpose="export").count() == 1


# ------------------------------------------------------------------------------------------------------------- records
async def test_a_family_is_told_when_and_what_came_of_it_and_no_more(stage: Stage) -> None:
    head, own = await opened(stage)
    await stage.cases.talk(head, own, Talk(StepKind.VISIT, WORDS))
    child = str((await TermCheckAbsence.get(id=own)).pupil_id)
    records = CheckRecords(stage.machinery.files, stage.clock)
    data = await records.child_data(child, str(stage.admin.id))
    assert data == {"开学清点": [{"哪天记为没到": "2026-09-01", "结果": "没到，去向还不清楚", "哪天办结": "还没有"}]}
    assert await records.dependents([child], []) == {"term_check_cases": 1}
    assert await records.dependents([], [str(stage.schools[0].rooms[0].head.id)]) == {"term_check_cases": 3}
    await records.erase_child(child, keep_duty=True)
    assert await TermCheckStep.filter(words__not_isnull=True).count() == 1
    await records.erase_child(child, keep_duty=False)
    assert await TermCheckStep.filter(words__not_isnull=True).count() == 0


async def test_words_and_proofs_go_when_their_term_is_over_and_the_figures_stay(stage: Stage) -> None:
    head, own = await opened(stage)
    await stage.cases.end(head, own, Ending(CaseEvent.TRANSFER, "转到县城二小", proof=png()))
    records = CheckRecords(stage.machinery.files, stage.clock)
    assert await records.due(FIRST + timedelta(days=KEPT_DAYS)) == []
    [due] = await records.due(FIRST + timedelta(days=KEPT_DAYS + 2))
    await records.dispose(due)
    await records.dispose(due)
    case = await stage.cases.one(head, own)
    assert (case.line.state, case.outcome, case.proofs) == (S.TRANSFERRED, "", [])
    assert await records.due(FIRST + timedelta(days=KEPT_DAYS + 2)) == []
