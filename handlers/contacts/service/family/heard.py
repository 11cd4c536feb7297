"""What parents do by themselves to be in touch with their child, noted by whoever keeps contact. It moves no clock: the
school's own contact is due as before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, reach_of, refusal
from bot.storage.database import transaction
from handlers.accounts.service.audiences import WardMeant
from handlers.contacts.domain.card import FactSource, Holder
from handlers.contacts.domain.family import HeardWay, check_heard
from handlers.contacts.models import ContactsHeard
from handlers.contacts.service.reach import Reaching, own_id, whose

MOST_SHOWN: Final = 5
_ACTION: Final = Action.CONTACTS_OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Which parent, how and when, and who told."""

    holder: Holder
    way: HeardWay
    happened_on: date
    source: FactSource


class HeardService:
    """The use cases."""

    def __init__(self, reaching: Reaching, audit: Audit, clock: Clock) -> None:
        self._reaching = reaching
        self._audit = audit
        self._clock = clock

    async def note(self, actor: Actor, child_id: str, heard: Heard) -> None:
        """It is written down; the same twice is once. Raises NotFound, HeardInvalid."""
        ward = await self.require(actor, child_id)
        now = self._clock.now()
        check_heard(heard.holder, heard.source, heard.happened_on, local_date(now))
        async with transaction():
            same: dict[str, Any] = {
                "pupil_id": UUID(ward.id),
                "holder": heard.holder,
                "way": heard.way,
                "source": heard.source,
            }
            if await ContactsHeard.exists(**same, happened_on=heard.happened_on):
                return
            row = await ContactsHeard.create(
                id=uuid4(), **same, happened_on=heard.happened_on, noted_by=own_id(actor), noted_at=now,
                created_at=now, updated_at=now,
            )  # fmt: skip
            await self._audit.record(actor, _ACTION, f"contacts_heard:{row.id}", whose=whose(ward), purpose="heard")

    async def require(self, actor: Actor, child_id: str) -> WardMeant:
        """The child, when it is paired with the actor. Raises NotFound, NotPermitted."""
        reach_of(actor, _ACTION)
        found = await self._reaching.on_register(child_id)
        if found is None or found.id not in await self._reaching.paired_with(actor.person_id):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return found

    async def of(self, actor: Actor, child_id: str) -> list[Heard]:
        """The last of a child, the newest first. Raises NotFound."""
        ward = await self.require(actor, child_id)
        async with transaction():
            await self._audit.record(
                actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=["heard"], purpose="heard"
            )
            rows = await ContactsHeard.filter(pupil_id=UUID(ward.id)).order_by("-happened_on", "id").limit(MOST_SHOWN)
        return [Heard(holder=row.holder, way=row.way, happened_on=row.happened_on, source=row.source) for row in rows]
