"""The services of the contact with families, built once for each application."""

from __future__ import annotations

from dataclasses import dataclass

from bot.capability import Machinery
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.offices import Offices
from handlers.contacts.service.cards.cards import CardService
from handlers.contacts.service.cards.fitness import FitnessService
from handlers.contacts.service.keeping.records import ContactsKeeping
from handlers.contacts.service.pairing.pairing import PairingService
from handlers.contacts.service.reach import Reaching
from handlers.contacts.service.records.drafts import DraftService
from handlers.contacts.service.records.records import RecordService
from handlers.contacts.service.recounting import Recount, no_clock
from handlers.contacts.service.register.entering import RegisterService
from handlers.contacts.service.register.levels import LevelService


@dataclass(frozen=True, slots=True)
class CoreParts:
    """Register, pairs, cards, records."""

    reaching: Reaching
    levels: LevelService
    register: RegisterService
    pairing: PairingService
    cards: CardService
    fitness: FitnessService
    records: RecordService
    drafts: DraftService
    keeping: ContactsKeeping


def core_over(machinery: Machinery, recount: Recount = no_clock) -> CoreParts:
    """`recount` counts anew when contact is due, in the transaction of whatever changes it."""
    clock, audit = machinery.clock, machinery.audit
    audiences, caring = machinery.services.get(AccountsAudiences), Caring(clock)
    reaching = Reaching(audiences, caring)
    fitness = FitnessService(reaching, audiences, machinery.files, audit, clock)
    levels = LevelService(reaching, audit, clock, recount)
    return CoreParts(
        reaching=reaching,
        levels=levels,
        register=RegisterService(reaching, levels, audiences, caring, audit=audit, clock=clock, recount=recount),
        pairing=PairingService(reaching, audiences, caring, audit=audit, clock=clock, recount=recount),
        cards=CardService(reaching, fitness, Offices(clock), audit, clock),
        fitness=fitness,
        records=RecordService(reaching, audiences, machinery.files, audit=audit, clock=clock, recount=recount),
        drafts=DraftService(reaching, audiences, audit, clock),
        keeping=ContactsKeeping(caring, machinery.files, clock, kept_days=machinery.settings.support.pupil_kept_days),
    )
