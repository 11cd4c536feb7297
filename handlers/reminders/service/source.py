"""The last word before a reminder goes out: whether it still holds, and its words from whoever has the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from bot.clock import local_date
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Push
from bot.delivery.reminding import DueReminder, Occurrence, ReminderReason
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.reminders.domain import CORRECTION
from handlers.reminders.models import Planned
from handlers.reminders.service.plan_rows import Key, read_key
from handlers.reminders.service.schedule import LiveCalendars, schedule_of

Verdict: TypeAlias = Composed | NotNeeded | NotYet


class ReminderSource:
    """A `PushSource` over the reasons of all capabilities."""

    def __init__(
        self,
        reasons: Callable[[], Sequence[ReminderReason]],
        calendars: LiveCalendars,
        audiences: AccountsAudiences,
        outbox: Outbox,
    ) -> None:
        self._outbox = outbox
        self._reasons = reasons
        self._calendars = calendars
        self._audiences = audiences

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Verdict]:
        """By the id of the push."""
        by_reason: dict[str, list[Push]] = defaultdict(list)
        for push in pushes:
            by_reason[push.reason.partition(":")[2]].append(push)
        reasons = {reason.name: reason for reason in self._reasons()}
        verdicts: dict[str, Verdict] = {}
        for name, asked in by_reason.items():
            if name in reasons:
                verdicts |= await self._of_reason(reasons[name], asked, now)
        return verdicts

    async def _of_reason(self, reason: ReminderReason, pushes: Sequence[Push], now: datetime) -> dict[str, Verdict]:
        keys = {push.id: read_key(push.occurrence) for push in pushes}
        wanted = {key.occurrence for key in keys.values()}
        rows = {row.occurrence: row for row in await Planned.filter(reason=reason.name, occurrence__in=list(wanted))}
        verdicts: dict[str, Verdict] = {}
        due: list[DueReminder] = []
        split: list[Push] = []
        for push in pushes:
            key = keys[push.id]
            row = rows.get(key.occurrence)
            why = _outdated(key, row)
            if why is not None:
                verdicts[push.id] = NotNeeded(why)
                continue
            assert row is not None
            split += [push] if row.is_split and key.lead else []
            lead = key.lead or CORRECTION
            due.append(DueReminder(push=push, occurrence=key.occurrence, lead=lead, day=row.day, told=key.told))
        verdicts |= await self._told_before(due, rows)
        verdicts |= await self._by_own_calendars(reason, split, rows, now)
        due = [each for each in due if each.push.id not in verdicts]
        return verdicts | dict(await reason.compose(due, now)) if due else verdicts

    async def _told_before(self, due: Sequence[DueReminder], rows: Mapping[str, Planned]) -> dict[str, Verdict]:
        """A date that was wrong for a while and is right again: those who heard it then, as this same lead."""
        verdicts: dict[str, Verdict] = {}
        told: dict[str, set[str]] = {}
        for each in due:
            push, key = each.push, read_key(each.push.occurrence)
            if not key.revision:
                continue
            if push.occurrence not in told:
                told[push.occurrence] = await self._told_as(push, key, rows[key.occurrence])
            if push.person_id in told[push.occurrence]:
                verdicts[push.id] = NotNeeded("told")
        return verdicts

    async def _told_as(self, push: Push, key: Key, row: Planned) -> set[str]:
        day = row.day.isoformat()
        others = [said for said, of in row.said if of == day and said != push.occurrence]
        same = [said for said in others if read_key(said).lead == key.lead]
        return set().union(*[await self._outbox.told(push.reason, said) for said in same])

    async def _by_own_calendars(
        self, reason: ReminderReason, pushes: Sequence[Push], rows: Mapping[str, Planned], now: datetime
    ) -> dict[str, Verdict]:
        """Schools that do not agree: the time of the person's own counts. Those that may go out are left out."""
        schools, calendars = await self._schools_of(pushes, now), await self._calendars.as_of_now()
        verdicts: dict[str, Verdict] = {}
        for push in pushes:
            key, own = read_key(push.occurrence), schools[push.id]
            row = rows[key.occurrence]
            leads = None if row.lead_days is None else tuple(row.lead_days)
            occurrence = Occurrence(id=row.occurrence, day=row.day, schools=own, leads=leads)
            window = (await schedule_of(calendars, reason.rule, occurrence)).due(key.lead, own) if own else None
            if window is None:
                continue
            if not window.is_open(now):
                verdicts[push.id] = NotNeeded("late")
            elif window.not_before > now:
                verdicts[push.id] = NotYet(window.not_before)
        return verdicts

    async def _schools_of(self, pushes: Sequence[Push], now: datetime) -> dict[str, tuple[str, ...]]:
        """The schools each push is about, by its id."""
        children = await self._audiences.children({child for push in pushes for child in push.child_ids})
        staff = [push.person_id for push in pushes if not push.child_ids]
        places = await self._audiences.staff_places(staff, local_date(now)) if staff else {}
        found: dict[str, tuple[str, ...]] = {}
        for push in pushes:
            schools = {children[child].school_id for child in push.child_ids if child in children}
            place = places.get(push.person_id)
            schools |= {place.school_id} if place and place.school_id else set()
            found[push.id] = tuple(sorted(schools))
        return found


def _outdated(key: Key, row: Planned | None) -> str | None:
    """Why a promise does not hold any more, in a word; None: it does."""
    if row is None or row.is_withdrawn:
        return "withdrawn"
    if not key.lead:
        return None if key.day == row.day else "moved"
    revision, begins, _ = row.leads.get(key.lead, (0, None, None))
    return "moved" if begins is None or revision != key.revision else None
