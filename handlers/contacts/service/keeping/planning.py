"""What the nights to come will seal and reduce, child by child, before it happens: for the protection lead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.caring import Caring
from handlers.contacts.service.keeping.records import ContactsKeeping
from handlers.contacts.service.reach import whose

AHEAD: Final = timedelta(days=60)
_ACTION: Final = Action.CONTACTS_REGISTER


class Step(StrEnum):
    """What is done with a file."""

    SEAL = "seal"
    REDUCE = "reduce"


@dataclass(frozen=True, slots=True)
class Planned:
    """What the night of a day does with a child's files. `is_due`: the next night does it."""

    ward: WardMeant
    step: Step
    on: date
    is_due: bool


class KeepingPlan:
    """By the same days as the nightly run: what stands here is what happens."""

    def __init__(
        self, keeping: ContactsKeeping, audiences: AccountsAudiences, caring: Caring, audit: Audit, clock: Clock
    ) -> None:
        self._keeping = keeping
        self._audiences = audiences
        self._caring = caring
        self._audit = audit
        self._clock = clock

    async def planned(self, actor: Actor) -> list[Planned]:
        """For the children within reach, at school or not any more, the earliest first. Raises NotPermitted."""
        reach, today = require(actor, _ACTION), local_date(self._clock.now())
        async with transaction():
            await self._audit.record(actor, _ACTION, "contacts:keeping", purpose="list", fields=["until"])
            days = {Step.SEAL: await self._keeping.sealing(), Step.REDUCE: await self._keeping.reducing()}
            soon = {step: {child: on for child, on in by.items() if on <= today + AHEAD} for step, by in days.items()}
            children = {child for by in soon.values() for child in by}
            wards = await self._caring.former(children) | await self._audiences.children(children)
        found = [
            Planned(wards[child], step, on, on <= today)
            for step, by in soon.items()
            for child, on in by.items()
            if child in wards and reach.covers(whose(wards[child]))
        ]
        return sorted(found, key=lambda each: (each.on, each.step, each.ward.name, each.ward.id))
