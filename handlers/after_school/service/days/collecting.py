"""Who collects a child on a day: said by the family, on the roster at once, never somebody who must be kept away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action
from bot.storage.base import blind_index
from bot.storage.database import transaction
from handlers.accounts.domain import NameInvalid, PhoneInvalid, normalise_name, normalise_phone
from handlers.accounts.service.bars import Candidate, bars_on, is_barred, name_index
from handlers.accounts.service.offices import Caller, Offices
from handlers.after_school.domain.days import CollectBy, CollectionInvalid, CollectorRefused
from handlers.after_school.domain.statements import Source
from handlers.after_school.models import AfterSchoolCollection
from handlers.after_school.service.days.leave import LeaveService
from handlers.after_school.service.days.rosters import collections_of
from handlers.after_school.service.days.sight import whose
from handlers.after_school.service.days.views import CollectionView


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCollection:
    """What the family says: a guardian by `person_id`, somebody else by name and phone, or nobody."""

    child_id: str
    day: date
    how: CollectBy
    person_id: str | None = None
    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


class CollectionService:
    """The use cases of guardians."""

    def __init__(self, leave: LeaveService, offices: Offices, audit: Audit, clock: Clock) -> None:
        self._leave = leave
        self._offices = offices
        self._audit = audit
        self._clock = clock

    async def guardians(self, actor: Actor, child_id: str) -> Sequence[Caller]:
        """Who may collect the child anyway. Raises NotFound."""
        await self._leave.child(actor, Action.SERVICE_LEAVE, child_id)
        return (await self._offices.guardians(child_id))[0]

    async def say(self, actor: Actor, new: NewCollection, via: Source) -> CollectionView:
        """The last word counts; the same once more changes nothing. Raises NotFound, CollectionInvalid,
        CollectorRefused."""
        ward = await self._leave.child(actor, Action.SERVICE_LEAVE, new.child_id)
        if new.day < local_date(self._clock.now()):
            raise CollectionInvalid
        person, name, phone = await self._collector(new)
        now = self._clock.now()
        async with transaction():
            known = (await collections_of([ward.id], new.day)).get(ward.id)
            is_same = known is not None and (known.how, known.person_id, known.name, known.phone) == (
                new.how, UUID(person.person_id) if person else None, name, phone,
            )  # fmt: skip
            if not is_same:
                row = await AfterSchoolCollection.create(
                    id=uuid4(), pupil_id=UUID(ward.id), day=new.day, how=new.how, name=name, phone=phone,
                    person_id=UUID(person.person_id) if person else None, via=via, said_at=now,
                    said_by=UUID(actor.person_id) if actor.person_id else None, created_at=now, updated_at=now,
                )  # fmt: skip
                about = f"collection:{row.id}"
                await self._audit.record(actor, Action.SERVICE_LEAVE, about, whose=whose(ward), purpose="collect")
        return CollectionView(ward.id, ward.name, new.day, new.how, person.name if person else name or "")

    async def _collector(self, new: NewCollection) -> tuple[Caller | None, str | None, str | None]:
        if new.how is CollectBy.ALONE:
            return None, None, None
        if new.how is CollectBy.GUARDIAN:
            callers = (await self._offices.guardians(new.child_id))[0]
            person = next((one for one in callers if one.person_id == new.person_id), None)
            if person is None:
                raise CollectionInvalid
            return person, None, None
        try:
            name, phone = normalise_name(new.name), normalise_phone(new.phone)
        except (NameInvalid, PhoneInvalid):
            raise CollectionInvalid from None
        candidate = Candidate(name_index=name_index(name), phone_index=blind_index("phone", phone))
        if is_barred(await bars_on(UUID(new.child_id), local_date(self._clock.now())), candidate):
            raise CollectorRefused
        return None, name, phone
