"""Looking past what is one's own: a head teacher at a child of the class, a school leader at one of the school.

A reason opens the whole file of one child for two hours, but for mandatory reports, which are named people's. In the
transaction that opens it whoever watches is told, and each look is written down under the glass before anything is
shown: without either there is nothing to see. It opens for any child within reach, on the register or not, so that
trying tells nobody who is on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, reach_of, refusal, require
from bot.storage.database import transaction
from bot.storage.files import FileContent
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.glass import LASTS, GlassOver, Ground, NobodyWatches, checked_reason
from handlers.contacts.models import ContactsGlass
from handlers.contacts.service.forms import id_of_form
from handlers.contacts.service.glass.rows import watchers_of
from handlers.contacts.service.glass.telling import GlassTelling
from handlers.contacts.service.reach import Reaching, own_id, whose
from handlers.contacts.service.whole.reading import READ, WholeFile, WholeFiles

PAGE: Final = "/contacts/glass"
_ACTION: Final = Action.CONTACTS_GLASS


@dataclass(frozen=True, slots=True)
class OpenGlass:
    """One that is open now."""

    id: str
    ward: WardMeant
    until: datetime


class GlassService:
    """The use cases of whoever looks."""

    def __init__(
        self, reaching: Reaching, whole: WholeFiles, telling: GlassTelling, *, audiences: AccountsAudiences,
        offices: Offices, audit: Audit, clock: Clock,
    ) -> None:  # fmt: skip
        self._reaching = reaching
        self._whole = whole
        self._telling = telling
        self._audiences = audiences
        self._offices = offices
        self._audit = audit
        self._clock = clock

    async def candidate(self, actor: Actor, child_id: str) -> WardMeant:
        """A child within reach. Raises NotFound, NotPermitted."""
        return await self._reaching.ward_for(actor, _ACTION, child_id)

    async def open(self, actor: Actor, child_id: str, ground: Ground, reason: str, *, key: str = "") -> str:
        """It is open from now on, and whoever watches is told; gives its id. While one is open, that one; the same form
        (`key`) sent again opens nothing more. Raises NotFound, ReasonMissing, NobodyWatches."""
        ward = await self._reaching.ward_for(actor, _ACTION, child_id)
        said, own = checked_reason(reason), own_id(actor)
        assert own is not None
        made = id_of_form(own, ward.id, key)
        try:
            async with transaction():
                return await self._opened(actor, ward, made, ground, said)
        except IntegrityError:
            if not await ContactsGlass.filter(id=made).exists():
                raise
        return str(made)

    async def _opened(self, actor: Actor, ward: WardMeant, made: UUID, ground: Ground, said: str) -> str:
        now, own = self._clock.now(), own_id(actor)
        lasting = Q(Q(until__gt=now) | Q(id=made), person_id=own, pupil_id=UUID(ward.id))
        known = await ContactsGlass.filter(lasting).order_by("-until").first()
        if known is not None:
            return str(known.id)
        people = await watchers_of(self._offices, whose(ward), str(own))
        if not people:
            raise NobodyWatches
        row = await ContactsGlass.create(
                id=made, person_id=own, pupil_id=UUID(ward.id), school_id=UUID(ward.school_id), ground=ground,
                reason=said, at=now, until=now + LASTS, lead_told_at=now, created_at=now, updated_at=now,
            )  # fmt: skip
        await self._audit.record(
            actor, _ACTION, f"contacts_glass:{row.id}", whose=whose(ward), fields=["reason"], purpose="open"
        )
        await self._telling.tell(row.id, people)
        return str(row.id)

    async def mine(self, actor: Actor) -> list[OpenGlass]:
        """Those the actor has open now, the newest first."""
        require(actor, _ACTION)
        async with transaction():
            await self._audit.record(actor, _ACTION, f"person:{actor.person_id}", purpose="list", fields=["child"])
            rows = await ContactsGlass.filter(person_id=own_id(actor), until__gt=self._clock.now()).order_by("-at")
            wards = await self._audiences.children({str(row.pupil_id) for row in rows})
        return [
            OpenGlass(str(row.id), wards[str(row.pupil_id)], row.until) for row in rows if str(row.pupil_id) in wards
        ]

    async def file(self, actor: Actor, glass_id: str) -> tuple[OpenGlass, WholeFile]:
        """What it opens. Raises NotFound, also when the child is the actor's no more; GlassOver."""
        row, ward = await self._open(actor, glass_id)
        async with transaction():
            await self._looked(actor, row, ward, READ)
            return OpenGlass(str(row.id), ward, row.until), await self._whole.read(ward)

    async def picture(self, actor: Actor, glass_id: str, file_id: str) -> FileContent:
        """A picture or a voice note in the file. Raises as `file`, and FileNotFound."""
        row, ward = await self._open(actor, glass_id)
        async with transaction():
            await self._looked(actor, row, ward, ("file",))
            return await self._whole.attached(ward.id, file_id)

    async def _open(self, actor: Actor, glass_id: str) -> tuple[ContactsGlass, WardMeant]:
        reach_of(actor, _ACTION)
        row = await ContactsGlass.get_or_none(id=as_id(glass_id))
        if row is None or row.person_id != own_id(actor):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        ward = await self._reaching.ward_for(actor, _ACTION, str(row.pupil_id))
        if row.until <= self._clock.now():
            raise GlassOver
        return row, ward

    async def _looked(self, actor: Actor, row: ContactsGlass, ward: WardMeant, fields: tuple[str, ...]) -> None:
        await self._audit.record(
            actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=fields, purpose=looked_under(str(row.id))
        )


def looked_under(glass_id: str) -> str:
    """As which purpose a look through a glass stands in the audit."""
    return f"glass:{glass_id}"
