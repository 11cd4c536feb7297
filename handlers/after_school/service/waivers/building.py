"""The services of waivers over the machinery of one application."""

from __future__ import annotations

from dataclasses import dataclass

from bot.capability import Machinery
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.marks import FamilyMarks
from handlers.accounts.service.offices import Offices
from handlers.after_school.service.waivers.asking import WaiverAsking
from handlers.after_school.service.waivers.deciding import WaiverDeciding
from handlers.after_school.service.waivers.listing import Listing
from handlers.after_school.service.waivers.publishing import WaiverPublishing
from handlers.after_school.service.waivers.records import WaiverRecords
from handlers.after_school.service.waivers.rules import WaiverRules
from handlers.after_school.service.waivers.telling import ResultPushes, ResultReminders
from handlers.after_school.service.waivers.waived import Waived
from handlers.calendar.service.calendars import CalendarService


@dataclass(frozen=True, slots=True)
class WaiverParts:
    """All of them."""

    asking: WaiverAsking
    deciding: WaiverDeciding
    rules: WaiverRules
    publishing: WaiverPublishing
    waived: Waived
    pushes: ResultPushes
    reminders: ResultReminders
    records: WaiverRecords


def waivers_over(machinery: Machinery) -> WaiverParts:
    """Built once for each application."""
    clock, audit, files = machinery.clock, machinery.audit, machinery.files
    ours, audiences = machinery.settings.after_school, machinery.services.get(AccountsAudiences)
    marks = FamilyMarks(clock)
    listing, pushes = Listing(marks), ResultPushes(audiences, machinery.outbox, clock)
    deciding = WaiverDeciding(
        audiences,
        listing,
        machinery.services.get(CalendarService),
        pushes,
        files,
        audit=audit,
        clock=clock,
        evidence_days=ours.waiver_evidence_days,
    )
    return WaiverParts(
        asking=WaiverAsking(audiences, listing, files, audit=audit, clock=clock),
        deciding=deciding,
        rules=WaiverRules(Offices(clock), audiences, marks, audit=audit, clock=clock),
        publishing=WaiverPublishing(audiences, ours.waiver_list_ground, audit=audit, clock=clock),
        waived=Waived(),
        pushes=pushes,
        reminders=ResultReminders(audiences),
        records=WaiverRecords(files),
    )
