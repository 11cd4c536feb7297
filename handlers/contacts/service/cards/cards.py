"""The contact card: stated, confirmed, called in vain, asked for anew. Every fact says who said it and how old it is.

For whoever keeps contact with the child; what says whether a carer is fit is the protection lead's alone. A number that
was called in vain twice is stale and waits, as a task, for those who keep contact, or else for the lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, may, refusal
from bot.storage.database import transaction
from handlers.accounts.service.audiences import WardMeant
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.card import (
    CONFIDENTIAL,
    FactInvalid,
    FactKind,
    FactReplaced,
    Holder,
    check_stated,
    check_value,
)
from handlers.contacts.domain.clears import Known, age, clears
from handlers.contacts.domain.register import OPEN_TO_TEACHERS, Group
from handlers.contacts.models import ContactsFact, ContactsFile
from handlers.contacts.service.cards.facts import (
    Stated,
    asked_on,
    confirm,
    in_force,
    is_confirmed,
    miss,
    newest,
    state,
)
from handlers.contacts.service.cards.fitness import FitnessService
from handlers.contacts.service.cards.views import CardView, FactView, OnRoster, StalePhone
from handlers.contacts.service.reach import Reaching, own_id, whose
from handlers.contacts.service.recounting import hold
from handlers.contacts.texts import cards as texts

STALE: Final = "/contacts/phones"
_ACTION: Final = Action.CONTACTS_OWN


class CardService:
    """`card`, `state`, `confirm`, `called`, `stale`, `require`, `child_of`. Also a `TodoSource`."""

    def __init__(
        self, reaching: Reaching, fitness: FitnessService, offices: Offices, audit: Audit, clock: Clock
    ) -> None:
        self._reaching = reaching
        self._fitness = fitness
        self._offices = offices
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- looking
    async def card(self, actor: Actor, child_id: str) -> CardView:
        """A child's card, with the numbers of the roster. Raises NotFound."""
        ward = await self._reaching.ward(actor, child_id)
        reach = await self._reaching.care_reach(actor)
        is_open = reach.is_sealed_open(ward)
        today = local_date(self._clock.now())
        async with transaction():
            fields = ["facts", "roster", "phone", *(["fitness"] if is_open else [])]
            await self._audit.record(actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=fields)
            rows = [row for row in await in_force([ward.id]) if is_open or row.kind not in CONFIDENTIAL]
            callers, acting = await self._offices.guardians(ward.id)
            checks = await self._fitness.of(ward.id) if is_open else ()
            seen = await self._fitness.entrusted(ward.id)
            helps = await _helps(ward.id) if reach.class_reach.covers(whose(ward)) else ()
        known = [known_of(row) for row in rows]
        if seen is not None and not any(_is_entrustment(each) for each in known):
            known.append(Known(Holder.CARER, FactKind.ENTRUSTMENT, seen))
        return CardView(
            ward,
            tuple(_fact(row, today) for row in rows),
            tuple(OnRoster(each.person_id, each.name, each.phone, each.person_id == acting) for each in callers),
            clears(known, today),
            tuple(checks),
            is_open,
            helps,
        )

    async def facts_of(self, child_id: str) -> tuple[FactView, ...]:
        """All that is in force of a card, the confidential too. Whoever asks has the right to, and has written it
        down."""
        today = local_date(self._clock.now())
        return tuple(_fact(row, today) for row in await in_force([child_id]))

    async def require(self, actor: Actor, child_id: str) -> None:
        """The card is within reach. Raises NotFound, NotPermitted."""
        await self._reaching.ward(actor, child_id)

    async def child_of(self, actor: Actor, fact_id: str) -> str:
        """Whose fact it is. Raises NotFound, NotPermitted."""
        return (await self._found(actor, fact_id))[1].id

    async def stale(self, actor: Actor) -> list[StalePhone]:
        """The numbers within reach that nobody answers any more, class by class; without the numbers."""
        async with transaction():
            await self._audit.record(actor, _ACTION, f"person:{actor.person_id}", purpose="stale_phones")
            wards, rows = await self._stale(actor)
        return [StalePhone(str(row.id), wards[str(row.pupil_id)], row.holder) for row in rows]

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """The same, as a number."""
        if actor.person_id is None or not (may(actor, _ACTION) or may(actor, Action.CONTACTS_CLASS)):
            return []
        _, rows = await self._stale(actor)
        return [Todo(texts.TODO_STALE, len(rows), STALE)] if rows else []

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def state(self, actor: Actor, child_id: str, stated: Stated) -> str:
        """Somebody said something: another version follows, and gives its id. The same as before, said again, confirms
        it. Raises NotFound, FactInvalid."""
        ward = await self._reaching.ward(actor, child_id)
        await self._require_open(actor, ward, stated.kind)
        now = self._clock.now()
        value = check_value(stated.holder, stated.kind, stated.value, local_date(now))
        stated_on = check_stated(stated.stated_on, local_date(now))
        async with transaction():
            await hold([UUID(ward.id)])
            before = await newest(ward.id, stated.holder, stated.kind)
            if before is not None and before.value == value:
                row = await confirm(before, own_id(actor), now)
            else:
                said = replace(stated, value=value, stated_on=stated_on)
                row = await state(ward.id, said, own_id(actor), now, before)
            await self._wrote(actor, ward, row, "state")
        return str(row.id)

    async def confirm(self, actor: Actor, fact_id: str) -> None:
        """It was asked again and is still so: a version that says so, whose age begins anew. Tapped twice is once.
        Raises NotFound, FactReplaced."""
        now = self._clock.now()
        async with transaction():
            row, ward, newer = await self._held(actor, fact_id)
            if newer is not None and is_confirmed(row, newer, local_date(now)):
                return
            if newer is not None:
                raise FactReplaced
            await self._wrote(actor, ward, await confirm(row, own_id(actor), now), "confirm")

    async def called(self, actor: Actor, fact_id: str, *, is_answered: bool) -> bool:
        """A number was called. Gives whether it is stale now: two calls in vain make it so, an answered one makes it
        good again. Raises NotFound, FactReplaced, FactInvalid for what is no number."""
        async with transaction():
            row, ward, newer = await self._held(actor, fact_id)
            if newer is not None:
                raise FactReplaced
            if row.kind is not FactKind.PHONE:
                raise FactInvalid(texts.NO_PHONE)
            now = self._clock.now()
            if is_answered:
                row = await confirm(row, own_id(actor), now)
            else:
                await miss(row, now)
            await self._wrote(actor, ward, row, "answered" if is_answered else "not_answered")
            return row.is_stale

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _require_open(self, actor: Actor, ward: WardMeant, kind: FactKind) -> None:
        """What is confidential is written by those who may read it."""
        if kind in CONFIDENTIAL and not (await self._reaching.care_reach(actor)).is_sealed_open(ward):
            raise refusal(NotFound(), actor, Action.CONTACTS_SEALED, Subject())

    async def _held(self, actor: Actor, fact_id: str) -> tuple[ContactsFact, WardMeant, ContactsFact | None]:
        """A fact within reach, with its child held; and the version in force when it is another one. Raises
        NotFound."""
        row, ward = await self._found(actor, fact_id)
        await hold([row.pupil_id])
        await row.refresh_from_db()
        found = await newest(ward.id, row.holder, row.kind)
        return row, ward, found if found is not None and found.id != row.id else None

    async def _found(self, actor: Actor, fact_id: str) -> tuple[ContactsFact, WardMeant]:
        row = await ContactsFact.get_or_none(id=as_id(fact_id))
        if row is None:
            await self._reaching.care_reach(actor)  # no right at all comes before not there
            raise refusal(NotFound(), actor, _ACTION, Subject())
        ward = await self._reaching.ward(actor, str(row.pupil_id))
        await self._require_open(actor, ward, row.kind)
        return row, ward

    async def _stale(self, actor: Actor) -> tuple[dict[str, WardMeant], list[ContactsFact]]:
        """Of the children paired with the actor, of a head teacher's class, and for the lead of those nobody has."""
        wards = await self._reaching.wards_within(await self._reaching.care_reach(actor))
        if may(actor, Action.CONTACTS_REGISTER):
            kept, own = await self._reaching.keepers(wards), await self._reaching.paired_with(actor.person_id)
            wards = {child: ward for child, ward in wards.items() if child in own or not kept.get(child)}
        stale = await ContactsFact.filter(pupil_id__in=list(wards), is_stale=True) if wards else []
        current = {row.id for row in await in_force({str(row.pupil_id) for row in stale}, FactKind.PHONE)}
        order = {child: place for place, child in enumerate(wards)}
        rows = sorted((row for row in stale if row.id in current), key=lambda row: order[str(row.pupil_id)])
        return wards, rows

    async def _wrote(self, actor: Actor, ward: WardMeant, row: ContactsFact, purpose: str) -> None:
        await self._audit.record(
            actor, _ACTION, f"contacts_fact:{row.id}", whose=whose(ward), fields=[f"{row.holder}.{row.kind}"],
            purpose=purpose,
        )  # fmt: skip


async def _helps(child_id: str) -> tuple[Group, ...]:
    """The groups of a child that are no secret to its head teacher."""
    rows = ContactsFile.filter(pupil_id=UUID(child_id), ended_on__isnull=True).order_by("since", "id")
    groups = [Group(row.care_group) for row in await rows]
    return tuple(group for group in groups if group in OPEN_TO_TEACHERS)


def _is_entrustment(known: Known) -> bool:
    return known.holder is Holder.CARER and known.kind is FactKind.ENTRUSTMENT


def known_of(row: ContactsFact) -> Known:
    """How far a fact in force is known."""
    return Known(row.holder, row.kind, asked_on(row), row.is_stale)


def _fact(row: ContactsFact, today: date) -> FactView:
    return FactView(
        str(row.id), row.holder, row.kind, row.value, row.stated_on, row.source,
        local_date(row.confirmed_at) if row.confirmed_at else None, age(known_of(row), today), row.failed_calls,
        row.is_stale,
    )  # fmt: skip
