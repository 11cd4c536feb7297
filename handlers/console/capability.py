"""The console capability, put together."""

from __future__ import annotations

from bot.capability import Capability, EntryPoints, Machinery
from handlers.accounts.service.names import NameService
from handlers.accounts.service.sessions import SessionService
from handlers.console.admin.audit import AuditPages
from handlers.console.admin.home import HomePages
from handlers.console.admin.login import LoginPages
from handlers.console.admin.rights import RightsPages
from handlers.console.chat import LoginChat
from handlers.console.service.audit_search import AuditSearch
from handlers.console.service.credentials import CredentialService
from handlers.console.service.entry import EntryService
from handlers.console.service.home import HomeService
from handlers.console.service.tickets import TicketService


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    audit, clock = machinery.audit, machinery.clock
    sessions = machinery.services.get(SessionService)
    credentials = CredentialService(clock, audit, sessions)
    tickets = TicketService(machinery.redis, machinery.wechat)
    entry = EntryService(sessions, credentials, tickets, audit)
    machinery.services.add(credentials)
    return EntryPoints(
        routes=LoginChat(tickets).routes(),
        admin=(
            *HomePages(HomeService(lambda: machinery.parts), entry, credentials).routes(),
            *LoginPages(entry, credentials, tickets).routes(),
            *AuditPages(AuditSearch(audit, NameService()), clock).routes(),
            *RightsPages().routes(),
        ),
        console_authenticate=sessions.authenticate_console,
    )


CONSOLE = Capability(name="console", build=build)
