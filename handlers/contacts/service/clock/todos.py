"""What teachers have let go overdue, for the lead. What is due for whoever keeps contact stands on their own page."""

from __future__ import annotations

from typing import Final

from bot.capability import Todo
from bot.identity import Actor
from bot.rights import Action, may, reach_of
from handlers.accounts.service.offices import Offices
from handlers.contacts.domain.register import Stage
from handlers.contacts.models import ContactsDue
from handlers.contacts.texts import clock as texts

REGISTER: Final = "/contacts/register"
OVERVIEW: Final = "/contacts/overview"


class ClockTodos:
    """A `TodoSource`."""

    def __init__(self, offices: Offices) -> None:
        self._offices = offices

    async def todos_of(self, actor: Actor) -> list[Todo]:
        """How many children the stage of the lead has come for, at the lead's schools and their teaching points."""
        if not may(actor, Action.CONTACTS_REGISTER):
            return []
        schools = reach_of(actor, Action.CONTACTS_REGISTER).schools
        schools |= await self._offices.points_of(schools)
        left = ContactsDue.filter(school_id__in=sorted(schools), stage__in=[Stage.LEAD, Stage.LEADER])
        return [Todo(texts.TODO_LEAD, await left.count(), OVERVIEW, is_urgent=True)]
