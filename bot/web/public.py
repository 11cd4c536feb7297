"""Pages for people without a log-in: who holds the address may read the page. One answer each, without a script or a
cookie, for the browser inside WeChat on an old phone.

Whoever follows a link need not be a person: the platform, phones and mail programs look at links before somebody taps
them. So reading a page changes nothing; that it was shown is told by a picture of one point in it, which is fetched by
what shows pages and not by what checks them.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.errors import AppError, Unreadable
from bot.identity import Role
from bot.logs import get_logger, request_id
from bot.metrics import Metrics
from bot.rights import RIGHTS, Action, Scope
from bot.web.admin import Page
from bot.web.admin_pages import Pages
from bot.web.middlewares import LOGGED_PATH, status_of

_STYLE: Final = "reading.css"
_FORM: Final = "application/x-www-form-urlencoded"
_UNREADABLE: Final = "发来的内容读不懂，请返回上一页再试。"
_UNEXPECTED: Final = "系统出了点问题，我们已经记下来了。请过一会儿再打开，急事请打电话给班主任。"

_POINT: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
# What browsers say when they fetch something ahead of time: the standard's name, and that of older ones.
_AHEAD: Final = ("Sec-Purpose", "Purpose", "X-Moz")

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PublicCall:
    """What a handler is given. `form` holds the fields of a POST, the last of each name; `lists` all of them.
    `is_ahead`: the browser fetches it before anybody asked for it, and perhaps nobody will."""

    path: Mapping[str, str]
    is_ahead: bool = field(default=False, kw_only=True)
    form: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Go and look there, so that a page loaded again sends nothing again; `path` begins after the public address."""

    path: str


@dataclass(frozen=True, slots=True)
class Point:
    """A picture of one point that nobody sees: for a page to tell that it was shown."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that belongs to a page, in the browser's own memory for a while."""

    content: bytes = field(repr=False)
    media_type: str


PublicAnswer: TypeAlias = Page | Elsewhere | Point | Image
PublicHandler: TypeAlias = Callable[[PublicCall], Awaitable[PublicAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRoute:
    """One page. Its action must be one that visitors have: the address itself is what lets somebody in."""

    method: str
    path: str
    action: Action
    handle: PublicHandler

    def __post_init__(self) -> None:
        assert RIGHTS[self.action][Role.VISITOR] is not Scope.NONE, f"{self.path} is not for visitors"


class PublicPages:
    """The pages of all capabilities. The style stands in the page itself: an old phone waits for nothing more."""

    def __init__(self, routes: Sequence[PublicRoute], pages: Pages, metrics: Metrics) -> None:
        self._routes = tuple(routes)
        self._pages = pages
        self._metrics = metrics

    def add_to(self, app: web.Application) -> None:
        """Adds the pages to an application that is not started yet."""
        for route in self._routes:
            app.router.add_route(route.method, route.path, self._endpoint(route))

    @cached_property
    def _style(self) -> str:
        return self._pages.source(_STYLE)

    @cached_property
    def _headers(self) -> Mapping[str, str]:
        seal = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{seal}'; img-src https: 'self'; form-action 'self'"
        return {
            "Content-Security-Policy": f"{policy}; base-uri 'none'; frame-ancestors 'none'",
            "X-Frame-Options": "DENY",
            # The address is the key: no page that is opened from here learns it.
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "X-Robots-Tag": "noindex, nofollow",
        }

    def _endpoint(self, route: PublicRoute) -> Handler:
        async def endpoint(request: web.Request) -> web.StreamResponse:
            request[LOGGED_PATH] = route.path
            try:
                answer = await route.handle(await _call(request))
            except AppError as error:
                answer = self._refusal(status_of(error), error.message)
            except web.HTTPException as error:
                if error.status not in {400, 413}:
                    raise
                answer = self._refusal(error.status, _UNREADABLE)
            except Exception:  # noqa: BLE001 - whoever stands at a page gets a page
                self._metrics.errors_total.labels("public").inc()
                _log.exception("request_failed", method=request.method, path=route.path)
                answer = self._refusal(500, _UNEXPECTED)
            return self._response(answer)

        return endpoint

    def _refusal(self, status: int, message: str) -> Page:
        values = {"message": message, "request_id": request_id.get() if status >= 500 else ""}
        return Page("reading/refused.html", values, status)

    def _response(self, answer: PublicAnswer) -> web.Response:
        if isinstance(answer, Elsewhere):
            return web.Response(status=303, headers={hdrs.LOCATION: answer.path, **self._headers})
        if isinstance(answer, Point):
            return web.Response(body=_POINT, content_type="image/gif", headers=self._headers)
        if isinstance(answer, Image):
            headers = {**self._headers, "Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
            return web.Response(body=answer.content, content_type=answer.media_type, headers=headers)
        values: dict[str, Any] = {"style": self._style, **answer.values}
        text = self._pages.render(answer.template, values)
        return web.Response(text=text, status=answer.status, content_type="text/html", headers=self._headers)


async def _call(request: web.Request) -> PublicCall:
    lists: dict[str, list[str]] = {}
    if request.method == hdrs.METH_POST:
        if request.content_type != _FORM:
            raise Unreadable(_UNREADABLE)
        try:
            sent = await request.post()
        except ValueError as error:
            raise Unreadable(_UNREADABLE) from error
        for name, value in sent.items():
            if isinstance(value, str):
                lists.setdefault(name, []).append(value)
    if any("\0" in text for many in (*lists.values(), request.match_info.values()) for text in many):
        raise Unreadable(_UNREADABLE)
    is_ahead = any("prefetch" in request.headers.get(name, "").lower() for name in _AHEAD)
    form = {name: many[-1] for name, many in lists.items()}
    return PublicCall(dict(request.match_info), form, lists, is_ahead=is_ahead)
