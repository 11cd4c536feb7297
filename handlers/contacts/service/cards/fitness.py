"""Whether whoever looks after a child is fit to, and whether it was entrusted in writing. The protection lead's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal
from bot.storage.database import transaction
from bot.storage.files import FileContent, FileStore, Owner
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.contacts.domain.card import FactInvalid, Fitness, check_stated
from handlers.contacts.domain.register import FileEnded
from handlers.contacts.models import ContactsCheck
from handlers.contacts.service.cards.views import CheckView
from handlers.contacts.service.reach import Reaching, own_id, whose
from handlers.contacts.service.recounting import hold
from handlers.contacts.texts import cards as texts

PAPER: Final = "contacts_check"
"""The kind of owner under which a written entrustment is kept."""
_ACTION: Final = Action.CONTACTS_REGISTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How the carer was found on a day. `paper`: a picture of the written entrustment, with its day."""

    age_ok: Fitness
    health_ok: Fitness
    no_barred_ground: Fitness
    checked_on: date
    written_on: date | None = None
    paper: bytes = field(default=b"", repr=False)


class FitnessService:
    """The use cases."""

    def __init__(
        self, reaching: Reaching, audiences: AccountsAudiences, files: FileStore, audit: Audit, clock: Clock
    ) -> None:
        self._reaching = reaching
        self._audiences = audiences
        self._files = files
        self._audit = audit
        self._clock = clock

    async def check(self, actor: Actor, child_id: str, checked: Checked) -> None:
        """Somebody has looked at the carer; it is never changed, another look follows. Raises NotFound, FileEnded,
        FactInvalid, PictureUnreadable, FileTooLarge."""
        ward = await self._reaching.ward_for(actor, _ACTION, child_id)
        now = self._clock.now()
        today = local_date(now)
        check_stated(checked.checked_on, today)
        if checked.written_on is not None:
            check_stated(checked.written_on, today)
        if checked.paper and checked.written_on is None:
            raise FactInvalid(texts.NO_PAPER_DAY)
        picture = await self._files.prepared(checked.paper) if checked.paper else None
        async with transaction():
            await hold([UUID(ward.id)])
            if await self._reaching.on_register(ward.id) is None:
                raise FileEnded
            own = uuid4()
            kept = await self._files.keep_prepared(Owner(PAPER, str(own)), picture) if picture else None
            await ContactsCheck.create(
                id=own, pupil_id=UUID(ward.id), age_ok=checked.age_ok.value, health_ok=checked.health_ok.value,
                no_barred_ground=checked.no_barred_ground.value, written_on=checked.written_on,
                file_id=UUID(kept.id) if kept else None, checked_by=own_id(actor), checked_on=checked.checked_on,
                created_at=now, updated_at=now,
            )  # fmt: skip
            await self._audit.record(
                actor, _ACTION, f"contacts_check:{own}", whose=whose(ward), fields=["fitness"], purpose="check"
            )

    async def require(self, actor: Actor, child_id: str) -> None:
        """The child is within reach. Raises NotFound, NotPermitted."""
        await self._reaching.ward_for(actor, _ACTION, child_id)

    async def of(self, child_id: str) -> list[CheckView]:
        """All looks at the carer of a child, the newest first. Whoever asks has the right to, and has written it
        down."""
        rows = await ContactsCheck.filter(pupil_id=UUID(child_id)).order_by("-checked_on", "-created_at", "id")
        names = await self._audiences.names({str(row.checked_by) for row in rows})
        return [
            CheckView(
                Fitness(row.age_ok), Fitness(row.health_ok), Fitness(row.no_barred_ground), row.written_on,
                row.file_id is not None, names.get(str(row.checked_by), ""), row.checked_on,
            )
            for row in rows
        ]  # fmt: skip

    async def entrusted(self, child_id: str) -> date | None:
        """When somebody last saw the written entrustment; None: nobody did. Whoever asks has the right to."""
        rows = ContactsCheck.filter(pupil_id=UUID(child_id), written_on__not_isnull=True).order_by("-checked_on")
        row = await rows.first()
        return row.checked_on if row else None

    async def paper(self, actor: Actor, child_id: str) -> FileContent:
        """The newest written entrustment of a child. Raises NotFound, FileNotFound."""
        ward = await self._reaching.ward_for(actor, _ACTION, child_id)
        async with transaction():
            await self._audit.record(actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=["entrustment"])
            rows = ContactsCheck.filter(pupil_id=UUID(ward.id), file_id__not_isnull=True)
            row = await rows.order_by("-checked_on", "-created_at").first()
            if row is None:
                raise refusal(NotFound(), actor, _ACTION, Subject())
            return await self._files.read(Owner(PAPER, str(row.id)), str(row.file_id))
