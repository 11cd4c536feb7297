"""The contact with families, put together."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Final

from bot.capability import Capability, EntryPoints, Machinery, merged
from bot.scheduler.jobs import Daily, Every, Job, Rehearsed
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.places import PlaceService
from handlers.calendar.service.calendars import CalendarService
from handlers.contacts.admin.cards import CardPages
from handlers.contacts.admin.clock import ClockRulePages
from handlers.contacts.admin.exports import ExportPages, ReleasePages
from handlers.contacts.admin.family import FamilyPages
from handlers.contacts.admin.figures import FigurePages
from handlers.contacts.admin.glass import GlassPages, GlassWatchPages
from handlers.contacts.admin.overview import OverviewPages
from handlers.contacts.admin.pairing import PairingPages
from handlers.contacts.admin.printing import KeepingPages, PrintPages
from handlers.contacts.admin.recording import RecordPages
from handlers.contacts.admin.refreshing import RefreshPages
from handlers.contacts.admin.register import RegisterPages
from handlers.contacts.admin.reports import ReportPages
from handlers.contacts.chat.family import FamilyChat
from handlers.contacts.chat.recording import RecordChat
from handlers.contacts.chat.reporting import ReportChat
from handlers.contacts.service.building import CoreParts, core_over, watched_over
from handlers.contacts.service.clock.building import Clockwork, clock_over, counted_by
from handlers.contacts.service.clock.rules import ClockParts
from handlers.contacts.service.clock.telling import SOURCE
from handlers.contacts.service.family.building import family_over
from handlers.contacts.service.family.call_pushes import SOURCE as CALL
from handlers.contacts.service.family.calls import Calls
from handlers.contacts.service.family.words import SOURCE as WORD
from handlers.contacts.service.figures.counting import MonthCounting
from handlers.contacts.service.figures.counting import Places as CountedPlaces
from handlers.contacts.service.figures.showing import FiguresService
from handlers.contacts.service.glass.telling import SOURCE as GLASS
from handlers.contacts.service.overview.overview import OverviewService, Sources
from handlers.contacts.service.reach import Reaching
from handlers.contacts.service.recording.building import recording_over
from handlers.contacts.service.recording.reporting import ReportService
from handlers.contacts.service.recording.unanswered import SOURCE as UNANSWERED
from handlers.contacts.service.refreshing.campaigns import Campaigns
from handlers.contacts.service.refreshing.telling import SOURCE as REFRESH
from handlers.contacts.service.refreshing.telling import RefreshTelling
from handlers.contacts.service.refreshing.work import RefreshWork

_SWEEPING: Final = Daily(time(0, 40))
_MONTHS: Final = Daily(time(1, 20))
_PACE: Final = timedelta(minutes=20)
# What is due is counted at midnight, and told in the morning.
_REHEARSED: Final = Rehearsed(timedelta(hours=12))


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    get = machinery.services.get
    counted = counted_by(get(AccountsAudiences), get(CalendarService), machinery.clock)
    core = core_over(machinery, counted.counting.recount)
    works = clock_over(
        counted, get(AccountsAudiences), core.reaching, machinery.outbox, audit=machinery.audit, clock=machinery.clock
    )
    parts = [_core(machinery, core), _clock(machinery, works), _family(machinery), _recording(machinery)]
    views = [_views(machinery, core, counted, works), _watched(machinery, core)]
    return merged([*parts, *views, _refreshing(machinery)])


def _core(machinery: Machinery, core: CoreParts) -> EntryPoints:
    """Register, pairs, cards, records."""
    services = (core.reaching, core.levels, core.register, core.pairing, core.cards, core.fitness)
    machinery.services.add(*services, core.records, core.drafts, core.keeping)
    pages = (
        *RegisterPages(core, machinery.services.get(PeopleService), machinery.clock).routes(),
        *PairingPages(core).routes(),
        *CardPages(core, machinery.clock).routes(),
    )
    return EntryPoints(
        admin=pages,
        todos=(core.register, core.pairing, core.cards),
        duties=(core.pairing,),
        jobs=(Job("contacts.sweep", _SWEEPING, core.pairing.sweep),),
        child_records=(core.keeping,),
        retention=(core.keeping,),
        dependents=(core.keeping,),
    )


def _clock(machinery: Machinery, works: Clockwork) -> EntryPoints:
    """When contact is due, and who is told."""
    machinery.services.add(works.counting, works.rules)
    return EntryPoints(
        admin=ClockRulePages(works.rules).routes(),
        todos=(works.rules, works.todos),
        jobs=(Job("contacts.clock", Every(_PACE), works.tick, rehearsed=_REHEARSED),),
        pushes={SOURCE: works.pushes},
        unreachable=(works.telling,),
    )


def _recording(machinery: Machinery) -> EntryPoints:
    """Teachers write contacts down, and report what must be."""
    built, clock = recording_over(machinery), machinery.clock
    machinery.services.add(built.recording, built.reports, built.today)
    reports = ReportChat(built.reports, clock)
    pages = RecordPages(built.recording, built.today, built.drafts, machinery.services.get(Calls), clock)
    return EntryPoints(
        routes=(
            *reports.routes(),
            *RecordChat(built.recording, built.today, built.drafts, reports, built.fetching, clock).routes(),
        ),
        admin=(*pages.routes(), *ReportPages(built.reports, built.recording, clock).routes()),
        todos=(built.unanswered, built.today, built.reports),
        pushes={UNANSWERED: built.unanswered},
    )


def _views(machinery: Machinery, core: CoreParts, counted: ClockParts, works: Clockwork) -> EntryPoints:
    """What waits for the lead, and figures for those who may see no names."""
    clock, audit, get = machinery.clock, machinery.audit, machinery.services.get
    audiences = get(AccountsAudiences)
    overview = OverviewService(Sources(core.reaching, audiences, core.register, get(ReportService)), audit, clock)
    figures = FiguresService(works.piles, Offices(clock), audit, clock)
    counting = MonthCounting(counted, CountedPlaces(audiences, Caring(clock), PlaceService()), clock)
    machinery.services.add(overview, figures, counting)
    return EntryPoints(
        admin=(*OverviewPages(overview).routes(), *FigurePages(figures).routes()),
        todos=(overview,),
        jobs=(Job("contacts.months", _MONTHS, counting.count),),
    )


def _watched(machinery: Machinery, core: CoreParts) -> EntryPoints:
    """Looking past one's own, and taking things out."""
    parts, clock = watched_over(machinery, core), machinery.clock
    machinery.services.add(parts.glass, parts.watching, parts.exports, parts.prints, parts.plan, parts.telling)
    people = machinery.services.get(PeopleService)
    return EntryPoints(
        admin=(
            *GlassPages(parts.glass, people, clock).routes(),
            *GlassWatchPages(parts.watching).routes(),
            *ExportPages(parts.exports, clock).routes(),
            *ReleasePages(parts.exports).routes(),
            *PrintPages(parts.prints).routes(),
            *KeepingPages(parts.plan).routes(),
        ),
        todos=(parts.watching, parts.exports),
        pushes={GLASS: parts.telling},
        unreachable=(parts.telling,),
    )


def _refreshing(machinery: Machinery) -> EntryPoints:
    """For a time what the cards know is asked anew."""
    get, clock, offices = machinery.services.get, machinery.clock, Offices(machinery.clock)
    work = RefreshWork(get(Reaching), Caring(clock), offices)
    campaigns = Campaigns(work, get(AccountsAudiences), offices, audit=machinery.audit, clock=clock)
    telling = RefreshTelling(campaigns, work, get(CalendarService), offices, outbox=machinery.outbox, clock=clock)
    machinery.services.add(campaigns, telling)
    return EntryPoints(
        admin=RefreshPages(campaigns, clock).routes(),
        todos=(telling,),
        jobs=(Job("contacts.refresh", Every(_PACE), telling.tick, rehearsed=_REHEARSED),),
        pushes={REFRESH: telling},
    )


def _family(machinery: Machinery) -> EntryPoints:
    """What is kept up with parents who live apart from their child."""
    parts, clock = family_over(machinery), machinery.clock
    machinery.services.add(parts.wishes, parts.words, parts.calls, parts.pushes, parts.heard, parts.records)
    chat = FamilyChat(parts.wishes, parts.calls, machinery.services.get(PeopleService), clock)
    return EntryPoints(
        routes=chat.routes(),
        admin=FamilyPages(parts, clock).routes(),
        todos=(parts.calls,),
        jobs=(Job("contacts.words", Every(_PACE), parts.words.send_due, rehearsed=_REHEARSED),),
        pushes={WORD: parts.words, CALL: parts.pushes},
        child_records=(parts.records,),
        dependents=(parts.records,),
    )


CONTACTS = Capability(name="contacts", build=build)
