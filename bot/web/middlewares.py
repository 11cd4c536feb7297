"""What every request passes: a request id, faults turned into answers, the access log.

One middleware rather than three: each costs every callback a few microseconds.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from functools import partial
from random import getrandbits
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from bot.audit.log import Audit
from bot.errors import (
    AppError,
    Conflict,
    ExternalError,
    InvalidInput,
    LimitReached,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    Unavailable,
    Unreadable,
)
from bot.logs import get_logger, request_id
from bot.metrics import Metrics

# A body beyond this is refused unread. Pictures come by media id and files by their own routes.
BODY_LIMIT: Final = 64 * 1024
REQUEST_ID_HEADER: Final = "X-Request-ID"
CALLBACK_PATH: Final = "/wechat"
API_PREFIX: Final = "/api/"

STATUS: Final[Mapping[type[AppError], int]] = {
    Unreadable: 400,
    NotAuthenticated: 401,
    NotPermitted: 403,
    NotFound: 404,
    Conflict: 409,
    InvalidInput: 422,
    LimitReached: 429,
    ExternalError: 503,
    Unavailable: 503,
}
# What aiohttp itself refuses, in our words.
_REFUSALS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("unreadable", Unreadable.default_message),
    404: ("not_found", "没有这个地址，请检查网址。"),
    405: ("method_not_allowed", "这个地址不支持这种请求方式，请检查后再试。"),
    413: ("too_large", "发来的内容太大了，请删减后再试。"),
    415: ("unsupported_media_type", "只接受 JSON，请检查 Content-Type。"),
}
_UNEXPECTED: Final = "系统出了点问题，我们已经记下来了，请稍后再试。"
# What stands in the log instead of the path, where the path itself is a key.
LOGGED_PATH: Final = web.RequestKey("logged_path", str)
_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET_PATHS: Final = frozenset({CALLBACK_PATH, "/healthz", "/readyz", "/metrics"})

log = get_logger(__name__)
dumps = partial(json.dumps, ensure_ascii=False)


def edge(metrics: Metrics, audit: Audit | None = None) -> Middleware:
    """The middleware of the outermost application. Refusals are written to the audit, if there is one."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get(REQUEST_ID_HEADER)
        # An id tells requests apart and hides nothing, so it need not be asked of the system.
        own = given if given is not None and _GIVEN_ID.fullmatch(given) else f"{getrandbits(64):016x}"
        token = request_id.set(own)
        started = asyncio.get_running_loop().time()
        try:
            response = await _answer(request, handler, metrics, audit)
            if not response.prepared:
                response.headers[REQUEST_ID_HEADER] = own
                response.headers.setdefault("X-Content-Type-Options", "nosniff")
            if request.path not in _QUIET_PATHS:
                _note(request, response, metrics, asyncio.get_running_loop().time() - started)
            return response
        finally:
            request_id.reset(token)

    return middleware


async def _answer(request: web.Request, handler: Handler, metrics: Metrics, audit: Audit | None) -> web.StreamResponse:
    try:
        return await handler(request)
    except AppError as error:
        if audit is not None:
            await audit.note_denial(error)
        return refusal(request, status_of(error), error.code, error.message, error.details)
    except web.HTTPException as error:
        if error.status < 400 or error.status not in _REFUSALS:
            raise
        code, message = _REFUSALS[error.status]
        response = refusal(request, error.status, code, message)
        if hdrs.ALLOW in error.headers:
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return response
    except Exception:
        metrics.errors_total.labels("http").inc()
        log.exception("request_failed", method=request.method, path=request.path)
        return refusal(request, 500, "internal", _UNEXPECTED)


def status_of(error: AppError) -> int:
    """The HTTP status of a fault: that of the nearest kind it descends from."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def refusal(
    request: web.Request, status: int, code: str, message: str, details: Mapping[str, object] | None = None
) -> web.Response:
    """The answer that says no: the envelope at the API, a plain sentence elsewhere."""
    if not request.path.startswith(API_PREFIX):
        return web.Response(status=status, text=message)
    body = {"code": code, "message": message, "details": dict(details or {}), "request_id": request_id.get()}
    return web.json_response({"error": body}, status=status, dumps=dumps)


def _note(request: web.Request, response: web.StreamResponse, metrics: Metrics, seconds: float) -> None:
    metrics.requests_total.labels(request.method, str(response.status)).inc()
    milliseconds = round(seconds * 1000, 1)
    path = request.get(LOGGED_PATH, request.path)
    log.info("request", method=request.method, path=path, status=response.status, ms=milliseconds)
