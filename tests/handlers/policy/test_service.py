"""The policy capability's services on a real database."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.clock import SHANGHAI, FrozenClock
from bot.errors import NotPermitted
from bot.identity import SYSTEM, Actor
from bot.library import KnowledgeLoading, Library
from bot.metrics import Metrics
from bot.storage.database import Database
from handlers.policy.domain import Reason, Remembered
from handlers.policy.models import AskedQuestion, Feedback
from handlers.policy.service.answers import AnswerService
from handlers.policy.service.profiles import ProfileService
from handlers.policy.service.question_log import MAX_WAITING, QuestionLog, Unanswered
from knowledge.base import KnowledgeBase
from tests.town import town_base

ACTOR, OTHER = Actor(openid_index="a" * 32), Actor(openid_index="b" * 32)


@pytest.fixture
def log(database: Database, clock: FrozenClock) -> QuestionLog:
    return QuestionLog(clock)


@pytest.fixture
async def answers(log: QuestionLog, clock: FrozenClock, metrics: Metrics) -> AnswerService:
    library: Library[KnowledgeBase] = Library(town_base)
    await library.load()
    return AnswerService(library, log, clock, metrics)


# -------------------------------------------------------------------------------------------------------------- answers
async def test_the_same_question_is_worked_out_once(answers: AnswerService, metrics: Metrics) -> None:
    first = answers.answer(ACTOR, "晚托多少钱")
    second = answers.answer(OTHER, "晚托 多少钱？")
    assert first.answer is second.answer
    value = metrics.registry.get_sample_value
    assert value("xiangxiao_answer_cache_total", {"result": "hit"}) == 1
    assert value("xiangxiao_answer_cache_total", {"result": "miss"}) == 1
    assert value("xiangxiao_answers_total", {"outcome": "answered"}) == 2


async def test_another_day_and_another_knowledge_are_worked_out_anew(
    log: QuestionLog, clock: FrozenClock, metrics: Metrics
) -> None:
    bases = [town_base(), KnowledgeBase(town_base().entries, "other")]
    library: Library[KnowledgeBase] = Library(lambda: bases.pop(0))
    await library.load()
    answers = AnswerService(library, log, clock, metrics)
    answers.answer(ACTOR, "晚托多少钱")
    clock.advance(timedelta(days=1))
    answers.answer(ACTOR, "晚托多少钱")
    await library.load()
    answers.answer(ACTOR, "晚托多少钱")
    assert metrics.registry.get_sample_value("xiangxiao_answer_cache_total", {"result": "miss"}) == 3


async def test_a_new_day_begins_at_midnight_in_china_and_an_old_one_may_return(
    answers: AnswerService, clock: FrozenClock, metrics: Metrics
) -> None:
    midnight = datetime(2026, 9, 2, tzinfo=SHANGHAI)
    misses = []
    for moment in (midnight - timedelta(seconds=1), midnight, midnight - timedelta(seconds=1), midnight):
        clock.set(moment)
        answers.answer(ACTOR, "晚托多少钱")
        misses.append(metrics.registry.get_sample_value("xiangxiao_answer_cache_total", {"result": "miss"}))
    assert misses == [1, 2, 2, 2]


async def test_a_question_that_stands_by_itself_is_cached_though_another_went_before(
    answers: AnswerService, metrics: Metrics
) -> None:
    """Otherwise the second question of everybody would be worked out anew each time."""
    before = Remembered("一个班最多多少人")
    answers.answer(ACTOR, "晚托多少钱", remembered=before)
    answers.answer(ACTOR, "晚托多少钱", remembered=before)
    assert metrics.registry.get_sample_value("xiangxiao_answer_cache_total", {"result": "hit"}) == 1


async def test_before_the_knowledge_is_there_it_says_so(log: QuestionLog, clock: FrozenClock, metrics: Metrics) -> None:
    answers = AnswerService(Library(town_base), log, clock, metrics)
    with pytest.raises(KnowledgeLoading):
        answers.answer(ACTOR, "晚托多少钱")


# ------------------------------------------------------------------------------------------------------------- profiles
async def test_a_place_is_kept_changed_and_cleared(database: Database, clock: FrozenClock) -> None:
    profiles = ProfileService(clock)
    assert await profiles.profile_of("a" * 32) == {}
    await profiles.set_place(ACTOR, "柳溪镇")
    await profiles.set_place(ACTOR, "鹤山镇")
    await profiles.set_place(OTHER, "柳溪镇")
    assert await profiles.profile_of("a" * 32) == {"place": "鹤山镇"}
    await profiles.clear_place(ACTOR)
    assert await profiles.profile_of("a" * 32) == {}
    assert await profiles.profile_of("b" * 32) == {"place": "柳溪镇"}


async def test_nobody_without_a_chat_has_a_place(database: Database, clock: FrozenClock) -> None:
    with pytest.raises(NotPermitted):
        await ProfileService(clock).set_place(SYSTEM, "柳溪镇")


# -------------------------------------------------------------------------------------------------------------- ratings
async def test_a_reason_is_taken_for_one_s_own_rating_only(answers: AnswerService) -> None:
    rating = await answers.rate(ACTOR, Remembered("晚托多少钱", article="care/fee"), is_helpful=False)
    await answers.give_reason(OTHER, rating, Reason.WRONG)
    assert not (await Feedback.get(id=rating)).reason
    await answers.give_reason(ACTOR, rating, Reason.UNCLEAR)
    assert (await Feedback.get(id=rating)).reason == "unclear"


# ------------------------------------------------------------------------------------------------------------------ log
async def test_questions_are_written_in_batches_and_counted(
    answers: AnswerService, log: QuestionLog, clock: FrozenClock
) -> None:
    for _ in range(3):
        answers.answer(ACTOR, "晚托多少钱")
    answers.answer(OTHER, "晚托多少钱")
    assert await AskedQuestion.all().count() == 0
    await log.flush()
    assert sorted([row.times for row in await AskedQuestion.all()]) == [1, 3]
    await log.flush()
    assert await AskedQuestion.all().count() == 2


async def test_small_talk_and_cries_for_help_are_not_logged(answers: AnswerService, log: QuestionLog) -> None:
    answers.answer(ACTOR, "你好")
    answers.answer(ACTOR, "我儿子被同学打了，天天被欺负")
    await log.flush()
    assert await AskedQuestion.all().count() == 0


async def test_what_was_not_answered_is_grouped_by_how_it_reads(
    answers: AnswerService, log: QuestionLog, clock: FrozenClock
) -> None:
    answers.answer(ACTOR, "食堂几点开饭？")
    answers.answer(OTHER, "请问食堂 几点开饭")
    clock.advance(timedelta(minutes=1))
    answers.answer(OTHER, "校车路线是哪些")
    answers.answer(OTHER, "晚托多少钱")
    await answers.rate(OTHER, Remembered("晚托多少钱", article="care/fee"), is_helpful=False)
    await log.flush()
    groups = await log.unanswered(clock.now() - timedelta(days=1))
    now = clock.now()
    assert groups == [
        Unanswered("食堂几点开饭", 2, now - timedelta(minutes=1), "declined"),
        Unanswered("晚托多少钱", 1, now, "unhelpful"),
        Unanswered("校车路线是哪些", 1, now, "declined"),
    ]
    assert await log.unanswered(now + timedelta(seconds=1)) == []


async def test_the_log_runs_in_the_background_and_writes_the_rest_when_it_ends(
    answers: AnswerService, log: QuestionLog
) -> None:
    async with log:
        answers.answer(ACTOR, "晚托多少钱")
    assert await AskedQuestion.all().count() == 1


async def test_a_flood_of_different_questions_fills_no_memory(log: QuestionLog) -> None:
    for number in range(MAX_WAITING + 50):
        log.note("a" * 32, f"问题{number}", "answered", None)
    await log.flush()
    assert await AskedQuestion.all().count() == MAX_WAITING


async def test_erasing_a_person_takes_their_questions_and_ratings(answers: AnswerService, log: QuestionLog) -> None:
    for actor in (ACTOR, OTHER):
        answers.answer(actor, "晚托多少钱")
        await answers.rate(actor, Remembered("晚托多少钱"), is_helpful=True)
    await log.flush()
    answers.answer(ACTOR, "晚托到几点")
    await log.erase("a" * 32)
    await log.flush()
    assert await AskedQuestion.all().count() == 1
    assert await Feedback.all().count() == 1
