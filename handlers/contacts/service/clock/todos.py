"""What waits for whom: contact that is due for those who keep it, what they left for the lead."""

from __future__ import annotations

from tortoise.expressions import Q

from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, may, reach_of
from handlers.accounts.service.offices import Offices
from handlers.contacts.domain.register import Stage
from handlers.contacts.models import ContactsDue, ContactsPair
from handlers.contacts.service.clock.piles import Keepers
from handlers.contacts.texts import clock as texts


class ClockTodos:
    """A `TodoSource`."""

    def __init__(self, keepers: Keepers, offices: Offices, clock: Clock) -> None:
        self._keepers = keepers
        self._offices = offices
        self._clock = clock

    async def todos_of(self, actor: Actor) -> list[Todo]:
        """How many children are due, and how many the teachers of a lead have let go overdue."""
        found = []
        if may(actor, Action.CONTACTS_OWN) and actor.person_id:
            found.append(Todo(texts.TODO_OWN, await self._own(actor.person_id), "/contacts", is_urgent=True))
        if may(actor, Action.CONTACTS_REGISTER):
            schools = reach_of(actor, Action.CONTACTS_REGISTER).schools
            schools |= await self._offices.points_of(schools)
            left = ContactsDue.filter(school_id__in=sorted(schools), stage__in=[Stage.LEAD, Stage.LEADER])
            found.append(Todo(texts.TODO_LEAD, await left.count(), "/contacts", is_urgent=True))
        return found

    async def _own(self, person_id: str) -> int:
        pairs = ContactsPair.filter(person_id=person_id, until__isnull=True).values_list("pupil_id", flat=True)
        paired = [str(pupil) for pupil in await pairs]
        today = local_date(self._clock.now())
        due = Q(due_on__lte=today) | Q(visit_due_on__lte=today)
        rows = ContactsDue.filter(due, pupil_id__in=paired).values_list("pupil_id", flat=True)
        children = [str(pupil) for pupil in await rows]
        kept = await self._keepers.keepers(children) if children else {}
        return sum(person_id in people for people in kept.values())
