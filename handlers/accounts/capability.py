"""The accounts capability, put together."""

from __future__ import annotations

from datetime import time

from bot.audit.log import Audit
from bot.capability import Capability, DutySource, EntryPoints, Machinery, Services
from bot.clock import Clock
from bot.config_values import decode_key
from bot.scheduler.jobs import Daily, Job
from handlers.accounts.admin.pages import PeoplePages
from handlers.accounts.api import AccountsApi, AccountsServices
from handlers.accounts.chat.parts import MENU, BindingServices, binding_parts
from handlers.accounts.service.address_book import AccountsAddressBook
from handlers.accounts.service.appointments import AppointmentService
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.bars import BarService
from handlers.accounts.service.decisions import DecisionService
from handlers.accounts.service.editing import EditingService
from handlers.accounts.service.exports import ExportService
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.invitations import InvitationService
from handlers.accounts.service.logins import LoginService
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.profiles import ProfileService
from handlers.accounts.service.sessions import SessionService
from handlers.accounts.service.structure import StructureService
from handlers.accounts.service.subscriptions import SubscriptionService

_CLEANING_TIME = time(3, 50)


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    clock, audit = machinery.clock, machinery.audit
    identity = AccountsIdentity(clock)
    sessions = SessionService(clock, decode_key(machinery.settings.security.session_key.get_secret_value()))

    def duties() -> list[DutySource]:
        return [duty for part in machinery.parts for duty in part.duties]

    people = PeopleService(clock, audit, duties)
    services = BindingServices.of(machinery, identity, people)
    binding = binding_parts(machinery, services)
    machinery.services.add(
        identity,
        services.identities,
        people,
        sessions,
        AccountsAudiences(),
        StructureService(clock, audit, identity.forget),
        AppointmentService(clock, audit, duties, identity.forget),
        EditingService(clock, audit, identity.forget),
    )
    pages = _pages(machinery.services, clock, audit)
    return EntryPoints(
        routes=binding.routes,
        api=_api(machinery, services, sessions, people).routes(),
        jobs=(Job("accounts.forget_sessions", Daily(_CLEANING_TIME), sessions.forget_ended), *binding.jobs),
        admin=pages.routes(),
        todos=(*binding.todos, pages),
        checks=binding.checks,
        identity=identity,
        address_book=AccountsAddressBook(clock),
        profiles=(identity,),
        erasers=binding.erasers,
        authenticate=sessions.authenticate,
    )


def _api(
    machinery: Machinery, services: BindingServices, sessions: SessionService, people: PeopleService
) -> AccountsApi:
    return AccountsApi(
        AccountsServices(
            logins=LoginService(machinery.miniprogram, services.identities, sessions),
            sessions=sessions,
            profiles=ProfileService(services.identities, services.ties),
            people=people,
            bindings=services.binding,
            unbinding=services.binding,
            switching=services.switching,
            subscriptions=SubscriptionService(machinery.delivery.credits, machinery.delivery.templates),
        )
    )


def _pages(services: Services, clock: Clock, audit: Audit) -> PeoplePages:
    return PeoplePages(
        people=services.get(PeopleService),
        structure=services.get(StructureService),
        appointments=services.get(AppointmentService),
        invitations=services.get(InvitationService),
        decisions=services.get(DecisionService),
        bars=services.get(BarService),
        editing=services.get(EditingService),
        exports=ExportService(audit),
        clock=clock,
    )


ACCOUNTS = Capability(name="accounts", build=build, menu=MENU)
