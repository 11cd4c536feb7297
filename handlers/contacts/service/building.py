"""The services of the contact with families, built once for each application."""

from __future__ import annotations

from dataclasses import dataclass

from bot.capability import Machinery
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.offices import Offices
from handlers.contacts.service.cards.cards import CardService
from handlers.contacts.service.cards.fitness import FitnessService
from handlers.contacts.service.exports.content import ExportContent
from handlers.contacts.service.exports.exporting import ExportService
from handlers.contacts.service.exports.printing import PrintService
from handlers.contacts.service.glass.opening import GlassService
from handlers.contacts.service.glass.telling import GlassTelling
from handlers.contacts.service.glass.watching import GlassWatching
from handlers.contacts.service.keeping.planning import KeepingPlan
from handlers.contacts.service.keeping.records import ContactsKeeping
from handlers.contacts.service.pairing.pairing import PairingService
from handlers.contacts.service.reach import Reaching
from handlers.contacts.service.records.drafts import DraftService
from handlers.contacts.service.records.records import RecordService
from handlers.contacts.service.recounting import Recount, no_clock
from handlers.contacts.service.register.entering import RegisterService
from handlers.contacts.service.register.levels import LevelService
from handlers.contacts.service.whole.reading import Holdings, WholeFiles


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
        drafts=DraftService(reaching, audiences, machinery.files, audit, clock),
        keeping=ContactsKeeping(caring, machinery.files, clock, kept_days=machinery.settings.support.pupil_kept_days),
    )


@dataclass(frozen=True, slots=True)
class WatchedParts:
    """What goes past one's own or out of the house: it is told, released, watermarked, and over by itself."""

    telling: GlassTelling
    glass: GlassService
    watching: GlassWatching
    exports: ExportService
    prints: PrintService
    plan: KeepingPlan


def watched_over(machinery: Machinery, core: CoreParts) -> WatchedParts:
    """Built after the register and its records."""
    clock, audit, files = machinery.clock, machinery.audit, machinery.files
    audiences, offices, caring = machinery.services.get(AccountsAudiences), Offices(clock), Caring(clock)
    holdings = Holdings(core.register, core.cards, core.fitness, core.records)
    whole = WholeFiles(holdings, audiences, offices, files)
    telling = GlassTelling(offices, machinery.outbox, clock)
    content = ExportContent(core.reaching, audiences)
    return WatchedParts(
        telling=telling,
        glass=GlassService(
            core.reaching, whole, telling, audiences=audiences, offices=offices, audit=audit, clock=clock
        ),
        watching=GlassWatching(telling, audiences, offices, audit, clock),
        exports=ExportService(
            core.reaching, content, audiences=audiences, offices=offices, files=files, audit=audit, clock=clock
        ),
        prints=PrintService(whole, audiences, caring, audit, clock),
        plan=KeepingPlan(core.keeping, audiences, caring, audit, clock),
    )  # fmt: skip
