"""The command that plays a span of the calendar through."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import build_cli
from bot.cli_rehearse import in_words, summary
from bot.config import Settings
from bot.errors import Unavailable
from bot.rehearsal.lines import Line
from bot.rehearsal.replay import Span, rehearse
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


def test_a_message_is_told_in_words() -> None:
    told = in_words(LINE)
    for must in ("2026-09-14 18:00", "电话和纸条", "送不到", "…"):
        assert must in told


def test_the_end_says_how_many_and_that_nothing_was_sent() -> None:
    assert "没有要发的" in summary({})
    said = summary({"sent": 3, "unreachable": 1})
    for must in ("共 4 条", "会送到 3 条", "1 条", "什么也没有改"):
        assert must in said


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
