"""Children by how far they are with the after-school service, for notices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from bot.capability import AudienceChoice
from bot.identity import Actor
from bot.rights import Action, Reach, may
from handlers.accounts.service.scope import as_id
from handlers.after_school.domain.ledger import Standing
from handlers.after_school.service.collection.desk import CollectionDesk, plan_at
from handlers.after_school.service.collection.ledger import NOTHING, ledger
from handlers.after_school.texts import collection as texts

NAME: Final = "after_school"
_CHOICES: Final = (Standing.SIGNED_UP, Standing.WAITING, Standing.WANTS, Standing.UNANSWERED, Standing.NOT_JOINING)


class StandingAudiences:
    """An `AudienceSource`."""

    def __init__(self, desk: CollectionDesk) -> None:
        self._desk = desk

    @property
    def name(self) -> str:
        """As the protocol says."""
        return NAME

    async def choices(self, actor: Actor) -> Sequence[AudienceChoice]:
        """Plan by plan, what is collected for now."""
        if not may(actor, Action.TALLY_VIEW):
            return ()
        plans = [plan for plan in await self._desk.plans(actor) if not plan.is_over(self._desk.today)]
        return [
            AudienceChoice(
                f"{plan.id}:{standing.value}",
                texts.AUDIENCE.format(title=plan.title, words=texts.STANDINGS[standing.value]),
            )
            for plan in plans
            for standing in _CHOICES
        ]

    async def child_ids(self, key: str, day: date) -> Collection[str]:
        """Of all classes the plan is for; as it stands now, for a message that goes out that day."""
        own, _, wanted = key.partition(":")
        plan = await plan_at(as_id(own))
        if plan is None or wanted not in {standing.value for standing in _CHOICES}:
            return ()
        rooms = await self._desk.rooms_of(plan, Reach(is_any=True))
        seats = await self._desk.seats_of(rooms, None)
        children = [seat.child_id for room in rooms for seat in seats.get(room.id, ())]
        known = await ledger(plan.id, children)
        return [child for child in children if known.get(child, NOTHING).standing.value == wanted]
