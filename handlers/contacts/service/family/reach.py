"""Whose families a teacher keeps in touch with: of the children paired with them, and of a head teacher's class, on the
register or not. Whoever is asked by it learns nothing of the register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, may, reach_of, refusal
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.contacts.service.reach import Reaching, whose

_ACTION: Final = Action.CONTACTS_WORD


@dataclass(frozen=True, slots=True)
class FamilyReach:
    """Finds it out."""

    reaching: Reaching
    audiences: AccountsAudiences
    caring: Caring
    offices: Offices

    async def ward(self, actor: Actor, child_id: str) -> WardMeant:
        """A child at school. Raises NotFound, NotPermitted."""
        reach, own = reach_of(actor, _ACTION), str(as_id(child_id))
        found = (await self.audiences.children([own])).get(own)
        if found is None or not (reach.covers(whose(found)) or own in await self._paired(actor)):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return found

    async def wards(self, actor: Actor) -> dict[str, WardMeant]:
        """All of them, by id."""
        reach = reach_of(actor, _ACTION)
        classes = Reach(classes=reach.classes)
        near = await self.caring.children_within(classes) if reach.classes else []
        return {ward.id: ward for ward in near} | dict(await self.audiences.children(await self._paired(actor)))

    async def teacher_of(self, ward: WardMeant) -> str | None:
        """Whom a family speaks to: whoever keeps contact, else the head teacher; None: nobody is there."""
        keepers = (await self.reaching.keepers([ward.id])).get(ward.id, ())
        if keepers:
            return keepers[0]
        heads = await self.offices.holders(AppointmentKind.HEAD_TEACHER, whose(ward))
        return heads[0].person_id if heads else None

    async def _paired(self, actor: Actor) -> frozenset[str]:
        """A child whose file has ended is paired with nobody."""
        return await self.reaching.paired_with(actor.person_id) if may(actor, Action.CONTACTS_OWN) else frozenset()
