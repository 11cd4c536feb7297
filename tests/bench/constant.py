"""The baseline of a burst: aiohttp that answers every sign-up the same. `python -m tests.bench.constant PORT`."""

from __future__ import annotations

import sys

from aiohttp import web

PATH = "/api/v1/after-school/enrolments"
_BODY = b'{"id":"5c3b1d1e-6a53-4c59-9a0e-0a3c1f9d7f10","status":"enrolled","position":null}'


async def _enrol(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=201, body=_BODY, content_type="application/json")


def application() -> web.Application:
    """One route, one answer."""
    app = web.Application()
    app.router.add_post(PATH, _enrol)
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, backlog=4096)
