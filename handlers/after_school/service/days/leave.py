"""Leave: asked for by the family, or written down for it; on the roster at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.after_school.domain.days import LONGEST_REASON, checked_leave
from handlers.after_school.domain.statements import Source
from handlers.after_school.models import AfterSchoolLeave, AfterSchoolProgramme
from handlers.after_school.service.days.missing import MissingChildren
from handlers.after_school.service.days.sight import whose
from handlers.after_school.service.days.views import LeaveView


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLeave:
    """What is asked for. `programme_id` None: from everything."""

    child_id: str
    first_day: date
    last_day: date
    reason: str = field(default="", repr=False)
    programme_id: str | None = None


class LeaveService:
    """The use cases of guardians, and of staff who are told on the phone."""

    def __init__(self, audiences: AccountsAudiences, missing: MissingChildren, audit: Audit, clock: Clock) -> None:
        self._audiences = audiences
        self._missing = missing
        self._audit = audit
        self._clock = clock

    async def ask(self, actor: Actor, new: NewLeave, via: Source) -> LeaveView:
        """The guardian keeps the child away. The same once more is the same one. Raises NotFound, LeaveInvalid."""
        ward = await self.child(actor, Action.SERVICE_LEAVE, new.child_id)
        return await self._put(actor, ward, new, (via, actor.person_id, None))

    async def enter(self, actor: Actor, new: NewLeave, via: Source = Source.PHONE) -> LeaveView:
        """Staff write down what the family said. Raises as `ask` does."""
        ward = await self.child(actor, Action.SERVICE_ATTEND, new.child_id)
        return await self._put(actor, ward, new, (via, None, actor.person_id))

    async def own(self, actor: Actor) -> list[LeaveView]:
        """What stands for the actor's children from today on, the nearest first."""
        reach = require(actor, Action.SERVICE_LEAVE)
        wards = await self._audiences.children(reach.children)
        rows = AfterSchoolLeave.filter(
            pupil_id__in=[UUID(each) for each in wards], withdrawn_at__isnull=True, last_day__gte=self._today()
        )
        return [_view(row, wards[str(row.pupil_id)]) for row in await rows.order_by("first_day", "id")]

    async def wards(self, actor: Actor) -> Sequence[WardMeant]:
        """The actor's children at school."""
        reach = require(actor, Action.SERVICE_LEAVE)
        return list((await self._audiences.children(reach.children)).values())

    async def withdraw(self, actor: Actor, leave_id: str) -> LeaveView:
        """The child comes after all. Raises NotFound."""
        reach = require(actor, Action.SERVICE_LEAVE)
        async with transaction():
            row = await AfterSchoolLeave.filter(id=leave_id, withdrawn_at__isnull=True).select_for_update().first()
            wards = await self._audiences.children([str(row.pupil_id)]) if row else {}
            ward = wards.get(str(row.pupil_id)) if row else None
            if row is None or ward is None or not reach.covers(whose(ward)):
                raise refusal(NotFound(), actor, Action.SERVICE_LEAVE, None)
            now = self._clock.now()
            await AfterSchoolLeave.filter(id=row.id).update(withdrawn_at=now, live_key=None, updated_at=now)
            await self._note(actor, Action.SERVICE_LEAVE, row.id, ward, "withdraw")
        return _view(row, ward)

    async def child(self, actor: Actor, action: Action, child_id: str) -> WardMeant:
        """A child at school within the actor's reach. Raises NotFound."""
        reach = require(actor, action)
        ward = (await self._audiences.children([child_id])).get(child_id)
        if ward is None or not reach.covers(whose(ward)):
            raise refusal(NotFound(), actor, action, None)
        return ward

    # -------------------------------------------------------------------------------------------------------- inside
    async def _put(
        self, actor: Actor, ward: WardMeant, new: NewLeave, said: tuple[Source, str | None, str | None]
    ) -> LeaveView:
        checked_leave(new.first_day, new.last_day, self._today())
        if new.programme_id is not None and not await AfterSchoolProgramme.exists(id=new.programme_id):
            raise NotFound
        via, asked_by, entered_by = said
        now, programme = self._clock.now(), new.programme_id
        days = f"{new.first_day:%Y%m%d}:{new.last_day:%Y%m%d}"
        async with transaction():
            row, is_new = await AfterSchoolLeave.get_or_create(
                live_key=f"{ward.id}:{UUID(programme).hex if programme else ''}:{days}",
                defaults={
                    "id": uuid4(),
                    "pupil_id": UUID(ward.id),
                    "programme_id": UUID(programme) if programme else None,
                    "first_day": new.first_day,
                    "last_day": new.last_day,
                    "reason": new.reason.strip()[:LONGEST_REASON] or None,
                    "asked_by": UUID(asked_by) if asked_by else None,
                    "entered_by": UUID(entered_by) if entered_by else None,
                    "via": via,
                    "asked_at": now,
                    "created_at": now,
                    "updated_at": now,
                },
            )
            if is_new:
                action = Action.SERVICE_ATTEND if entered_by else Action.SERVICE_LEAVE
                await self._note(actor, action, row.id, ward, "ask")
                await self._missing.leave_came(ward.id, new.first_day, new.last_day)
        return _view(row, ward, is_new=is_new)

    async def _note(self, actor: Actor, action: Action, leave_id: UUID, ward: WardMeant, purpose: str) -> None:
        await self._audit.record(actor, action, f"leave:{leave_id}", whose=whose(ward), purpose=purpose)

    def _today(self) -> date:
        return local_date(self._clock.now())


def _view(row: AfterSchoolLeave, ward: WardMeant, *, is_new: bool = True) -> LeaveView:
    programme = str(row.programme_id) if row.programme_id else None
    return LeaveView(str(row.id), ward.id, ward.name, row.first_day, row.last_day, programme, is_new)
