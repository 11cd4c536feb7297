"""`xiangxiao demo`: the whole service on SQLite, a local WeChat beside it, and phones in the browser."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from aiohttp import web

from bot.app import LIBRARY, WECHAT, build_app, menu_of_all
from bot.clock import Clock, SystemClock
from bot.config import Settings, demo_settings
from bot.demo_township.staging import Hint, Staged, enliven, stage
from bot.emulator.phone import texts
from bot.emulator.phone.pages import PREFIX, add_pages
from bot.emulator.phone.personas import PERSONAS, Persona
from bot.emulator.phone.phones import Desk, Phones
from bot.emulator.platform import AccountKeys
from bot.emulator.rules import Rules
from bot.emulator.server import Emulator
from bot.emulator.templates import FIELDS, mini_program_id, slots, subscription_notice_id, template_id
from bot.library import Library
from bot.logs import configure_logs, get_logger
from bot.server import serve_until_stopped
from bot.storage.database import sqlite_path
from bot.storage.migration import migrate
from bot.web import admin

LOG_NAME: Final = "demo.log"
_log = get_logger(__name__)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
# Listening everywhere, the demo reaches itself here.
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - translated, not listened on
_ADDRESS_FAULTS: Final = {
    errno.EADDRINUSE: "端口 {port} 已经被别的程序占用，请换一个再试，比如：xiangxiao demo --port {other}",
    errno.EACCES: "没有权限使用端口 {port}，请换一个大于 1024 的端口，比如：xiangxiao demo --port 8080",
    errno.EADDRNOTAVAIL: "这台机器没有 {host} 这个地址，请去掉 --host 再试。",
}


def demo(
    host: Annotated[str, typer.Option(help="在哪个地址上监听；0.0.0.0 让同一网络里的人也能打开。")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口；0 表示任选一个空的。")] = 8080,
    data: Annotated[
        Path | None, typer.Option(file_okay=False, help="数据放在哪个文件夹；不写就放在临时文件夹，停止后删除。")
    ] = None,
) -> None:
    """在本机演示：整套服务、模拟的微信，和浏览器里的手机。"""
    try:
        # Ctrl-C before the service listens arrives as the interrupt, later as the usual end.
        with suppress(KeyboardInterrupt):
            asyncio.run(_run(host, port, data))
    except OSError as error:
        sentence = _ADDRESS_FAULTS.get(error.errno or 0, "启动不了：{error}。请检查 --host、--port 和 --data 再试。")
        typer.echo(sentence.format(host=host, port=port, other=port + 1, error=error.strerror or error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"已停止。数据保存在 {data}，下次用同样的 --data 继续。" if data else "已停止，临时数据已删除。")


def templates() -> list[dict[str, object]]:
    """The templates of the emulated accounts, as settings."""
    ids = {"template": template_id, "subscription_notice": subscription_notice_id, "mini_program": mini_program_id}
    return [
        {"purpose": purpose, "kind": kind, "id": id_of(purpose), "slots": slots(purpose)}
        for purpose in FIELDS
        for kind, id_of in ids.items()
    ]


def _ask_for(host: str, port: int) -> None:
    """Raises OSError when nobody can listen there: told before anything is prepared."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        asked.bind(address)


async def _run(host: str, port: int, data: Path | None) -> None:
    _ask_for(host, port)
    clock = SystemClock()
    # Phones look for a new menu each time they are looked at.
    async with Emulator(clock, Rules(menu_pull_after=timedelta(0))) as emulator:
        settings = demo_settings(data, port, emulator.url, host=host, templates=templates())
        log = sqlite_path(settings).parent / LOG_NAME
        with log.open("a", encoding="utf-8") as stream:
            configure_logs("WARNING", stream)
            await migrate(settings)
            staged = await stage(settings, clock)
            app = build_app(settings, clock=clock)
            account = emulator.platform.add_account(account_keys(settings))
            phones = Phones(
                emulator,
                account,
                ready=asyncio.Event(),
                personas=cast_of(staged),
                desk=desk_of(staged, clock),
                mini_program=emulator.platform.add_account(mini_program_keys(settings)),
            )
            add_pages(app, phones)
            app.on_startup.append(_sync_menu)
            await _serve(app, phones, (host, port), log, lambda: enliven(staged, settings, clock))


async def _serve(
    app: web.Application,
    phones: Phones,
    address: tuple[str, int],
    log: Path,
    enlivened: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    tasks: list[asyncio.Task[None]] = []
    host, port = address

    def listening(actual: int) -> None:
        phones.emulator.callback_url = f"{base_url(host, actual)}/wechat"
        for line in welcome(host, actual, phones.desk):
            typer.echo(line)
        phones.open_when_ready()
        loop = asyncio.get_running_loop()
        tasks.append(loop.create_task(announce(app[LIBRARY], phones, log)))
        tasks.append(loop.create_task(_noted(enlivened())))

    try:
        await serve_until_stopped(app, host, port, on_listening=listening)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _noted(deed: Coroutine[Any, Any, None]) -> None:
    """The demo goes on without it; the log says what was wrong."""
    try:
        await deed
    except Exception:  # noqa: BLE001 - see above
        _log.exception("demo_not_enlivened")


async def _sync_menu(app: web.Application) -> None:
    await app[WECHAT].create_menu(menu_of_all())


async def announce(library: Library[Any], phones: Phones, log: Path) -> None:
    """Says that questions can be asked, or that the content is faulty and where to read why."""
    if await library.settled():
        phones.ready.set()
        typer.echo("知识库准备好了，可以提问了。")
        return
    fault = texts.FAULTY.format(log=log)
    phones.give_up(fault)
    typer.echo(fault, err=True)


def cast_of(staged: Staged) -> tuple[Persona, ...]:
    """The personas, as the township knows them."""
    return tuple(_played(persona, staged.hints.get(persona.openid, Hint())) for persona in PERSONAS)


def _played(persona: Persona, hint: Hint) -> Persona:
    says = (*hint.says, *(each for each in persona.questions if each not in hint.says))
    return replace(persona, about=hint.about or persona.about, tip=hint.tip or persona.tip, questions=says)


def desk_of(staged: Staged, clock: Clock) -> Desk:
    """The way into the console."""
    entrance = staged.entrance
    return Desk(f"{admin.PREFIX}/", entrance.login, entrance.password, lambda: entrance.code(clock))


def account_keys(settings: Settings) -> AccountKeys:
    """The emulated account that fits the settings."""
    wechat = settings.wechat
    return AccountKeys(
        app_id=wechat.app_id,
        app_secret=wechat.app_secret.get_secret_value(),
        token=wechat.token.get_secret_value(),
        encoding_aes_key=wechat.encoding_aes_key.get_secret_value(),
        mode=wechat.mode,
        original_id=wechat.original_id,
    )


def mini_program_keys(settings: Settings) -> AccountKeys:
    """The emulated mini-program that fits the settings."""
    mini = settings.miniprogram
    return AccountKeys(app_id=mini.app_id, app_secret=mini.app_secret.get_secret_value())


def base_url(host: str, port: int) -> str:
    """The address of the service as this machine reaches it."""
    name = _EVERYWHERE.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def welcome(host: str, port: int, desk: Desk | None = None) -> list[str]:
    """What the terminal says as soon as the pages can be opened."""
    lines = [f"乡校演示已经启动，请用浏览器打开：{base_url(host, port)}{PREFIX}/"]
    if desk is not None:
        lines.append(f"管理后台：{base_url(host, port)}{desk.path}　登录名 {desk.login}　密码 {desk.password}")
        lines.append("后台的验证码在演示首页，每半分钟换一个。")
    if host not in _LOOPBACK:
        lines.append("注意：同一网络里的人也能打开这个演示，请不要输入真实的个人信息。")
    return [*lines, "正在准备知识库，通常几秒到半分钟。按 Ctrl+C 停止。"]
