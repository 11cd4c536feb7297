"""Ticks: who may run when, and that stopping waits for what was begun."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta

import pytest
from aiohttp import web

from bot.clock import SHANGHAI
from bot.errors import Unavailable
from bot.logs import request_id
from bot.metrics import Metrics
from bot.scheduler.jobs import Daily, Every, Job, Trigger, Weekly
from bot.scheduler.runner import DuplicateJob, Ticker, scheduler_ctx, trigger_of

NEVER = Every(timedelta(days=365))
# A Tuesday.
MORNING = datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI)


def job(run: Callable[[], Awaitable[object]], trigger: Trigger = NEVER, job_id: str = "job") -> Job:
    return Job(job_id, trigger, run)


def counted(metrics: Metrics, result: str) -> float:
    return metrics.registry.get_sample_value("xiangxiao_jobs_total", {"job": "job", "result": result}) or 0


@pytest.mark.parametrize(
    ("trigger", "after", "due"),
    [
        (Daily(time(7, 30)), MORNING, datetime(2026, 9, 2, 7, 30, tzinfo=SHANGHAI)),
        (Daily(time(8, 30)), MORNING, datetime(2026, 9, 1, 8, 30, tzinfo=SHANGHAI)),
        (Weekly(1, time(7, 0)), MORNING, datetime(2026, 9, 7, 7, 0, tzinfo=SHANGHAI)),
        (Weekly(2, time(9, 0)), MORNING, datetime(2026, 9, 1, 9, 0, tzinfo=SHANGHAI)),
        (Weekly(7, time(7, 0)), MORNING, datetime(2026, 9, 6, 7, 0, tzinfo=SHANGHAI)),
    ],
)
def test_triggers_mean_the_clock_and_the_weekdays_of_china(trigger: Trigger, after: datetime, due: datetime) -> None:
    assert trigger_of(trigger).get_next_fire_time(None, after) == due


async def test_a_job_runs_again_and_again(metrics: Metrics) -> None:
    runs, enough = 0, asyncio.Event()

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            enough.set()

    ticker = Ticker([job(run, Every(timedelta(milliseconds=10)))], metrics)
    ticker.start()
    async with asyncio.timeout(60):
        await enough.wait()
    await ticker.stop()
    assert counted(metrics, "done") >= 3


async def test_stopping_waits_for_a_run_under_way(metrics: Metrics) -> None:
    begun, go_on, finished = asyncio.Event(), asyncio.Event(), False

    async def run() -> None:
        nonlocal finished
        begun.set()
        await go_on.wait()
        finished = True

    ticker = Ticker([job(run, Every(timedelta(milliseconds=10)))], metrics)
    ticker.start()
    async with asyncio.timeout(60):
        await begun.wait()
    stopping = asyncio.create_task(ticker.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    go_on.set()
    await stopping
    assert finished


async def test_a_run_that_does_not_end_is_cut_at_last(metrics: Metrics) -> None:
    cut = asyncio.Event()

    async def run() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    ticker = Ticker([job(run)], metrics, drain_s=0.01)
    ticker.trigger("job")
    await asyncio.sleep(0)
    await ticker.stop()
    assert cut.is_set()


async def test_runs_of_one_job_do_not_overlap(metrics: Metrics) -> None:
    go_on = asyncio.Event()
    ticker = Ticker([job(go_on.wait)], metrics)
    first = ticker.trigger("job")
    assert first is not None
    assert ticker.trigger("job") is None
    assert counted(metrics, "overlapped") == 1
    go_on.set()
    await first
    again = ticker.trigger("job")
    assert again is not None
    await again


@pytest.mark.parametrize(("error", "result"), [(Unavailable(), "unavailable"), (ZeroDivisionError(), "failed")])
async def test_a_run_that_fails_is_counted_and_the_next_one_comes(
    metrics: Metrics, error: Exception, result: str
) -> None:
    faults = [error]

    async def run() -> None:
        if faults:
            raise faults.pop()

    ticker = Ticker([job(run)], metrics)
    for _ in range(2):
        task = ticker.trigger("job")
        assert task is not None
        await task
    assert counted(metrics, result) == 1
    assert counted(metrics, "done") == 1


async def test_a_run_knows_nothing_of_the_request_that_caused_it(metrics: Metrics) -> None:
    seen: list[str | None] = []

    async def run() -> None:
        seen.append(request_id.get())

    token = request_id.set("r-1")
    task = Ticker([job(run)], metrics).trigger("job")
    request_id.reset(token)
    assert task is not None
    await task
    assert seen == [None]


async def test_two_jobs_may_not_have_one_id(metrics: Metrics) -> None:
    with pytest.raises(DuplicateJob):
        Ticker([job(asyncio.Event().wait), job(asyncio.Event().wait)], metrics)


async def test_the_ticker_lives_as_long_as_the_application(metrics: Metrics) -> None:
    ran = asyncio.Event()

    async def run() -> None:
        ran.set()

    app = web.Application()
    app.cleanup_ctx.append(scheduler_ctx(lambda _: [job(run, Every(timedelta(milliseconds=10)))], metrics))
    application_runner = web.AppRunner(app)
    await application_runner.setup()
    async with asyncio.timeout(60):
        await ran.wait()
    await application_runner.cleanup()
