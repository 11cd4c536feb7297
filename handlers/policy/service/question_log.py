"""What was asked, without personal data: noted at once, written in batches, grouped for whoever keeps the knowledge."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self

from bot.clock import Clock
from bot.errors import AppError
from bot.logs import get_logger
from bot.privacy import without_personal_data
from bot.storage.base import blind_index
from bot.storage.rows import insert_rows
from handlers.policy.models import AskedQuestion, Feedback

FLUSH_S = 10.0
# So many waiting are written before their time.
FULL = 2_000
MAX_WAITING = 10_000
UNHELPFUL = "unhelpful"
_DECLINED = "declined"
_MAX_ROWS = 50_000
_KNOWN_ASKERS = 20_000

_log = get_logger(__name__)

# Openid index (None: unknown), text, outcome, article.
_Key = tuple[str | None, str, str, str | None]


class Unanswered(NamedTuple):
    """Questions that read alike and were not answered. `outcome` is `declined`, or `unhelpful` when an answer did not
    help; `text` is in matching form."""

    text: str
    times: int
    last_at: datetime
    outcome: str


@dataclass(slots=True)
class _Count:
    times: int
    last_at: datetime


class QuestionLog:
    """The log of one process. As a context manager it writes in the background until it is left."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[_Key, _Count] = {}
        self._gone: set[str] = set()
        # Working out a fingerprint takes longer than looking it up, and most people ask several things.
        self._askers: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None

    def note(self, openid_index: str | None, text: str, outcome: str, article: str | None) -> None:
        """Notes a question. Costs a dictionary entry; dropped when far too many wait."""
        key = (openid_index, text, outcome, article)
        known = self._waiting.get(key)
        now = self._clock.now()
        if known is not None:
            known.times, known.last_at = known.times + 1, now
        elif (waiting := len(self._waiting)) < MAX_WAITING:
            self._waiting[key] = _Count(1, now)
            if waiting == FULL:
                self._wake.set()

    async def flush(self) -> None:
        """Writes what waits. Raises Unavailable; what waits goes on waiting then."""
        batch, self._waiting = self._waiting, {}
        cleaned = {text: without_personal_data(text) for text in {key[1] for key in batch}}
        rows = [self._row(key, count, cleaned) for key, count in batch.items()]
        try:
            if rows:
                await insert_rows(AskedQuestion, rows)
            while self._gone:
                await AskedQuestion.filter(asker=self._gone.pop()).delete()
        except AppError:
            for key, count in batch.items():
                if len(self._waiting) < MAX_WAITING:
                    self._waiting.setdefault(key, count)
            raise

    async def erase(self, openid_index: str) -> None:
        """Forgets a person's questions and ratings, in the caller's transaction."""
        for key in [key for key in self._waiting if key[0] == openid_index]:
            del self._waiting[key]
        asker = asker_of(openid_index)
        await AskedQuestion.filter(asker=asker).delete()
        await Feedback.filter(asker=asker).delete()
        # A batch under way may bring some of them in a moment: the next round looks once more.
        self._gone.add(asker)

    async def unanswered(self, since: datetime) -> list[Unanswered]:
        """What was not answered, or not helpfully, since a moment; the most asked first."""
        from knowledge.normalise import normalise

        groups: dict[tuple[str, str], _Count] = defaultdict(lambda: _Count(0, since))
        asked = AskedQuestion.filter(outcome=_DECLINED, updated_at__gte=since).limit(_MAX_ROWS)
        for row in await asked:
            _add(groups[normalise(row.text), row.outcome], row.times, row.updated_at)
        for rating in await Feedback.filter(is_helpful=False, created_at__gte=since).limit(_MAX_ROWS):
            _add(groups[normalise(rating.question), UNHELPFUL], 1, rating.created_at)
        found = [Unanswered(text, count.times, count.last_at, outcome) for (text, outcome), count in groups.items()]
        return sorted(found, key=lambda group: (-group.times, group.text))

    async def __aenter__(self) -> Self:
        self._is_stopping = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name="question_log")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._flush_quietly()

    def _row(self, key: _Key, count: _Count, cleaned: Mapping[str, str]) -> dict[str, object]:
        openid_index, text, outcome, article = key
        return {
            "asker": None if openid_index is None else self._asker_of(openid_index),
            "text": cleaned[text],
            "outcome": outcome,
            "article": article,
            "times": count.times,
            "created_at": count.last_at,
            "updated_at": count.last_at,
        }

    def _asker_of(self, openid_index: str) -> str:
        asker = self._askers.get(openid_index)
        if asker is None:
            if len(self._askers) >= _KNOWN_ASKERS:
                self._askers.clear()
            asker = self._askers[openid_index] = asker_of(openid_index)
        return asker

    async def _run(self) -> None:
        while not self._is_stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await self._wake.wait()
            self._wake.clear()
            if self._waiting or self._gone:
                await self._flush_quietly()

    async def _flush_quietly(self) -> None:
        try:
            await self.flush()
        except Exception as error:  # noqa: BLE001 - the log is kept off the path of answers, its troubles too
            _log.warning("questions_not_logged", waiting=len(self._waiting), cause=repr(error))


def asker_of(openid_index: str) -> str:
    """The fingerprint under which a person's questions are kept: not the one used elsewhere."""
    return blind_index("asker", openid_index)


def _add(count: _Count, times: int, at: datetime) -> None:
    count.times += times
    count.last_at = max(count.last_at, at)
