"""`xiangxiao rehearse`: plays a span of the calendar through, and lists every message that would go out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot.cli_config import ConfigOption, read_settings
from bot.config import Settings
from bot.logs import configure_logs
from bot.progress import Progress

if TYPE_CHECKING:
    from bot.rehearsal.lines import Line
    from bot.rehearsal.replay import Span

_STATUSES: Final[Mapping[str, str]] = {
    "sent": "会送到",
    "unreachable": "送不到，要打电话或发纸条",
    "expired": "过了时间，没有发",
    "failed": "发不出去",
    "unknown": "不知道到没到",
}
_CHANNELS: Final[Mapping[str, str]] = {
    "template": "模板消息",
    "subscription_notice": "订阅通知",
    "mini_program": "小程序订阅消息",
    "customer_service": "对话消息",
    "mass": "群发",
    "by_hand": "电话和纸条",
    "": "没有发",
}
_LONGEST_TEXT: Final = 40
_DATE: Final = ["%Y-%m-%d"]


def rehearse(
    first: Annotated[datetime, typer.Option("--from", formats=_DATE, help="从哪一天起，如 2026-09-01。")],
    last: Annotated[datetime, typer.Option("--to", formats=_DATE, help="到哪一天为止，这一天也算。")],
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="每条一行 JSON。")] = False,
) -> None:
    """照校历把一段日子排演一遍，列出会发出的每一条消息和送不到的人；什么也不发，什么也不改。"""
    if last < first:
        raise typer.BadParameter("--to 不能早于 --from，请改正日期再试。")
    settings = read_settings(config)
    configure_logs("WARNING")
    from bot.rehearsal.replay import Span

    asyncio.run(_run(settings, Span(first.date(), last.date()), as_json=as_json))


async def _run(settings: Settings, span: Span, *, as_json: bool) -> None:
    from bot.rehearsal.replay import rehearse as play

    progress = Progress("排演")
    statuses: Counter[str] = Counter()
    try:
        async for line in play(settings, span, progress=progress):
            statuses[line.status] += 1
            typer.echo(line.as_json if as_json else in_words(line))
    finally:
        progress.close()
    if not as_json:
        typer.echo(summary(statuses))


def in_words(line: Line) -> str:
    """One message for the eye."""
    at = datetime.fromisoformat(line.at)
    text = " ".join((line.text or "").split())
    text = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
    way = _CHANNELS.get(line.channel, line.channel)
    status = _STATUSES.get(line.status, line.status)
    return f"{at:%Y-%m-%d %H:%M}  {line.rule}  {line.recipient}  {way}  {status}  {text}"


def summary(statuses: Mapping[str, int]) -> str:
    """How many of each."""
    total = sum(statuses.values())
    if not total:
        return "这段日子没有要发的消息。"
    parts = [f"{_STATUSES.get(status, status)} {count} 条" for status, count in sorted(statuses.items())]
    return f"共 {total} 条：{'；'.join(parts)}。什么也没有发出，什么也没有改。"
