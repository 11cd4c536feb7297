"""Commands towards the 服务号."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import typer

from bot.cli_config import ConfigOption, read_settings
from bot.config import Settings
from bot.logs import configure_logs

menu_app = typer.Typer(no_args_is_help=True, help="服务号的菜单。")


@menu_app.callback()
def _menu() -> None:
    """Keeps `sync` a word to be typed, though it is the only one."""


@menu_app.command()
def sync(config: ConfigOption = None) -> None:
    """把菜单更新到服务号；手机上最迟二十四小时内看到。"""
    settings = read_settings(config)
    configure_logs("ERROR")
    menu = asyncio.run(_sync(settings))
    for top in menu["button"]:
        typer.echo(f"{top['name']}：{'、'.join(item['name'] for item in top['sub_button'])}")
    typer.echo("菜单已更新。")


async def _sync(settings: Settings) -> Mapping[str, Any]:
    from bot.app import menu_of_all, wechat_client
    from bot.clock import SystemClock
    from bot.metrics import Metrics
    from bot.storage.redis import RedisStore, redis_client
    from bot.wechat.transport import open_transport

    menu, metrics = menu_of_all(), Metrics()
    store = RedisStore(redis_client(settings.redis.url.get_secret_value()), metrics)
    async with open_transport() as transport:
        try:
            await wechat_client(settings, transport, store, clock=SystemClock(), metrics=metrics).create_menu(menu)
        finally:
            await store.close()
    return menu
