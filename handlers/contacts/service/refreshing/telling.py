"""Telling those who have something to ask anew: at most three times in a campaign, on days of school."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Final, Protocol
from uuid import UUID

from tortoise.exceptions import IntegrityError

from bot.capability import Todo
from bot.clock import SHANGHAI, Clock, local_date, to_local, to_utc
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, Slot
from bot.identity import Actor
from bot.rights import Action, may
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.calendar.domain import SchoolCalendar
from handlers.contacts.domain.refreshing import due_term, phase_of
from handlers.contacts.models import ContactsRefresh
from handlers.contacts.service.refreshing.campaigns import Campaigns, rule_of
from handlers.contacts.service.refreshing.work import RefreshWork, running, span_of, waiting_for
from handlers.contacts.texts import refreshing as texts

SOURCE: Final = "contacts_refresh"
REASON: Final = f"{SOURCE}:task"
PAGE: Final = "/contacts/refresh"
_MORNING: Final = time(7, 45)
_EVENING: Final = time(20, 0)


class Calendars(Protocol):
    """Gives the calendar of a township."""

    async def of_township(self, township_id: str) -> SchoolCalendar:
        """As it is now."""
        ...


class RefreshTelling:
    """The job, and a `PushSource` and a `TodoSource`."""

    def __init__(
        self, campaigns: Campaigns, work: RefreshWork, calendars: Calendars, offices: Offices, *, outbox: Outbox,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._campaigns = campaigns
        self._work = work
        self._calendars = calendars
        self._offices = offices
        self._outbox = outbox
        self._clock = clock

    # ------------------------------------------------------------------------------------------------------- the job
    async def tick(self) -> None:
        """What is over ends, what is due begins, and whoever has something to ask is told. May run twice, late, and
        beside another replica."""
        today = local_date(self._clock.now())
        await self._campaigns.end_overdue(today)
        for town in await self._offices.townships():
            calendar = await self._calendars.of_township(town)
            await self._begin_due(town, calendar, today)
            if calendar.is_school_day(today):
                await self._tell(town, today)

    async def _begin_due(self, township_id: str, calendar: SchoolCalendar, today: date) -> None:
        rule = await rule_of(township_id)
        if rule is None or rule.days_before is None:
            return
        term = due_term(calendar, today, rule.days_before)
        if term is None or term.last_day <= today:
            return
        try:
            await self._campaigns.begin_by_rule(township_id, term.last_day, rule.older_than)
        except IntegrityError:
            return  # this term's has begun, or another one goes on

    async def _tell(self, township_id: str, today: date) -> None:
        now = self._clock.now()
        if to_local(now).time() >= _EVENING:
            return
        for row in await running(today, township_id=UUID(township_id)):
            people = waiting_for(await self._work.of(row))
            pushes = [
                NewPush(
                    reason=REASON,
                    occurrence=f"{row.id}:{phase_of(span_of(row), today)}",
                    person_id=person,
                    rule=SOURCE,
                    purpose=Purpose.TASK,
                    not_before=max(now, _moment(today, _MORNING)),
                    expires_at=_moment(today, _EVENING),
                )
                for person in sorted(people)
            ]
            if pushes:
                async with transaction():
                    await self._outbox.promise(pushes)

    # -------------------------------------------------------------------------------------------------------- saying
    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """See `PushSource`. Whoever has asked everything meanwhile hears nothing."""
        today = local_date(now)
        rows = {str(row.id): row for row in await running(today)}
        counts: dict[str, Mapping[str, int]] = {}
        found: dict[str, Composed | NotNeeded | NotYet] = {}
        for push in pushes:
            row = rows.get(push.occurrence.partition(":")[0])
            if row is None:
                found[push.id] = NotNeeded("over")
                continue
            if str(row.id) not in counts:
                counts[str(row.id)] = await self._counts(row)
            count = counts[str(row.id)].get(str(UUID(push.person_id)), 0)
            found[push.id] = _composed(count, row.ends_on) if count else NotNeeded("done")
        return found

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """How much the actor has to ask, without a name."""
        if actor.person_id is None or not may(actor, Action.CONTACTS_OWN):
            return []
        rows = await running(local_date(self._clock.now()))
        count = sum([(await self._counts(row)).get(actor.person_id, 0) for row in rows])
        return [Todo(texts.TODO_ASK, count, PAGE)] if count else []

    async def _counts(self, row: ContactsRefresh) -> Mapping[str, int]:
        waiting = waiting_for(await self._work.of(row))
        return {person: sum(len(each.work.waiting) for each in asked) for person, asked in waiting.items()}


def _moment(day: date, at: time) -> datetime:
    return to_utc(datetime.combine(day, at, SHANGHAI))


def _composed(count: int, ends_on: date) -> Composed:
    said = texts.PUSH.format(count=count, day=f"{ends_on.month}月{ends_on.day}日")
    slots: dict[Slot, str | date | datetime] = {
        Slot.SUBJECT: texts.SUBJECT,
        Slot.WHEN: ends_on,
        Slot.SENDER: texts.SENDER,
        Slot.NOTE: texts.NOTE,
    }
    return Composed(text=said, line=said, slots=slots, path=f"/admin{PAGE}")
