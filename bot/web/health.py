"""/healthz, /readyz and /metrics: alive, able to serve, and the figures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.errors import AppError
from bot.logs import get_logger
from bot.metrics import Metrics

CHECK_TIMEOUT_S = 2.0
# The exposition format Prometheus asks for when it names none.
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Check = Callable[[], Awaitable[object]]

log = get_logger(__name__)


class Readiness:
    """What the application needs before it can serve. Each part names itself and brings its check."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._last_missing: list[str] = []

    def require(self, name: str, check: Check) -> None:
        """`check` returns when the part is there and raises when it is not."""
        self._checks[name] = check

    async def missing(self) -> list[str]:
        """The names of the parts that are not there, in the order they were required."""
        present = await asyncio.gather(*(self._passes(name, check) for name, check in self._checks.items()))
        missing = [name for name, there in zip(self._checks, present, strict=True) if not there]
        if missing != self._last_missing:
            # Probes come every few seconds; only a change is news.
            log.info("readiness_changed", missing=missing)
            self._last_missing = missing
        return missing

    async def _passes(self, name: str, check: Check) -> bool:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await check()
        except (AppError, TimeoutError) as error:
            log.debug("not_ready", part=name, cause=repr(error))
            return False
        return True


READINESS = web.AppKey("readiness", Readiness)


async def healthz(_: web.Request) -> web.Response:
    """The process runs and its event loop turns."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """200 when requests can be served in full, 503 naming what is missing."""
    missing = await request.config_dict[READINESS].missing()
    return web.json_response({"ready": not missing, "missing": missing}, status=503 if missing else 200)


def health_routes(metrics: Metrics) -> list[web.RouteDef]:
    """The three routes, to be added to an application that holds `READINESS`."""

    async def exposition(_: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": METRICS_TYPE})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", exposition)]
