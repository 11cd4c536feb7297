"""What families thought of a term, as counts without anybody behind them, and the figures of the yearly appraisal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from tortoise.expressions import F

from bot.audit.log import Audit
from bot.clock import SHANGHAI, Clock, local_date, to_utc
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, refusal, require
from bot.storage.database import transaction
from handlers.after_school.domain.days import ATTENDED, Presence
from handlers.after_school.domain.polls import (
    CHOICES,
    PollAnswered,
    PollClosed,
    PollInvalid,
    checked_answers,
    satisfied_percent,
    shown,
)
from handlers.after_school.models import (
    AfterSchoolAttendance,
    AfterSchoolDayCheck,
    AfterSchoolEnrolment,
    AfterSchoolPlan,
    AfterSchoolPoll,
    AfterSchoolPollCount,
    AfterSchoolPollVoter,
    AfterSchoolProgramme,
    AfterSchoolSession,
)
from handlers.after_school.service.days.reading import DayReading, place_of, spans_of
from handlers.after_school.service.months.plans import plan_of
from handlers.after_school.service.months.poll_pushes import PollPushes, voter
from handlers.after_school.service.months.views import Figure, QuestionResult
from handlers.after_school.texts import polls as texts


@dataclass(frozen=True, slots=True)
class OpenPoll:
    """A poll somebody can answer: the questions by key."""

    plan_id: str
    plan: str
    questions: Mapping[str, str]
    closes_at: datetime


class PollService:
    """The use cases of the school, which asks and reads, and of families, which answer once."""

    def __init__(self, reading: DayReading, telling: PollPushes, audit: Audit, clock: Clock) -> None:
        self._reading = reading
        self._telling = telling
        self._audit = audit
        self._clock = clock

    async def open(self, actor: Actor, plan_id: str, last_day: date) -> None:
        """Families are asked, and told so, until the end of a day; asked again, only that day changes. Raises NotFound,
        PollInvalid."""
        plan = await plan_of(actor, Action.SERVICE_APPRAISE, plan_id)
        now = self._clock.now()
        closes_at = to_utc(datetime.combine(last_day + timedelta(days=1), time(), SHANGHAI))
        if closes_at <= now:
            raise PollInvalid
        async with transaction():
            poll, is_new = await AfterSchoolPoll.get_or_create(
                plan_id=plan.id,
                defaults={
                    "id": uuid4(), "questions": list(texts.QUESTIONS), "opens_at": now, "closes_at": closes_at,
                    "opened_by": UUID(actor.person_id) if actor.person_id else None, "created_at": now,
                    "updated_at": now,
                },
            )  # fmt: skip
            if is_new:
                cells = [(question, choice) for question in texts.QUESTIONS for choice in range(1, CHOICES + 1)]
                await AfterSchoolPollCount.bulk_create(
                    AfterSchoolPollCount(
                        id=uuid4(), poll_id=poll.id, question=question, choice=choice, created_at=now, updated_at=now
                    )
                    for question, choice in cells
                )
                await self._telling.promise(poll, now)
            else:
                await AfterSchoolPoll.filter(id=poll.id).update(closes_at=closes_at, updated_at=now)
            about = f"after_school_plan:{plan.id}"
            await self._audit.record(actor, Action.SERVICE_APPRAISE, about, whose=place_of(plan), purpose="poll")

    async def pending(self, actor: Actor) -> list[OpenPoll]:
        """The polls the actor may answer and has not."""
        reach, now = require(actor, Action.SERVICE_ANSWER), self._clock.now()
        plans = await _plans_of_children([UUID(each) for each in reach.children])
        rows = AfterSchoolPoll.filter(plan_id__in=list(plans), opens_at__lte=now, closes_at__gt=now)
        found = []
        for row in await rows.order_by("closes_at", "id"):
            if not await AfterSchoolPollVoter.exists(poll_id=row.id, voter=voter(row.id, actor.person_id)):
                questions = {key: texts.QUESTIONS[key] for key in row.questions}
                found.append(OpenPoll(str(row.plan_id), plans[row.plan_id], questions, row.closes_at))
        return found

    async def answer(self, actor: Actor, plan_id: str, answers: Mapping[str, int]) -> None:
        """A guardian's answers become counts; only a fingerprint says that they have answered, and no moment is
        written. Raises NotFound, PollClosed, PollAnswered, AnswersInvalid."""
        reach, now = require(actor, Action.SERVICE_ANSWER), self._clock.now()
        plans = await _plans_of_children([UUID(each) for each in reach.children])
        if UUID(plan_id) not in plans:
            raise refusal(NotFound(), actor, Action.SERVICE_ANSWER, None)
        poll = await AfterSchoolPoll.get_or_none(plan_id=plan_id)
        if poll is None or not poll.opens_at <= now < poll.closes_at:
            raise PollClosed
        given = checked_answers(poll.questions, answers)
        async with transaction():
            _, is_new = await AfterSchoolPollVoter.get_or_create(
                poll_id=poll.id,
                voter=voter(poll.id, actor.person_id),
                # The moment of the poll, not of the answer: nobody is found by when they answered.
                defaults={"id": uuid4(), "created_at": poll.opens_at, "updated_at": poll.opens_at},
            )
            if not is_new:
                raise PollAnswered
            for question, choice in sorted(given.items()):
                cell = AfterSchoolPollCount.filter(poll_id=poll.id, question=question, choice=choice)
                await cell.update(times=F("times") + 1)

    # -------------------------------------------------------------------------------------------------------- figures
    async def results(self, actor: Actor, plan_id: str) -> list[QuestionResult] | None:
        """What was answered, once nobody can answer any more: two looks at counts would tell of those between. None:
        not yet. Raises NotFound."""
        plan = await plan_of(actor, Action.SERVICE_APPRAISE, plan_id)
        poll = await AfterSchoolPoll.get_or_none(plan_id=plan.id)
        if poll is None or self._clock.now() < poll.closes_at:
            return None
        times: dict[str, dict[int, int]] = defaultdict(dict)
        for row in await AfterSchoolPollCount.filter(poll_id=poll.id):
            times[row.question][row.choice] = row.times
        return [
            QuestionResult(key, texts.QUESTIONS[key], shown(times[key]), satisfied_percent(times[key]))
            for key in poll.questions
        ]

    async def figures(self, actor: Actor, plan_id: str) -> list[Figure]:
        """For the school's yearly appraisal, each with what it means. None of them compares classes or teachers.
        Raises NotFound."""
        plan = await plan_of(actor, Action.SERVICE_APPRAISE, plan_id)
        sessions = await AfterSchoolSession.filter(plan_id=plan.id, is_held=True)
        presences = [
            row.presence for row in await AfterSchoolAttendance.filter(session_id__in=[row.id for row in sessions])
        ]
        there = sum(each in ATTENDED for each in presences)
        percent = texts.PERCENT.format(percent=there * 100 // len(presences)) if presences else None
        missed = presences.count(Presence.MISSING)
        lessons = texts.LESSONS_VALUE.format(planned=await self._planned(plan, sessions), held=len(sessions))
        found = [
            Figure(texts.LESSONS, lessons, texts.LESSONS_MEANS),
            Figure(texts.ATTENDED, percent, texts.ATTENDED_MEANS),
            Figure(texts.MISSED, texts.MISSED_VALUE.format(times=missed), texts.MISSED_MEANS),
        ]
        if plan.school_id is not None:
            days = {row.day for row in sessions}
            checked = await AfterSchoolDayCheck.filter(school_id=plan.school_id, day__in=list(days)).count()
            words = texts.CHECKED_VALUE.format(days=len(days), checked=checked)
            found.append(Figure(texts.CHECKED, words, texts.CHECKED_MEANS))
        for result in await self.results(actor, plan_id) or ():
            share = result.satisfied_percent
            value = None if share is None else texts.PERCENT.format(percent=share)
            found.append(Figure(texts.SATISFIED.format(question=result.text), value, texts.SATISFIED_MEANS))
        return found

    async def _planned(self, plan: AfterSchoolPlan, sessions: Sequence[AfterSchoolSession]) -> int:
        """Lessons each group should have had until today: a service that goes class by class has as many groups as
        classes whose roster was ever taken."""
        rooms: dict[UUID, set[UUID | None]] = defaultdict(set)
        for row in sessions:
            rooms[row.programme_id].add(row.class_id)
        today, planned = local_date(self._clock.now()), 0
        for programme in await AfterSchoolProgramme.filter(plan_id=plan.id):
            days = [day for day in await self._reading.lesson_days(plan, programme) if day <= today]
            planned += len(days) * max(1, len(rooms[programme.id]))
        return planned


async def _plans_of_children(children: Sequence[UUID]) -> dict[UUID, str]:
    """The plans in which one of the children had a place once: id and title."""
    rows = await AfterSchoolEnrolment.filter(pupil_id__in=list(children))
    spans = await spans_of([row.id for row in rows])
    plans = {row.plan_id for row in rows if row.id in spans}
    return {row.id: row.title for row in await AfterSchoolPlan.filter(id__in=list(plans))}
