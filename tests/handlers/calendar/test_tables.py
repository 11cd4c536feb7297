"""The tables of years that are shipped."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from importlib import import_module

from handlers.calendar.domain import check_table
from handlers.calendar.service.tables import revision_of, shipped


def test_the_tables_of_2024_to_2026_are_there_and_name_their_notice() -> None:
    assert set(shipped()) == {2024, 2025, 2026}
    for year, table in shipped().items():
        check_table(table)
        assert table.year == year
        assert f"{year}年" in table.source
        assert "国办发明电〔" in table.source


def test_a_table_more_and_a_table_changed_both_raise_the_revision() -> None:
    tables = shipped()
    later = {**tables, 2027: replace(tables[2026], year=2027)}
    corrected = {**tables, 2026: replace(tables[2026], revision=2)}
    assert revision_of(tables) < min(revision_of(later), revision_of(corrected))


def test_the_tables_say_what_chinesecalendar_says() -> None:
    theirs = import_module("chinese_calendar")
    for year, table in shipped().items():
        off = {one.first_day + timedelta(days=n) for one in table.holidays for n in range(10)
               if one.first_day + timedelta(days=n) in one}  # fmt: skip
        every = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
        for day in (day for day in every if day.year == year):
            works = day in table.make_up_days or (day.isoweekday() < 6 and day not in off)
            assert works is theirs.is_workday(day), day
