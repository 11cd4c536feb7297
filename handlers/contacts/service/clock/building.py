"""The clock over the machinery of one application."""

from __future__ import annotations

from dataclasses import dataclass

from bot.audit.log import Audit
from bot.clock import Clock
from bot.delivery.outbox import Outbox
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.contacts.service.clock.counting import ContactClock
from handlers.contacts.service.clock.piles import Keepers, Piles
from handlers.contacts.service.clock.pushes import ClockPushes
from handlers.contacts.service.clock.reading import ClockReading, LiveCalendars, SchoolDays
from handlers.contacts.service.clock.rules import ClockParts, ClockRules
from handlers.contacts.service.clock.telling import ContactTelling
from handlers.contacts.service.clock.todos import ClockTodos


@dataclass(frozen=True, slots=True)
class Clockwork:
    """What runs by the clock."""

    counting: ContactClock
    piles: Piles
    telling: ContactTelling
    pushes: ClockPushes
    rules: ClockRules
    todos: ClockTodos

    async def tick(self) -> None:
        """What the job does: counts anew what time has changed, and tells what is to be told today."""
        await self.counting.recount_all()
        await self.telling.tell()


def counted_by(audiences: AccountsAudiences, calendars: LiveCalendars, clock: Clock) -> ClockParts:
    """What the clock counts with. `counting.recount` is what everybody calls who writes what it counts by."""
    reading, days = ClockReading(audiences), SchoolDays(calendars)
    return ClockParts(reading, days, ContactClock(reading, days, clock))


def clock_over(
    parts: ClockParts, audiences: AccountsAudiences, keepers: Keepers, outbox: Outbox, *, audit: Audit, clock: Clock
) -> Clockwork:
    """All of it."""
    offices = Offices(clock)
    piles = Piles(parts.reading, audiences, keepers, offices)
    return Clockwork(
        counting=parts.counting,
        piles=piles,
        telling=ContactTelling(piles, parts.days, offices, outbox, clock),
        pushes=ClockPushes(piles),
        rules=ClockRules(parts, offices, audiences, audit=audit, clock=clock),
        todos=ClockTodos(offices),
    )
