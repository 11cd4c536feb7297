"""The duties capability, put together."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.capability import Capability, EntryPoints, Machinery
from bot.scheduler.jobs import Every, Job, Rehearsed
from handlers.accounts.service.offices import Offices
from handlers.calendar.service.calendars import CalendarService
from handlers.duties.admin import DutyPages
from handlers.duties.chat import DutyChat
from handlers.duties.service.holding import Holding
from handlers.duties.service.planning import DutyPlanner, LiveCalendars
from handlers.duties.service.preview import DutyCalendarPreview
from handlers.duties.service.pushes import SOURCE, DutyReminders
from handlers.duties.service.rules import RuleService
from handlers.duties.service.tasks import TaskService

_PACE: Final = timedelta(minutes=20)
# A duty changes its state at midnight, and what is said of it is said in the morning.
_REHEARSED: Final = Rehearsed(timedelta(hours=12))


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    calendars = machinery.services.get(CalendarService)
    calendars.add_dependents(DutyCalendarPreview(Offices(machinery.clock), machinery.clock))
    return built_with(machinery, calendars)


def built_with(machinery: Machinery, calendars: LiveCalendars) -> EntryPoints:
    """The same over calendars of one's own."""
    clock, audit = machinery.clock, machinery.audit
    offices = Offices(clock)
    holding = Holding(offices)
    planner = DutyPlanner(offices, calendars, clock)
    reminders = DutyReminders(machinery.outbox, holding, offices, clock)
    tasks = TaskService(holding, offices, reminders, audit=audit, clock=clock)
    rules = RuleService(planner, offices, audit=audit, clock=clock)
    machinery.services.add(tasks, rules, planner, reminders)

    async def plan_and_remind() -> None:
        await planner.plan()
        await reminders.promise_due()

    return EntryPoints(
        routes=DutyChat(tasks).routes(),
        admin=DutyPages(tasks, rules).routes(),
        todos=(tasks,),
        duties=(tasks,),
        jobs=(Job("duties.plan", Every(_PACE), plan_and_remind, rehearsed=_REHEARSED),),
        pushes={SOURCE: reminders},
    )


DUTIES = Capability(name="duties", build=build)
