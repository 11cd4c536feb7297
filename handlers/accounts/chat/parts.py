"""All that binding brings to the capability: routes of the chat, what waits, checks, jobs, and the menu."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Final

from bot.capability import EntryPoints, Machinery, MenuItem
from bot.scheduler.jobs import Daily, Every, Job
from handlers.accounts import texts
from handlers.accounts.chat.binding import START, BindingChat
from handlers.accounts.chat.deciding import DecidingChat
from handlers.accounts.chat.own import OwnChat
from handlers.accounts.service.bars import BarService
from handlers.accounts.service.binding import BindingService
from handlers.accounts.service.decisions import DecisionService
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.invitations import InvitationService
from handlers.accounts.service.notices import REASONS, BindingNotices
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.requests import BindingRequests
from handlers.accounts.service.switching import SwitchService
from handlers.accounts.service.ties import Ties
from handlers.accounts.service.wechat_ids import IdentityService
from handlers.accounts.service.writing import Writer

MENU: Final = (MenuItem("我的", texts.MENU_BIND, START),)
_LEARNING: Final = timedelta(minutes=1)
_CLEANING_TIME: Final = time(3, 45)


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingServices:
    """What the parts are made of."""

    ties: Ties
    notices: BindingNotices
    requests: BindingRequests
    identities: IdentityService
    binding: BindingService
    switching: SwitchService
    people: PeopleService
    writer: Writer

    @classmethod
    def of(cls, machinery: Machinery, identity: AccountsIdentity, people: PeopleService) -> BindingServices:
        """The services, over the machinery of one application."""
        clock, audit, writer = machinery.clock, machinery.audit, Writer(machinery.clock)
        notices = BindingNotices(machinery.outbox, clock)
        ties = Ties(clock, audit, notices, identity.forget)
        requests = BindingRequests(clock, audit, notices)
        return cls(
            ties=ties,
            notices=notices,
            requests=requests,
            identities=IdentityService(clock, ties, requests, machinery.wechat),
            binding=BindingService(clock, audit, ties, writer, requests),
            switching=SwitchService(clock, audit, identity.forget),
            people=people,
            writer=writer,
        )


def binding_parts(machinery: Machinery, services: BindingServices) -> EntryPoints:
    """The parts; adds the services of those who invite, decide and protect to the machinery's."""
    clock, audit = machinery.clock, machinery.audit
    decisions = DecisionService(clock, audit, services.ties, services.notices, services.writer)
    machinery.services.add(
        decisions,
        BarService(clock, audit, services.ties),
        InvitationService(clock, audit, machinery.wechat),
        services.binding,
        services.switching,
    )
    own = OwnChat(services.binding, services.identities, services.switching, services.people.children_of)
    return EntryPoints(
        routes=(
            *BindingChat(services.binding, services.identities, services.requests).routes(),
            *own.routes(),
            *DecidingChat(decisions).routes(),
        ),
        todos=(decisions,),
        checks=dict.fromkeys(REASONS, services.notices),
        jobs=(
            Job("accounts.learn_unionids", Every(_LEARNING), services.identities.learn_unionids),
            Job("accounts.forget_requests", Daily(_CLEANING_TIME), services.requests.forget_old),
        ),
        erasers=(services.identities,),
    )
