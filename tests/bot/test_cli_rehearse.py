"""The command that plays a span of the calendar through."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import build_cli
from bot.config import Settings
from bot.demo_township.build import plan_township
from bot.demo_township.fill import fill
from bot.errors import Unavailable
from bot.rehearsal.lines import Line
from bot.rehearsal.replay import Span, rehearse
from bot.storage.database import open_database
from tests.handlers.reminders.content import base_of, entry, plan
from tests.settings import write_config

LINE = Line(
    "2026-09-14T18:00:00+08:00",
    "knowledge.3",
    "reminder:knowledge",
    "p",
    None,
    "o",
    "by_hand",
    "unreachable",
    "字" * 60,
)


def test_a_span_that_ends_before_it_begins_is_wrong_use(settings: Settings, tmp_path: Path) -> None:
    config = write_config(settings, tmp_path / "config.toml")
    arguments = ["rehearse", "--config", str(config), "--from", "2026-09-02", "--to", "2026-09-01"]
    result = CliRunner().invoke(build_cli(arguments), arguments)
    assert result.exit_code == 2
    assert "--to" in result.output


def test_a_line_of_json_is_one_line() -> None:
    assert "\n" not in LINE.as_json
    assert json.loads(LINE.as_json)["child"] is None


def test_a_database_that_is_not_there_is_said_so_and_not_made(bare_settings: Settings) -> None:
    base = base_of(plan(entry("one", "家长会", "2026-09-17")))

    async def play() -> None:
        async for _ in rehearse(bare_settings, Span(date(2026, 9, 1), date(2026, 9, 2)), knowledge=lambda: base):
            pytest.fail("nothing can be rehearsed")

    with pytest.raises(Unavailable):
        asyncio.run(play())
    path = Path(bare_settings.database.url.get_secret_value().removeprefix("sqlite:///"))
    assert not path.exists()


def test_the_sheet_names_moment_rule_way_and_who_is_not_reached(settings: Settings, tmp_path: Path) -> None:
    asyncio.run(filled(settings))
    config = write_config(settings, tmp_path / "config.toml")
    span = ["--from", "2026-09-01", "--to", "2026-09-02"]
    said = {}
    for option in ("", "--each", "--json"):
        arguments = ["rehearse", "--config", str(config), *span, *([option] if option else [])]
        result = CliRunner().invoke(build_cli(arguments), arguments)
        assert result.exit_code == 0, result.output
        said[option] = result.stdout
    for must in ("9月1日（周二）07:30", "开学核对班级名单（到期前提醒）", "送不到", "班主任", "送不到的共"):
        assert must in said[""], said[""]
    lines = said["--each"].splitlines()
    told = [json.loads(line) for line in said["--json"].splitlines()]
    assert len(told) == sum(line.startswith("9月") for line in lines) > len(said[""].splitlines()) / 10
    assert all("whom" not in line for line in told)


async def filled(settings: Settings) -> None:
    """A township on its first day of school."""
    async with open_database(settings):
        await fill(plan_township(date(2026, 9, 1), families=3), settings)
