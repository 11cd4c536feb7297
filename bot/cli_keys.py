"""The commands for the keys of encrypted columns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from bot.cli_config import ConfigOption, read_settings
from bot.logs import configure_logs
from bot.progress import Progress

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.storage.rotation import Rotation

keys_app = typer.Typer(help="加密字段的密钥。", no_args_is_help=True, rich_markup_mode=None)


@keys_app.callback()
def keys() -> None:
    """加密字段的密钥。"""


@keys_app.command("rotate")
def rotate(config: ConfigOption = None) -> None:
    """把所有加密字段换到 field_keys 里的第一把密钥；服务不用停，中断了再运行一次就行。

    换密钥的次序：先把新密钥加在 field_keys 末尾，重启全部副本；再把它移到最前，再次重启；
    然后运行本命令；最后去掉旧密钥。
    """
    settings = read_settings(config)
    configure_logs("WARNING")
    done = asyncio.run(_rotate(settings))
    for line in report(done):
        typer.echo(line)
    if not done.is_complete:
        raise typer.Exit(1)


@keys_app.command("new")
def new() -> None:
    """生成一把新密钥，加进 field_keys 时在前面写上“名字:”。"""
    from bot.config_values import new_key

    typer.echo(new_key())


def report(done: Rotation) -> list[str]:
    """What was done, in sentences."""
    lines = [f"换到密钥 {done.current}：{done.rewritten} 个字段。"]
    for place, count in sorted(done.unreadable.items()):
        lines.append(f"✗ {place} 有 {count} 个值打不开：缺了当时的密钥，或者被改过。请把旧密钥加回 field_keys 再试。")
    for key, count in sorted(done.left.items()):
        if key != "?":
            lines.append(f"✗ 还有 {count} 个值用着密钥 {key}：请确认全部副本都已用新配置重启，再运行一次。")
    if done.is_complete:
        lines.append(f"✓ 所有加密字段都用密钥 {done.current}。")
    if done.unused:
        names = "、".join(done.unused)
        lines.append(f"密钥 {names} 已没有字段在用，可以从 field_keys 去掉。")
        lines.append("用旧密钥做的备份仍要靠它恢复，请把它另行妥善保存。")
    return lines


async def _rotate(settings: Settings) -> Rotation:
    from bot.storage.database import open_database
    from bot.storage.rotation import rotate as bring_over

    async with open_database(settings) as database:
        await database.check()
        progress = Progress("换密钥")
        try:
            return await bring_over(database, progress)
        finally:
            progress.close()
