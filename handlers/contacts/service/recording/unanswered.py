"""A question of danger that nobody has answered: its author is told after an hour, and finds it among what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from bot.capability import Todo
from bot.clock import local_date
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, PushClass, Slot
from bot.identity import Actor
from bot.rights import Action, may
from handlers.contacts.models import ContactsDraft
from handlers.contacts.service.reach import Reaching, own_id
from handlers.contacts.texts import recording as texts

SOURCE: Final = "contacts_unanswered"
REASON: Final = f"{SOURCE}:draft"
ANSWERED_WITHIN: Final = timedelta(hours=1)
_TOLD_UNTIL: Final = timedelta(days=1)
_PAGE: Final = "/contacts/today"


def reminder_of(draft: ContactsDraft) -> NewPush:
    """The promise to tell its author, once for each time something was asked. At any hour: a child may be in danger,
    and nobody else knows of it yet."""
    assert draft.asked_at is not None
    due = draft.asked_at + ANSWERED_WITHIN
    return NewPush(
        reason=REASON,
        occurrence=_occurrence(draft),
        person_id=str(draft.person_id),
        rule=SOURCE,
        purpose=Purpose.TASK,
        push_class=PushClass.ALARM,
        not_before=due,
        expires_at=due + _TOLD_UNTIL,
    )


class Unanswered:
    """A `PushSource` and a `TodoSource`."""

    def __init__(self, reaching: Reaching) -> None:
        self._reaching = reaching

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """See `PushSource`. Whoever has answered meanwhile, or has the child no more, hears nothing."""
        rows = await ContactsDraft.filter(id__in=[push.occurrence.partition(":")[0] for push in pushes])
        waiting = {_occurrence(row): row for row in rows if row.asked_at is not None}
        found: dict[str, Composed | NotNeeded | NotYet] = {}
        for push in pushes:
            row = waiting.get(push.occurrence)
            if row is None:
                found[push.id] = NotNeeded("answered")
            elif str(row.pupil_id) not in await self._reaching.paired_with(str(row.person_id)):
                found[push.id] = NotNeeded("not_paired")
            else:
                found[push.id] = _composed(local_date(now))
        return found

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """How many, without a name."""
        if actor.person_id is None or not may(actor, Action.CONTACTS_OWN):
            return []
        rows = await ContactsDraft.filter(person_id=own_id(actor), asked_at__not_isnull=True)
        own = await self._reaching.paired_with(actor.person_id) if rows else frozenset()
        count = sum(str(row.pupil_id) in own for row in rows)
        return [Todo(texts.TODO_UNANSWERED, count, _PAGE, is_urgent=True)] if count else []


def _occurrence(draft: ContactsDraft) -> str:
    assert draft.asked_at is not None
    return f"{UUID(str(draft.id))}:{draft.asked_at.timestamp():.0f}"


def _composed(today: date) -> Composed:
    slots: dict[Slot, str | date | datetime] = {
        Slot.SUBJECT: texts.MENU,
        Slot.WHEN: today,
        Slot.SENDER: texts.SENDER,
        Slot.NOTE: texts.UNANSWERED_NOTE,
    }
    return Composed(text=texts.UNANSWERED, line=texts.UNANSWERED, slots=slots, path=f"/admin{_PAGE}")
