"""The command that checks the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_config import ConfigOption, read_settings
from bot.clock import to_local
from bot.logs import configure_logs
from bot.progress import Progress

if TYPE_CHECKING:
    from bot.audit.chain import Head
    from bot.audit.verification import BrokenLink, Span, Verification
    from bot.config import Settings

SHOWN = 10
_FAULTS = {
    "entry_changed": "第 {number} 环断了：审计记录 {entry} 被改过",
    "entry_removed": "第 {number} 环断了：审计记录 {entry} 被删掉了",
    "seal_changed": "第 {number} 环断了：封印被改过（记录 {entry}）",
    "seal_removed": "第 {number} 环断了：封印被删掉了",
    "reordered": "第 {number} 环断了：次序被换过（记录 {entry}）",
    "end_removed": "从第 {number} 环起，末尾被删掉了：链条比当时记下的短",
    "rewritten": "第 {number} 环和当时记下的不一样：这一环或者它前面的内容被整段改写过（记录 {entry}）",
}

audit_app = typer.Typer(help="审计记录。", no_args_is_help=True, rich_markup_mode=None)


@audit_app.callback()
def audit() -> None:
    """审计记录。"""


@audit_app.command("verify")
def verify(
    config: ConfigOption = None,
    head: Annotated[
        list[str] | None,
        typer.Option("--head", help="以前记下的链头（日志里 audit_head 一行的 head），可以给几个；能查出末尾被删。"),
    ] = None,
) -> None:
    """从头到尾核对审计链条；有断开就指出第一处，退出码为 1。"""
    heads = _parsed(head or [])
    settings = read_settings(config)
    configure_logs("ERROR")
    found = asyncio.run(_verify(settings, heads))
    for line in report(found):
        typer.echo(line)
    if not found.holds:
        raise typer.Exit(1)


def report(found: Verification) -> list[str]:
    """What was found, in sentences."""
    lines = []
    if found.broken is not None:
        lines.append(f"✗ {_broken(found.broken)}。请保留现场，联系主管部门核查。")
    if found.unexplained:
        lines.append(f"✗ 编号缺失，没有说明：{_spans(found.unexplained)}。请保留现场，联系主管部门核查。")
    if found.holds:
        lines.append(f"✓ 链条完整：{found.sealed} 条记录已封存。")
    if found.noted:
        lines.append(f"编号缺失，封存时已注明（操作撤回，或者还没有到）：{_spans(found.noted)}。")
    if found.oldest_unsealed is not None:
        since = to_local(found.oldest_unsealed).strftime("%Y-%m-%d %H:%M:%S")
        lines.append(f"还没有封存：{found.unsealed} 条，最早的一条记于 {since}；服务运行时几秒内会封存。")
    if found.head is not None:
        lines.append(f"链头：{found.head}")
    return lines


def _broken(link: BrokenLink) -> str:
    return _FAULTS[link.fault.value].format(number=link.number, entry=link.entry_id)


def _spans(spans: Sequence[Span]) -> str:
    shown = "、".join(str(s.first) if s.size == 1 else f"{s.first}–{s.last}" for s in spans[:SHOWN])
    more = "等" if len(spans) > SHOWN else ""
    return f"{shown}{more}，共 {sum(span.size for span in spans)} 个"


def _parsed(texts: Sequence[str]) -> list[Head]:
    from bot.audit.chain import Head

    try:
        return [Head.parse(text) for text in texts]
    except ValueError as error:
        raise typer.BadParameter("链头的写法是“编号:摘要”，请从日志里原样复制。", param_hint="--head") from error


async def _verify(settings: Settings, heads: Sequence[Head]) -> Verification:
    from bot.audit.verification import verify as check
    from bot.storage.database import open_database

    async with open_database(settings) as database:
        await database.check()
        progress = Progress("核对")
        try:
            return await check(heads, progress)
        finally:
            progress.close()
