"""All pages about notices, as one."""

from __future__ import annotations

from bot.clock import Clock
from bot.web.admin import AdminRoute
from bot.web.public import PublicRoute
from handlers.accounts.service.people import PeopleService
from handlers.notices.admin.behalf import BehalfPages
from handlers.notices.admin.composing import ComposingPages
from handlers.notices.admin.pictures import PicturePages
from handlers.notices.admin.reading import ReadingPages
from handlers.notices.admin.reporting import ReportingPages
from handlers.notices.admin.sending import SendingPages
from handlers.notices.service.chasing import NoticeChasing
from handlers.notices.service.desk import NoticeDesk
from handlers.notices.service.pictures import NoticePictures
from handlers.notices.service.reach import NoticeReach
from handlers.notices.service.reading import NoticeReading
from handlers.notices.service.reports import NoticeReports
from handlers.notices.service.signing import NoticeSigning


class NoticePages:
    """Those of the console, and the one of the families."""

    def __init__(
        self,
        *,
        desk: NoticeDesk,
        reach: NoticeReach,
        signing: NoticeSigning,
        reports: NoticeReports,
        chasing: NoticeChasing,
        reading: NoticeReading,
        pictures: NoticePictures,
        people: PeopleService,
        clock: Clock,
    ) -> None:
        self._console = (
            ComposingPages(desk, people, clock.now),
            ReportingPages(reports, chasing, clock),
            BehalfPages(desk, reports, chasing),
            PicturePages(pictures),
            SendingPages(desk, reach, signing, reports=reports, pictures=pictures),
        )
        self._reading = ReadingPages(reading, pictures)

    def routes(self) -> tuple[AdminRoute, ...]:
        """Of the console."""
        return tuple(route for pages in self._console for route in pages.routes())

    def public(self) -> tuple[PublicRoute, ...]:
        """For who has the link."""
        return self._reading.routes()
