"""The township's rule on a real database: versions, what one would change, who may write one, and the page."""

from __future__ import annotations

import asyncio
from datetime import date, time, timedelta

import pytest

from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.metrics import Metrics
from bot.storage.database import Database
from handlers.accounts.domain import AppointmentKind
from handlers.contacts.domain.clock import SUGGESTED, Beat, CadenceInvalid, ClauseMissing
from handlers.contacts.domain.register import Level
from handlers.contacts.models import ContactsDue, ContactsRule
from handlers.contacts.service.clock.rules import FEWEST_TOLD, RuleThere, SinceInvalid
from handlers.contacts.texts import clock as texts
from tests import factories
from tests.handlers.contacts.clock_stage import ClockStage, clock_stage, every, new_rule

FIRST = date(2026, 9, 1)
LATER = date(2026, 9, 21)


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> ClockStage:
    return await clock_stage(clock, metrics)


async def test_a_rule_ends_the_one_before_it_and_none_is_ever_changed(stage: ClockStage) -> None:
    first = await stage.rule()
    second = await stage.rule(LATER, cadence=every(20))
    rows = {str(row.id): row for row in await ContactsRule.all()}
    assert (rows[first].until, rows[second].until) == (LATER - timedelta(days=1), None)
    views = await stage.works.rules.versions(await stage.actor(stage.admin), str(stage.town.id))
    assert [(view.rule.id, view.is_current, view.is_coming) for view in views] == [
        (second, False, True),
        (first, True, False),
    ]
    assert views[1].by == stage.admin.name
    assert views[1].rule.cadence == SUGGESTED
    assert await AuditRow.filter(action="contacts.rules", purpose="set").count() == 2


async def test_it_holds_from_its_day_on_and_moves_what_is_due(stage: ClockStage) -> None:
    await stage.rule()
    child = await stage.enter(Level.YELLOW, stage.teacher)
    before = (await stage.due(child)).due_on
    await stage.rule(LATER, cadence=every(5))
    assert (await stage.due(child)).due_on == before == date(2026, 10, 8)
    await stage.morning(LATER)
    row = await stage.due(child)
    # It was not asked for before: nobody is overdue by it on its first day.
    assert row.due_on == LATER
    assert stage.days_of(stage.teacher) == [LATER]
    assert stage.days_of(stage.lead) == []


async def test_it_is_not_written_for_the_past_nor_before_another_nor_without_ground(stage: ClockStage) -> None:
    rules, admin, town = stage.works.rules, await stage.actor(stage.admin), str(stage.town.id)
    await stage.rule(LATER)
    for wrong, error in (
        (new_rule(FIRST - timedelta(days=1)), SinceInvalid),
        (new_rule(FIRST), RuleThere),
        (new_rule(LATER), RuleThere),
        (new_rule(LATER + timedelta(days=1), clause=" "), ClauseMissing),
        (new_rule(LATER + timedelta(days=1), steps=(3, 2, 6)), CadenceInvalid),
        (new_rule(LATER + timedelta(days=1), cadence={**SUGGESTED, Level.RED: Beat(90)}), CadenceInvalid),
    ):
        for deed in (rules.preview, rules.enact):
            with pytest.raises(error):
                await deed(admin, town, wrong)
    assert await ContactsRule.all().count() == 1


async def test_two_who_write_for_one_day_at_once_make_one_rule(stage: ClockStage) -> None:
    done = await asyncio.gather(*(stage.rule(LATER) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, str) for each in done) == 1
    assert await ContactsRule.all().count() == 1


async def test_only_the_township_writes_it_and_only_its_own(stage: ClockStage) -> None:
    rules, town = stage.works.rules, str(stage.town.id)
    for person in (stage.teacher, stage.head, stage.lead, stage.leader):
        actor = await stage.actor(person)
        for deed in (rules.versions(actor, town), rules.enact(actor, town, new_rule(FIRST)), rules.townships(actor)):
            with pytest.raises(NotPermitted):
                await deed
    other = await factories.make_person()
    await factories.make_appointment(
        AppointmentKind.TOWNSHIP_ADMINISTRATOR, other, township=await factories.make_township()
    )
    foreign = await stage.actor(other)
    for where in (town, "no-id"):
        with pytest.raises(NotFound):
            await rules.versions(foreign, where)
        with pytest.raises(NotFound):
            await rules.preview(foreign, where, new_rule(FIRST))
        with pytest.raises(NotFound):
            await rules.enact(foreign, where, new_rule(FIRST))
    assert not await ContactsRule.all().exists()


async def test_what_it_would_change_is_counted_and_few_children_are_not_told_apart(stage: ClockStage) -> None:
    await stage.rule()
    for _ in range(FEWEST_TOLD):
        await stage.enter(Level.YELLOW, stage.teacher)
    await stage.enter(Level.RED, stage.teacher)
    before = await ContactsDue.all().order_by("id").values()
    admin, town = await stage.actor(stage.admin), str(stage.town.id)
    calmer = {**SUGGESTED, Level.YELLOW: Beat(40, 90)}
    found = await stage.works.rules.preview(admin, town, new_rule(LATER, cadence=calmer))
    # One is red, and long due on that day: too few to be told.
    assert (found.children, found.sooner, found.later, found.due_at_once) == (6, 0, 5, None)
    found = await stage.works.rules.preview(admin, town, new_rule(LATER, cadence={**SUGGESTED, Level.RED: Beat(3, 30)}))
    assert (found.sooner, found.later) == (0, None)
    assert await ContactsDue.all().order_by("id").values() == before
    assert await ContactsRule.all().count() == 1


async def test_whoever_can_write_one_and_the_lead_are_told_that_there_is_none(stage: ClockStage) -> None:
    async def counts() -> list[int]:
        people = [await stage.actor(person) for person in (stage.admin, stage.lead, stage.leader, stage.teacher)]
        found = [await stage.works.rules.todos_of(actor) for actor in people]
        return [sum(todo.count for todo in todos if todo.title == texts.TODO_RULES) for todos in found]

    assert await counts() == [1, 1, 0, 0]
    await stage.rule(LATER)
    assert await counts() == [1, 1, 0, 0]
    stage.at(LATER, time(8))
    assert await counts() == [0, 0, 0, 0]


async def test_what_was_let_go_overdue_waits_for_the_lead(stage: ClockStage) -> None:
    async def waiting() -> list[dict[str, int]]:
        people = [await stage.actor(person) for person in (stage.teacher, stage.head, stage.lead, stage.admin)]
        found = [await stage.works.todos.todos_of(actor) for actor in people]
        return [{todo.title: todo.count for todo in todos if todo.count} for todos in found]

    await stage.rule()
    await stage.enter(Level.RED, stage.teacher)
    await stage.enter(Level.GREEN, stage.teacher)
    assert await waiting() == [{}, {}, {}, {}]
    await stage.go_to(date(2026, 9, 11))
    assert await waiting() == [{}, {}, {texts.TODO_LEAD: 1}, {}]
