"""Runs jobs: APScheduler gives the ticks, the tasks are ours.

APScheduler cancels running coroutines when it stops, whatever it is told. So what it calls only starts a task that is
kept here; stopping ends the ticks first, then waits for the tasks.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from aiohttp import web
from apscheduler.events import EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.clock import SHANGHAI
from bot.errors import Unavailable
from bot.logs import get_logger, log_context
from bot.metrics import Metrics
from bot.scheduler.jobs import Daily, Every, Job, Trigger, Weekly

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

DRAIN_TIMEOUT_S = 10.0

log = get_logger(__name__)


class DuplicateJob(ValueError):
    """Two jobs have the same id: one would silently take the other's place."""


class Ticker:
    """The jobs of one process between `start` and `stop`."""

    def __init__(self, jobs: Sequence[Job], metrics: Metrics, *, drain_s: float = DRAIN_TIMEOUT_S) -> None:
        """`drain_s`: how long `stop` waits for runs under way before it cuts them."""
        ids = [job.id for job in jobs]
        if len(set(ids)) < len(ids):
            raise DuplicateJob(f"job ids must be unique: {sorted(ids)}")
        self._jobs = {job.id: job for job in jobs}
        self._metrics = metrics
        self._drain_s = drain_s
        self._running: dict[str, asyncio.Task[None]] = {}
        self._scheduler = AsyncIOScheduler(timezone=SHANGHAI)
        self._scheduler.add_listener(self._on_missed, EVENT_JOB_MISSED)

    def start(self) -> None:
        """Begins to tick."""
        for job in self._jobs.values():
            self._scheduler.add_job(
                self._tick,
                trigger_of(job.trigger),
                args=[job],
                id=job.id,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=max(1, int(job.grace.total_seconds())),
            )
        self._scheduler.start()

    async def stop(self) -> None:
        """Ends the ticks, waits for what runs, and cuts what does not end in time."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        tasks = list(self._running.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=self._drain_s)
        for task in late:
            log.warning("job_cut", job=task.get_name())
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def trigger(self, job_id: str) -> asyncio.Task[None] | None:
        """One tick now. None when a run of the job goes on already."""
        job = self._jobs[job_id]
        if job_id in self._running:
            self._metrics.jobs_total.labels(job_id, "overlapped").inc()
            log.info("job_overlapped", job=job_id)
            return None
        # A context of its own: a run must not inherit the transaction or the log fields of whoever caused the tick.
        task = asyncio.get_running_loop().create_task(self._run(job), name=job_id, context=contextvars.Context())
        self._running[job_id] = task
        task.add_done_callback(lambda _: self._running.pop(job_id, None))
        return task

    async def _tick(self, job: Job) -> None:
        self.trigger(job.id)

    async def _run(self, job: Job) -> None:
        with log_context(job=job.id):
            try:
                await job.run()
            except Unavailable as error:
                self._metrics.jobs_total.labels(job.id, "unavailable").inc()
                log.warning("job_put_off", cause=error.code)
            except Exception:
                self._metrics.jobs_total.labels(job.id, "failed").inc()
                log.exception("job_failed")
            else:
                self._metrics.jobs_total.labels(job.id, "done").inc()

    def _on_missed(self, event: JobEvent) -> None:
        self._metrics.jobs_total.labels(event.job_id, "missed").inc()
        log.warning("job_missed", job=event.job_id)


def trigger_of(trigger: Trigger) -> BaseTrigger:
    """The trigger as APScheduler knows it, in China's time."""
    match trigger:
        case Every(span):
            return IntervalTrigger(seconds=span.total_seconds(), timezone=SHANGHAI)
        case Daily(at):
            return CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=SHANGHAI)
        case Weekly(weekday, at):
            # Its own numbers begin with Monday as 0, crontab's with Sunday; names leave no doubt.
            day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[weekday - 1]
            return CronTrigger(day_of_week=day, hour=at.hour, minute=at.minute, second=at.second, timezone=SHANGHAI)


TICKER = web.AppKey("ticker", Ticker)


def scheduler_ctx(
    jobs: Callable[[web.Application], Sequence[Job]], metrics: Metrics
) -> Callable[..., AsyncIterator[None]]:
    """The ticker for the lifetime of the application. `jobs` is asked once everything the jobs need is there."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        ticker = Ticker(jobs(app), metrics)
        app[TICKER] = ticker
        ticker.start()
        yield
        await ticker.stop()

    return context
