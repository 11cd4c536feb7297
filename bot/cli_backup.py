"""The commands that keep a copy of everything, and bring it back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli_config import ConfigOption, read_settings
from bot.clock import SystemClock, to_local
from bot.logs import configure_logs
from bot.progress import Progress

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.storage.backup import Written
    from bot.storage.backup_restore import Restored

_MOMENT = "%Y-%m-%d %H:%M:%S"


def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="写到哪个文件；已有的文件不会被覆盖。")],
    config: ConfigOption = None,
    erasures_only: Annotated[
        bool, typer.Option("--erasures-only", help="只写删除清单（很小，可以每几分钟一次，放到别的机器上）。")
    ] = False,
) -> None:
    """把整个数据库做成一份加密备份，服务不用停；同一文件夹里的 erasures.xxb 同时更新。

    备份用 field_keys 的第一把密钥加密，密钥不在备份里：请把密钥另外保存，没有它就恢复不了。
    """
    settings = read_settings(config)
    configure_logs("WARNING")
    written = asyncio.run(_backup(settings, file, erasures_only=erasures_only))
    typer.echo(f"已写好：{written.path}，{written.rows.total()} 行。")


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="备份文件。")],
    config: ConfigOption = None,
    erasures: Annotated[
        list[Path] | None,
        typer.Option("--erasures", exists=True, dir_okay=False, help="备份之后的删除清单，可以给几份。"),
    ] = None,
    old: Annotated[
        Path | None,
        typer.Option("--old", exists=True, dir_okay=False, help="旧数据库的配置文件：还连得上的话，从那里读删除清单。"),
    ] = None,
) -> None:
    """把备份恢复到一个空的数据库里，并把备份之后删除过的内容再删一遍。

    备份旁边的 erasures.xxb 会自动用上。要么全部恢复，要么一点不动。
    """
    settings = read_settings(config)
    configure_logs("WARNING")
    done = asyncio.run(_restore(settings, file, erasures or [], read_settings(old) if old else None))
    for line in report(done):
        typer.echo(line)


def report(done: Restored) -> list[str]:
    """What was done, in sentences."""
    made = to_local(done.content.made_at).strftime(_MOMENT)
    return [
        f"✓ 已恢复 {made} 的备份：{done.content.rows.total()} 行。",
        f"备份之后删除过的内容已再删一遍：{done.erasures} 项。"
        if done.erasures
        else "没有找到备份之后的删除记录；如果别处还有删除清单或旧数据库，请清空后带 --erasures 或 --old 重新恢复。",
        "请接着运行 xiangxiao audit verify 核对审计记录。",
    ]


async def _backup(settings: Settings, file: Path, *, erasures_only: bool) -> Written:
    from bot.storage.backup import backup as write
    from bot.storage.backup import write_erasures
    from bot.storage.database import open_database

    clock = SystemClock()
    async with open_database(settings) as database:
        await database.check()
        if erasures_only:
            return await write_erasures(settings, database, file, clock=clock)
        progress = Progress("备份")
        try:
            return await write(settings, database, file, clock=clock, progress=progress)
        finally:
            progress.close()


async def _restore(settings: Settings, file: Path, lists: list[Path], old: Settings | None) -> Restored:
    from bot.app import replay_erasures
    from bot.storage.backup import ERASURES_FILE
    from bot.storage.backup_restore import restore as bring_back
    from bot.storage.database import open_database
    from bot.storage.migration import migrate

    elsewhere = await _erased_in(old) if old is not None else []
    beside = file.with_name(ERASURES_FILE)
    if await asyncio.to_thread(beside.exists) and beside not in lists:
        lists = [*lists, beside]
    await migrate(settings)
    progress = Progress("恢复")
    async with open_database(settings) as database:
        try:
            return await bring_back(
                database,
                file,
                replay_erasures(settings),
                erasure_lists=lists,
                erased_elsewhere=elsewhere,
                progress=progress,
            )
        finally:
            progress.close()


async def _erased_in(old: Settings) -> list[dict[str, Any]]:
    from bot.storage.backup_restore import erased_in
    from bot.storage.database import open_database

    async with open_database(old) as database:
        return await erased_in(database)
