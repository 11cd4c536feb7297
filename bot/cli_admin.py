"""Commands for whoever runs the installation: the first administrator."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from bot.cli_config import ConfigOption, read_settings
from bot.config import Settings
from bot.logs import configure_logs

admin_app = typer.Typer(help="后台的管理员。", no_args_is_help=True, rich_markup_mode=None)
# With a callback typer keeps the name of a single command as a word to be typed.
admin_app.callback()(lambda: None)


@admin_app.command()
def create(
    name: Annotated[str, typer.Option(help="管理员的姓名。")],
    login: Annotated[str, typer.Option(help="登录名：3到32个字母、数字、点、横线或下划线。")],
    township: Annotated[str, typer.Option(help="管理哪个乡镇；还没有就新建。只有一个乡镇时可以不写。")] = "",
    phone: Annotated[str | None, typer.Option(help="手机号，绑定微信时用来核对。")] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="从标准输入读密码，不在屏幕上问。")] = False,
    config: ConfigOption = None,
) -> None:
    """建一位乡镇管理员；登录名已经有了，就给那个人重设密码和验证器。"""
    settings = read_settings(config)
    configure_logs("ERROR")
    password = _password(from_stdin=password_stdin)
    town, is_new = asyncio.run(_create(settings, (name, login, password, phone, township)))
    made = f"新建了乡镇“{town}”，" if is_new else ""
    address = f"{settings.server.public_url}/admin/" if settings.server.public_url else "/admin/"
    typer.echo(f"{made}{town}的管理员已经设好。请打开 {address} 用密码登录，第一次登录会带您设手机验证器。")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(
        typer.prompt("请输入密码（至少10个字，不能全是数字）", hide_input=True, confirmation_prompt="请再输一遍")
    )


async def _create(settings: Settings, given: tuple[str, str, str, str | None, str]) -> tuple[str, bool]:
    # Imported here: the command line starts fast.
    from bot.audit.log import Audit
    from bot.clock import SystemClock
    from bot.config_values import decode_key
    from bot.storage.database import open_database
    from handlers.accounts.service.places import PlaceService
    from handlers.accounts.service.sessions import SessionService
    from handlers.console.service.credentials import CredentialService
    from handlers.console.service.founding import Founder, FoundingService

    name, login, password, phone, township = given
    clock = SystemClock()
    audit = Audit(clock)
    sessions = SessionService(clock, decode_key(settings.security.session_key.get_secret_value()))
    founding = FoundingService(clock, audit, CredentialService(clock, audit, sessions), PlaceService())
    founder = Founder(name=name, login=login, password=password, phone=phone, township=township)
    async with open_database(settings) as database:
        await database.check()
        founded = await founding.found(founder)
    return founded.township, founded.is_new_township
