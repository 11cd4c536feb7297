"""The first page, and one's own account: sessions, name and password."""

from __future__ import annotations

from bot.errors import AppError, Conflict, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.console import texts
from handlers.console.service.credentials import CredentialService
from handlers.console.service.entry import EntryService
from handlers.console.service.home import HomeService


class HomePages:
    """The handlers."""

    def __init__(self, home: HomeService, entry: EntryService, credentials: CredentialService) -> None:
        self._home = home
        self._entry = entry
        self._credentials = credentials

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        return (
            AdminRoute(method="GET", path="/", action=Action.CONSOLE_ENTER, handle=self.home, menu="首页"),
            AdminRoute(method="GET", path="/account", action=Action.SESSION_MANAGE, handle=self.account),
            AdminRoute(method="POST", path="/account/password", action=Action.SESSION_MANAGE, handle=self.set_password),
            AdminRoute(method="POST", path="/account/close", action=Action.SESSION_MANAGE, handle=self.close),
        )

    async def home(self, call: AdminCall) -> AdminAnswer:
        """What waits."""
        return Page("console/home.html", {"todos": await self._home.todos(call.actor)})

    async def account(self, call: AdminCall) -> AdminAnswer:
        """Who one is, and where one is logged in."""
        return await self._account(call)

    async def _account(self, call: AdminCall, fault: AppError | None = None) -> Page:
        own = await self._credentials.own(call.actor)
        values = {
            "sessions": await self._entry.sessions(call.actor),
            "kinds": texts.SESSION_KINDS,
            "own": own,
            "login": call.form.get("login", own.login if own else ""),
            "fault": fault.message if fault else "",
        }
        return Page("console/account.html", values, 422 if fault else 200)

    async def set_password(self, call: AdminCall) -> AdminAnswer:
        """Name and password anew; the authenticator is set up at the next log-in."""
        password = call.form.get("password", "")
        try:
            if password != call.form.get("again", ""):
                raise InvalidInput(texts.TYPED_DIFFERENTLY)
            login, proof = call.form.get("login", ""), call.form.get("proof", "")
            await self._credentials.set_own(call.actor, login, password, proof=proof)
        except (InvalidInput, Conflict) as fault:
            return await self._account(call, fault)
        return WayOn("/account", texts.LOGIN_SET)

    async def close(self, call: AdminCall) -> AdminAnswer:
        """Ends a session; one's own ends the visit."""
        session_id = call.form_id("id")
        await self._entry.close(call.actor, session_id)
        if session_id == call.actor.session_id:
            return WayOn("/login", texts.LOGGED_OUT, session="")
        return WayOn("/account", texts.SESSION_CLOSED)
