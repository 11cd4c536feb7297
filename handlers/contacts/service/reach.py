"""Whose contact somebody keeps or may look at: the children paired with them, their class, their school.

The facts layer is the union of what `contacts.own` and `contacts.class` allow. A pair counts while it goes on and the
person is on the staff of the child's school: whoever leaves has lost the child in the same moment, whatever the rows
say. A child with no open file is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from bot.errors import NotFound, NotPermitted
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, may, reach_of, refusal
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.scope import as_id
from handlers.contacts.models import ContactsFile, ContactsPair

_NOBODY: Final = Reach()


@dataclass(frozen=True, slots=True)
class CareReach:
    """Whom an actor may reach. `own`: the children paired with them; `class_reach`: places they answer for;
    `sealed_reach`: places whose confidential part is theirs."""

    own: frozenset[str] = frozenset()
    class_reach: Reach = field(default=_NOBODY)
    sealed_reach: Reach = field(default=_NOBODY)

    def covers(self, ward: WardMeant) -> bool:
        """Whether the facts of a child are within reach."""
        return ward.id in self.own or self.class_reach.covers(whose(ward))

    def is_sealed_open(self, ward: WardMeant) -> bool:
        """Whether the confidential part of a child is within reach."""
        return self.sealed_reach.covers(whose(ward))


class Reaching:
    """Finds it out."""

    def __init__(self, audiences: AccountsAudiences, caring: Caring) -> None:
        self._audiences = audiences
        self._caring = caring

    async def care_reach(self, actor: Actor) -> CareReach:
        """Everything the actor may look at of contact with children. Raises NotPermitted for whoever has no right to
        any."""
        is_own, is_class = may(actor, Action.CONTACTS_OWN), may(actor, Action.CONTACTS_CLASS)
        if not is_own and not is_class:
            raise refusal(NotPermitted(), actor, Action.CONTACTS_OWN, None)
        return CareReach(
            await self.paired_with(actor.person_id) if is_own else frozenset(),
            reach_of(actor, Action.CONTACTS_CLASS) if is_class else _NOBODY,
            reach_of(actor, Action.CONTACTS_SEALED) if may(actor, Action.CONTACTS_SEALED) else _NOBODY,
        )

    async def paired_with(self, person_id: str | None) -> frozenset[str]:
        """The children paired with somebody who is on the staff of their school."""
        if person_id is None:
            return frozenset()
        pairs = ContactsPair.filter(person_id=UUID(person_id), until__isnull=True).values_list("pupil_id", flat=True)
        kept = await self.keepers({str(pupil) for pupil in await pairs})
        return frozenset(child for child, persons in kept.items() if person_id in persons)

    async def keepers(self, child_ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Who keeps contact with each child at school: the persons paired with it who are on the staff of its school,
        the first paired first. A child nobody keeps contact with has an empty place."""
        wards = await self._audiences.children(child_ids)
        pairs = ContactsPair.filter(pupil_id__in=list(wards), until__isnull=True) if wards else None
        rows = await pairs.order_by("since", "created_at", "id").values_list("pupil_id", "person_id") if pairs else []
        houses = await self._caring.houses({ward.school_id for ward in wards.values()})
        places = await self._caring.houses_of({str(person) for _, person in rows})
        found: dict[str, list[str]] = {child: [] for child in wards}
        for pupil, person in rows:
            if houses[wards[str(pupil)].school_id] in places.get(str(person), frozenset()):
                found[str(pupil)].append(str(person))
        return {child: tuple(persons) for child, persons in found.items()}

    async def ward(self, actor: Actor, child_id: str, action: Action = Action.CONTACTS_OWN) -> WardMeant:
        """A child on the register whose facts are within reach. Raises NotFound, NotPermitted."""
        reach = await self.care_reach(actor)
        found = await self.on_register(child_id)
        if found is None or not reach.covers(found):
            raise refusal(NotFound(), actor, action, Subject())
        return found

    async def ward_for(self, actor: Actor, action: Action, child_id: str) -> WardMeant:
        """A child at school within reach of a right that goes by places, on the register or not. Raises NotFound,
        NotPermitted."""
        reach = reach_of(actor, action)
        found = (await self._audiences.children([child_id])).get(str(as_id(child_id)))
        if found is None or not reach.covers(whose(found)):
            raise refusal(NotFound(), actor, action, Subject())
        return found

    async def on_register(self, child_id: str) -> WardMeant | None:
        """The child at school, when it has an open file."""
        own = as_id(child_id)
        if not await ContactsFile.filter(pupil_id=own, ended_on__isnull=True).exists():
            return None
        return (await self._audiences.children([str(own)])).get(str(own))

    async def wards_within(self, reach: CareReach) -> dict[str, WardMeant]:
        """The children on the register within a reach, in the order of their classes."""
        places = [each for each in (reach.class_reach,) if each != _NOBODY]
        near = [ward for place in places for ward in await self._caring.children_within(place)]
        wards = {ward.id: ward for ward in near} | dict(await self._audiences.children(reach.own))
        return await self.registered(wards)

    async def registered(self, wards: Mapping[str, WardMeant]) -> dict[str, WardMeant]:
        """Those of the children who have an open file."""
        if not wards:
            return {}
        rows = ContactsFile.filter(pupil_id__in=list(wards), ended_on__isnull=True).values_list("pupil_id", flat=True)
        on = {str(pupil) for pupil in await rows}
        return {child: ward for child, ward in wards.items() if child in on}


def whose(ward: WardMeant) -> Subject:
    """Whose affair a child is, by places: that it is paired with somebody is no place."""
    return Subject(child_id=ward.id, class_id=ward.class_id, school_id=ward.school_id, township_id=ward.township_id)


def own_id(actor: Actor) -> UUID | None:
    """Who acts, as a column."""
    return UUID(actor.person_id) if actor.person_id else None
