"""Pairs of children and staff: begun, handed over with a receipt, ended; and children nobody keeps contact with.

For the protection lead, who arranges it, and for whoever receives a child. What the rows say is not all: a pair with
somebody who is not on the staff of the child's school any more counts for nothing from that moment on, and is ended by
the next night.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock
from bot.errors import NotFound
from bot.identity import SYSTEM, Actor
from bot.rights import Action, Reach, Subject, may, reach_of, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.caring import Caring, Colleague
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.pairing import NotAColleague, PairEnded
from handlers.contacts.domain.register import FileEnded
from handlers.contacts.models import ContactsPair
from handlers.contacts.service.pairing.rows import begin_pair, end_pair, hand_pair_over
from handlers.contacts.service.reach import CareReach, Reaching, own_id, whose
from handlers.contacts.service.recounting import Recount, hold, no_clock
from handlers.contacts.texts import pairing as texts

RECEIVE: Final = "/contacts/received"
_ACTION: Final = Action.CONTACTS_REGISTER


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair. `is_here`: the person is on the staff of the child's school; `received_at` None: not signed for yet."""

    id: str
    person_id: str
    person: str
    since: date
    until: date | None
    received_at: datetime | None
    is_here: bool


@dataclass(frozen=True, slots=True)
class Received:
    """A child that came to somebody and is not signed for yet. `before`: who had it, "" for nobody any more."""

    pair_id: str
    ward: WardMeant
    before: str
    since: date


class PairingService:
    """The use cases. Also a `DutySource` and a `TodoSource`."""

    def __init__(
        self, reaching: Reaching, audiences: AccountsAudiences, caring: Caring, *, audit: Audit, clock: Clock,
        recount: Recount = no_clock,
    ) -> None:  # fmt: skip
        self._reaching = reaching
        self._audiences = audiences
        self._caring = caring
        self._audit = audit
        self._clock = clock
        self._recount = recount

    # --------------------------------------------------------------------------------------------------------- looking
    async def pairs(self, actor: Actor, child_id: str) -> list[PairView]:
        """All pairs of a child, those that go on first. Raises NotFound."""
        ward = await self._reaching.ward_for(actor, _ACTION, child_id)
        async with transaction():
            await self._audit.record(actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=["pairs"])
            rows = await ContactsPair.filter(pupil_id=UUID(ward.id)).order_by("-since", "-created_at", "id")
            here = (await self._reaching.keepers([ward.id])).get(ward.id, ())
            names = await self._audiences.names({str(row.person_id) for row in rows})
        views = [
            PairView(
                str(row.id), str(row.person_id), names.get(str(row.person_id), ""), row.since, row.until,
                row.received_at, row.until is None and str(row.person_id) in here,
            )
            for row in rows
        ]  # fmt: skip
        return sorted(views, key=lambda each: each.until is not None)

    async def child_of(self, actor: Actor, pair_id: str) -> str:
        """Whose pair it is, ended ones too. Raises NotFound."""
        return (await self._near(actor, pair_id))[1].id

    async def colleagues(self, actor: Actor, child_id: str) -> list[Colleague]:
        """Who may keep contact with a child: the staff of its school. Raises NotFound."""
        ward = await self._reaching.ward_for(actor, _ACTION, child_id)
        return await self._caring.staff_of(ward.school_id)

    async def orphaned(self, actor: Actor) -> list[WardMeant]:
        """The children on the register within reach whom nobody keeps contact with."""
        reach = CareReach(class_reach=require(actor, _ACTION))
        async with transaction():
            await self._audit.record(actor, _ACTION, "contacts:orphaned", purpose="list")
            wards = await self._reaching.wards_within(reach)
            kept = await self._reaching.keepers(wards)
        return [ward for child, ward in wards.items() if not kept.get(child)]

    async def received(self, actor: Actor) -> list[Received]:
        """The children that came to the actor and are not signed for."""
        require(actor, Action.CONTACTS_OWN)
        if actor.person_id is None:
            return []
        async with transaction():
            await self._audit.record(actor, Action.CONTACTS_OWN, f"person:{actor.person_id}", purpose="received")
            own = await self._reaching.paired_with(actor.person_id)
            rows = await ContactsPair.filter(
                person_id=UUID(actor.person_id), pupil_id__in=list(own), until__isnull=True, received_at__isnull=True
            ).order_by("since", "id") if own else []  # fmt: skip
            before = {
                row.id: row
                for row in await ContactsPair.filter(id__in=[row.from_pair_id for row in rows if row.from_pair_id])
            }
            wards = await self._audiences.children({str(row.pupil_id) for row in rows})
            names = await self._audiences.names({str(row.person_id) for row in before.values()})
        return [
            Received(str(row.id), wards[str(row.pupil_id)], _former(before, row, names), row.since)
            for row in rows
            if str(row.pupil_id) in wards
        ]

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Children that came to the actor and are not signed for."""
        if actor.person_id is None or not may(actor, Action.CONTACTS_OWN):
            return []
        own = await self._reaching.paired_with(actor.person_id)
        waiting = ContactsPair.filter(
            person_id=UUID(actor.person_id), pupil_id__in=list(own), until__isnull=True, received_at__isnull=True
        )
        count = await waiting.count() if own else 0
        return [Todo(texts.TODO_RECEIVED, count, RECEIVE)] if count else []

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def pair(self, actor: Actor, child_id: str, person_id: str) -> str:
        """Somebody keeps contact with a child from today on. Raises NotFound, FileEnded, NotAColleague, AlreadyPaired,
        TooManyKeepers."""
        ward = await self._reaching.ward_for(actor, _ACTION, child_id)
        person, now = await self._colleague(ward, person_id), self._clock.now()
        async with transaction():
            await hold([UUID(ward.id)])
            if await self._reaching.on_register(ward.id) is None:
                raise FileEnded
            row = await begin_pair(UUID(ward.id), person, own_id(actor), now)
            await self._wrote(actor, ward, row, "pair")
        return str(row.id)

    async def end(self, actor: Actor, pair_id: str) -> None:
        """They are not paired any more, at once. Raises NotFound, PairEnded."""
        async with transaction():
            row, ward = await self._held(actor, pair_id)
            await end_pair(row, own_id(actor), self._clock.now())
            await self._wrote(actor, ward, row, "end_pair")

    async def hand_over(self, actor: Actor, pair_id: str, to_person_id: str) -> None:
        """The child passes to somebody else at once, who signs for it. Raises NotFound, PairEnded, NotAColleague,
        AlreadyPaired."""
        async with transaction():
            row, ward = await self._held(actor, pair_id)
            person = await self._colleague(ward, to_person_id)
            now = self._clock.now()
            await end_pair(row, own_id(actor), now)
            await begin_pair(row.pupil_id, person, own_id(actor), now, after=row)
            await self._wrote(actor, ward, row, "hand_over")

    async def receive(self, actor: Actor, pair_id: str) -> None:
        """Whoever was given a child signs for it; twice is once. Raises NotFound for anybody else."""
        require(actor, Action.CONTACTS_OWN)
        async with transaction():
            row = await ContactsPair.get_or_none(id=as_id(pair_id), person_id=own_id(actor))
            if row is not None:
                await hold([row.pupil_id])
                await row.refresh_from_db()
            if row is None or row.until is not None or str(row.pupil_id) not in await self._own(actor):
                raise refusal(NotFound(), actor, Action.CONTACTS_OWN, Subject())
            if row.received_at is None:
                row.received_at = row.updated_at = self._clock.now()
                await row.save(update_fields=["received_at", "updated_at"])
                ward = (await self._audiences.children([str(row.pupil_id)]))[str(row.pupil_id)]
                await self._wrote(actor, ward, row, "receive", Action.CONTACTS_OWN)

    async def sweep(self) -> int:
        """Ends the pairs that count for nothing any more: whose person has left the school, or whose child has. Gives
        how many; twice is once. For the night."""
        pairs = await ContactsPair.filter(until__isnull=True).values_list("pupil_id", "person_id")
        kept = await self._reaching.keepers({str(pupil) for pupil, _ in pairs})
        ended = 0
        for child in sorted({str(pupil) for pupil, person in pairs if str(person) not in kept.get(str(pupil), ())}):
            async with transaction():
                ended += await self._let_go(child)
        return ended

    # -------------------------------------------------------------------------------------------------- class hand-over
    async def open_duties(self, class_id: str) -> Mapping[str, int]:
        """The children of the class paired with its head teacher. See `DutySource`."""
        count = len(await self._of_heads(class_id, await self._caring.heads_ever(class_id)))
        return {texts.DUTY: count} if count else {}

    async def pass_duties(self, class_id: str, to_person_id: str) -> None:
        """What the head teachers before had passes to the new one, who signs for each child."""
        former = await self._caring.heads_ever(class_id) - {to_person_id}
        rows = await self._of_heads(class_id, former)
        await hold({row.pupil_id for row in rows})
        now = self._clock.now()
        for row in rows:
            await row.refresh_from_db()
            if row.until is None:
                await hand_pair_over(row, UUID(to_person_id), None, now)
                await self._audit.record(SYSTEM, _ACTION, f"contacts_pair:{row.id}", purpose="class_hand_over")
        await self._recount({row.pupil_id for row in rows})

    async def _of_heads(self, class_id: str, persons: Collection[str]) -> list[ContactsPair]:
        wards = await self._caring.children_within(Reach(classes=frozenset({class_id})))
        if not wards or not persons:
            return []
        children = [ward.id for ward in wards]
        return await ContactsPair.filter(
            pupil_id__in=children, person_id__in=list(persons), until__isnull=True
        ).order_by("pupil_id", "id")

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _let_go(self, child: str) -> int:
        """Ends what counts for nothing, as it is once the child is held."""
        await hold([UUID(child)])
        kept = (await self._reaching.keepers([child])).get(child, ())
        going = await ContactsPair.filter(pupil_id=UUID(child), until__isnull=True)
        gone = [row for row in going if str(row.person_id) not in kept]
        for row in gone:
            await end_pair(row, None, self._clock.now())
            await self._audit.record(SYSTEM, _ACTION, f"contacts_pair:{row.id}", purpose="left")
        await self._recount([UUID(child)])
        return len(gone)

    async def _own(self, actor: Actor) -> frozenset[str]:
        return await self._reaching.paired_with(actor.person_id)

    async def _colleague(self, ward: WardMeant, person_id: str) -> UUID:
        person = as_id(person_id)
        house = (await self._caring.houses([ward.school_id])).get(ward.school_id)
        if house not in (await self._caring.houses_of([str(person)])).get(str(person), frozenset()):
            raise NotAColleague
        return person

    async def _held(self, actor: Actor, pair_id: str) -> tuple[ContactsPair, WardMeant]:
        """A pair that goes on, of a child within reach, which is held. Raises NotFound, PairEnded."""
        row, ward = await self._near(actor, pair_id)
        await hold([row.pupil_id])
        await row.refresh_from_db()
        if row.until is not None:
            raise PairEnded
        return row, ward

    async def _near(self, actor: Actor, pair_id: str) -> tuple[ContactsPair, WardMeant]:
        reach = reach_of(actor, _ACTION)
        row = await ContactsPair.get_or_none(id=as_id(pair_id))
        ward = (await self._audiences.children([str(row.pupil_id)])).get(str(row.pupil_id)) if row else None
        if row is None or ward is None or not reach.covers(whose(ward)):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return row, ward

    async def _wrote(
        self, actor: Actor, ward: WardMeant, row: ContactsPair, purpose: str, action: Action = _ACTION
    ) -> None:
        await self._audit.record(actor, action, f"contacts_pair:{row.id}", whose=whose(ward), purpose=purpose)
        await self._recount([row.pupil_id])


def _former(before: Mapping[UUID, ContactsPair], row: ContactsPair, names: Mapping[str, str]) -> str:
    old = before.get(row.from_pair_id) if row.from_pair_id else None
    return names.get(str(old.person_id), "") if old else ""
