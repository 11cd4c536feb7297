"""The notices capability, put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.capability import AudienceSource, Capability, EntryPoints, Machinery
from bot.scheduler.jobs import Every, Job, Rehearsed
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.structure import StructureService
from handlers.calendar.service.calendars import CalendarService
from handlers.consent.service.consents import ConsentService
from handlers.deliveries.service.lines import HandList
from handlers.notices.admin.pages import NoticePages
from handlers.notices.api import NoticesApi
from handlers.notices.chat.own import OwnNotices
from handlers.notices.chat.writing import NoticeWriting
from handlers.notices.service.begun import BegunNotices
from handlers.notices.service.chasing import NoticeChasing
from handlers.notices.service.composing import SOURCE, NoticePushes
from handlers.notices.service.desk import DeskParts, NoticeDesk
from handlers.notices.service.outcomes import Outcomes
from handlers.notices.service.pictures import NoticePictures
from handlers.notices.service.places import Places
from handlers.notices.service.quick import QuickNotices
from handlers.notices.service.reach import NoticeReach
from handlers.notices.service.reading import NoticeReading
from handlers.notices.service.recipients import Recipients
from handlers.notices.service.records import NoticeRecords
from handlers.notices.service.reports import NoticeReports
from handlers.notices.service.sending import NoticeSender
from handlers.notices.service.showing import Showing
from handlers.notices.service.signing import NoticeSigning

# Whoever sends a notice waits about so long until the first phone rings.
_TICK: timedelta = timedelta(seconds=10)


class _Built:
    """The services over the machinery of one application."""

    def __init__(self, machinery: Machinery) -> None:
        clock, audit, outbox, services = machinery.clock, machinery.audit, machinery.outbox, machinery.services
        limit, delivery = machinery.settings.limits.notice_people_unsigned, machinery.delivery
        audiences, hand_list, offices = services.get(AccountsAudiences), services.get(HandList), Offices(clock)
        structure, calendars = services.get(StructureService), services.get(CalendarService)

        def sources() -> Sequence[AudienceSource]:
            return [source for part in machinery.parts for source in part.audiences]

        recipients = Recipients(audiences, sources)
        places, showing = Places(offices, recipients), Showing(offices)
        self.desk = NoticeDesk(DeskParts(places, showing, structure, calendars, machinery.files), audit, clock)
        self.reach = NoticeReach(
            self.desk, recipients, showing, planner=delivery.planner, audit=audit, clock=clock, limit=limit
        )
        self.signing = NoticeSigning(
            places, recipients, showing, offices, outbox=outbox, audit=audit, clock=clock, limit=limit
        )
        self.sender = NoticeSender(recipients, offices, hand_list, outbox=outbox, audit=audit, clock=clock)
        self.chasing = NoticeChasing(self.sender, hand_list, audit, clock)
        outcomes = Outcomes(audiences, offices, hand_list, outbox, clock)
        self.reports = NoticeReports(outcomes, showing, offices, outbox=outbox, audit=audit)
        self.reading = NoticeReading(audiences, machinery.files, audit=audit, clock=clock)
        url = machinery.settings.server.public_url
        self.pictures = NoticePictures(machinery.files, self.desk, self.reading, url=url, clock=clock)
        self.quick = QuickNotices(self.desk, self.reach, self.signing, structure, quiet=delivery.quiet, clock=clock)
        self.pushes = NoticePushes(audiences, services.get(ConsentService), offices, outbox, url)
        services.add(self.desk, self.reach, self.signing, self.sender, self.chasing, self.reports, self.reading)


def _rehearsed(sender: NoticeSender) -> Rehearsed:
    return Rehearsed(timedelta(hours=12), sender.next_due)


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    built, records = _Built(machinery), NoticeRecords(machinery.files)
    pages = NoticePages(
        desk=built.desk,
        reach=built.reach,
        signing=built.signing,
        reports=built.reports,
        chasing=built.chasing,
        reading=built.reading,
        pictures=built.pictures,
        people=machinery.services.get(PeopleService),
        clock=machinery.clock,
    )
    return EntryPoints(
        admin=pages.routes(),
        public=pages.public(),
        routes=(*OwnNotices(built.reading).routes(), *NoticeWriting(built.quick).routes()),
        api=NoticesApi(built.reading, built.pictures).routes(),
        jobs=(Job("notices.tick", Every(_TICK), built.sender.tick, rehearsed=_rehearsed(built.sender)),),
        pushes={SOURCE: built.pushes},
        todos=(built.signing,),
        child_records=(records,),
        retention=(records,),
        dependents=(records,),
        notice_drafts=BegunNotices(built.desk),
    )


NOTICES = Capability(name="notices", build=build)
