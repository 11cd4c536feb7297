"""The deliveries capability, put together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta

from bot.capability import Capability, EntryPoints, Machinery
from bot.delivery.pushes import PushSource, UnreachableListener
from bot.scheduler.jobs import Daily, Every, Job
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.structure import StructureService
from handlers.deliveries.admin import DeliveryPages, HandListPages
from handlers.deliveries.service.desk import DeliveryDesk
from handlers.deliveries.service.lines import HandList
from handlers.deliveries.service.roll import RollService
from handlers.deliveries.service.upkeep import HandListRecords, Unreached, Upkeep

# Between two looks somebody may be called whom a message has reached meanwhile: not for long.
_LOOK_EVERY = timedelta(minutes=5)
_TIDY_TIME = time(4, 10)


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    clock, audit, outbox = machinery.clock, machinery.audit, machinery.outbox
    audiences, people = machinery.services.get(AccountsAudiences), machinery.services.get(PeopleService)

    def sources() -> Mapping[str, PushSource]:
        return {name: source for part in machinery.parts for name, source in part.pushes.items()}

    lines = HandList(audiences, audit, clock)
    unreached = Unreached(lines, audiences, outbox, clock)
    upkeep = Upkeep(unreached, audiences, sources, clock)
    rolls = RollService(audiences, people, machinery.services.get(StructureService), sources, clock)

    def listeners() -> list[UnreachableListener]:
        return [listener for part in machinery.parts for listener in part.unreachable]

    desk = DeliveryDesk(outbox, audiences, lines, listeners, redis=machinery.redis, audit=audit, clock=clock)
    machinery.services.add(lines)
    return EntryPoints(
        admin=(*DeliveryPages(desk, clock).routes(), *HandListPages(rolls, lines).routes()),
        todos=(rolls, desk),
        duties=(lines,),
        unreachable=(unreached,),
        child_records=(HandListRecords(),),
        jobs=(
            Job("deliveries.take_off", Every(_LOOK_EVERY), upkeep.take_off),
            Job("deliveries.tidy", Daily(_TIDY_TIME), upkeep.tidy),
        ),
    )


DELIVERIES = Capability(name="deliveries", build=build)
