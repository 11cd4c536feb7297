"""Serving an application until the process is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from aiohttp import web

from bot.app import LIBRARY
from bot.logs import get_logger
from bot.memory import share_one_arena

# Replies are due within five seconds; what takes longer has had its chance.
SHUTDOWN_TIMEOUT_S = 10.0

log = get_logger(__name__)


async def serve_until_stopped(
    app: web.Application,
    host: str,
    port: int,
    *,
    reuse_port: bool = False,
    on_listening: Callable[[int], object] = lambda port: None,
) -> None:
    """Starts the application, listens, and returns after SIGTERM or SIGINT, when all that was begun has ended.

    The knowledge is loaded once the port is open: loading it takes the processor that the start needs. `on_listening`
    is told the port (another than given when that was 0).
    """
    share_one_arena()
    app[LIBRARY].hold()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    try:
        await runner.setup()
        # Before anybody is told that it listens, and may tell it to stop.
        stop = _when_told_to_stop()
        await web.TCPSite(runner, host, port, reuse_port=reuse_port or None).start()
        actual = runner.addresses[0][1]
        log.info("listening", host=host, port=actual)
        on_listening(actual)
        app[LIBRARY].release()
        await stop.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()


async def run_until_stopped(app: web.Application) -> None:
    """Runs the application's background without listening, and without loading the knowledge nobody would ask."""
    app[LIBRARY].hold()
    runner = web.AppRunner(app)
    try:
        await runner.setup()
        stop = _when_told_to_stop()
        log.info("working")
        await stop.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()


def _when_told_to_stop() -> asyncio.Event:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
