"""Dates of the knowledge, for everybody whose place, stage and role they concern."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from bot.clock import local_date
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Slot
from bot.delivery.reminding import Choice, DueReminder, Occurrence, Reminded, Rule
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.places import PlaceService
from handlers.reminders import texts
from handlers.reminders.domain import distance, spoken
from handlers.reminders.service.dated import Announced, DatedFacts, Group, concerned
from knowledge import compose

_ROLES: Final[Mapping[Group, frozenset[AudienceRole]]] = {
    Group.GUARDIANS: frozenset({AudienceRole.GUARDIANS}),
    Group.NEWCOMERS: frozenset({AudienceRole.GUARDIANS}),
    Group.TEACHERS: frozenset({AudienceRole.SUBJECT_TEACHERS, AudienceRole.HEAD_TEACHERS}),
    Group.HEADS: frozenset({AudienceRole.HEAD_TEACHERS}),
    Group.LEADERS: frozenset({AudienceRole.SCHOOL_LEADERS}),
}
# Of the end of a span: its beginning was told before.
_LAST_LEADS: Final = (1,)
# The planner moves what has moved, within the hour.
_ASK_AGAIN: Final = timedelta(hours=1)


class KnowledgeReason:
    """A `ReminderReason`."""

    name: Final = "knowledge"
    rule: Final = Rule()

    def __init__(self, facts: DatedFacts, places: PlaceService, audiences: AccountsAudiences) -> None:
        self._facts = facts
        self._places = places
        self._audiences = audiences

    async def occurrences(self, first: date, last: date) -> Sequence[Occurrence]:
        """The dates of plans in force, at the schools where they hold. Raises KnowledgeLoading."""
        wanted = [each for each in self._facts.announced.values() if first <= each.day <= last]
        schools = await self._places.schools() if wanted else []
        found = []
        for each in wanted:
            where = tuple(school.id for school in schools if self._facts.concerns(each.dated, school))
            if where:
                leads = _LAST_LEADS if each.is_last else None
                found.append(Occurrence(id=each.id, day=each.day, schools=where, leads=leads))
        return found

    async def recipients(
        self, occurrence: Occurrence, schools: Collection[str], today: date
    ) -> Sequence[Choice | Reminded]:
        """Those of the groups it is for."""
        return [
            await self._audiences.select(
                Audience(roles=_ROLES[each.group], schools=frozenset(schools), has_points=False, grades=each.grades),
                today,
            )
            for each in concerned(self._facts.announced[occurrence.id])
        ]

    async def compose(
        self, reminders: Sequence[DueReminder], now: datetime
    ) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """The date, what the entry says, its source, and the next step."""
        announced, today = self._facts.announced, local_date(now)
        verdicts: dict[str, Composed | NotNeeded | NotYet] = {}
        words: dict[tuple[str, str, date | None], Composed] = {}
        for each in reminders:
            found = announced.get(each.occurrence)
            if found is None:
                verdicts[each.push.id] = NotNeeded("ended")
            elif found.day != each.day:
                verdicts[each.push.id] = NotYet(now + _ASK_AGAIN)
            else:
                key = (each.occurrence, each.lead, each.told)
                if key not in words:
                    words[key] = _composed(found, each, today)
                verdicts[each.push.id] = words[key]
        return verdicts


def _composed(found: Announced, due: DueReminder, today: date) -> Composed:
    entry, what, day = found.dated.entry, found.dated.what, spoken(due.day, today)
    values = {"what": what, "day": day, "distance": distance(due.day, today)}
    note = texts.NOTE_REPLY
    if due.told is not None:
        told = spoken(due.told, today)
        sentence = texts.CORRECTED if due.day >= today else texts.CORRECTED_PAST
        lead = sentence.format(told=told, ask=entry.plan.ask, **values)
        line, note = texts.LINE_CORRECTED.format(told=told, **values), texts.NOTE_CORRECTED.format(told=told)
    elif found.is_last:
        lead, line = texts.ENDS.format(**values), texts.LINE_ENDS.format(**values)
    elif found.dated.is_span:
        lead = texts.BEGINS.format(first=day, last=spoken(found.dated.last, today), **values)
        line = texts.LINE_COMES.format(**values)
    else:
        lead, line = texts.COMES.format(**values), texts.LINE_COMES.format(**values)
    return Composed(
        text=compose.one(entry, today, lead=lead + "\n"),
        line=line,
        slots={Slot.SUBJECT: what, Slot.WHEN: due.day, Slot.SENDER: texts.SENDER, Slot.NOTE: note},
    )
