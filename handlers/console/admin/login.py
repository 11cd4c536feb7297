"""Logging in: by scanning, or by password and code; and out."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from bot.errors import ExternalError, InvalidInput, NotFound, Unavailable
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.accounts.service.sessions import Opened
from handlers.console import texts
from handlers.console.domain import LoginRefused, TicketState
from handlers.console.service.credentials import CredentialService
from handlers.console.service.entry import EntryService
from handlers.console.service.tickets import TicketService

_LONGEST_WAY: Final = 500


class LoginPages:
    """The handlers."""

    def __init__(self, entry: EntryService, credentials: CredentialService, tickets: TicketService) -> None:
        self._entry = entry
        self._credentials = credentials
        self._tickets = tickets

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        return (
            AdminRoute(method="GET", path="/login", action=Action.SESSION_OPEN, handle=self.form),
            AdminRoute(method="POST", path="/login", action=Action.SESSION_OPEN, handle=self.password),
            AdminRoute(method="POST", path="/login/code", action=Action.SESSION_OPEN, handle=self.code),
            AdminRoute(method="POST", path="/login/scan", action=Action.SESSION_OPEN, handle=self.begin_scan),
            AdminRoute(method="GET", path="/login/scan", action=Action.SESSION_OPEN, handle=self.scan),
            AdminRoute(method="POST", path="/logout", action=Action.SESSION_OPEN, handle=self.log_out),
        )

    async def form(self, call: AdminCall) -> AdminAnswer:
        """The choice of ways."""
        if call.actor.session_id is not None:
            return WayOn("/")
        return _form(_wanted(call.query.get("next", "")))

    async def password(self, call: AdminCall) -> AdminAnswer:
        """The first step: name and password."""
        wanted, login = _wanted(call.form.get("next", "")), call.form.get("login", "")
        try:
            step = await self._credentials.check_password(login, call.form.get("password", ""), browser=call.browser)
        except LoginRefused as refused:
            return _form(wanted, fault=refused.message, login=login, status=401)
        return await self._code_page(call, step, wanted)

    async def code(self, call: AdminCall) -> AdminAnswer:
        """The second step: the code."""
        wanted, step, code = (call.form.get(name, "") for name in ("next", "step", "code"))
        try:
            opened = await self._entry.by_code(step, code, browser=call.browser, device=call.device)
        except LoginRefused as refused:
            return await self._code_page(call, step, _wanted(wanted), fault=refused.message)
        except InvalidInput as over:
            return _form(_wanted(wanted), fault=over.message, status=401)
        return WayOn(_wanted(wanted), session=opened.secret)

    async def _code_page(self, call: AdminCall, step: str, wanted: str, fault: str = "") -> Page:
        setup = await self._credentials.setup_of(step, browser=call.browser)
        values = {
            "step": step,
            "next": wanted,
            "fault": fault,
            "secret": _in_fours(setup.secret) if setup else "",
            "address": setup.address if setup else "",
        }
        return Page("console/code.html", values, 401 if fault else 200)

    async def begin_scan(self, call: AdminCall) -> AdminAnswer:
        """A fresh code to scan."""
        wanted = _wanted(call.form.get("next", ""))
        try:
            ticket_id = await self._tickets.begin(call.browser)
        except (ExternalError, Unavailable):
            return _form(wanted, fault=texts.NO_QR, status=503)
        return WayOn(f"/login/scan?t={ticket_id}&next={quote(wanted, safe='')}")

    async def scan(self, call: AdminCall) -> AdminAnswer:
        """The code, until somebody has confirmed; then inside. The browser asks again and again."""
        wanted = _wanted(call.query.get("next", ""))
        try:
            found = await self._entry.by_scan(call.query.get("t", ""), browser=call.browser, device=call.device)
        except NotFound:
            return _form(wanted, fault=texts.TICKET_GONE)
        if isinstance(found, Opened):
            return WayOn(wanted, session=found.secret)
        if found.state is TicketState.REFUSED:
            return _form(wanted, fault=texts.TICKET_REFUSED)
        return Page("console/scan.html", {"ticket": found, "next": wanted})

    async def log_out(self, call: AdminCall) -> AdminAnswer:
        """The session ends, on both sides."""
        if call.actor.session_id is not None:
            await self._entry.close(call.actor, call.actor.session_id)
        return WayOn("/login", texts.LOGGED_OUT, session="")


def _form(wanted: str, *, fault: str = "", login: str = "", status: int = 200) -> Page:
    return Page("console/login.html", {"next": wanted, "fault": fault, "login": login}, status)


def _wanted(path: str) -> str:
    """Where somebody wanted to go, as a path after /admin: whatever it is, it stays with us."""
    is_plain = path.startswith("/") and len(path) <= _LONGEST_WAY and path.isprintable()
    return path if is_plain and not path.startswith(("/login", "/logout")) else "/"


def _in_fours(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
