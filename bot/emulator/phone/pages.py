"""The routes under /demo/: the choice of personas, their phones, the wire behind a line, the log.

A page works without its script, by forms and reloads; with it, the same form is sent in the background and new lines
arrive by asking once a second. (A stream per tab would use up the few connections a browser opens to one host.)
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jinja2
from aiohttp import hdrs, web

from bot.emulator.phone import texts
from bot.emulator.phone.chat import Act, Chat, Kind, Line
from bot.emulator.phone.errors import ForeignPage, UnknownMessage, UnreadableAct
from bot.emulator.phone.phones import Phones
from bot.emulator.phone.traffic import blocks_of_call, blocks_of_exchange
from bot.emulator.phone.views import line_views, menu_version, menu_view, time_of_day
from bot.errors import AppError, Conflict, InvalidInput, LimitReached, NotFound, NotPermitted

PREFIX: Final = "/demo"
MOST_CHARACTERS: Final = 600
LINES_ON_A_PAGE: Final = 300
ROWS_IN_THE_LOG: Final = 400
# The page is answered at the latest then; what comes later it fetches.
ANSWER_WITHIN_S: Final = 1.0
# A browser without the script waits for the whole answer: it has no other way to get it.
FORM_WITHIN_S: Final = 6.0

_HERE: Final = Path(__file__).parent
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_STATUS: Final[Mapping[type[AppError], int]] = {
    NotFound: 404,
    NotPermitted: 403,
    Conflict: 409,
    InvalidInput: 422,
    LimitReached: 429,
}
_BUTTONS: Final = {
    kind.value: kind for kind in (Kind.IMAGE, Kind.VOICE, Kind.LOCATION, Kind.SCAN, Kind.FOLLOW, Kind.UNFOLLOW)
}
_dumps: Final = partial(json.dumps, ensure_ascii=False)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_pages(app: web.Application, phones: Phones) -> None:
    """Adds the pages to an application that is not started yet; `/` leads to them too."""
    # Before the pages, which would claim the address without the slash as well.
    app.router.add_get(PREFIX, _to_the_start)
    app.router.add_get("/", _to_the_start)
    app.add_subapp(PREFIX, phone_app(phones))


def phone_app(phones: Phones) -> web.Application:
    """The pages as an application of their own, to be put under PREFIX."""
    pages = _Pages(phones)
    app = web.Application(middlewares=[pages.frame])
    app.add_routes(
        [
            web.get("/", pages.start),
            web.get("/log", pages.log),
            web.get("/phone/{openid}", pages.phone),
            web.get("/phone/{openid}/updates", pages.updates),
            web.post("/phone/{openid}/act", pages.act),
            web.get("/phone/{openid}/wire/{number:[0-9]{1,6}}", pages.wire),
            web.static("/static", _HERE / "static"),
        ]
    )

    async def close(_: web.Application) -> None:
        await phones.close()

    app.on_shutdown.append(close)
    return app


async def _to_the_start(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={hdrs.LOCATION: f"{PREFIX}/"})


class _Pages:
    """The handlers. Everything they show comes from `Phones`."""

    def __init__(self, phones: Phones) -> None:
        self._phones = phones
        loader = jinja2.FileSystemLoader(_HERE / "templates")
        self._templates = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.globals |= {"base": PREFIX, "most": MOST_CHARACTERS, "channels": texts.CHANNELS}
        # Compiled now, so that no request reads a file.
        for name in self._templates.list_templates():
            self._templates.get_template(name)

    @web.middleware
    async def frame(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Faults as a page, or as JSON for the script; and the headers of every answer."""
        try:
            response = await handler(request)
        except AppError as error:
            response = self._refusal(request, error)
        response.headers.update(_HEADERS)
        return response

    async def start(self, _: web.Request) -> web.Response:
        """The choice of personas."""
        phones = self._phones
        return self._page(
            "start.html",
            personas=phones.personas.values(),
            ready=phones.ready.is_set(),
            fault=phones.fault,
            desk=phones.desk,
            code=phones.desk.code() if phones.desk else "",
        )

    async def phone(self, request: web.Request) -> web.Response:
        """One persona's phone."""
        openid = request.match_info["openid"]
        chat = self._phones.chat(openid)
        lines = chat.lines
        return self._page(
            "phone.html",
            persona=self._phones.persona(openid),
            personas=self._phones.personas.values(),
            lines=line_views(lines, max(len(lines) - LINES_ON_A_PAGE, 0), self._now()),
            next=len(lines),
            state=self._state(chat),
            menu=menu_view(chat.menu),
            menu_version=menu_version(chat.menu),
        )

    async def updates(self, request: web.Request) -> web.Response:
        """What is new on the screen since the line number `after`."""
        chat = self._phones.chat(request.match_info["openid"])
        return self._update(chat, request)

    async def act(self, request: web.Request) -> web.Response:
        """Something the persona does. Answered once its outcome is there, or a moment later without it."""
        _must_be_own(request)
        openid = request.match_info["openid"]
        chat = self._phones.chat(openid)
        await self._do(chat, await request.post(), ANSWER_WITHIN_S if _wants_json(request) else FORM_WITHIN_S)
        if _wants_json(request):
            return self._update(chat, request)
        return web.Response(status=303, headers={hdrs.LOCATION: f"{PREFIX}/phone/{openid}#last"})

    async def wire(self, request: web.Request) -> web.Response:
        """What crossed the wire for one line: a page, or with `?part=1` only its contents."""
        openid = request.match_info["openid"]
        line = self._line(self._phones.chat(openid), int(request.match_info["number"]))
        chat = self._phones.chat(openid)
        exchange, call = chat.exchange(line), chat.call(line)
        if exchange is not None:
            blocks = blocks_of_exchange(exchange)
        elif call is not None:
            blocks = blocks_of_call(call)
        else:
            raise UnknownMessage
        template = "wire_part.html" if "part" in request.query else "wire.html"
        return self._page(template, blocks=blocks, line=line, persona=self._phones.persona(openid))

    async def log(self, _: web.Request) -> web.Response:
        """Everything said, shown and called, newest first."""
        rows = self._phones.log()
        now = self._now()
        shown = [(time_of_day(row.at, now, form="%H:%M:%S"), row) for row in rows[:ROWS_IN_THE_LOG]]
        return self._page("log.html", rows=shown, total=len(rows))

    async def _do(self, chat: Chat, form: Mapping[str, Any], within_s: float) -> None:
        if form.get("do") in {"cut", "mend"}:
            (self._phones.cut if form["do"] == "cut" else self._phones.mend)()
            return
        await asyncio.wait((self._phones.start(chat, read_act(form)),), timeout=within_s)

    def _update(self, chat: Chat, request: web.Request) -> web.Response:
        after = _number(request.query.get("after", "0"))
        lines, menu = chat.lines, chat.menu
        version = menu_version(menu)
        views = line_views(lines, after, self._now())
        persona = self._phones.persona(chat.follower.openid)
        update: dict[str, Any] = {
            "after": after,
            "next": len(lines),
            "html": self._render("lines.html", lines=views, persona=persona) if views else "",
            "answers": any(view.is_answer for view in views),
            "menu": None,
            **self._state(chat),
        }
        if request.query.get("menu") != version:
            update["menu"] = {"version": version, "html": self._render("menu.html", menu=menu_view(menu))}
        return web.json_response(update, dumps=_dumps)

    def _state(self, chat: Chat) -> dict[str, Any]:
        return {
            "status": self._phones.status_of(chat),
            "is_following": chat.follower.is_following,
            "is_cut": self._phones.is_cut,
        }

    def _line(self, chat: Chat, number: int) -> Line:
        if number >= len(chat.lines):
            raise UnknownMessage
        return chat.lines[number]

    def _now(self) -> datetime:
        return self._phones.emulator.platform.clock.now()

    def _refusal(self, request: web.Request, error: AppError) -> web.Response:
        status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
        if _wants_json(request):
            body = {"error": {"code": error.code, "message": error.message}}
            return web.json_response(body, status=status, dumps=_dumps)
        response = self._page("refused.html", message=error.message)
        response.set_status(status)
        return response

    def _page(self, template: str, **values: object) -> web.Response:
        return web.Response(text=self._render(template, **values), content_type="text/html")

    def _render(self, template: str, **values: object) -> str:
        return self._templates.get_template(template).render(values)


def read_act(form: Mapping[str, Any]) -> Act:
    """What the form asks for; the button that sent it counts before the text that lies in it. Raises UnreadableAct."""
    for name, kind in (("option", Kind.OPTION), ("tap", Kind.TAP), ("answer", Kind.SAY), ("text", Kind.SAY)):
        if name == "text" and "do" in form:
            break
        value = form.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise UnreadableAct
        return Act(kind, _said(value) if kind is Kind.SAY else value)
    kind_of_button = _BUTTONS.get(str(form.get("do")))
    if kind_of_button is None:
        raise UnreadableAct
    return Act(kind_of_button)


def _said(text: str) -> str:
    # Browsers send line breaks as CR LF, phones as LF.
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise UnreadableAct(texts.NOTHING_WRITTEN)
    if len(said) > MOST_CHARACTERS:
        raise UnreadableAct(texts.TOO_LONG.format(most=MOST_CHARACTERS, length=len(said)))
    return said


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise UnreadableAct
    return int(text)


def _wants_json(request: web.Request) -> bool:
    return "application/json" in request.headers.get(hdrs.ACCEPT, "")


def _must_be_own(request: web.Request) -> None:
    """Raises ForeignPage for a form that some other site's page sends in the visitor's name."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise ForeignPage
