"""The after-school capability, put together."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.capability import Capability, EntryPoints, Machinery
from bot.scheduler.jobs import Every, Job
from handlers.accounts.service.child_records import Custody
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.places import PlaceService
from handlers.after_school.api import AfterSchoolApi
from handlers.after_school.service.leaving import SOURCE, LeavingService
from handlers.after_school.service.offers import OffersService
from handlers.after_school.service.pushes import AfterSchoolPushes
from handlers.after_school.service.records import AfterSchoolRecords
from handlers.after_school.service.showing import ShowingService
from handlers.after_school.service.sign_up import SignUpService
from handlers.calendar.service.calendars import CalendarService
from handlers.consent.service.consents import ConsentService

# An offer that has run out goes to the next within so long.
_PACE: Final = timedelta(minutes=1)


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
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
    services.add(signing, leaving, showing, OffersService(PlaceService(), calendars, audit, clock))
    records = AfterSchoolRecords(leaving)
    return EntryPoints(
        api=AfterSchoolApi(showing, signing, leaving).routes(),
        jobs=(Job("after_school.offers", Every(_PACE), leaving.expire),),
        pushes={SOURCE: AfterSchoolPushes(people)},
        child_records=(records,),
        retention=(records,),
        dependents=(records,),
    )


AFTER_SCHOOL = Capability(name="after_school", build=build)
