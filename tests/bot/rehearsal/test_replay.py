"""Rehearsals of a demo township: without a trace, and at the moments at which something happens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from bot.clock import SHANGHAI
from bot.config import Settings
from bot.demo_township.build import plan_township
from bot.demo_township.fill import fill
from bot.demo_township.plan import TownshipPlan
from bot.rehearsal.lines import Line
from bot.rehearsal.replay import Span, Ticks, following, rehearse
from bot.scheduler.jobs import Daily, Every, Job, Rehearsed, Weekly
from bot.storage.database import open_database
from tests.handlers.reminders.content import base_of, entry, plan
from tests.programs import PIPE, running

DAYS = {
    "meeting": ("家长会", date(2025, 9, 17)),
    "make-up": ("秋季体检", date(2025, 10, 11)),
    "term-end": ("期末开放日", date(2026, 1, 15)),
    "spring": ("春季运动会", date(2026, 4, 9)),
    "last": ("毕业典礼", date(2026, 6, 30)),
}


async def filled(settings: Settings, today: date, families: int = 12) -> TownshipPlan:
    """A township, in a database that is closed again."""
    township = plan_township(today, families=families)
    async with open_database(settings):
        await fill(township, settings)
    return township


async def played(settings: Settings, span: Span, town: str, days: Mapping[str, tuple[str, date]]) -> list[Line]:
    """The lines of a rehearsal."""
    entries = [entry(id, what, day.isoformat(), stage="小学, 初中, 幼儿园") for id, (what, day) in days.items()]
    files = plan(*entries, town=town, year=span.first.year, until=f"{span.last.year}-12-31")
    base = base_of(files)
    return [line async for line in rehearse(settings, span, knowledge=lambda: base)]


# ------------------------------------------------------------------------------------------------------------ no trace
async def rows_of_all(settings: Settings) -> dict[str, list[str]]:
    """Everything in the database."""
    async with open_database(settings) as database:
        if database.engine == "postgres":
            _, tables = await database.connection.execute_query(
                "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
            )
        else:
            _, tables = await database.connection.execute_query(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        found = {}
        for table in tables:
            _, rows = await database.connection.execute_query(f'SELECT * FROM "{table["name"]}"')
            found[str(table["name"])] = sorted(repr(dict(row)) for row in rows)
    return found


async def test_a_rehearsal_changes_nothing(settings: Settings) -> None:
    township = await filled(settings, date(2025, 9, 1))
    before = await rows_of_all(settings)
    lines = await played(settings, Span(date(2025, 9, 12), date(2025, 9, 13)), township.name, DAYS)
    assert lines
    assert await rows_of_all(settings) == before


async def test_a_service_writes_meanwhile_and_only_its_rows_are_there_afterwards(settings: Settings) -> None:
    township = await filled(settings, date(2025, 9, 1))
    before = await rows_of_all(settings)
    url = settings.database.url.get_secret_value()
    writer = await running("tests.bot.rehearsal.writer", url, stdout=PIPE)
    assert writer.stdout is not None
    await writer.stdout.readline()
    lines = await played(settings, Span(date(2025, 9, 12), date(2025, 9, 13)), township.name, DAYS)
    writer.terminate()
    await writer.wait()
    assert lines
    after = await rows_of_all(settings)
    written = {name for name, rows in after.items() if rows != before[name]}
    assert written == {"consent_data_item"}
    assert len(after["consent_data_item"]) > len(before["consent_data_item"])


# ----------------------------------------------------------------------------------------------------------------- form
def test_a_line_has_the_fields_that_others_rely_on() -> None:
    line = Line(
        "2026-09-14T18:00:00+08:00", "knowledge.3", "reminder:knowledge", "p", None, "o", "by_hand", "sent", "话"
    )
    assert list(json.loads(line.as_json)) == [
        "at", "rule", "reason", "recipient", "child", "occurrence", "channel", "status", "text",
    ]  # fmt: skip


async def nothing() -> None:
    """A job's work."""


@pytest.mark.parametrize(
    ("trigger", "comes"),
    [
        (Every(timedelta(minutes=10)), "2026-09-14T12:00"),
        (Every(timedelta(hours=18)), "2026-09-14T18:00"),
        (Daily(time(7)), "2026-09-15T07:00"),
        (Daily(time(23)), "2026-09-14T23:00"),
        (Weekly(1, time(9)), "2026-09-14T09:00"),
        (Weekly(1, time(8)), "2026-09-21T08:00"),
        (Weekly(7, time(8)), "2026-09-20T08:00"),
    ],
)
def test_when_a_job_runs_next(trigger: Any, comes: str) -> None:
    now = datetime(2026, 9, 14, 8, 30, tzinfo=SHANGHAI)
    job = Job("job", trigger, nothing, rehearsed=Rehearsed(timedelta(hours=12)))
    assert following(job, now) == datetime.fromisoformat(comes).replace(tzinfo=SHANGHAI)


async def test_a_job_that_acts_on_the_minute_is_run_at_that_minute() -> None:
    begins = datetime(2026, 9, 14, tzinfo=SHANGHAI)
    wanted: list[datetime | None] = [begins + timedelta(hours=3, minutes=7), begins - timedelta(hours=1), None]

    async def next_due() -> datetime | None:
        return wanted.pop(0)

    job = Job("job", Every(timedelta(minutes=1)), nothing, rehearsed=Rehearsed(timedelta(hours=12), next_due))
    ticks, comes = Ticks([job], Span(begins.date(), begins.date())), []
    now = begins
    while wanted:
        list(ticks.due(now))
        await ticks.hasten(now)
        now = ticks.next(now)
        comes.append(now - begins)
    # What is past is left to the next tick of the usual pace.
    assert comes == [timedelta(hours=3, minutes=7), timedelta(hours=12), timedelta(hours=24)]
