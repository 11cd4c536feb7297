"""The command that only delivers what was promised to be sent later: beside `serve --no-worker`."""

from __future__ import annotations

import asyncio

from bot.cli_config import ConfigOption, read_settings
from bot.logs import configure_logs


def worker(config: ConfigOption = None) -> None:
    """只发送到时间该发的消息；和 serve --no-worker 搭配，可以同时运行几个。"""
    from bot.app import build_app
    from bot.server import run_until_stopped

    settings = read_settings(config)
    configure_logs()
    asyncio.run(run_until_stopped(build_app(settings)))
