"""What people want to be reminded of themselves: a date of an answer, or words of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from bot.clock import Clock, local_date
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Slot
from bot.delivery.reminding import Choice, DueReminder, Occurrence, Reminded, Rule
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, require
from bot.storage.database import transaction
from handlers.reminders import texts
from handlers.reminders.domain import (
    MOST_OWN,
    NoDateThere,
    NotReachable,
    TooMany,
    check_day,
    check_text,
    distance,
    spoken,
)
from handlers.reminders.models import OwnReminder
from handlers.reminders.service.dated import LAST, Dated, DatedFacts
from knowledge import compose

KEPT: Final = timedelta(days=30)
RULE: Final = Rule(leads=(1, 0), at=time(18, 0), at_day=time(7, 30))
_ASK_AGAIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OwnView:
    """Something its owner is reminded of. `article`: the entry it comes from, None for words of their own; `is_new`:
    it was not there before; `by_letter`: it reaches them only while the chat is open."""

    id: str
    day: date
    text: str
    article: str | None
    is_new: bool = False
    by_letter: bool = False


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever asks: known to the records as a person, or an openid only."""

    actor: Actor
    openid: str | None = None

    @property
    def owner(self) -> str:
        """Whose reminder it is."""
        return self.actor.person_id or self.actor.openid_index or ""


class OwnReminders:
    """The use cases."""

    def __init__(self, facts: DatedFacts, clock: Clock) -> None:
        self._facts = facts
        self._clock = clock

    @property
    def today(self) -> date:
        """The day in China."""
        return local_date(self._clock.now())

    def dates_of(self, article: str) -> Sequence[Dated]:
        """The dates of an entry that may be reminded of. Raises KnowledgeLoading."""
        return self._facts.upcoming(article)

    async def set_for_article(self, asker: Asker, article: str, number: int | None = None) -> OwnView:
        """A date of an entry; None: its first one to come. Raises NoDateThere, TooMany, KnowledgeLoading."""
        require(asker.actor, Action.REMINDER_OWN)
        found = [each for each in self._facts.upcoming(article) if number in (None, each.number)]
        if not found:
            raise NoDateThere
        dated = found[0]
        # A span that has begun: what is left to be reminded of is its end.
        has_begun = dated.first <= self.today and dated.is_span
        event = f"{dated.number}.{LAST}" if has_begun else str(dated.number)
        day = dated.last if has_begun else dated.first
        row = OwnReminder(article=article, event=event, text=dated.what, day=day)
        return await self._keep(asker, row, f"{article}#{event}")

    async def set_words(self, asker: Asker, day: date, text: str) -> OwnView:
        """Words of their own. Raises DayPast, DayTooFar, TextInvalid, LabelFound, TooMany."""
        require(asker.actor, Action.REMINDER_OWN)
        row = OwnReminder(text=check_text(text), day=check_day(day, self.today))
        return await self._keep(asker, row, f"{day.isoformat()} {row.text}")

    async def _keep(self, asker: Asker, row: OwnReminder, matter: str) -> OwnView:
        actor, now = asker.actor, self._clock.now()
        row.matter = hashlib.sha256(f"{asker.owner}|{matter}".encode()).hexdigest()
        row.person_id = UUID(actor.person_id) if actor.person_id else None
        row.openid_index = actor.openid_index
        if row.person_id is None:
            if asker.openid is None:
                raise NotReachable
            row.openid = asker.openid
        row.created_at = row.updated_at = now
        async with transaction():
            known = await OwnReminder.get_or_none(matter=row.matter)
            if known is not None:
                return _view(known)
            if await self._own(asker.actor).filter(day__gte=self.today).count() >= MOST_OWN:
                raise TooMany
            await OwnReminder.bulk_create([row], ignore_conflicts=True)
        return _view(row, is_new=True)

    async def list_of(self, actor: Actor) -> list[OwnView]:
        """What is still to come, the nearest first."""
        require(actor, Action.REMINDER_OWN)
        rows = await self._own(actor).filter(day__gte=self.today).order_by("day", "created_at", "id")
        return [_view(row) for row in rows]

    async def cancel(self, actor: Actor, reminder_id: str) -> OwnView:
        """It is not wanted any more. Raises NotFound, also for somebody else's."""
        require(actor, Action.REMINDER_OWN)
        async with transaction():
            row = await self._own(actor).filter(id=UUID(reminder_id)).first()
            if row is None:
                raise NotFound
            await row.delete()
        return _view(row)

    async def erase(self, openid_index: str) -> None:
        """An `Eraser`: what a person set goes with them."""
        rows = await OwnReminder.filter(openid_index=openid_index).values_list("person_id", flat=True)
        persons = [person for person in rows if person is not None]
        await OwnReminder.filter(Q(openid_index=openid_index) | Q(person_id__in=persons)).delete()

    async def forget_past(self) -> None:
        """Deletes what is long over."""
        await OwnReminder.filter(day__lt=self.today - KEPT).delete()

    def _own(self, actor: Actor) -> QuerySet[OwnReminder]:
        if actor.person_id:
            return OwnReminder.filter(person_id=UUID(actor.person_id))
        return OwnReminder.filter(person_id=None, openid_index=actor.openid_index or "-")


class OwnReason:
    """A `ReminderReason` over what people known to the records have set."""

    name: Final = "own"
    rule: Final = RULE

    def __init__(self, facts: DatedFacts, clock: Clock) -> None:
        self._facts = facts
        self._clock = clock

    async def occurrences(self, first: date, last: date) -> Sequence[Occurrence]:
        """Those of the span; of a date of the knowledge, its day as it is now. Raises KnowledgeLoading."""
        found = []
        for row in await OwnReminder.filter(person_id__not_isnull=True, day__gte=first - KEPT):
            day = await self._day_of(row)
            if day is not None and first <= day <= last:
                found.append(Occurrence(id=str(row.id), day=day))
        return found

    async def _day_of(self, row: OwnReminder) -> date | None:
        day = current_day(self._facts, row)
        if day is not None and day != row.day:
            # The list its owner sees tells the same day.
            await OwnReminder.filter(id=row.id).update(day=day, updated_at=self._clock.now())
        return day

    async def recipients(
        self, occurrence: Occurrence, schools: Collection[str], today: date
    ) -> Sequence[Choice | Reminded]:
        """Its owner."""
        row = await OwnReminder.get_or_none(id=UUID(occurrence.id))
        return [Reminded(str(row.person_id))] if row is not None and row.person_id else []

    async def compose(
        self, reminders: Sequence[DueReminder], now: datetime
    ) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """The words its owner gave, or the date with its source."""
        ids = [UUID(each.occurrence) for each in reminders]
        rows = {str(row.id): row for row in await OwnReminder.filter(id__in=ids)}
        verdicts: dict[str, Composed | NotNeeded | NotYet] = {}
        for each in reminders:
            row = rows.get(each.occurrence)
            day = current_day(self._facts, row) if row is not None else None
            if row is None or day is None:
                verdicts[each.push.id] = NotNeeded("cancelled" if row is None else "ended")
            elif day != each.day:
                verdicts[each.push.id] = NotYet(now + _ASK_AGAIN)
            else:
                verdicts[each.push.id] = own_words(self._facts, row, each.day, local_date(now), told=each.told)
        return verdicts


def current_day(facts: DatedFacts, row: OwnReminder) -> date | None:
    """The day of a reminder as of now; None when what it was about has ended. Raises KnowledgeLoading."""
    if row.article is None:
        return row.day
    found = facts.find(row.article, row.event or "")
    return found[1] if found else None


def own_words(facts: DatedFacts, row: OwnReminder, day: date, today: date, *, told: date | None = None) -> Composed:
    """What its owner reads."""
    text, shown = row.text or "", spoken(day, today)
    found = facts.find(row.article, row.event or "") if row.article else None
    if told is not None:
        lead = texts.CORRECTED.format(what=text, told=spoken(told, today), day=shown)
    elif found is not None:
        lead = texts.OWN_FACT.format(what=text, day=shown, distance=distance(day, today))
    else:
        lead = texts.OWN_TEXT.format(text=text, day=shown, distance=distance(day, today))
    whole = compose.one(found[0].entry, today, lead=lead + "\n") if found is not None else lead
    slots: dict[Slot, str | date | datetime] = {
        Slot.SUBJECT: text, Slot.WHEN: day, Slot.SENDER: texts.SENDER, Slot.NOTE: texts.NOTE_OWN,
    }  # fmt: skip
    return Composed(text=whole, line=texts.LINE_COMES.format(day=shown, what=text), slots=slots)


def _view(row: OwnReminder, *, is_new: bool = False) -> OwnView:
    return OwnView(str(row.id), row.day, row.text or "", row.article, is_new, row.person_id is None)
