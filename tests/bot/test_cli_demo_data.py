"""`xiangxiao demo-data`: what it fills, what it refuses, what it says."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bot.cli_demo_data import RealPlatform, demo_data, refuse_real_platform
from bot.config import Settings
from bot.demo_township.build import plan_township
from bot.demo_township.fill import HoldsPeople
from bot.storage.database import open_database
from handlers.accounts.models import Person, WeChatIdentity
from tests.settings import make_settings, write_config

EMULATOR = "http://127.0.0.1:9"


def run(config: Path, *arguments: str) -> Result:
    root = typer.Typer()
    root.callback()(lambda: None)
    root.command("demo-data")(demo_data)
    return CliRunner().invoke(root, ["demo-data", "--config", str(config), *arguments])


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Path:
    settings = make_settings(database={"url": database_url}, wechat={"api_base": EMULATOR})
    return write_config(settings, tmp_path / "config.toml")


def _settings(database_url: str) -> Settings:
    return make_settings(database={"url": database_url})


def test_it_fills_says_how_far_it_is_and_how_to_come_in(config: Path) -> None:
    done = run(config, "--families", "3", "--today", "2026-09-01")
    assert done.exit_code == 0, done.output
    assert "demo_g_000001 到 demo_g_000003" in done.stdout
    assert "8 所学校" in done.stdout
    assert "填演示数据" in done.stderr
    assert "100%" in done.stderr
    assert "\r" not in done.stderr


def test_the_same_seed_and_day_fill_the_same(config: Path, database_url: str) -> None:
    async def names() -> list[str]:
        async with open_database(_settings(database_url)):
            rows = await Person.all().order_by("phone_index").values_list("name", "phone")
            return [f"{name}{phone}" for name, phone in rows]

    assert run(config, "--families", "2", "--seed", "7", "--today", "2026-03-01").exit_code == 0
    plan = plan_township(date(2026, 3, 1), families=2, seed=7)
    assert sorted(asyncio.run(names())) == sorted(f"{each.name}{each.phone}" for each in plan.persons)


def test_a_database_with_people_is_refused(config: Path, database_url: str) -> None:
    assert run(config, "--families", "1").exit_code == 0
    again = run(config, "--families", "1")
    assert isinstance(again.exception, HoldsPeople)
    assert "换一个空的数据库" in again.exception.message


@pytest.mark.parametrize(
    "address", ["https://api.weixin.qq.com", "https://api2.weixin.qq.com/", "https://SH.api.weixin.qq.com"]
)
def test_the_real_platform_is_refused(address: str) -> None:
    with pytest.raises(RealPlatform, match=r"\[wechat\] api_base"):
        refuse_real_platform(make_settings(wechat={"api_base": address}))


def test_a_mini_program_at_the_real_platform_is_refused_too() -> None:
    settings = make_settings(wechat={"api_base": EMULATOR}, miniprogram={"app_id": "wx1", "app_secret": "s"})
    with pytest.raises(RealPlatform, match=r"\[miniprogram\] api_base"):
        refuse_real_platform(settings)


@pytest.mark.parametrize("address", [EMULATOR, "https://weixin.qq.com.example.org", "http://emulator:9000"])
def test_another_address_is_taken(address: str) -> None:
    refuse_real_platform(make_settings(wechat={"api_base": address}))


def test_the_refusal_comes_before_anything_is_written(database_url: str, tmp_path: Path) -> None:
    settings = make_settings(database={"url": database_url}, wechat={"api_base": "https://api.weixin.qq.com"})
    refused = run(write_config(settings, tmp_path / "config.toml"))
    assert isinstance(refused.exception, RealPlatform)

    async def is_empty() -> bool:
        async with open_database(settings):
            return not await WeChatIdentity.exists()

    assert asyncio.run(is_empty())


@pytest.mark.parametrize("wrong", [("--families", "0"), ("--families", "1000000"), ("--today", "gestern")])
def test_wrong_use_is_told_apart(config: Path, wrong: tuple[str, str]) -> None:
    assert run(config, *wrong).exit_code == 2
