"""The services of writing down contacts over the machinery of one application."""

from __future__ import annotations

from dataclasses import dataclass

from bot.capability import Machinery
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.alarms.service.alarms import AlarmService
from handlers.contacts.service.reach import Reaching
from handlers.contacts.service.recording.fetching import MediaFetching
from handlers.contacts.service.recording.recording import RecordingService
from handlers.contacts.service.recording.reporting import ReportService
from handlers.contacts.service.recording.today import Sources, TodayService
from handlers.contacts.service.recording.unanswered import Unanswered
from handlers.contacts.service.records.drafts import DraftService
from handlers.contacts.service.records.records import RecordService


@dataclass(frozen=True, slots=True)
class RecordingParts:
    """All of them."""

    recording: RecordingService
    reports: ReportService
    today: TodayService
    drafts: DraftService
    unanswered: Unanswered
    fetching: MediaFetching


def recording_over(machinery: Machinery) -> RecordingParts:
    """Built once for each application, after the register and its records."""
    clock, audit, services = machinery.clock, machinery.audit, machinery.services
    audiences, offices = services.get(AccountsAudiences), Offices(clock)
    reaching, records, drafts = services.get(Reaching), services.get(RecordService), services.get(DraftService)
    reports = ReportService(services.get(AlarmService), offices, audiences, audit, clock)
    recording = RecordingService(reaching, records, drafts, reports, offices, audit=audit, outbox=machinery.outbox)
    sources = Sources(audiences, records, drafts, reports)
    today = TodayService(reaching, sources, offices, recording, audit=audit, clock=clock)
    return RecordingParts(recording, reports, today, drafts, Unanswered(reaching), MediaFetching(machinery.sent))
