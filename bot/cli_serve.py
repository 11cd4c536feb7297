"""Commands that run the service: serve, migrate, check-config."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from bot.cli_config import ConfigOption, read_settings
from bot.config import Settings
from bot.config_values import EXAMPLE_KEY
from bot.errors import AppError
from bot.logs import configure_logs, get_logger

PROBE_TIMEOUT_S = 10.0

log = get_logger(__name__)


def serve(
    config: ConfigOption = None,
    reuse_port: Annotated[bool, typer.Option("--reuse-port", help="同一台机器上的几个副本共用一个端口。")] = False,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="不发送延后的消息，由 xiangxiao worker 发。")] = False,
) -> None:
    """启动一个副本：微信回调、接口、后台和定时任务。"""
    from bot.app import build_app
    from bot.server import serve_until_stopped

    settings = read_settings(config)
    configure_logs()
    for warning in start_warnings(settings):
        log.warning("configuration", advice=warning)
    host, port = settings.server.host, settings.server.port
    try:
        asyncio.run(serve_until_stopped(build_app(settings, worker=not no_worker), host, port, reuse_port=reuse_port))
    except OSError as error:
        typer.echo(f"不能在 {host} 的 {port} 端口上监听（{error.strerror}），请换一个端口再试。", err=True)
        raise typer.Exit(1) from error


def migrate(config: ConfigOption = None) -> None:
    """把数据库升级到最新；几个进程同时运行也不要紧。"""
    from bot.storage.migration import migrate as bring_up_to_date

    settings = read_settings(config)
    configure_logs("WARNING")
    applied = asyncio.run(bring_up_to_date(settings))
    for name in applied:
        typer.echo(f"已升级：{name}")
    typer.echo("数据库已是最新。")


def check_config(config: ConfigOption = None) -> None:
    """列出配置里所有的错，再看数据库、Redis 和微信是否连得上。"""
    configure_logs("ERROR")
    settings = read_settings(config)
    typer.echo("配置没有错。")
    for warning in start_warnings(settings):
        typer.echo(f"提醒：{warning}")
    if not asyncio.run(_probe_all(settings)):
        raise typer.Exit(1)


def start_warnings(settings: Settings) -> list[str]:
    """What works and should still be known: one sentence each."""
    warnings = []
    if settings.wechat.mode == "plain":
        warnings.append("明文模式下消息内容没有签名保护，不会读取或修改任何个人数据；正式使用请改为安全模式。")
    if not settings.support.duty:
        warnings.append("[support] duty 里没有值班人，转人工的问题不会有人收到。")
    keys = settings.security
    if any(EXAMPLE_KEY in key.get_secret_value() for key in (keys.field_keys, keys.blind_index_key, keys.session_key)):
        warnings.append("[security] 里还是示例文件的密钥，人人都知道；正式使用前请换成自己生成的。")
    shared = not settings.database.url.get_secret_value().startswith("sqlite:")
    if shared and settings.redis.url.get_secret_value().startswith("memory:"):
        warnings.append("Redis 用的是进程内替身，只能运行一个副本；几个副本请填 redis:// 地址。")
    return warnings


async def _probe_all(settings: Settings) -> bool:
    probes: dict[str, Callable[[Settings], Awaitable[str]]] = {
        "数据库": _probe_database,
        "Redis": _probe_redis,
        "微信": _probe_wechat,
    }
    results = [await _probe(name, probe, settings) for name, probe in probes.items()]
    return all(results)


async def _probe(name: str, probe: Callable[[Settings], Awaitable[str]], settings: Settings) -> bool:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            good = await probe(settings)
    except TimeoutError:
        typer.echo(f"✗ {name}：{PROBE_TIMEOUT_S:.0f} 秒内没有回应")
        return False
    except AppError as error:
        cause = error.details.get("cause") or error.__cause__
        typer.echo(f"✗ {name}：{error.message}" + (f"（{cause}）" if cause else ""))
        return False
    typer.echo(f"✓ {name}：{good}")
    return True


async def _probe_database(settings: Settings) -> str:
    from bot.storage.database import open_database

    async with open_database(settings) as database:
        await database.check()
        return f"连得上（{database.engine}），已是最新"


async def _probe_redis(settings: Settings) -> str:
    from bot.metrics import Metrics
    from bot.storage.redis import RedisStore, redis_client

    url = settings.redis.url.get_secret_value()
    store = RedisStore(redis_client(url), Metrics())
    try:
        await store.ping()
    finally:
        await store.close()
    return "进程内替身，不用连接" if url.startswith("memory:") else "连得上"


async def _probe_wechat(settings: Settings) -> str:
    from bot.app import wechat_client
    from bot.clock import SystemClock
    from bot.metrics import Metrics
    from bot.storage.redis import RedisStore, redis_client
    from bot.wechat.transport import open_transport

    metrics = Metrics()
    # A store of its own: a check must ask the platform, not be content with a token somebody fetched before.
    store = RedisStore(redis_client("memory://"), metrics)
    async with open_transport() as transport:
        try:
            await wechat_client(settings, transport, store, clock=SystemClock(), metrics=metrics).access_token()
        finally:
            await store.close()
    return "拿到了 access_token"
