"""Coming in and going out: opening a session once somebody has proved who they are."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from bot.audit.log import Audit
from bot.identity import Actor, Door
from bot.rights import Action
from bot.storage.database import transaction
from handlers.accounts.service.sessions import Opened, SessionService, SessionView
from handlers.console.domain import Ticket, device_in_words
from handlers.console.service.credentials import CredentialService
from handlers.console.service.tickets import TicketService


class EntryService:
    """Sessions of the console."""

    def __init__(
        self, sessions: SessionService, credentials: CredentialService, tickets: TicketService, audit: Audit
    ) -> None:
        self._sessions = sessions
        self._credentials = credentials
        self._tickets = tickets
        self._audit = audit

    async def by_code(self, step: str, code: str, *, browser: str, device: str) -> Opened:
        """The second step of a log-in by password. Raises LoginRefused, StepOver."""
        person_id = await self._credentials.check_code(step, code, browser=browser)
        return await self._open(person_id, None, device, "password")

    async def by_scan(self, ticket_id: str, *, browser: str, device: str) -> Opened | Ticket:
        """A session once the scan was confirmed, before that how far it has come. Raises TicketOver."""
        redeemed = await self._tickets.redeem(ticket_id, browser)
        if redeemed is None:
            return await self._tickets.of_browser(ticket_id, browser)
        person_id, identity_id = redeemed
        return await self._open(person_id, identity_id, device, "scan")

    async def _open(self, person_id: UUID, identity_id: UUID | None, device: str, way: str) -> Opened:
        actor = Actor(person_id=str(person_id), door=Door.CONSOLE)
        async with transaction():
            opened = await self._sessions.open_console(
                person_id, identity_id=identity_id, device=device_in_words(device)
            )
            await self._audit.record(actor, Action.SESSION_OPEN, f"session:{opened.id}", purpose=way)
        return opened

    async def sessions(self, actor: Actor) -> Sequence[SessionView]:
        """Where the actor is logged in, the API included."""
        return await self._sessions.sessions(actor)

    async def close(self, actor: Actor, session_id: str) -> None:
        """Ends one of the actor's own sessions. Raises NotFound."""
        async with transaction():
            await self._sessions.revoke(actor, session_id)
            await self._audit.record(actor, Action.SESSION_MANAGE, f"session:{session_id}", purpose="close")
