"""The poll at term's end, which nobody can be found in, and the figures for the yearly appraisal."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.delivery.outbox import Outbox
from bot.errors import NotFound, NotPermitted
from bot.metrics import Metrics
from bot.storage.database import Database
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.after_school.domain.days import Presence
from handlers.after_school.domain.polls import AnswersInvalid, PollAnswered, PollClosed, PollInvalid
from handlers.after_school.models import AfterSchoolPoll, AfterSchoolPollCount, AfterSchoolPollVoter
from handlers.after_school.service.days.taking import Handed
from handlers.after_school.service.months.poll_pushes import PollPushes
from handlers.after_school.service.months.polls import PollService
from handlers.after_school.texts.polls import QUESTIONS
from tests.handlers.after_school.days_stage import LAST, TUESDAY, Replica, Service, add_child, at, make_service, replica


@pytest.fixture
def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Replica:
    clock.set(at(LAST, 9))
    return replica(clock, metrics)


@pytest.fixture
async def service(database: Database, clock: FrozenClock) -> Service:
    return await make_service(clock)


@pytest.fixture
def polls(stage: Replica, clock: FrozenClock, metrics: Metrics) -> PollService:
    return PollService(stage.reading, PollPushes(AccountsAudiences(), Outbox(clock, metrics)), Audit(clock), clock)


def all_of(choice: int) -> dict[str, int]:
    return dict.fromkeys(QUESTIONS, choice)


async def test_a_family_answers_once_and_nothing_tells_who_it_was(
    polls: PollService, service: Service, clock: FrozenClock
) -> None:
    leader, mother, plan = await service.actor(service.leader), await service.actor(service.mothers[0]), service.plan.id
    with pytest.raises(PollClosed):
        await polls.answer(mother, str(plan), all_of(1))
    with pytest.raises(PollInvalid):
        await polls.open(leader, str(plan), LAST - timedelta(days=1))
    await polls.open(leader, str(plan), LAST + timedelta(days=3))
    await polls.open(leader, str(plan), LAST + timedelta(days=5))
    assert [each.plan_id for each in await polls.pending(mother)] == [str(plan)]
    with pytest.raises(AnswersInvalid):
        await polls.answer(mother, str(plan), {"safety": 1})
    clock.advance(timedelta(hours=3))
    await polls.answer(mother, str(plan), all_of(2))
    with pytest.raises(PollAnswered):
        await polls.answer(mother, str(plan), all_of(1))
    assert await polls.pending(mother) == []
    assert sum(row.times for row in await AfterSchoolPollCount.all()) == len(QUESTIONS)
    poll, voter = await AfterSchoolPoll.get(), await AfterSchoolPollVoter.get()
    assert str(service.mothers[0].id) not in voter.voter
    assert {voter.created_at, *[row.updated_at for row in await AfterSchoolPollCount.all()]} == {poll.opens_at}
    assert not await AuditRow.exists(action="service.answer"), "when somebody answered would tell what"


async def test_only_families_of_the_plan_are_asked_and_only_the_school_reads(
    polls: PollService, service: Service, clock: FrozenClock
) -> None:
    leader, plan = await service.actor(service.leader), str(service.plan.id)
    await polls.open(leader, plan, LAST + timedelta(days=3))
    other = await make_service(clock)
    with pytest.raises(NotFound):
        await polls.answer(await other.actor(other.mothers[0]), plan, all_of(1))
    with pytest.raises(NotFound):
        await polls.figures(await other.actor(other.leader), plan)
    for person in (service.drawer, service.head):
        with pytest.raises(NotPermitted):
            await polls.results(await service.actor(person), plan)


async def test_results_come_when_nobody_can_answer_any_more_and_small_ones_never(
    polls: PollService, service: Service, clock: FrozenClock
) -> None:
    leader, plan = await service.actor(service.leader), str(service.plan.id)
    for _ in range(8):
        await add_child(service, service.room)
    await polls.open(leader, plan, LAST)
    for number, mother in enumerate(service.mothers):
        answers = {**all_of(1), "homework": 4 if number < 2 else 1}
        await polls.answer(await service.actor(mother), plan, answers)
    assert await polls.results(leader, plan) is None
    clock.set(at(LAST + timedelta(days=1), 8))
    results = {result.key: result for result in await polls.results(leader, plan) or ()}
    assert [cell.times for cell in results["safety"].cells or ()] == [12, 0, 0, 0]
    assert results["safety"].satisfied_percent == 100
    assert [cell.times for cell in results["homework"].cells or ()] == [None, 0, 0, None], "two could be subtracted"
    assert results["homework"].satisfied_percent is None


@pytest.mark.engine("postgres")
async def test_answers_at_the_same_moment_are_all_counted_and_one_family_s_once(
    polls: PollService, service: Service
) -> None:
    await polls.open(await service.actor(service.leader), str(service.plan.id), LAST)
    actors = [await service.actor(mother) for mother in service.mothers for _ in range(3)]
    tried = await asyncio.gather(
        *(polls.answer(actor, str(service.plan.id), all_of(1)) for actor in actors), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in tried) == ["NoneType"] * 4 + ["PollAnswered"] * 8
    assert {row.times for row in await AfterSchoolPollCount.filter(choice=1)} == {4}


async def test_counted_from_what_was_read_an_answer_would_be_lost_or_a_family_counted_twice(
    polls: PollService, service: Service
) -> None:
    """The negative control of the one above: a count written back, and a look whether somebody has answered, are out of
    date when another writes in between."""
    await polls.open(await service.actor(service.leader), str(service.plan.id), LAST)
    poll = await AfterSchoolPoll.get()
    careless = [await AfterSchoolPollCount.get(question="safety", choice=1) for _ in range(2)]
    has_answered = [await AfterSchoolPollVoter.exists(poll_id=poll.id, voter="v") for _ in range(2)]
    for row in careless:
        row.times += 1
        await row.save()
    assert (await AfterSchoolPollCount.get(question="safety", choice=1)).times == 1, "two families answered"
    assert has_answered == [False, False], "both would go on: only the key of the row keeps one family to one answer"
    moments: dict[str, Any] = {"created_at": poll.opens_at, "updated_at": poll.opens_at}
    await AfterSchoolPollVoter.create(poll_id=poll.id, voter="v", **moments)
    with pytest.raises(IntegrityError):
        await AfterSchoolPollVoter.create(poll_id=poll.id, voter="v", **moments)


async def test_every_figure_is_counted_and_says_what_it_means(
    stage: Replica, polls: PollService, service: Service, clock: FrozenClock
) -> None:
    said = {str(child.id): Presence.HERE for child in service.children}
    said[str(service.children[0].id)] = Presence.LEAVE
    handed = Handed(programme_id=str(service.course.id), day=TUESDAY, presences=said)
    await stage.taking.take(await service.actor(service.drawer), handed)
    clock.set(at(TUESDAY, 20))
    figures = await polls.figures(await service.actor(service.leader), str(service.plan.id))
    values = {figure.title: figure.value for figure in figures}
    # Until Tuesday: one lesson of drawing, two days of care that nobody has taken a roster of.
    assert values == {
        "上课": "计划3次，上了1次",
        "到课率": "75%",
        "没到又没请假": "0人次",
        "当天检查": "有课1天，检查了0天",
    }
    assert all(figure.definition.endswith("。") for figure in figures)
