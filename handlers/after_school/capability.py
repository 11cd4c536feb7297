"""The after-school capability, put together."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Final

from bot.capability import Capability, EntryPoints, Machinery, MenuItem, merged
from bot.scheduler.jobs import Daily, Every, Job, Rehearsed
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.child_records import Custody
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.places import PlaceService
from handlers.after_school.admin.collection import CollectionPages
from handlers.after_school.admin.days import DayPages
from handlers.after_school.admin.duty import DutyPages
from handlers.after_school.admin.lists import ListPages
from handlers.after_school.admin.months import MonthPages
from handlers.after_school.admin.offering import offering_points
from handlers.after_school.admin.polls import PollPages
from handlers.after_school.admin.waiver_rules import WaiverRulePages
from handlers.after_school.admin.waivers import WaiverPages
from handlers.after_school.api.bills import BillsApi
from handlers.after_school.api.days import DaysApi
from handlers.after_school.api.polls import PollsApi
from handlers.after_school.api.sign_up import AfterSchoolApi
from handlers.after_school.api.waivers import WaiversApi
from handlers.after_school.chat import sign_up as sign_up_chat
from handlers.after_school.chat.collection import CollectionChat
from handlers.after_school.chat.days import DaysChat
from handlers.after_school.chat.drawing import DrawChat
from handlers.after_school.chat.opting_out import OptingOutChat
from handlers.after_school.chat.own import OwnChat
from handlers.after_school.chat.polls import PollChat
from handlers.after_school.chat.sign_up import SignUpChat
from handlers.after_school.chat.waiver_papers import WaiverPapers
from handlers.after_school.chat.waivers import WaiverChat
from handlers.after_school.service.collection.building import collection_over
from handlers.after_school.service.collection.chasing import SOURCE as TALLY
from handlers.after_school.service.days.collecting import CollectionService
from handlers.after_school.service.days.duty import DutyService
from handlers.after_school.service.days.leave import LeaveService
from handlers.after_school.service.days.missing import MissingChildren
from handlers.after_school.service.days.reading import DayReading
from handlers.after_school.service.days.records import DayRecords
from handlers.after_school.service.days.rosters import RosterService
from handlers.after_school.service.days.taking import AttendanceService
from handlers.after_school.service.drawing.holding import DrawingService
from handlers.after_school.service.drawing.reading import DrawReading
from handlers.after_school.service.family import FamilyService
from handlers.after_school.service.leaving import SOURCE, LeavingService
from handlers.after_school.service.months.bills import BillService
from handlers.after_school.service.months.poll_pushes import SOURCE as POLL
from handlers.after_school.service.months.poll_pushes import PollPushes
from handlers.after_school.service.months.polls import PollService
from handlers.after_school.service.months.sheets import MonthService
from handlers.after_school.service.offers import OffersService
from handlers.after_school.service.own_facts import OwnFacts
from handlers.after_school.service.pushes import AfterSchoolPushes
from handlers.after_school.service.records import AfterSchoolRecords
from handlers.after_school.service.showing import ShowingService
from handlers.after_school.service.sign_up import SignUpService
from handlers.after_school.service.waivers.asking import WaiverAsking
from handlers.after_school.service.waivers.building import waivers_over
from handlers.after_school.service.waivers.fetching import PictureFetching
from handlers.after_school.service.waivers.telling import SOURCE as RESULT
from handlers.after_school.service.waivers.waived import Waived
from handlers.after_school.texts import sign_up as sign_up_texts
from handlers.alarms.service.alarms import AlarmService
from handlers.calendar.service.calendars import CalendarService
from handlers.consent.service.consents import ConsentService

# An offer that has run out goes to the next within so long.
_PACE: Final = timedelta(minutes=1)
# In a rehearsal it is run when the next one does.
_AHEAD: Final = timedelta(hours=12)
_LAPSING: Final = Daily(time(1, 10))


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    return merged(
        [
            _sign_up(machinery),
            _waivers(machinery),
            _every_day(machinery),
            _months(machinery),
            _own_facts(machinery),
            offering_points(machinery),
        ]
    )


def _own_facts(machinery: Machinery) -> EntryPoints:
    """What families are told of their own before a rule of the knowledge."""
    get = machinery.services.get
    facts = OwnFacts(
        get(FamilyService),
        get(CalendarService),
        machinery.clock,
        waivers=get(WaiverAsking),
        waived=get(Waived),
        leave=get(LeaveService),
        bills=get(BillService),
    )
    return EntryPoints(answer_facts=(facts,))


def _every_day(machinery: Machinery) -> EntryPoints:
    """Rosters, leave, who collects, missing children."""
    clock, audit, services, offices = machinery.clock, machinery.audit, machinery.services, Offices(machinery.clock)
    audiences = services.get(AccountsAudiences)
    missing = MissingChildren(services.get(AlarmService))
    reading = DayReading(audiences, services.get(CalendarService), clock)
    rosters = RosterService(reading, offices, audit, clock)
    attendance = AttendanceService(rosters, missing, audit, clock)
    leave = LeaveService(audiences, missing, audit, clock)
    collecting, records = CollectionService(leave, offices, audit, clock), DayRecords(clock)
    duty = DutyService(offices, audiences, audit, clock)
    duty_pages = DutyPages(duty, services.get(PeopleService), clock)
    machinery.services.add(reading, rosters, attendance, leave, collecting, duty)
    return EntryPoints(
        routes=DaysChat(leave, collecting, clock).routes(),
        api=DaysApi(leave, collecting).routes(),
        admin=(*DayPages(rosters, attendance, leave, clock).routes(), *duty_pages.routes()),
        todos=(rosters, duty),
        child_records=(records,),
        retention=(records,),
        dependents=(records,),
    )


def _months(machinery: Machinery) -> EntryPoints:
    """Lessons by teacher, families' bills, what they thought of it."""
    clock, audit, services = machinery.clock, machinery.audit, machinery.services
    months = MonthService(Offices(clock), audit, clock)
    audiences, waived = services.get(AccountsAudiences), services.get(Waived)
    bills = BillService(services.get(DayReading), audiences, waived, audit=audit, clock=clock)
    asking = PollPushes(audiences, machinery.outbox)
    polls = PollService(services.get(DayReading), asking, audit, clock)
    services.add(months, bills, polls)
    return EntryPoints(
        api=(*BillsApi(bills).routes(), *PollsApi(polls).routes()),
        admin=(*MonthPages(months, bills, clock).routes(), *PollPages(polls).routes()),
        routes=PollChat(polls).routes(),
        pushes={POLL: asking},
    )


def _waivers(machinery: Machinery) -> EntryPoints:
    built, people = waivers_over(machinery), machinery.services.get(PeopleService)
    machinery.services.add(built.asking, built.deciding, built.rules, built.publishing, built.waived)
    pages = WaiverPages(built.asking, built.deciding, built.publishing)
    chat = WaiverChat(built.asking, people, machinery.settings.after_school.waiver_evidence_days)
    papers = WaiverPapers(built.asking, PictureFetching(machinery.sent))
    return EntryPoints(
        routes=(
            *chat.routes(),
            *papers.routes(),
        ),
        api=WaiversApi(built.asking).routes(),
        admin=(*pages.routes(), *WaiverRulePages(built.rules).routes()),
        jobs=(Job("after_school.lapse", _LAPSING, built.deciding.lapse),),
        pushes={RESULT: built.pushes},
        reminder_reasons=(built.reminders,),
        todos=(built.deciding,),
        child_records=(built.records,),
        retention=(built.records,),
        dependents=(built.records,),
    )


def _sign_up(machinery: Machinery) -> EntryPoints:
    clock, audit, services = machinery.clock, machinery.audit, machinery.services
    people, calendars = services.get(PeopleService), services.get(CalendarService)
    signing = SignUpService(people, services.get(ConsentService), audit, clock)
    leaving = LeavingService(
        people,
        Custody(clock),
        calendars,
        machinery.delivery.quiet,
        outbox=machinery.outbox,
        audit=audit,
        clock=clock,
    )
    showing = ShowingService(people, clock)
    draws, drawing = DrawReading(clock), DrawingService(people, leaving, audit, clock)
    family = FamilyService(people, services.get(ConsentService), services.get(AccountsAudiences), showing)
    services.add(
        signing, leaving, draws, drawing, showing, family, OffersService(PlaceService(), calendars, audit, clock)
    )
    records = AfterSchoolRecords(leaving)
    built = collection_over(machinery)
    services.add(built.tallies, built.entering, built.chasing, built.lists)
    pages = CollectionPages(built.tallies, built.entering, built.chasing, clock)
    return EntryPoints(
        admin=(*pages.routes(), *ListPages(built.lists).routes()),
        todos=(built.duties,),
        duties=(built.duties,),
        audiences=(built.audiences,),
        routes=(
            *CollectionChat(built.tallies, built.chasing).routes(),
            *SignUpChat(family, signing).routes(),
            *OwnChat(family, leaving).routes(),
            *OptingOutChat(family, leaving).routes(),
            *DrawChat(family, draws).routes(),
        ),
        api=AfterSchoolApi(showing, signing, leaving, draws).routes(),
        jobs=(Job("after_school.offers", Every(_PACE), leaving.expire, rehearsed=Rehearsed(_AHEAD, leaving.next_due)),),
        pushes={SOURCE: AfterSchoolPushes(people), TALLY: built.pushes},
        child_records=(records, built.records),
        retention=(records, built.records),
        dependents=(records,),
    )


AFTER_SCHOOL = Capability(
    name="after_school",
    build=build,
    menu=(MenuItem("课后服务", sign_up_texts.MENU, sign_up_chat.TAPPED),),
)
