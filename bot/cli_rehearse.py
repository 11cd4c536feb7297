"""`xiangxiao rehearse`: plays a span of the calendar through, and lists every message that would go out."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot.cli_config import ConfigOption, read_settings
from bot.config import Settings
from bot.logs import configure_logs
from bot.progress import Progress

if TYPE_CHECKING:
    from bot.rehearsal.lines import Line
    from bot.rehearsal.replay import Span

_DATE: Final = ["%Y-%m-%d"]


class Show(Enum):
    """How much of each message."""

    MOMENTS = auto()
    EACH = auto()
    JSON = auto()


def rehearse(
    first: Annotated[datetime, typer.Option("--from", formats=_DATE, help="从哪一天起，如 2026-09-01。")],
    last: Annotated[datetime, typer.Option("--to", formats=_DATE, help="到哪一天为止，这一天也算。")],
    config: ConfigOption = None,
    each: Annotated[bool, typer.Option("--each", help="每条一行，写明发给谁。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="每条一行 JSON。")] = False,
) -> None:
    """照校历把一段日子排演一遍，列出什么时候按什么规定给多少人发什么、哪些人送不到；什么也不发，什么也不改。"""
    if last < first:
        raise typer.BadParameter("--to 不能早于 --from，请改正日期再试。")
    settings = read_settings(config)
    configure_logs("WARNING")
    from bot.rehearsal.replay import Span

    show = Show.JSON if as_json else Show.EACH if each else Show.MOMENTS
    asyncio.run(_run(settings, Span(first.date(), last.date()), show))


async def _run(settings: Settings, span: Span, show: Show) -> None:
    from bot.rehearsal.replay import rehearse as play
    from bot.rehearsal.sheet import moment_on_paper, summary

    progress = Progress("排演")
    statuses: Counter[str] = Counter()
    left: set[str] = set()
    moment: list[Line] = []

    def tell() -> None:
        if moment:
            typer.echo("\n".join(moment_on_paper(moment)))
        moment.clear()

    try:
        async for line in play(settings, span, progress=progress):
            statuses[line.status] += 1
            left |= {line.recipient} if line.status == "unreachable" else set()
            if show is not Show.MOMENTS:
                typer.echo(_one(line, show))
                continue
            if moment and moment[0].at != line.at:
                tell()
            moment.append(line)
        tell()
    finally:
        progress.close()
    if show is not Show.JSON:
        typer.echo(summary(statuses, len(left)))


def _one(line: Line, show: Show) -> str:
    from bot.rehearsal.sheet import each_in_words

    return line.as_json if show is Show.JSON else each_in_words(line)
