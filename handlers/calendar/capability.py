"""The calendar capability, put together."""

from __future__ import annotations

from datetime import timedelta

from bot.capability import Capability, EntryPoints, Machinery
from bot.scheduler.jobs import Every, Job
from handlers.accounts.service.places import PlaceService
from handlers.calendar.admin.editing import EditingPages
from handlers.calendar.admin.looking import CalendarPages
from handlers.calendar.admin.years import YearPages
from handlers.calendar.service.calendars import CalendarService
from handlers.calendar.service.desk import CalendarDesk
from handlers.calendar.service.editing import CalendarEditing
from handlers.calendar.service.watch import CalendarWatch

# Often enough for the metric of a process that has just begun; the log is written to once a day.
_LOOKS_EVERY = timedelta(minutes=5)


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    clock, places = machinery.clock, PlaceService()
    calendars = CalendarService(places)
    desk = CalendarDesk(calendars, places)
    editing = CalendarEditing(calendars, places, machinery.audit, clock)
    watch = CalendarWatch(calendars, places, machinery.settings.calendar, clock=clock, metrics=machinery.metrics)
    machinery.services.add(calendars, editing)
    return EntryPoints(
        admin=(
            *CalendarPages(desk, clock).routes(),
            *EditingPages(desk, editing).routes(),
            *YearPages(desk, editing, clock).routes(),
        ),
        todos=(watch,),
        jobs=(Job("calendar.watch", Every(_LOOKS_EVERY), watch.look),),
    )


CALENDAR = Capability(name="calendar", build=build)
