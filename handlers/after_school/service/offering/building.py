"""The services of offers, put together."""

from __future__ import annotations

from dataclasses import dataclass

from bot.capability import Machinery
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.places import PlaceService
from handlers.accounts.service.rolls import ClassRolls
from handlers.accounts.service.structure import StructureService
from handlers.after_school.service.collection.desk import CollectionDesk
from handlers.after_school.service.offering.drafting import Drafting
from handlers.after_school.service.offering.letters import LetterService
from handlers.after_school.service.offering.reviewing import Reviewing
from handlers.after_school.service.offering.sheets import Sheets
from handlers.after_school.service.offering.telling import CourseAudiences, DayOffNotices
from handlers.after_school.service.offers import OffersService
from handlers.calendar.service.calendars import CalendarService


@dataclass(frozen=True, slots=True)
class Offering:
    """The services."""

    drafting: Drafting
    reviewing: Reviewing
    notices: DayOffNotices
    audiences: CourseAudiences
    letters: LetterService


def offering_over(machinery: Machinery) -> Offering:
    """Over the machinery of one application and the services built before."""
    clock, audit, get = machinery.clock, machinery.audit, machinery.services.get
    places, offers = PlaceService(), get(OffersService)
    sheets = Sheets(places, get(AccountsAudiences))
    return Offering(
        drafting=Drafting(sheets, get(PeopleService), offers, audit, clock),
        reviewing=Reviewing(sheets, offers, get(StructureService), get(CalendarService), places=places, clock=clock),
        notices=DayOffNotices(
            sheets, lambda: next((part.notice_drafts for part in machinery.parts if part.notice_drafts), None)
        ),
        audiences=CourseAudiences(clock),
        letters=LetterService(CollectionDesk(ClassRolls(), get(PeopleService), clock), sheets, audit, clock),
    )
