"""Answers already given, by what they depend on. Bounded; emptied when the knowledge changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import date

from knowledge.answer import Answer
from knowledge.base import KnowledgeBase
from knowledge.entry import Audience, Stage
from knowledge.frame import Asker
from knowledge.normalise import normalise

CAPACITY = 4096
"""Answers kept. A full cache takes about 8 MiB."""

CacheKey = tuple[str, str | None, Stage | None, Audience | None, date]


class AnswerCache:
    """Answers of one knowledge base, keyed by normalised question, place, stage, role and day.

    Of two forms of a question the first one's answer serves both. Not for threads: one event loop owns it.
    """

    def __init__(self, base: KnowledgeBase, *, capacity: int = CAPACITY) -> None:
        self._base = base
        self._capacity = capacity
        self._answers: OrderedDict[CacheKey, Answer] = OrderedDict()
        self.hits = 0
        self.misses = 0

    @property
    def base(self) -> KnowledgeBase:
        """The knowledge base answered from."""
        return self._base

    def replace(self, base: KnowledgeBase) -> None:
        """Answer from `base` from now on; everything cached is of another version and is dropped."""
        self._base = base
        self._answers.clear()

    def answer(
        self,
        question: str,
        asker: Asker,
        *,
        last_question: str | None = None,
        compute: Callable[[], Answer] | None = None,
    ) -> Answer:
        """The answer, remembered or new. A question short enough to lean on the one before it is never remembered.

        `compute` replaces the base's own answer on a miss, for callers that time it.
        """
        key: CacheKey = (normalise(question), asker.place, asker.stage, asker.role, asker.today)
        if last_question is not None and len(key[0]) <= LEANING:
            return self._base.answer(question, asker, last_question=last_question)
        found = self._answers.get(key)
        if found is not None:
            self.hits += 1
            self._answers.move_to_end(key)
            return found
        self.misses += 1
        found = compute() if compute is not None else self._base.answer(question, asker)
        self._answers[key] = found
        if len(self._answers) > self._capacity:
            self._answers.popitem(last=False)
        return found

    def __len__(self) -> int:
        return len(self._answers)


LEANING = 12
"""Characters up to which a question may be a follow-up of the one before it."""
