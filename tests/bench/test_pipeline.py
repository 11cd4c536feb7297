"""What an answer costs that is in no cache, and how that grows with the knowledge."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

import pytest

from knowledge.answer import Answer
from knowledge.base import KnowledgeBase
from knowledge.cache import AnswerCache
from tests.bench.figures import Board, at_most, percentile, require
from tests.bench.machine import slowness
from tests.bench.questions import Asked, new_questions
from tests.bench.synthetic import entries_of

WARM_UP = 200
ASKED = 2_000
SMALL, LARGE = 500, 50_000
# In turn, so that both meet the same disturbances.
CHUNK = 100

pytestmark = pytest.mark.bench


class Timed:
    """A base behind an answer cache, and the milliseconds of processor that each answer took."""

    def __init__(self, base: KnowledgeBase) -> None:
        self.base = base
        self.cache = AnswerCache(base)
        self.millis: list[float] = []

    def ask(self, questions: Sequence[Asked]) -> None:
        """Answers them as the service does: from the cache, else from the base."""
        for question in questions:
            self.cache.answer(question.text, question.asker, compute=self._computation(question))

    def _computation(self, question: Asked) -> Callable[[], Answer]:
        def compute() -> Answer:
            started = time.process_time_ns()
            answer = self.base.answer(question.text, question.asker)
            self.millis.append((time.process_time_ns() - started) / 1e6)
            return answer

        return compute

    def warm_up(self, questions: Sequence[Asked]) -> None:
        """What the first questions have to load does not count."""
        self.ask(questions)
        self.millis.clear()
        self.cache.hits = self.cache.misses = 0

    @property
    def hit_rate(self) -> str:
        return f"hit rate {self.cache.hits / (self.cache.hits + self.cache.misses):.0%}"


def test_an_answer_that_is_in_no_cache_takes_little(board: Board, knowledge: KnowledgeBase) -> None:
    timed = Timed(knowledge)
    questions = new_questions(WARM_UP + ASKED, seed=1)
    timed.warm_up(questions[:WARM_UP])
    slow = [slowness()]
    for chunk in _chunks(questions):
        timed.ask(chunk)
    slow.append(slowness())
    assert timed.cache.hits == 0
    note = f"{len(timed.millis)} questions, {timed.hit_rate}, {knowledge.size} entries"
    figures = [
        board.add_scaled(
            f"answer without the cache, p{share:.0%}".rstrip("%"),
            percentile(timed.millis, share),
            "ms",
            goal=goal,
            slowness=median(slow),
            note=note,
        )
        for share, goal in ((0.5, at_most(2)), (0.99, at_most(8)))
    ]
    require(*figures)


def test_a_hundred_times_the_knowledge_does_not_take_long(board: Board, knowledge: KnowledgeBase) -> None:
    """The same questions of the same people to both; the large base holds the small one."""
    entries = entries_of(knowledge.entries, LARGE)
    small, large = Timed(KnowledgeBase(entries[:SMALL])), Timed(KnowledgeBase(entries))
    places = sorted({name for entry in entries[:SMALL] if (name := entry.plan.place.name)})
    questions = [_from_somewhere(asked, places) for asked in new_questions(WARM_UP + ASKED, seed=2)]
    del entries
    gc.collect()
    for timed in (small, large):
        timed.warm_up(questions[:WARM_UP])
    for chunk in _chunks(questions):
        small.ask(chunk)
        large.ask(chunk)
    assert small.cache.hits == large.cache.hits == 0
    tails = [percentile(timed.millis, 0.99) for timed in (small, large)]
    growth = board.add(
        f"p99 at {LARGE:,} entries / at {SMALL}", tails[1] / tails[0], goal=at_most(4), note=small.hit_rate
    )
    for timed, tail in zip((small, large), tails, strict=True):
        board.add(f"  p99 at {timed.base.size:,}", tail, "ms", note=f"p50 {percentile(timed.millis, 0.5):.2f} ms")
    require(growth)


def _chunks(questions: Sequence[Asked]) -> list[Sequence[Asked]]:
    return [questions[start : start + CHUNK] for start in range(WARM_UP, len(questions), CHUNK)]


def _from_somewhere(asked: Asked, places: Sequence[str]) -> Asked:
    """One in three says nothing of the place; the others live in one of the invented ones."""
    chance = random.Random(asked.text)
    place = chance.choice(places) if chance.random() < 2 / 3 else None
    return replace(asked, asker=replace(asked.asker, place=place))
