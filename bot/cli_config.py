"""How commands find their configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bot.config import Settings, load_settings

DEFAULT_CONFIG = Path("config.toml")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="XIANGXIAO_CONFIG",
        exists=True,
        dir_okay=False,
        help="配置文件；不写就用当前文件夹里的 config.toml，没有文件就只看环境变量。",
    ),
]


def read_settings(config: Path | None) -> Settings:
    """The settings of the file given, of config.toml here, or of the environment alone. Raises ConfigFaults."""
    if config is None and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    return load_settings(config, os.environ)
