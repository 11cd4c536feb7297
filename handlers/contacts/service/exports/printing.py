"""The file of one child on paper, for an inspection: a purpose first, then it is open for an hour to whoever asked.

It shows mandatory reports too, and files of children who have left or are of age: what is sealed is kept for exactly
this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, reach_of, refusal
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.exports import SHOWN, ExportOver, TakenFor, checked_purpose
from handlers.contacts.models import ContactsFile, ContactsPrint
from handlers.contacts.service.reach import own_id, whose
from handlers.contacts.service.whole.reading import WITH_REPORTS, WholeFile, WholeFiles

PAGE: Final = "/contacts/prints"
_ACTION: Final = Action.CONTACTS_EXPORT


@dataclass(frozen=True, slots=True)
class Printed:
    """A child's file as it goes on paper, and its watermark."""

    whole: WholeFile
    by: str
    taken_for: TakenFor
    purpose: str = field(repr=False)
    at: datetime
    number: str


class PrintService:
    """The use cases."""

    def __init__(
        self, whole: WholeFiles, audiences: AccountsAudiences, caring: Caring, audit: Audit, clock: Clock
    ) -> None:
        self._whole = whole
        self._audiences = audiences
        self._caring = caring
        self._audit = audit
        self._clock = clock

    async def candidate(self, actor: Actor, child_id: str) -> WardMeant:
        """A child with a file within reach, at school or not any more. Raises NotFound."""
        reach = reach_of(actor, _ACTION)
        own = str(as_id(child_id))
        has_file = await ContactsFile.filter(pupil_id=UUID(own), reduced_at__isnull=True).exists()
        ward = (await self._audiences.children([own])).get(own) or (await self._caring.former([own])).get(own)
        if not has_file or ward is None or not reach.covers(whose(ward)):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return ward

    async def begun(self, actor: Actor, child_id: str) -> WardMeant:
        """The same, whose form is opened: written down. Raises NotFound."""
        ward = await self.candidate(actor, child_id)
        await self._audit.record(actor, _ACTION, f"child:{ward.id}", whose=whose(ward), purpose="print.form")
        return ward

    async def ask(self, actor: Actor, child_id: str, taken_for: TakenFor, purpose: str) -> str:
        """It is open for an hour; gives its id. Raises NotFound, PurposeMissing."""
        ward = await self.candidate(actor, child_id)
        said, now, person = checked_purpose(purpose), self._clock.now(), own_id(actor)
        assert person is not None
        async with transaction():
            row = await ContactsPrint.create(
                id=uuid4(), person_id=person, pupil_id=UUID(ward.id), school_id=UUID(ward.school_id),
                taken_for=taken_for, purpose=said, at=now, until=now + SHOWN, created_at=now, updated_at=now,
            )  # fmt: skip
            await self._audit.record(
                actor, _ACTION, f"contacts_print:{row.id}", whose=whose(ward), purpose=taken_for.value
            )
        return str(row.id)

    async def sheet(self, actor: Actor, print_id: str) -> Printed:
        """What goes on paper; written down each time. Raises NotFound, ExportOver."""
        reach_of(actor, _ACTION)
        now = self._clock.now()
        async with transaction():
            row = await ContactsPrint.get_or_none(id=as_id(print_id))
            if row is None or row.person_id != own_id(actor):
                raise refusal(NotFound(), actor, _ACTION, Subject())
            ward = await self.candidate(actor, str(row.pupil_id))
            if row.until <= now:
                raise ExportOver
            await self._audit.record(
                actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=WITH_REPORTS, purpose=f"print:{row.id}"
            )
            whole = await self._whole.read(ward, with_sealed=True, with_reports=True)
        return Printed(whole, actor.name or "", row.taken_for, row.purpose, now, str(row.id)[:8].upper())
