"""The alarms capability, put together."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.capability import Capability, EntryPoints, Machinery
from bot.scheduler.jobs import Every, Job
from handlers.accounts.service.offices import Offices
from handlers.alarms.admin import AlarmPages
from handlers.alarms.chat import AlarmChat
from handlers.alarms.service.alarms import AlarmService
from handlers.alarms.service.climbing import SOURCE, Climbing
from handlers.alarms.service.ladder import Ladder
from handlers.alarms.service.pushes import AlarmPushes
from handlers.alarms.service.sheets import SheetService

_PACE: Final = timedelta(seconds=30)


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    clock, audit, settings = machinery.clock, machinery.audit, machinery.settings
    offices = Offices(clock)
    ladder = Ladder(offices)
    patience = timedelta(minutes=settings.alarms.acknowledge_minutes)
    climbing = Climbing(ladder, offices, machinery.outbox, clock, patience=patience)
    alarms = AlarmService(
        climbing, offices, machinery.outbox, audit=audit, clock=clock, kept_days=settings.support.pupil_kept_days
    )
    sheets = SheetService(ladder, offices, audit)
    machinery.services.add(alarms, sheets, climbing)
    return EntryPoints(
        routes=AlarmChat(alarms, sheets).routes(),
        admin=AlarmPages(alarms, sheets, offices).routes(),
        todos=(sheets,),
        jobs=(Job("alarms.climb", Every(_PACE), climbing.climb_due),),
        pushes={SOURCE: AlarmPushes(ladder)},
        unreachable=(climbing,),
        erasers=(alarms,),
        child_records=(alarms,),
        retention=(alarms,),
    )


ALARMS = Capability(name="alarms", build=build)
