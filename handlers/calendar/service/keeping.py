"""Reading the calendars of a township from the tables, and writing what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from handlers.calendar.domain import Holiday, LocalDay, Term, YearTable
from handlers.calendar.models import CalendarState, LocalDays, SchoolTerm, SchoolWeek, YearRow
from handlers.calendar.service.town import OwnedDays, OwnedTerm, Town


async def changes_of_all() -> int:
    """How often the calendars of all townships were changed, together."""
    return sum(row.changes for row in await CalendarState.all().only("changes"))


async def read_town(township_id: str, *, lock: bool = False) -> Town:
    """The township as it stands; an empty one when nothing was entered. `lock`: nobody else changes it until the
    caller's transaction ends."""
    own = UUID(township_id)
    state = CalendarState.filter(township_id=own)
    found = await (state.select_for_update() if lock else state).first()
    terms = await SchoolTerm.filter(township_id=own)
    days = await LocalDays.filter(township_id=own)
    weeks = await SchoolWeek.filter(township_id=own)
    years = await YearRow.filter(township_id=own)
    return Town(
        township_id,
        found.changes if found else 0,
        {str(row.id): OwnedTerm(str(row.id), _text(row.school_id), _term(row)) for row in terms},
        {str(row.id): OwnedDays(str(row.id), _text(row.school_id), _local(row)) for row in days},
        {str(row.owner_id): frozenset(map(int, row.weekdays)) for row in weeks},
        {row.year: _table(row) for row in years},
    )


async def hold_town(township_id: str, now: datetime) -> Town:
    """The township as it stands, locked for whoever changes it, in their transaction."""
    row = CalendarState(township_id=UUID(township_id), created_at=now, updated_at=now)
    await CalendarState.bulk_create([row], ignore_conflicts=True)
    return await read_town(township_id, lock=True)


async def write_town(before: Town, after: Town, now: datetime) -> None:
    """Writes what differs, and counts the change. `before` was given by `hold_town`."""
    town = UUID(before.id)
    for term_id, term in _differing(before.terms, after.terms).items():
        await _put(SchoolTerm, term_id, _columns_of_term(town, term) if term else None, now)
    for days_id, days in _differing(before.days, after.days).items():
        await _put(LocalDays, days_id, _columns_of_days(town, days) if days else None, now)
    for owner_id, week in _differing(before.weeks, after.weeks).items():
        await SchoolWeek.filter(owner_id=UUID(owner_id)).delete()
        if week is not None:
            text = "".join(map(str, sorted(week)))
            await SchoolWeek.create(
                owner_id=UUID(owner_id), township_id=town, weekdays=text, created_at=now, updated_at=now
            )
    for year, table in _differing(before.years, after.years).items():
        await YearRow.filter(township_id=town, year=year).delete()
        if table is not None:
            await YearRow.create(**_columns_of_year(town, table), id=uuid4(), created_at=now, updated_at=now)
    await CalendarState.filter(township_id=town).update(changes=before.changes + 1, updated_at=now)


def _differing(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> dict[Any, Any]:
    """What is new or other, and None for what is gone."""
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    return {**changed, **{key: None for key in before if key not in after}}


async def _put(model: type[SchoolTerm | LocalDays], row_id: str, columns: dict[str, Any] | None, now: datetime) -> None:
    if columns is None:
        await model.filter(id=UUID(row_id)).delete()
    elif not await model.filter(id=UUID(row_id)).update(**columns, updated_at=now):
        await model.create(id=UUID(row_id), **columns, created_at=now, updated_at=now)


def _columns_of_term(town: UUID, one: OwnedTerm) -> dict[str, Any]:
    return {
        "township_id": town,
        "school_id": UUID(one.school_id) if one.school_id else None,
        "name": one.term.name,
        "first_day": one.term.first_day,
        "last_day": one.term.last_day,
    }


def _columns_of_days(town: UUID, one: OwnedDays) -> dict[str, Any]:
    return {
        "township_id": town,
        "school_id": UUID(one.school_id) if one.school_id else None,
        "kind": one.local.kind,
        "effect": one.local.effect,
        "name": one.local.name,
        "first_day": one.local.first_day,
        "last_day": one.local.last_day,
    }


def _columns_of_year(town: UUID, table: YearTable) -> dict[str, Any]:
    return {
        "township_id": town,
        "year": table.year,
        "source": table.source,
        "holidays": [[one.name, one.first_day.isoformat(), one.last_day.isoformat()] for one in table.holidays],
        "make_up_days": [day.isoformat() for day in table.make_up_days],
    }


def _term(row: SchoolTerm) -> Term:
    return Term(row.first_day, row.last_day, row.name)


def _local(row: LocalDays) -> LocalDay:
    return LocalDay(row.first_day, row.last_day, row.kind, row.effect, row.name)


def _table(row: YearRow) -> YearTable:
    holidays = tuple(Holiday(_day(first), _day(last), name) for name, first, last in row.holidays)
    return YearTable(row.year, row.source, holidays, tuple(map(_day, row.make_up_days)))


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _text(own: UUID | None) -> str | None:
    return str(own) if own else None
