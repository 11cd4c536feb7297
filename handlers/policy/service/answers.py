"""Answering questions from the knowledge, and learning whether the answers helped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import UUID

from bot.clock import Clock, local_date, local_day
from bot.identity import Actor, Role
from bot.library import Library
from bot.metrics import Metrics
from bot.privacy import without_personal_data
from handlers.policy.domain import OfferedOption, Reason, Remembered
from handlers.policy.models import Feedback
from handlers.policy.service.question_log import QuestionLog, asker_of
from knowledge.answer import Answer, Option, Outcome
from knowledge.entry import Audience, Stage
from knowledge.frame import Asker, is_follow_up

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase
    from knowledge.cache import AnswerCache

# Longer questions stand by themselves.
_MAX_LEANING = 24
_MAX_KNOWN = 4096
_AUDIENCES = (
    (Role.ADMINISTRATOR, Audience.ADMIN),
    (Role.HEAD_TEACHER, Audience.HEAD),
    (Role.TEACHER, Audience.TEACHER),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and the note of what the person's next message may refer to (None: nothing new)."""

    answer: Answer
    note: str | None


class AnswerService:
    """One door to the knowledge for the chat and the API. Answering is quick and touches no store."""

    def __init__(self, library: Library[KnowledgeBase], log: QuestionLog, clock: Clock, metrics: Metrics) -> None:
        self._library = library
        self._log = log
        self._clock = clock
        self._metrics = metrics
        self._cache: AnswerCache | None = None
        # Whether a short question leans on the one before it, for questions met before.
        self._leaning: dict[str, bool] = {}
        # Who asks, as the knowledge sees it, by roles and place: worked out once a day.
        self._askers: dict[tuple[frozenset[Role], str | None], Asker] = {}
        self._day = (now := clock.now()), now
        # In front of the cache, whose key takes longer to work out than all the rest of an answer.
        self._as_typed: dict[tuple[str, str | None, Audience | None, date], Answered] = {}
        self._hit = metrics.answer_cache_total.labels("hit")
        self._miss = metrics.answer_cache_total.labels("miss")
        self._outcomes = {outcome: metrics.answers_total.labels(outcome) for outcome in Outcome}

    def answer(
        self,
        actor: Actor,
        question: str,
        *,
        place: str | None = None,
        remembered: Remembered | None = None,
        written: str | None = None,
    ) -> Answered:
        """The answer to a question; `written`: how it is logged and remembered, None for as it was asked. Raises
        KnowledgeLoading."""
        asker, written = self._asker(actor, place), question if written is None else written
        last = remembered.question if remembered else None
        cache = self._current()
        if last is not None and self.may_lean(question) and self._leans(cache.base, question, asker):
            answer = cache.base.answer(question, asker, last_question=last)
            return self.given(actor, written, answered(answer, last))
        found = self._cached(cache, question, asker)
        if written != question:
            found = answered(found.answer, written)
        return self.given(actor, written, found)

    def look(self, actor: Actor, question: str, *, place: str | None = None) -> Answered:
        """The answer to a question by itself, without counting or logging it: `given` does. Raises KnowledgeLoading."""
        return self._cached(self._current(), question, self._asker(actor, place))

    def about(self, answer: Answer) -> tuple[Collection[str], Collection[str]]:
        """Topics of the entry an answer was given from, and what it satisfies; nothing without an entry."""
        entry = self._current().base.entry(answer.article) if answer.article is not None else None
        return (entry.topics, entry.attributes) if entry is not None else ((), ())

    def may_lean(self, question: str) -> bool:
        """Whether what was asked before may matter to the answer."""
        return len(question) <= _MAX_LEANING and self._leaning.get(question, True)

    def choose(self, actor: Actor, number: int, remembered: Remembered, *, place: str | None = None) -> Answered:
        """The answer to the option of that number, which is one of `remembered.options`. Raises KnowledgeLoading."""
        base = self._current().base
        chosen = remembered.options[number - 1]
        option = Option(chosen.label, chosen.key, chosen.place, None if chosen.stage is None else Stage(chosen.stage))
        answer = base.choose(option, remembered.question, self._asker(actor, place))
        if base.locate(chosen.label).known or chosen.key is None:
            context = chosen.label + remembered.question  # what was asked, of the place or stage chosen
        else:
            context = chosen.label  # another question
        return self.given(actor, remembered.question, answered(answer, context))

    def knows_place(self, name: str) -> bool:
        """Whether any plan belongs to the place. Raises KnowledgeLoading."""
        return self._library.current.locate(name).known

    async def rate(self, actor: Actor, remembered: Remembered, *, is_helpful: bool) -> str:
        """Notes whether the last answer helped; gives the id of the rating."""
        now = self._clock.now()
        row = await Feedback.create(
            asker=asker_of(actor.openid_index or ""),
            question=without_personal_data(remembered.question),
            article=remembered.article,
            is_helpful=is_helpful,
            created_at=now,
            updated_at=now,
        )
        return str(row.id)

    async def give_reason(self, actor: Actor, rating: str, reason: Reason) -> None:
        """Why the answer did not help; only for the actor's own rating."""
        own = Feedback.filter(id=UUID(rating), asker=asker_of(actor.openid_index or ""))
        await own.update(reason=reason, updated_at=self._clock.now())

    def _current(self) -> AnswerCache:
        base = self._library.current
        if self._cache is None:
            from knowledge.cache import AnswerCache

            self._cache = AnswerCache(base)
        elif self._cache.base is not base:
            self._cache.replace(base)
            self._leaning.clear()
            self._as_typed.clear()
        return self._cache

    def _cached(self, cache: AnswerCache, question: str, asker: Asker) -> Answered:
        key = (question, asker.place, asker.role, asker.today)
        known = self._as_typed.get(key)
        if known is not None:
            self._hit.inc()
            return known
        hits = cache.hits
        answer = cache.answer(question, asker, compute=lambda: self._timed(cache.base, question, asker))
        (self._hit if cache.hits > hits else self._miss).inc()
        if len(self._as_typed) >= _MAX_KNOWN:
            self._as_typed.clear()
        known = self._as_typed[key] = answered(answer, question)
        return known

    def _timed(self, base: KnowledgeBase, question: str, asker: Asker) -> Answer:
        started = perf_counter()
        answer = base.answer(question, asker)
        self._metrics.answer_seconds.observe(perf_counter() - started)
        return answer

    def _leans(self, base: KnowledgeBase, question: str, asker: Asker) -> bool:
        known = self._leaning.get(question)
        if known is None:
            frame = base.framer.frame(question, asker)
            known = is_follow_up(frame, base.lexicon.tokenizer.words(frame.text))
            if len(self._leaning) >= _MAX_KNOWN:
                self._leaning.clear()
            self._leaning[question] = known
        return known

    def _asker(self, actor: Actor, place: str | None) -> Asker:
        now = self._clock.now()
        if not self._day[0] <= now < self._day[1]:
            self._day = local_day(now)
            self._askers.clear()
        asker = self._askers.get((actor.roles, place))
        if asker is None:
            if len(self._askers) >= _MAX_KNOWN:
                self._askers.clear()
            role = next((audience for role, audience in _AUDIENCES if role in actor.roles), Audience.PARENT)
            asker = self._askers[actor.roles, place] = Asker(local_date(now), place or None, role)
        return asker

    def given(self, actor: Actor, question: str, given: Answered) -> Answered:
        """Counts and logs an answer. What people tell in need does not belong into a log of questions."""
        answer = given.answer
        self._outcomes[answer.outcome].inc()
        if answer.alarm is None and answer.outcome is not Outcome.SMALL_TALK:
            self._log.note(actor.openid_index, question, answer.outcome, answer.article)
        return given


def answered(answer: Answer, context: str) -> Answered:
    """An answer with its note; `context` is what a follow-up would lean on."""
    if answer.alarm is not None or answer.outcome is Outcome.SMALL_TALK:
        return Answered(answer, None)
    options = tuple(
        OfferedOption(option.label, option.key, option.place, None if option.stage is None else str(option.stage))
        for option in answer.options
    )
    asked = answer.question or context
    return Answered(answer, Remembered(asked if options else context, options, answer.article).to_note())
