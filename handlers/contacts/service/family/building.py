"""The services of what is kept up with families, over the machinery of one application."""

from __future__ import annotations

from dataclasses import dataclass

from bot.capability import Machinery
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.child_records import Custody
from handlers.accounts.service.offices import Offices
from handlers.consent.service.consents import ConsentService
from handlers.contacts.service.family.call_pushes import CallPushes
from handlers.contacts.service.family.calls import Calls
from handlers.contacts.service.family.heard import HeardService
from handlers.contacts.service.family.reach import FamilyReach
from handlers.contacts.service.family.wishes import FamilyRecords, Wishes
from handlers.contacts.service.family.words import Words
from handlers.contacts.service.reach import Reaching


@dataclass(frozen=True, slots=True)
class FamilyParts:
    """All of them."""

    wishes: Wishes
    words: Words
    calls: Calls
    pushes: CallPushes
    heard: HeardService
    records: FamilyRecords
    reach: FamilyReach


def family_over(machinery: Machinery) -> FamilyParts:
    """Built once for each application, after the register and its pairs."""
    get, clock, audit, outbox = machinery.services.get, machinery.clock, machinery.audit, machinery.outbox
    audiences, caring, offices = get(AccountsAudiences), Caring(clock), Offices(clock)
    reach = FamilyReach(get(Reaching), audiences, caring, offices)
    wishes = Wishes(reach, get(ConsentService), Custody(clock), offices, audit=audit, clock=clock)
    return FamilyParts(
        wishes,
        Words(reach, wishes, audiences, caring, outbox=outbox, audit=audit, clock=clock),
        Calls(reach, wishes, audiences, outbox=outbox, audit=audit, clock=clock),
        CallPushes(wishes, audiences),
        HeardService(get(Reaching), audit, clock),
        FamilyRecords(clock),
        reach,
    )
