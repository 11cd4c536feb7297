"""Rehearsals of a demo township: complete, once, within the hours, and without a trace."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
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
from bot.rehearsal.replay import Span, following, rehearse
from bot.scheduler.jobs import Daily, Every, Job, Weekly
from bot.storage.database import open_database
from handlers.accounts.models import School
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.places import PlaceService
from handlers.calendar.service.calendars import CalendarService
from tests.handlers.reminders.content import base_of, entry, plan

DAYS = {
    "meeting": ("家长会", date(2025, 9, 17)),
    "make-up": ("秋季体检", date(2025, 10, 11)),
    "term-end": ("期末开放日", date(2026, 1, 15)),
    "spring": ("春季运动会", date(2026, 4, 9)),
    "last": ("毕业典礼", date(2026, 6, 30)),
}
NEXT_YEAR = {"new-year": ("新年联欢", date(2027, 1, 5)), "spring": ("开学典礼", date(2027, 3, 11))}


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


async def expected(settings: Settings, span: Span, days: Mapping[str, tuple[str, date]]) -> set[tuple[str, str, str]]:
    """Recipient, occurrence and day of every reminder of the knowledge: counted day by day, without the planner."""
    async with open_database(settings):
        calendars, audiences = CalendarService(PlaceService()), AccountsAudiences()
        found: set[tuple[str, str, str]] = set()
        for school in await School.filter(closed_on=None):
            calendar = await calendars.of(str(school.id))
            whom = Audience(
                roles=frozenset({AudienceRole.GUARDIANS}), schools=frozenset({str(school.id)}), has_points=False
            )
            people = [each.person_id for each in await audiences.people(whom, span.first)]
            for id, (_, day) in days.items():
                for lead in (3, 1):
                    goes_out, left = day, lead
                    while left:
                        goes_out -= timedelta(days=1)
                        left -= calendar.is_school_day(goes_out)
                    if span.first <= goes_out <= span.last:
                        key = f"plan/{id}@{span.first.year}#0|{lead}"
                        found |= {(person, key, goes_out.isoformat()) for person in people}
    return found


def told(lines: list[Line]) -> Counter[tuple[str, str, str]]:
    """The same of a rehearsal, digests taken apart."""
    return Counter(
        (line.recipient, occurrence, line.at[:10])
        for line in lines
        for occurrence, reason in _parts(line)
        if reason == "reminder:knowledge"
    )


def _parts(line: Line) -> list[tuple[str, str]]:
    reasons, occurrences = line.reason.split("+"), line.occurrence.split("+")
    knowledge = [each for each in occurrences if each.startswith("plan/")]
    return [(each, "reminder:knowledge") for each in knowledge] if "reminder:knowledge" in reasons else []


def check(lines: list[Line], wanted: set[tuple[str, str, str]]) -> None:
    """Zero missing, zero double, all within the hours."""
    found = told(lines)
    earliest: dict[tuple[str, str], str] = {}
    for person, key, day in sorted(wanted):
        earliest.setdefault((person, key), day)
    assert {(person, key): day for person, key, day in found} == earliest
    assert [each for each, times in found.items() if times > 1] == []
    hours = {datetime.fromisoformat(line.at).astimezone(SHANGHAI).time() for line in lines if line.status != "expired"}
    assert all(time(7) <= hour < time(21) for hour in hours), hours
    keys = Counter((line.reason, line.recipient, line.occurrence) for line in lines)
    assert [key for key, times in keys.items() if times > 1] == []


async def test_a_week_is_complete_and_told_once(settings: Settings) -> None:
    township = await filled(settings, date(2025, 9, 1))
    span = Span(date(2025, 9, 11), date(2025, 9, 16))
    lines = await played(settings, span, township.name, DAYS)
    wanted = await expected(settings, span, DAYS)
    assert len(wanted) > 20
    check(lines, wanted)
    assert [line.at for line in lines] == sorted(line.at for line in lines)


@pytest.mark.trial
async def test_the_school_year_is_complete_and_told_once(settings: Settings) -> None:
    township = await filled(settings, date(2025, 9, 1), families=60)
    span = Span(date(2025, 9, 1), date(2026, 7, 31))
    check(await played(settings, span, township.name, DAYS), await expected(settings, span, DAYS))


async def test_days_that_cross_into_a_year_without_a_table(settings: Settings) -> None:
    township = await filled(settings, date(2026, 9, 1))
    span = Span(date(2026, 12, 29), date(2027, 1, 4))
    lines = await played(settings, span, township.name, NEXT_YEAR)
    wanted = await expected(settings, span, NEXT_YEAR)
    assert wanted
    check(lines, wanted)


@pytest.mark.trial
async def test_a_school_year_that_crosses_into_one_without_a_table(settings: Settings) -> None:
    township = await filled(settings, date(2026, 9, 1), families=60)
    span = Span(date(2026, 9, 1), date(2027, 7, 31))
    check(await played(settings, span, township.name, NEXT_YEAR), await expected(settings, span, NEXT_YEAR))


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
    writer = await asyncio.create_subprocess_exec(*_writer(settings), stdout=asyncio.subprocess.PIPE)
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


def _writer(settings: Settings) -> list[str]:
    import sys
    from pathlib import Path

    program = Path(__file__).parent / "writer.py"
    return [sys.executable, str(program), settings.database.url.get_secret_value()]


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
        (Every(timedelta(minutes=10)), "2026-09-14T10:00"),
        (Every(timedelta(hours=6)), "2026-09-14T12:00"),
        (Daily(time(7)), "2026-09-15T07:00"),
        (Daily(time(23)), "2026-09-14T23:00"),
        (Weekly(1, time(9)), "2026-09-14T09:00"),
        (Weekly(1, time(8)), "2026-09-21T08:00"),
        (Weekly(7, time(8)), "2026-09-20T08:00"),
    ],
)
def test_when_a_job_runs_next(trigger: Any, comes: str) -> None:
    now = datetime(2026, 9, 14, 8, 30, tzinfo=SHANGHAI)
    assert following(Job("job", trigger, nothing), now) == datetime.fromisoformat(comes).replace(tzinfo=SHANGHAI)
