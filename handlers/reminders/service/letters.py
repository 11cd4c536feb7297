"""Reminders of followers the records do not know: letters into their open chat."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from bot.clock import Clock, local_date
from bot.delivery.outbox import DeliveryStatus, NewMessage, Outbox
from bot.storage.database import transaction
from handlers.reminders.domain import CORRECTION, Window, moment, windows
from handlers.reminders.models import OwnReminder
from handlers.reminders.service.dated import DatedFacts
from handlers.reminders.service.own import RULE, current_day, own_words
from handlers.reminders.service.planner import AHEAD, CORRECTING, LOOK_BACK
from handlers.reminders.service.schedule import Calendars

REASON: Final = "reminder_letter"


class OwnLetters:
    """Promises the letters that are due. A `DeliveryCheck` for them, too."""

    def __init__(self, facts: DatedFacts, calendars: Calendars, outbox: Outbox, clock: Clock) -> None:
        self._facts = facts
        self._calendars = calendars
        self._outbox = outbox
        self._clock = clock

    async def tick(self) -> None:
        """Plans all of them. What was promised before stays. Raises KnowledgeLoading."""
        first = local_date(self._clock.now()) - LOOK_BACK
        calendar = await self._calendars.of(None)
        for row in await OwnReminder.filter(person_id=None, openid_index__not_isnull=True, day__gte=first):
            day = current_day(self._facts, row)
            if day is None or row.openid is None:
                continue
            if day != row.day:
                await self._correct(row, day)
            for window in windows(RULE, day, calendar):
                await self._promise(row, window, day)

    async def _promise(self, row: OwnReminder, window: Window, day: date, *, told: date | None = None) -> None:
        now = self._clock.now()
        if not (window.not_before <= now + AHEAD and window.is_open(now)):
            return
        assert row.openid is not None
        # Of the day it is read on, not of the day it is written on.
        read_on = local_date(max(now, window.not_before))
        await self._outbox.enqueue(
            NewMessage(
                reason=REASON,
                occurrence=_key(row, window.lead, day),
                openid=row.openid,
                text=own_words(self._facts, row, day, read_on, told=told).text,
                not_before=window.not_before,
                expires_at=window.expires_at,
            )
        )

    async def _correct(self, row: OwnReminder, day: date) -> None:
        """The other day is told to whom the old one was told; the letters of the old day are not needed any more."""
        now, old = self._clock.now(), row.day
        leads = [window.lead for window in windows(RULE, old, await self._calendars.of(None))]
        keys = [_key(row, lead, old) for lead in (*leads, CORRECTION)]
        states = await self._outbox.status_of(REASON, keys, row.openid_index or "")
        ends = max(moment(day, RULE.until), now + CORRECTING)
        async with transaction():
            if DeliveryStatus.SENT in states.values():
                await self._promise(row, Window(CORRECTION, now, ends), day, told=old)
            await OwnReminder.filter(id=row.id).update(day=day, told_day=old, updated_at=now)

    async def is_needed(self, reason: str, occurrence: str, openid_index: str) -> bool:
        """Whether it is still wanted, and still tells the right day."""
        own, _, rest = occurrence.partition("|")
        row = await OwnReminder.get_or_none(id=UUID(own), openid_index=openid_index)
        if row is None:
            return False
        day = current_day(self._facts, row)
        return day is not None and rest.endswith(day.isoformat())


def _key(row: OwnReminder, lead: str, day: date) -> str:
    return f"{row.id}|{lead}|{day.isoformat()}"
