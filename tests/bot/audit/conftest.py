"""What the commands need."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.config import Settings
from tests.settings import write_config


@pytest.fixture
def settings_file(settings: Settings, tmp_path: Path) -> Path:
    """The settings as a file, for `--config`."""
    return write_config(settings, tmp_path / "config.toml")


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()
