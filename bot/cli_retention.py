"""The command that seals and erases what is due; the same runs every night by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_config import ConfigOption, read_settings
from bot.config import Settings
from bot.logs import configure_logs

if TYPE_CHECKING:
    from bot.clock import Clock
    from handlers.consent.service.retention import RetentionReport


def retention(
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列出到期的，什么也不改。")] = False,
) -> None:
    """列出到期该封存或抹去的资料并处理；每天夜里也会自动处理一次。"""
    settings = read_settings(config)
    configure_logs("WARNING")
    report = asyncio.run(run_retention(settings, is_dry=dry_run))
    for line in report.lines:
        typer.echo(line)
    if report.failed:
        raise typer.Exit(1)


async def run_retention(settings: Settings, *, is_dry: bool, clock: Clock | None = None) -> RetentionReport:
    """What all capabilities have due, on the configured database. Raises DatabaseAway, NotMigrated."""
    from bot.app import ASSEMBLY, AUDIT, CLOCK, build_app
    from bot.storage.database import open_database
    from handlers.consent.service.retention import RetentionService

    app = build_app(settings, clock=clock, worker=False)
    parts = app[ASSEMBLY].parts
    async with open_database(settings) as database:
        await database.check()
        service = RetentionService(
            lambda: [source for part in parts for source in part.retention], app[AUDIT], app[CLOCK]
        )
        return await service.run(is_dry=is_dry)
