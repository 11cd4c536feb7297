"""The console's edge: who comes, whether the form is ours, what they may, and the frame around every page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final
from urllib.parse import quote

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.audit.log import Audit
from bot.errors import AppError, NotAuthenticated, NotPermitted, Unreadable
from bot.identity import VISITOR, Actor
from bot.logs import get_logger, request_id
from bot.metrics import Metrics
from bot.rights import Action, may, require
from bot.web.admin import PREFIX, AdminAnswer, AdminCall, AdminRoute, Download, Page, Upload, WayOn
from bot.web.admin_pages import Pages
from bot.web.admin_seals import Seals, new_cookie
from bot.web.api import Authenticate
from bot.web.limits import Addresses, FailureLimit
from bot.web.middlewares import status_of

COOKIE: Final = "xiangxiao_console"
BROWSER_COOKIE: Final = "xiangxiao_browser"
NOTICE_COOKIE: Final = "xiangxiao_notice"
LOGIN: Final = "/login"
UPLOAD_LIMIT: Final = 10 * 1024 * 1024
FORM_TOKEN: Final = "form_token"  # noqa: S105 - the name of a field

_NOT_LET_IN: Final = 401
_NOTICE_LIFE_S: Final = 120
_LONGEST_DEVICE: Final = 400
_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_NO_PAGE: Final = "没有这个页面，请从菜单里重新选。"
_TOO_LARGE: Final = "发来的内容太大了，文件不能超过10 MB，请删减后再试。"
_UNEXPECTED: Final = "系统出了点问题，我们已经记下来了。您刚才办的事可能没有办成，请回去看一看，过一会儿再试。"
_UNREADABLE: Final = "发来的内容读不懂，请返回上一页再试。"

_log = get_logger(__name__)


class ForeignForm(NotPermitted):
    """A form that was not made for this session: of another site, or of a session that has ended."""

    code = "foreign_form"
    default_message = "这个页面放得太久了，请返回上一页，刷新后再试一次。"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: who comes with it, and by which cookies. `secret` is "" without a session."""

    actor: Actor
    secret: str
    browser: str

    @property
    def owner(self) -> str:
        """To whom the forms of the page belong."""
        return self.secret or self.browser


VISIT: Final = web.RequestKey("visit", Visit)


class Console:
    """The pages of all capabilities behind one frame."""

    def __init__(
        self,
        routes: Sequence[AdminRoute],
        pages: Pages,
        seals: Seals,
        *,
        audit: Audit,
        failures: FailureLimit,
        addresses: Addresses,
        authenticate: Authenticate | None,
        metrics: Metrics,
        is_secure: bool,
    ) -> None:
        """`is_secure`: cookies travel over https only. Without `authenticate` there are visitors only."""
        self._routes = tuple(routes)
        self._pages = pages
        self._seals = seals
        self._audit = audit
        self._failures = failures
        self._addresses = addresses
        self._authenticate = authenticate
        self._metrics = metrics
        self._is_secure = is_secure

    def application(self) -> web.Application:
        """To be put under PREFIX."""
        app = web.Application(middlewares=[self._frame])
        app.router.add_get("/static/{name}", self._static)
        for route in self._routes:
            app.router.add_route(route.method, route.path, self._endpoint(route))
        return app

    # ------------------------------------------------------------------------------------------------------- the frame
    @web.middleware
    async def _frame(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Faults as pages, and the headers of every answer."""
        if request.path.startswith(f"{PREFIX}/static/"):
            request[VISIT] = Visit(VISITOR, "", "")
            response = await self._guarded(request, handler)
        else:
            response = await self._visited(request, handler)
            response.headers["Cache-Control"] = "no-store"
        response.headers.update(_HEADERS)
        return response

    async def _visited(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        browser = request.cookies.get(BROWSER_COOKIE) or new_cookie()
        request[VISIT] = Visit(VISITOR, "", browser)
        response = await self._guarded(request, handler)
        if BROWSER_COOKIE not in request.cookies:
            self._set_cookie(response, BROWSER_COOKIE, browser)
        if request[VISIT].secret == "" and COOKIE in request.cookies and COOKIE not in response.cookies:
            self._drop_cookie(response, COOKIE)
        return response

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request[VISIT].browser:
                request[VISIT] = await self._visit(request)
            return await handler(request)
        except AppError as error:
            await self._audit.note_denial(error)
            if isinstance(error, NotAuthenticated):
                return self._to_login(request)
            return self._refusal(request, status_of(error), error.message)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            messages = {413: _TOO_LARGE, 400: _UNREADABLE, 415: _UNREADABLE}
            response = self._refusal(request, error.status, messages.get(error.status, _NO_PAGE))
            if hdrs.ALLOW in error.headers:
                response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
            return response
        except Exception:  # noqa: BLE001 - whoever stands at a page gets a page
            self._metrics.errors_total.labels("console").inc()
            _log.exception("request_failed", method=request.method, path=request.path)
            return self._refusal(request, 500, _UNEXPECTED)

    async def _visit(self, request: web.Request) -> Visit:
        visit, secret = request[VISIT], request.cookies.get(COOKIE, "")
        if not secret or self._authenticate is None:
            return visit
        try:
            return Visit(await self._authenticate(secret), secret, visit.browser)
        except NotAuthenticated:
            return visit

    async def _static(self, request: web.Request) -> web.Response:
        found = self._pages.files.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": _FOREVER}
        return web.Response(body=found.content, content_type=found.content_type, charset="utf-8", headers=headers)

    # ------------------------------------------------------------------------------------------------------- one route
    def _endpoint(self, route: AdminRoute) -> Handler:
        async def endpoint(request: web.Request) -> web.StreamResponse:
            visit = request[VISIT]
            if not visit.secret and not route.is_for_visitors:
                raise NotAuthenticated
            require(visit.actor, route.action)
            call = await self._call(request, route, visit)
            if route.is_for_visitors and route.method == hdrs.METH_POST:
                await self._failures.check(call.address)
            answer = await route.handle(call)
            if isinstance(answer, Page) and answer.status == _NOT_LET_IN:
                await self._failures.note(call.address)
            return self._response(request, answer)

        return endpoint

    async def _call(self, request: web.Request, route: AdminRoute, visit: Visit) -> AdminCall:
        form, files = await self._form(request, route, visit) if route.method == hdrs.METH_POST else ({}, {})
        said = [*request.match_info.values(), *request.query.values(), *chain.from_iterable(form.values())]
        if any("\0" in text for text in said):
            raise Unreadable(_UNREADABLE)
        return AdminCall(
            actor=visit.actor,
            path=dict(request.match_info),
            query=dict(request.query),
            form={name: many[-1] for name, many in form.items()},
            lists=form,
            files=files,
            address=self._addresses.of(request),
            device=request.headers.get(hdrs.USER_AGENT, "")[:_LONGEST_DEVICE],
            browser=self._seals.browser(visit.browser),
        )

    async def _form(
        self, request: web.Request, route: AdminRoute, visit: Visit
    ) -> tuple[dict[str, list[str]], dict[str, Upload]]:
        if request.content_type not in _FORMS or hdrs.CONTENT_ENCODING in request.headers:
            raise web.HTTPUnsupportedMediaType
        if request.content_type == "multipart/form-data" and not route.takes_files:
            raise web.HTTPUnsupportedMediaType
        if route.takes_files:
            request = request.clone(client_max_size=UPLOAD_LIMIT)
        try:
            sent = await request.post()
        except ValueError as error:
            raise Unreadable(_UNREADABLE) from error
        form: dict[str, list[str]] = {}
        files: dict[str, Upload] = {}
        for name, value in sent.items():
            if isinstance(value, web.FileField):
                files[name] = Upload(value.filename, value.file.read())
                value.file.close()
            elif isinstance(value, str):
                form.setdefault(name, []).append(value)
        if not self._seals.is_form_token("".join(form.pop(FORM_TOKEN, [""])[:1]), visit.owner):
            raise ForeignForm
        return form, files

    # ------------------------------------------------------------------------------------------------------- answering
    def _response(self, request: web.Request, answer: AdminAnswer) -> web.Response:
        if isinstance(answer, Page):
            return self._page(request, answer)
        if isinstance(answer, Download):
            name = quote(answer.name)
            headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
            return web.Response(body=answer.content, content_type=answer.content_type, headers=headers)
        response = web.Response(status=303, headers={hdrs.LOCATION: PREFIX + answer.path})
        if answer.notice:
            self._set_cookie(response, NOTICE_COOKIE, self._seals.wrap(answer.notice), life_s=_NOTICE_LIFE_S)
        if answer.session:
            self._set_cookie(response, COOKIE, answer.session)
        elif answer.session is not None:
            self._drop_cookie(response, COOKIE)
        return response

    def _page(self, request: web.Request, page: Page) -> web.Response:
        visit = request[VISIT]
        notice = request.cookies.get(NOTICE_COOKIE, "")
        values = self._values(request, visit) | {"notice": self._seals.unwrap(notice) if notice else ""}
        text = self._pages.render(page.template, values | dict(page.values))
        response = web.Response(text=text, status=page.status, content_type="text/html")
        if notice:
            self._drop_cookie(response, NOTICE_COOKIE)
        return response

    def _values(self, request: web.Request, visit: Visit) -> dict[str, Any]:
        """What every template may use."""
        actor = visit.actor
        own = request.path.removeprefix(PREFIX)

        def allowed(action: str) -> bool:
            return may(actor, Action(action))

        return {
            "actor": actor,
            "is_inside": bool(visit.secret),
            "path": own,
            "may": allowed,
            "form_token": self._seals.form_token(visit.owner),
            "menu": self._menu(visit, own),
        }

    def _menu(self, visit: Visit, own: str) -> list[dict[str, object]]:
        """The pages this person may open; the one they are on is the longest address that leads here."""
        if not visit.secret:
            return []
        routes = [route for route in self._routes if route.menu is not None and may(visit.actor, route.action)]
        routes.sort(key=lambda route: route.path != "/")
        here = [route.path for route in routes if f"{own}/".startswith(f"{route.path}/") or own == route.path]
        current = max(here, key=len, default="")
        return [
            {"title": route.menu, "address": PREFIX + route.path, "is_current": route.path == current}
            for route in routes
        ]

    def _refusal(self, request: web.Request, status: int, message: str) -> web.StreamResponse:
        is_ours = status >= 500
        values = {"message": message, "request_id": request_id.get(), "is_ours": is_ours}
        return self._page(request, Page("console/refused.html", values, status))

    def _to_login(self, request: web.Request) -> web.StreamResponse:
        own = request.path_qs.removeprefix(PREFIX)
        path = LOGIN
        if request.method == hdrs.METH_GET and own not in {"", "/"}:
            path += f"?next={quote(own, safe='')}"
        return self._response(request, WayOn(path, "请先登录，登录后会回到刚才的页面。" if path != LOGIN else ""))

    def _set_cookie(self, response: web.StreamResponse, name: str, value: str, life_s: int | None = None) -> None:
        response.set_cookie(
            name, value, path=PREFIX, max_age=life_s, httponly=True, samesite="Lax", secure=self._is_secure
        )

    def _drop_cookie(self, response: web.StreamResponse, name: str) -> None:
        response.del_cookie(name, path=PREFIX, httponly=True, samesite="Lax", secure=self._is_secure)


def add_console(app: web.Application, console: Console) -> None:
    """Adds the console to an application that is not started yet."""

    async def inside(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={hdrs.LOCATION: f"{PREFIX}/"})

    # Before the pages, which would claim the address without the slash as well.
    app.router.add_get(PREFIX, inside)
    app.add_subapp(PREFIX, console.application())
