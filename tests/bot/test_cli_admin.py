"""`xiangxiao admin create`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import build_cli
from bot.config import Settings
from bot.storage.database import open_database
from handlers.accounts.models import Appointment, Person, Township
from handlers.console.models import Credential
from tests.handlers.console.stage import config_file

GOOD = "春天河边的柳树真的很绿"
ARGUMENTS = ("--name", "孙管理", "--login", "sun.admin", "--password-stdin")


@pytest.fixture
def config(settings: Settings, tmp_path: Path) -> Path:
    return config_file(settings, tmp_path / "config.toml")


def run(config: Path, *arguments: str, password: str = GOOD) -> tuple[int, str]:
    cli = build_cli(["admin"])
    result = CliRunner().invoke(cli, ["admin", "create", "--config", str(config), *arguments], input=password + "\n")
    message = getattr(result.exception, "message", "") if result.exception else ""
    return result.exit_code, result.output + str(message)


def counts(settings: Settings) -> tuple[int, int, int, int]:
    async def count() -> tuple[int, int, int, int]:
        async with open_database(settings):
            return (
                await Township.all().count(), await Person.all().count(), await Appointment.all().count(),
                await Credential.all().count(),
            )  # fmt: skip

    return asyncio.run(count())


def test_the_first_administrator_is_made_with_a_township(config: Path, settings: Settings) -> None:
    code, said = run(config, *ARGUMENTS)
    assert (code, counts(settings)) == (0, (1, 1, 1, 1)), said
    assert "本镇" in said
    assert "柳树" not in said


def test_doing_it_again_sets_the_password_anew(config: Path, settings: Settings) -> None:
    run(config, *ARGUMENTS, "--township", "柳河镇")
    code, said = run(config, *ARGUMENTS, password="夏天池塘的荷花真的很香")
    assert (code, counts(settings)) == (0, (1, 1, 1, 1)), said
    assert "柳河镇" in said


def test_a_weak_password_makes_nothing(config: Path, settings: Settings) -> None:
    code, said = run(config, *ARGUMENTS, password="1234567890")
    assert (code, counts(settings)) == (1, (0, 0, 0, 0))
    assert "密码至少10个字" in said


def test_several_townships_must_be_told_apart(config: Path, settings: Settings) -> None:
    for name, login in (("柳河镇", "sun.one"), ("青石镇", "sun.two")):
        assert run(config, "--name", "孙管理", "--login", login, "--township", name, "--password-stdin")[0] == 0
    code, said = run(config, "--name", "赵管理", "--login", "zhao.admin", "--password-stdin")
    assert (code, "--township" in said) == (1, True)
