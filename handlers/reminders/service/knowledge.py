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
from handlers.consent.domain.register import ItemName
from handlers.consent.service.consents import ConsentService
from handlers.reminders import texts
from handlers.reminders.domain import distance, spoken
from handlers.reminders.service.dated import Announced, Concerned, DatedFacts, Group, concerned
from knowledge import compose

_ROLES: Final[Mapping[Group, frozenset[AudienceRole]]] = {
    Group.GUARDIANS: frozenset({AudienceRole.GUARDIANS}),
    Group.NEWCOMERS: frozenset({AudienceRole.GUARDIANS}),
    Group.TEACHERS: frozenset({AudienceRole.SUBJECT_TEACHERS, AudienceRole.HEAD_TEACHERS}),
    Group.HEADS: frozenset({AudienceRole.HEAD_TEACHERS}),
    Group.LEADERS: frozenset({AudienceRole.SCHOOL_LEADERS}),
}
# Told of something because of a child: that rests on the family's consent.
_OF_CHILDREN: Final = frozenset({Group.GUARDIANS, Group.NEWCOMERS})
# Of the end of a span: its beginning was told before.
_LAST_LEADS: Final = (1,)
# The planner moves what has moved, within the hour.
_ASK_AGAIN: Final = timedelta(hours=1)


class KnowledgeReason:
    """A `ReminderReason`."""

    name: Final = "knowledge"
    rule: Final = Rule()

    def __init__(
        self, facts: DatedFacts, places: PlaceService, audiences: AccountsAudiences, consents: ConsentService
    ) -> None:
        self._facts = facts
        self._places = places
        self._audiences = audiences
        self._consents = consents

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
        """Those of the groups it is for; of families, those that have not declined reminders about their children."""
        return [await self._whom(each, schools, today) for each in concerned(self._facts.announced[occurrence.id])]

    async def _whom(self, meant: Concerned, schools: Collection[str], today: date) -> Choice:
        found = await self._audiences.select(
            Audience(roles=_ROLES[meant.group], schools=frozenset(schools), has_points=False, grades=meant.grades),
            today,
        )
        if meant.group not in _OF_CHILDREN:
            return found
        return self._consents.without_declined(found, ItemName.CHILD_REMINDERS)

    async def compose(
        self, reminders: Sequence[DueReminder], now: datetime
    ) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """The date, what the entry says, its source, and the next step."""
        announced, today = self._facts.announced, local_date(now)
        verdicts: dict[str, Composed | NotNeeded | NotYet] = {}
        words: dict[tuple[str, str, date | None], Composed] = {}
        declined = await self._declined(reminders)
        for each in reminders:
            found = announced.get(each.occurrence)
            if found is None:
                verdicts[each.push.id] = NotNeeded("ended")
            elif each.push.child_ids and declined.issuperset(each.push.child_ids):
                verdicts[each.push.id] = NotNeeded("declined")
            elif found.day != each.day:
                verdicts[each.push.id] = NotYet(now + _ASK_AGAIN)
            else:
                key = (each.occurrence, each.lead, each.told)
                if key not in words:
                    words[key] = _composed(found, each, today)
                verdicts[each.push.id] = words[key]
        return verdicts

    async def _declined(self, reminders: Sequence[DueReminder]) -> frozenset[str]:
        """Families may have thought otherwise since the promise was made."""
        children = {child for each in reminders for child in each.push.child_ids}
        return await self._consents.declined(children, ItemName.CHILD_REMINDERS)


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
