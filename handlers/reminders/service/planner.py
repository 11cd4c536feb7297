"""Plans reminders: promises what comes up, moves what has moved, takes back what has ended, corrects what was told.

Every tick does what is due according to the tables, so a late tick, a second planner or a week asleep change nothing:
one row for each occurrence is the lock, and the key of each promise makes it once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from tortoise.expressions import Q

from bot.clock import Clock, local_date
from bot.delivery.outbox import Outbox, Selected
from bot.delivery.pushes import NewPush, Purpose
from bot.delivery.reminding import (
    LONGEST_NAME,
    LONGEST_OCCURRENCE,
    SOURCE,
    Choice,
    Occurrence,
    Reminded,
    ReminderReason,
)
from bot.errors import Unavailable
from bot.logs import get_logger
from bot.storage.database import transaction
from handlers.reminders.domain import CORRECTION, Window, moment
from handlers.reminders.models import Planned
from handlers.reminders.service.plan_rows import Plan, Promised, correction_key
from handlers.reminders.service.schedule import Calendars, LiveCalendars, Schedule, schedule_of

# So early are promises made: a planner may be away for that long and nothing goes out late.
AHEAD: Final = timedelta(days=2)
LOOK_AHEAD: Final = timedelta(days=400)
LOOK_BACK: Final = timedelta(days=14)
# While messages are on their way it is not yet known who was told what.
CORRECTING: Final = timedelta(days=3)
KEPT: Final = timedelta(days=400)

_log = get_logger(__name__)


class ReminderPlanner:
    """The planner over the reasons of all capabilities."""

    def __init__(
        self, reasons: Callable[[], Sequence[ReminderReason]], calendars: LiveCalendars, outbox: Outbox, clock: Clock
    ) -> None:
        self._reasons = reasons
        self._calendars = calendars
        self._outbox = outbox
        self._clock = clock

    async def tick(self) -> int:
        """Plans everything; gives how many promises are new. Raises Unavailable when a reason could not be asked,
        after all others were."""
        made, missed = 0, None
        calendars = await self._calendars.as_of_now()
        for reason in self._reasons():
            assert len(reason.name) <= LONGEST_NAME
            try:
                made += await self._plan(reason, calendars)
            except Unavailable as error:
                missed = error
        if missed is not None:
            raise missed
        return made

    async def plan(self, reason: ReminderReason) -> int:
        """Plans one reason; gives how many promises are new."""
        return await self._plan(reason, await self._calendars.as_of_now())

    async def _plan(self, reason: ReminderReason, calendars: Calendars) -> int:
        today = local_date(self._clock.now())
        first, last = today - LOOK_BACK, today + LOOK_AHEAD
        expected = {occurrence.id: occurrence for occurrence in await reason.occurrences(first, last)}
        known = await self._known(reason.name, first, expected)
        made = 0
        for occurrence in expected.values():
            assert len(occurrence.id) <= LONGEST_OCCURRENCE
            schedule = await schedule_of(calendars, reason.rule, occurrence)
            if self._has_work(known.get(occurrence.id), schedule):
                made += await self._keep(reason, occurrence, schedule)
        for row in known.values():
            if row.occurrence not in expected and row.day <= last and not row.is_withdrawn:
                await self._withdraw(reason, row.occurrence)
        return made

    async def forget_past(self) -> None:
        """Deletes plans of long ago. What was sent is kept by the outbox, for its own term."""
        await Planned.filter(day__lt=local_date(self._clock.now()) - KEPT).delete()

    async def _known(self, reason: str, first: date, expected: Mapping[str, Occurrence]) -> dict[str, Planned]:
        rows = await Planned.filter(reason=reason, day__gte=first)
        found = {row.occurrence: row for row in rows}
        missing = [each for each in expected if each not in found]
        if missing:
            # One whose day was corrected from long ago.
            older = await Planned.filter(Q(occurrence__in=missing), reason=reason, day__lt=first)
            found |= {row.occurrence: row for row in older}
        return found

    def _has_work(self, row: Planned | None, schedule: Schedule) -> bool:
        now = self._clock.now()
        if any(self._is_due(share.window, now) for shares in schedule.shares.values() for share in shares):
            return True
        if row is None:
            return False
        if row.day != schedule.day or row.is_withdrawn or row.calendar_version < schedule.version:
            return True
        return row.corrected_at is not None and now - row.corrected_at < CORRECTING

    def _is_due(self, window: Window, now: datetime) -> bool:
        return window.not_before <= now + AHEAD and window.is_open(now)

    # ---------------------------------------------------------------------------------------------------- an occurrence
    async def _keep(self, reason: ReminderReason, occurrence: Occurrence, schedule: Schedule) -> int:
        now = self._clock.now()
        async with transaction():
            plan = Plan(await self._locked(reason.name, occurrence, now))
            row = plan.row
            if row.is_withdrawn:
                for _, promised in plan.promised():
                    promised.give_up()
                row.is_withdrawn = False
            is_corrected = row.day != occurrence.day
            if is_corrected:
                row.corrected_at = now
                await self._drop_corrections(reason, plan, occurrence.day)
            # Beside a replica with a newer calendar: what that one has put in its place stays there.
            if is_corrected or schedule.version >= row.calendar_version:
                await self._move(reason, plan, schedule, is_corrected=is_corrected)
                row.day, row.calendar_version = occurrence.day, schedule.version
                row.is_provisional, row.is_split = schedule.is_provisional, schedule.is_split
            row.lead_days = None if occurrence.leads is None else list(occurrence.leads)
            made = await self._promise_due(reason, occurrence, plan, schedule)
            made += await self._correct(reason, plan)
            await plan.save(now)
        return made

    async def _locked(self, reason: str, occurrence: Occurrence, now: datetime) -> Planned:
        """The row of the occurrence, locked until the transaction ends."""
        row = Planned(
            reason=reason,
            occurrence=occurrence.id,
            day=occurrence.day,
            leads={},
            said=[],
            created_at=now,
            updated_at=now,
        )
        await Planned.bulk_create([row], ignore_conflicts=True)
        return await Planned.filter(reason=reason, occurrence=occurrence.id).select_for_update().get()

    async def _move(self, reason: ReminderReason, plan: Plan, schedule: Schedule, *, is_corrected: bool) -> None:
        """Moves what is unsent to where it belongs now. After a correction, a lead whose time had come may have been
        told to some: its next promise is another one, for all."""
        now = self._clock.now()
        for lead, promised in plan.promised():
            span, key = schedule.span(lead), plan.key(lead)
            has_begun = promised.begins is not None and promised.begins <= now
            if span is None or (is_corrected and (has_begun or span[1] <= now)):
                await self._outbox.cancel(_reason(reason), occurrence=key)
                promised.give_up()
            elif span != (promised.begins, promised.ends):
                await self._outbox.postpone(_reason(reason), key, span[0], expires_at=span[1])
                promised.begins, promised.ends = span
            if is_corrected and promised.is_promised:
                plan.said[key] = schedule.day

    async def _promise_due(self, reason: ReminderReason, occurrence: Occurrence, plan: Plan, schedule: Schedule) -> int:
        now, made = self._clock.now(), 0
        for lead, shares in schedule.shares.items():
            for share in shares:
                if not self._is_due(share.window, now):
                    continue
                key = plan.key(lead)
                promised = plan.leads.setdefault(lead, Promised())
                window, span = share.window, schedule.span(lead)
                if schedule.version < plan.row.calendar_version:
                    window, span = promised.window_in_place_of(window), promised.span or span
                whom = await reason.recipients(occurrence, share.schools, local_date(now))
                made += await self._promise(reason, whom, key, window)
                assert span is not None
                promised.begins, promised.ends = span
                plan.said.setdefault(key, occurrence.day)
        return made

    async def _promise(
        self, reason: ReminderReason, whom: Sequence[Choice | Reminded], key: str, window: Window
    ) -> int:
        rule = f"{reason.name}.{window.lead}"
        named = [each for each in whom if isinstance(each, Reminded)]
        made = await self._outbox.promise([_push(reason, each, key, rule, window) for each in named]) if named else 0
        for each in whom:
            if isinstance(each, Reminded):
                continue
            made += await self._outbox.promise_selected(
                Selected(
                    sql=each.sql,
                    parameters=each.parameters,
                    reason=_reason(reason),
                    occurrence=key,
                    rule=rule,
                    purpose=Purpose.REMINDER,
                    not_before=window.not_before,
                    expires_at=window.expires_at,
                )
            )
        return made

    # ------------------------------------------------------------------------------------------------------ corrections
    async def _drop_corrections(self, reason: ReminderReason, plan: Plan, day: date) -> None:
        """Those that name a day which has become wrong again."""
        leads = {plan.key(lead) for lead, _ in plan.promised()}
        for key, said in plan.said.items():
            if key not in leads and said != day:
                await self._outbox.cancel(_reason(reason), occurrence=key)

    async def _correct(self, reason: ReminderReason, plan: Plan) -> int:
        """Tells those who were told another day, and only them."""
        now, row = self._clock.now(), plan.row
        if row.corrected_at is None or now - row.corrected_at >= CORRECTING:
            return 0
        last_told: dict[str, tuple[date, Reminded]] = {}
        for key, day in plan.said.items():
            told = await self._outbox.told(_reason(reason), key)
            last_told |= {person: (day, Reminded(person, children)) for person, children in told.items()}
        wrong: dict[date, list[Reminded]] = defaultdict(list)
        for day, each in last_told.values():
            if day != row.day:
                wrong[day].append(each)
        made = 0
        for day, persons in wrong.items():
            key = correction_key(row.occurrence, day, row.day)
            ends = max(moment(row.day, reason.rule.until), now + CORRECTING)
            window = Window(CORRECTION, now, ends)
            made += await self._promise(reason, persons, key, window)
            plan.said.setdefault(key, row.day)
        return made

    # --------------------------------------------------------------------------------------------------------- the end
    async def _withdraw(self, reason: ReminderReason, occurrence: str) -> None:
        now = self._clock.now()
        async with transaction():
            row = await Planned.filter(reason=reason.name, occurrence=occurrence).select_for_update().get()
            plan = Plan(row)
            for key in plan.said:
                await self._outbox.cancel(_reason(reason), occurrence=key)
            row.is_withdrawn = True
            await plan.save(now)
        _log.info("reminders_withdrawn", reason=reason.name)


def _reason(reason: ReminderReason) -> str:
    return f"{SOURCE}:{reason.name}"


def _push(reason: ReminderReason, each: Reminded, key: str, rule: str, window: Window) -> NewPush:
    return NewPush(
        reason=_reason(reason),
        occurrence=key,
        person_id=each.person_id,
        rule=rule,
        purpose=Purpose.REMINDER,
        not_before=window.not_before,
        expires_at=window.expires_at,
        child_ids=each.child_ids,
    )
