"""Plays a span through: planners tick, what is due is sent to nobody, and the next moment is the one at which something
happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from pydantic import SecretStr

from bot.app import ASSEMBLY, CLOCK, LIBRARY, METRICS, build_app, limiter_of, push_worker_of
from bot.capability import Capability
from bot.clock import SHANGHAI, FrozenClock, local_date, to_utc
from bot.config import Redis as RedisSection
from bot.config import Settings
from bot.delivery.outbox import CUSTOMER_SERVICE
from bot.delivery.push_worker import PushWorker
from bot.delivery.pushes import ChannelName
from bot.delivery.worker import DeliveryWorker
from bot.errors import Unavailable
from bot.library import KnowledgeLoading
from bot.logs import get_logger
from bot.rehearsal.lines import Letters, Line, Report, Stage, moment_in
from bot.rehearsal.shadow import open_shadow
from bot.scheduler.jobs import Daily, Every, Job, Weekly
from bot.storage.database import DATABASE, Database
from bot.storage.redis import REDIS, RedisStore, redis_client

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase

_MOST_ROUNDS: Final = 10_000
_DUE: Final = """
SELECT MIN(t.not_before) AS at FROM (
SELECT not_before FROM outbox_push WHERE status IN ('planned', 'held')
UNION ALL SELECT not_before FROM outbox_message WHERE status IN ('planned', 'held')) t
WHERE t.not_before > {mark}"""
_WAITS: Final = """
SELECT (SELECT COUNT(*) FROM outbox_push WHERE status IN ('planned', 'held') AND not_before <= {mark})
     + (SELECT COUNT(*) FROM outbox_message WHERE status IN ('planned', 'held') AND not_before <= {mark}) AS n"""
# What was sent within the span is sent once more.
_FORGET: Final = (
    "DELETE FROM outbox_push WHERE status NOT IN ('planned', 'held', 'sending') AND updated_at >= {mark}",
    "DELETE FROM outbox_message WHERE status NOT IN ('planned', 'held', 'sending') AND updated_at >= {mark}",
)
_FORGET_COUNTS: Final = "DELETE FROM delivery_count WHERE period >= {mark}"

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Span:
    """Days in China, both included."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        """The first moment, in UTC."""
        return to_utc(datetime.combine(self.first, time(), SHANGHAI))

    @property
    def ends(self) -> datetime:
        """The moment after the last, in UTC."""
        return to_utc(datetime.combine(self.last + timedelta(days=1), time(), SHANGHAI))

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1


async def rehearse(
    settings: Settings,
    span: Span,
    *,
    knowledge: Callable[[], KnowledgeBase] | None = None,
    capabilities: Sequence[Capability] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> AsyncIterator[Line]:
    """Every message of the span, in the order of their moments. Sends nothing and changes nothing.

    `knowledge` and `capabilities` as for `build_app`; `progress` is told days done and days in all. Raises
    DatabaseAway, NotMigrated, KnowledgeLoading for content that is faulty.
    """
    clock = FrozenClock(span.begins)
    own = settings.model_copy(update={"redis": RedisSection(url=SecretStr("memory://"))})
    app = build_app(own, clock=clock, worker=False, knowledge=knowledge, capabilities=capabilities)
    async with _opened(app, own) as database:
        rehearsal = Rehearsal(app, database, span, clock)
        async for line in rehearsal.lines(progress):
            yield line


@asynccontextmanager
async def _opened(app: web.Application, settings: Settings) -> AsyncIterator[Database]:
    async with open_shadow(settings) as database:
        app[DATABASE] = database
        app[REDIS] = RedisStore(redis_client("memory://"), app[METRICS])
        app[LIBRARY].start()
        try:
            if not await app[LIBRARY].settled():
                raise KnowledgeLoading
            yield database
        finally:
            await app[LIBRARY].close()
            await app[REDIS].close()


class Rehearsal:
    """One span over one shadow."""

    def __init__(self, app: web.Application, database: Database, span: Span, clock: FrozenClock) -> None:
        assembly = app[ASSEMBLY]
        self._connection = database.connection
        self._span = span
        self._clock = clock
        self._jobs = [job for job in assembly.jobs if job.rehearsed is not None]
        self._stage = Stage()
        self._report = Report(self._connection, assembly.pushes, database.keys, self._stage)
        self._pushes = push_worker_of(app, limiter_of(app), dict.fromkeys(ChannelName, self._stage))
        letters = Letters(self._stage, span.begins, clock.now)
        self._letters = DeliveryWorker(
            {CUSTOMER_SERVICE: letters}, checks=assembly.checks, clock=app[CLOCK], metrics=app[METRICS]
        )

    async def lines(self, progress: Callable[[int, int], None] | None = None) -> AsyncIterator[Line]:
        """See `rehearse`."""
        for statement in _FORGET:
            await self._run(statement, self._moment(self._span.begins))
        await self._run(_FORGET_COUNTS, self._span.first.isoformat())
        ticks = Ticks(self._jobs, self._span)
        told = -1
        try:
            while (now := self._clock.now()) < self._span.ends:
                for job in ticks.due(now):
                    await self._tick(job)
                async for line in self._sent():
                    yield line
                done = (local_date(now) - self._span.first).days
                if progress is not None and done != told:
                    told = done
                    progress(done, self._span.days)
                await ticks.hasten(now)
                self._clock.set(min(ticks.next(now), await self._next_due(now) or self._span.ends))
            if progress is not None:
                progress(self._span.days, self._span.days)
        finally:
            await _end(self._pushes)

    async def _tick(self, job: Job) -> None:
        try:
            await job.run()
        except Unavailable as error:
            _log.warning("rehearsed_job_put_off", job=job.id, cause=error.code)

    async def _sent(self) -> AsyncIterator[Line]:
        """What is due now, as often as sending makes something else due."""
        now = self._clock.now()
        for _ in range(_MOST_ROUNDS):
            if not await self._count(_WAITS, now):
                return
            claimed = await self._pushes.run_once() + await self._letters.run_once()
            for line in await self._report.since(now):
                yield line
            if not claimed:
                return

    async def _next_due(self, now: datetime) -> datetime | None:
        _, rows = await self._connection.execute_query(_DUE.format(mark=self._mark), [self._moment(now)])
        return moment_in(rows[0]["at"])

    async def _count(self, query: str, now: datetime) -> int:
        _, rows = await self._connection.execute_query(query.format(mark=self._mark), [self._moment(now)])
        return int(rows[0]["n"])

    async def _run(self, statement: str, value: Any) -> None:
        await self._connection.execute_query(statement.format(mark=self._mark), [value])

    @property
    def _mark(self) -> str:
        return "$1" if self._connection.capabilities.dialect == "postgres" else "?1"

    def _moment(self, moment: datetime) -> Any:
        return moment if self._connection.capabilities.dialect == "postgres" else moment.isoformat(" ")


class Ticks:
    """When jobs run. All of them at the first moment, since nobody knows when they last did."""

    def __init__(self, jobs: Sequence[Job], span: Span) -> None:
        self._next = {job.id: span.begins for job in jobs}
        self._jobs = jobs

    def due(self, now: datetime) -> Iterator[Job]:
        """Those whose time has come."""
        for job in self._jobs:
            if self._next[job.id] <= now:
                self._next[job.id] = following(job, now)
                yield job

    async def hasten(self, now: datetime) -> None:
        """Brings ticks forward to the minute at which their tables want them."""
        for job in self._jobs:
            if job.rehearsed is not None and job.rehearsed.next_due is not None:
                at = await job.rehearsed.next_due()
                if at is not None and at > now:
                    self._next[job.id] = min(self._next[job.id], at)

    def next(self, now: datetime) -> datetime:
        """The next tick after a moment."""
        return min((at for at in self._next.values() if at > now), default=now + timedelta(days=1))


def following(job: Job, now: datetime) -> datetime:
    """When a job runs next after a moment."""
    local = now.astimezone(SHANGHAI)
    match job.trigger:
        case Every(span):
            pace = span if job.rehearsed is None else max(span, job.rehearsed.pace)
            begins = local.replace(hour=0, minute=0, second=0, microsecond=0)
            return to_utc(begins + ((local - begins) // pace + 1) * pace)
        case Daily(at):
            today = datetime.combine(local.date(), at, SHANGHAI)
            return to_utc(today if today > local else today + timedelta(days=1))
        case Weekly(weekday, at):
            ahead = (weekday - local.isoweekday()) % 7
            day = datetime.combine(local.date() + timedelta(days=ahead), at, SHANGHAI)
            return to_utc(day if day > local else day + timedelta(days=7))


async def _end(worker: PushWorker) -> None:
    # Whatever it has in hand is of the shadow.
    await asyncio.shield(worker.stop())
