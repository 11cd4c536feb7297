"""What teachers remind the families of a class of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date, to_local
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Slot
from bot.delivery.reminding import SOURCE, Choice, DueReminder, Occurrence, Reminded, Rule
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, reach_of, require
from bot.storage.database import transaction
from handlers.accounts.domain import ClassName
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.structure import StructureService
from handlers.accounts.service.views import ClassView
from handlers.reminders import texts
from handlers.reminders.domain import (
    ReminderState,
    check_day,
    check_text,
    distance,
    spoken,
    windows,
)
from handlers.reminders.models import ClassReminder
from handlers.reminders.service.plan_rows import key_of
from handlers.reminders.service.schedule import Calendars

NAME: Final = "class"
RULE: Final = Rule(leads=(1,), at=time(18, 0), until=time(20, 0), eve=False)
KEPT: Final = timedelta(days=365)
_MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be sent: to how many guardians, from when on (None: at once)."""

    room: ClassView
    class_name: str
    day: date
    text: str
    count: int
    at: datetime | None

    @property
    def when(self) -> str:
        """In words."""
        if self.at is None:
            return texts.WHEN_NOW
        local = to_local(self.at)
        return texts.WHEN_BEFORE.format(at=f"{spoken(local.date())}{local:%H:%M}")


@dataclass(frozen=True, slots=True)
class SetReminder:
    """A reminder of a class, as staff see it."""

    id: str
    class_id: str
    class_name: str
    day: date
    text: str
    is_cancelled: bool
    is_past: bool


class ClassReminders:
    """The use cases."""

    def __init__(
        self,
        structure: StructureService,
        audiences: AccountsAudiences,
        calendars: Calendars,
        outbox: Outbox,
        *,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._structure = structure
        self._audiences = audiences
        self._calendars = calendars
        self._outbox = outbox
        self._audit = audit
        self._clock = clock

    @property
    def today(self) -> date:
        """The day in China."""
        return local_date(self._clock.now())

    async def rooms(self, actor: Actor, name: ClassName | None = None) -> list[ClassView]:
        """The classes of this year the actor may send to, or those of that name."""
        reach = reach_of(actor, Action.REMINDER_CLASS)
        towns = {school.id: school.township_id for school in await self._structure.schools(actor)}
        return [
            room
            for room in await self._structure.classes(actor)
            if reach.covers(Subject(class_id=room.id, school_id=room.school_id, township_id=towns.get(room.school_id)))
            and (name is None or (room.grade, room.number) == (name.grade, name.number))
        ]

    async def draft(self, actor: Actor, class_id: str, day: date, text: str) -> Draft:
        """What would happen. Raises NotFound, DayPast, DayTooFar, TextInvalid, LabelFound."""
        room = await self._room(actor, class_id)
        day, text = check_day(day, self.today), check_text(text)
        calendar = await self._calendars.of(room.school_id)
        now = self._clock.now()
        times = windows(RULE, day, calendar)
        at = times[0].not_before if times and times[0].not_before > now else None
        count = await self._audiences.count(_audience(room.id), self.today)
        return Draft(room, f"{room.school}{room.name}", day, text, count, at)

    async def set(self, actor: Actor, class_id: str, day: date, text: str) -> Draft:
        """Has the families reminded; the same once more is once. Raises as `draft`."""
        draft, now = await self.draft(actor, class_id, day, text), self._clock.now()
        async with transaction():
            same = ClassReminder.filter(class_id=UUID(draft.room.id), day=day, state=ReminderState.ACTIVE)
            if any(row.text == draft.text for row in await same):
                return draft
            row = await ClassReminder.create(
                class_id=UUID(draft.room.id),
                school_id=UUID(draft.room.school_id),
                class_name=draft.class_name,
                set_by=UUID(actor.person_id) if actor.person_id else None,
                text=draft.text,
                day=day,
                state=ReminderState.ACTIVE,
                created_at=now,
                updated_at=now,
            )
            await self._note(actor, row, "set")
        return draft

    async def list_of(self, actor: Actor, *, past: bool = False) -> list[SetReminder]:
        """Those of the classes within reach, the nearest first; past and cancelled ones only when asked for."""
        rooms = {room.id for room in await self.rooms(actor)}
        query = ClassReminder.filter(class_id__in=[UUID(room) for room in rooms])
        if not past:
            query = query.filter(day__gte=self.today, state=ReminderState.ACTIVE)
        rows = await query.order_by("-day" if past else "day", "created_at", "id").limit(_MOST_LISTED)
        return [_view(row, self.today) for row in rows]

    async def cancel(self, actor: Actor, reminder_id: str) -> SetReminder:
        """Nothing more of it goes out. Raises NotFound."""
        async with transaction():
            row = await ClassReminder.filter(id=UUID(reminder_id)).select_for_update().first()
            if row is None:
                raise NotFound
            await self._room(actor, str(row.class_id))
            if row.state is ReminderState.ACTIVE:
                row.state, row.cancelled_at = ReminderState.CANCELLED, self._clock.now()
                row.updated_at = row.cancelled_at
                await row.save()
                for lead in RULE.leads:
                    await self._outbox.cancel(f"{SOURCE}:{NAME}", occurrence=key_of(str(row.id), str(lead), 0))
                await self._note(actor, row, "cancelled")
        return _view(row, self.today)

    async def forget_past(self) -> None:
        """Deletes what is long over."""
        await ClassReminder.filter(day__lt=self.today - KEPT).delete()

    async def _room(self, actor: Actor, class_id: str) -> ClassView:
        room = next((room for room in await self.rooms(actor) if room.id == class_id), None)
        if room is None:
            require(actor, Action.REMINDER_CLASS, Subject(class_id=class_id))
            raise NotFound
        return room

    async def _note(self, actor: Actor, row: ClassReminder, purpose: str) -> None:
        whose = Subject(class_id=str(row.class_id), school_id=str(row.school_id))
        await self._audit.record(actor, Action.REMINDER_CLASS, f"class:{row.class_id}", whose=whose, purpose=purpose)


class ClassReason:
    """A `ReminderReason` over the reminders of classes."""

    name: Final = NAME
    rule: Final = RULE

    def __init__(self, audiences: AccountsAudiences) -> None:
        self._audiences = audiences

    async def occurrences(self, first: date, last: date) -> Sequence[Occurrence]:
        """Those of the span that nobody has cancelled."""
        rows = ClassReminder.filter(state=ReminderState.ACTIVE, day__gte=first, day__lte=last)
        return [Occurrence(id=str(row.id), day=row.day, schools=(str(row.school_id),)) for row in await rows]

    async def recipients(
        self, occurrence: Occurrence, schools: Collection[str], today: date
    ) -> Sequence[Choice | Reminded]:
        """The guardians of the class as it is now."""
        row = await ClassReminder.get(id=UUID(occurrence.id))
        return [await self._audiences.select(_audience(str(row.class_id)), today)]

    async def compose(
        self, reminders: Sequence[DueReminder], now: datetime
    ) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """The teacher's words, and for which of their children. Not for somebody whose child has left the class."""
        wanted = [UUID(each.occurrence) for each in reminders]
        rows = {str(row.id): row for row in await ClassReminder.filter(id__in=wanted, state=ReminderState.ACTIVE)}
        children = await self._audiences.children({child for each in reminders for child in each.push.child_ids})
        verdicts: dict[str, Composed | NotNeeded | NotYet] = {}
        for each in reminders:
            row = rows.get(each.occurrence)
            if row is None:
                verdicts[each.push.id] = NotNeeded("cancelled")
                continue
            own = [children[child] for child in each.push.child_ids if child in children]
            own = [child for child in own if child.class_id == str(row.class_id)]
            if each.push.child_ids and not own:
                verdicts[each.push.id] = NotNeeded("left")
            else:
                verdicts[each.push.id] = _composed(row, own, local_date(now))
        return verdicts


def _composed(row: ClassReminder, children: Sequence[WardMeant], today: date) -> Composed:
    values = {
        "class_name": row.class_name,
        "day": spoken(row.day, today),
        "text": row.text,
        "distance": distance(row.day, today),
        "children": "、".join(child.name for child in children),
    }
    sentence = texts.CLASS_TEXT_CHILDREN if children else texts.CLASS_TEXT
    slots: dict[Slot, str | date | datetime] = {
        Slot.SUBJECT: row.text, Slot.WHEN: row.day, Slot.SENDER: row.class_name, Slot.NOTE: texts.NOTE_CLASS,
    }  # fmt: skip
    return Composed(text=sentence.format(**values), line=texts.CLASS_LINE.format(**values), slots=slots)


def _audience(class_id: str) -> Audience:
    return Audience(roles=frozenset({AudienceRole.GUARDIANS}), classes=frozenset({class_id}))


def _view(row: ClassReminder, today: date) -> SetReminder:
    is_cancelled = row.state is ReminderState.CANCELLED
    return SetReminder(str(row.id), str(row.class_id), row.class_name, row.day, row.text, is_cancelled, row.day < today)
