"""The command that seals and erases what is due."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import build_cli
from bot.cli_retention import run_retention
from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.errors import Unavailable
from bot.storage.database import open_database
from handlers.accounts.domain import PupilStatus
from handlers.accounts.models import Pupil
from tests import factories


async def leaver(settings: Settings) -> Pupil:
    """A pupil who left on 1 September 2026."""
    async with open_database(settings):
        return await factories.make_pupil(status=PupilStatus.GRADUATED, left_on=date(2026, 9, 1))


async def name_of(settings: Settings, pupil: Pupil) -> str:
    async with open_database(settings):
        return (await Pupil.get(id=pupil.id)).name


async def test_a_dry_run_lists_and_changes_nothing_and_the_run_does_it(settings: Settings) -> None:
    pupil = await leaver(settings)
    clock = FrozenClock(datetime(2029, 9, 2, 3, 0, tzinfo=SHANGHAI))
    dry = await run_retention(settings, is_dry=True, clock=clock)
    assert dry.lines[0].startswith("2029-08-31")
    assert str(pupil.id) in dry.lines[0]
    assert "没有改动" in dry.lines[-1]
    assert pupil.name not in "\n".join(dry.lines)
    assert await name_of(settings, pupil) == pupil.name
    done = await run_retention(settings, is_dry=False, clock=clock)
    assert done.lines[-1] == "已处理1项。"
    assert await name_of(settings, pupil) != pupil.name
    assert (await run_retention(settings, is_dry=False, clock=clock)).lines == ["没有到期的资料，不用处理。"]


async def test_a_database_that_is_not_there_is_said_so(bare_settings: Settings) -> None:
    with pytest.raises(Unavailable):
        await run_retention(bare_settings, is_dry=True)


def test_the_command_is_there(tmp_path: Path) -> None:
    answer = CliRunner().invoke(build_cli(["retention"]), ["retention", "--help"])
    assert answer.exit_code == 0
    assert "--dry-run" in answer.output
