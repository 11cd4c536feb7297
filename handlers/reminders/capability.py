"""The reminders capability, put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta

from bot.capability import Capability, EntryPoints, Machinery
from bot.delivery.reminding import SOURCE, ReminderReason
from bot.scheduler.jobs import Daily, Every, Job, Rehearsed
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.places import PlaceService
from handlers.accounts.service.structure import StructureService
from handlers.calendar.service.calendars import CalendarService
from handlers.consent.service.consents import ConsentService
from handlers.reminders.admin import ReminderPages
from handlers.reminders.api import RemindersApi
from handlers.reminders.chat import RemindersChat
from handlers.reminders.service.classes import ClassReason, ClassReminders
from handlers.reminders.service.dated import DatedFacts
from handlers.reminders.service.knowledge import KnowledgeReason
from handlers.reminders.service.letters import REASON, OwnLetters
from handlers.reminders.service.own import OwnReason, OwnReminders
from handlers.reminders.service.planner import ReminderPlanner
from handlers.reminders.service.preview import CalendarPreview
from handlers.reminders.service.source import ReminderSource

PLANNED_EVERY = timedelta(minutes=10)
_CLEANING_TIME = time(4, 10)
# A planner that was busy for a while catches up.
_GRACE = timedelta(minutes=5)
# A promise is made two days ahead, and what else may change there, a plan that ends, changes at midnight.
_REHEARSED = Rehearsed(timedelta(hours=12))


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    clock, outbox, services = machinery.clock, machinery.outbox, machinery.services
    calendars, audiences = services.get(CalendarService), services.get(AccountsAudiences)
    facts = DatedFacts(machinery.library, clock)
    own = OwnReminders(facts, clock)
    letters = OwnLetters(facts, calendars, outbox, clock)
    classes = ClassReminders(
        services.get(StructureService), audiences, calendars, outbox, audit=machinery.audit, clock=clock
    )

    def reasons() -> Sequence[ReminderReason]:
        return [reason for part in machinery.parts for reason in part.reminder_reasons]

    def article_of(note: str | None) -> str | None:
        readers = [part.article_of for part in machinery.parts if part.article_of is not None]
        return next((article for read in readers if (article := read(note))), None)

    planner = ReminderPlanner(reasons, calendars, outbox, clock)
    calendars.add_dependents(CalendarPreview(reasons, calendars, outbox, clock))
    services.add(own, classes, planner)

    async def forget_past() -> None:
        for service in (planner, own, classes):
            await service.forget_past()

    return EntryPoints(
        routes=RemindersChat(own, classes, article_of).routes(),
        api=RemindersApi(own).routes(),
        admin=ReminderPages(classes).routes(),
        jobs=(
            Job("reminders.plan", Every(PLANNED_EVERY), planner.tick, grace=_GRACE, rehearsed=_REHEARSED),
            Job("reminders.letters", Every(PLANNED_EVERY), letters.tick, grace=_GRACE, rehearsed=_REHEARSED),
            Job("reminders.forget_past", Daily(_CLEANING_TIME), forget_past),
        ),
        pushes={SOURCE: ReminderSource(reasons, calendars, audiences, outbox)},
        checks={REASON: letters},
        erasers=(own,),
        reminder_reasons=(
            KnowledgeReason(facts, PlaceService(), audiences, services.get(ConsentService)),
            OwnReason(facts, clock),
            ClassReason(audiences),
        ),
    )


REMINDERS = Capability(name="reminders", build=build)
