"""Calls between a teacher and a parent at a fixed hour: proposed by either, agreed by the other, moved, called off;
both are reminded, and afterwards the teacher is asked whether it took place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock
from bot.delivery.outbox import Outbox
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, may, reach_of, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.family import (
    OPEN,
    CallBooked,
    CallOver,
    CallState,
    NotWanted,
    check_call,
)
from handlers.contacts.models import ContactsCall
from handlers.contacts.service.family.call_pushes import promises_of
from handlers.contacts.service.family.reach import FamilyReach
from handlers.contacts.service.family.wishes import Wishes
from handlers.contacts.service.reach import own_id
from handlers.contacts.texts import family as texts

PAGE: Final = "/contacts/calls"
_STAFF: Final = Action.CONTACTS_CALL
_FAMILY: Final = Action.CONTACTS_FAMILY


@dataclass(frozen=True, slots=True)
class CallView:
    """A call that is open. `is_mine`: whoever looks has proposed it, and the other side answers; `is_over`: its hour
    has passed; `is_own`: the child is paired with whoever looks."""

    id: str
    ward: WardMeant
    with_whom: str = field(repr=False)
    at: datetime
    is_agreed: bool
    is_mine: bool
    is_over: bool
    is_own: bool


class Calls:
    """The use cases. Also a `TodoSource`."""

    def __init__(
        self, reach: FamilyReach, wishes: Wishes, audiences: AccountsAudiences, *, outbox: Outbox, audit: Audit,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._reach = reach
        self._wishes = wishes
        self._audiences = audiences
        self._outbox = outbox
        self._audit = audit
        self._clock = clock

    # ---------------------------------------------------------------------------------------------------------- looking
    async def of_teacher(self, actor: Actor) -> list[CallView]:
        """The open calls of somebody on the staff, the earliest first. Raises NotPermitted."""
        require(actor, _STAFF)
        async with transaction():
            await self._audit.record(actor, _STAFF, f"person:{actor.person_id}", fields=["calls"], purpose="calls")
            rows = await self._open(teacher_id=own_id(actor))
        return await self._views(rows, actor, is_family=False)

    async def of_guardian(self, actor: Actor) -> list[CallView]:
        """The same for a guardian. Raises NotPermitted."""
        require(actor, _FAMILY)
        return await self._views(await self._open(guardian_id=own_id(actor)), actor, is_family=True)

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """What a teacher has to answer, and what has passed, without a name."""
        if actor.person_id is None or not may(actor, _STAFF):
            return []
        rows, now = await self._open(teacher_id=own_id(actor)), self._clock.now()
        asked = sum(row.state is CallState.PROPOSED and row.is_from_family and row.at > now for row in rows)
        over = sum(row.state is CallState.AGREED and row.at <= now for row in rows)
        todos = [Todo(texts.TODO_ASKED, asked, PAGE), Todo(texts.TODO_OVER, over, PAGE)]
        return [todo for todo in todos if todo.count]

    # -------------------------------------------------------------------------------------------------------- proposing
    async def propose(self, actor: Actor, child_id: str, guardian_id: str, at: datetime) -> str:
        """A teacher proposes a call to a parent who wants to hear from the school. Raises NotFound, NotPermitted,
        NotWanted, CallInvalid, CallBooked."""
        ward = await self._reach.ward(actor, child_id)
        guardian = as_id(guardian_id)
        if str(guardian) not in (await self._wishes.wanting([ward.id])).get(ward.id, frozenset()):
            raise NotWanted
        return await self._create(actor, ward, str(actor.person_id), guardian, at, is_from_family=False)

    async def ask(self, actor: Actor, child_id: str, at: datetime) -> str:
        """A parent asks for a call with whoever at school speaks for the child. Raises NotFound, NotPermitted,
        NotWanted, CallInvalid, CallBooked."""
        own = str(as_id(child_id))
        ward = (await self._audiences.children([own])).get(own)
        if ward is None or not reach_of(actor, _FAMILY).covers(Subject(child_id=own)):
            raise refusal(NotFound(), actor, _FAMILY, Subject())
        if actor.person_id not in (await self._wishes.wanting([own])).get(own, frozenset()):
            raise NotWanted(texts.NOT_AGREED)
        teacher, guardian = await self._reach.teacher_of(ward), own_id(actor)
        if teacher is None or guardian is None:
            raise NotWanted(texts.NO_TEACHER)
        return await self._create(actor, ward, teacher, guardian, at, is_from_family=True)

    # -------------------------------------------------------------------------------------------------------- answering
    async def agree(self, actor: Actor, call_id: str) -> datetime:
        """The other side agrees; both are reminded. Gives when. Raises NotFound, CallOver."""
        async with transaction():
            row, is_family = await self._held(actor, call_id)
            if row.state is not CallState.PROPOSED or row.is_from_family is is_family or row.at <= self._clock.now():
                raise CallOver
            row.state, row.updated_at = CallState.AGREED, self._clock.now()
            await row.save(update_fields=["state", "updated_at"])
            await self._outbox.promise(promises_of(row, self._clock.now()))
            await self._wrote(actor, row, "agree")
        return row.at

    async def require(self, actor: Actor, call_id: str) -> None:
        """It is the actor's, open or not. Raises NotFound, NotPermitted."""
        require(actor, _STAFF)
        if not await ContactsCall.exists(id=as_id(call_id), teacher_id=own_id(actor)):
            raise refusal(NotFound(), actor, _STAFF, Subject())

    async def move(self, actor: Actor, call_id: str, at: datetime) -> None:
        """Another hour is proposed; what was agreed holds no more. Raises NotFound, CallOver, CallInvalid."""
        check_call(at, self._clock.now())
        async with transaction():
            row, is_family = await self._held(actor, call_id)
            row.at, row.state, row.is_from_family = at, CallState.PROPOSED, is_family
            row.updated_at = self._clock.now()
            await row.save(update_fields=["at", "state", "is_from_family", "updated_at"])
            await self._outbox.promise(promises_of(row, self._clock.now()))
            await self._wrote(actor, row, "move")

    async def cancel(self, actor: Actor, call_id: str) -> None:
        """It is called off; the other side is told. Raises NotFound, CallOver."""
        await self._close(actor, call_id, CallState.CANCELLED)

    async def missed(self, actor: Actor, call_id: str) -> None:
        """It did not take place, says the teacher. Raises NotFound, CallOver."""
        require(actor, _STAFF)
        await self._close(actor, call_id, CallState.MISSED)

    async def took_place(self, actor: Actor, call_id: str) -> None:
        """It took place, says a teacher who has nothing to write down of it. Raises NotFound, CallOver."""
        require(actor, _STAFF)
        await self._close(actor, call_id, CallState.DONE)

    # ------------------------------------------------------------------------------------------------------------ parts
    async def _create(
        self, actor: Actor, ward: WardMeant, teacher: str, guardian: UUID, at: datetime, *, is_from_family: bool
    ) -> str:
        now = self._clock.now()
        check_call(at, now)
        try:
            async with transaction():
                row = await ContactsCall.create(
                    id=uuid4(), pupil_id=UUID(ward.id), school_id=UUID(ward.school_id), teacher_id=UUID(teacher),
                    guardian_id=guardian, at=at, is_from_family=is_from_family, state=CallState.PROPOSED,
                    active_key=f"{UUID(ward.id).hex}{guardian.hex}", created_at=now, updated_at=now,
                )  # fmt: skip
                await self._outbox.promise(promises_of(row, now))
                await self._wrote(actor, row, "propose")
        except IntegrityError as error:
            raise CallBooked from error
        return str(row.id)

    async def _close(self, actor: Actor, call_id: str, state: CallState) -> None:
        now = self._clock.now()
        async with transaction():
            row, _ = await self._held(actor, call_id)
            was_agreed = row.state is CallState.AGREED
            if (state is not CallState.CANCELLED) is not (was_agreed and row.at <= now):
                raise CallOver
            row.state, row.active_key, row.closed_at, row.closed_by, row.updated_at = (
                state, None, now, own_id(actor), now
            )  # fmt: skip
            await row.save(update_fields=["state", "active_key", "closed_at", "closed_by", "updated_at"])
            if state is CallState.CANCELLED:
                await self._outbox.promise(promises_of(row, now))
            await self._wrote(actor, row, state.value)

    async def _held(self, actor: Actor, call_id: str) -> tuple[ContactsCall, bool]:
        """An open call of the actor's, held, and whether they are its family. Raises NotFound, CallOver."""
        row = await ContactsCall.filter(id=as_id(call_id)).select_for_update().first()
        is_family = row is not None and may(actor, _FAMILY) and row.guardian_id == own_id(actor)
        is_teacher = row is not None and may(actor, _STAFF) and row.teacher_id == own_id(actor)
        if row is None or not (is_family or is_teacher):
            raise refusal(NotFound(), actor, _FAMILY if may(actor, _FAMILY) else _STAFF, Subject())
        if row.state not in OPEN:
            raise CallOver
        return row, is_family

    async def _open(self, **whose_: UUID | None) -> list[ContactsCall]:
        return await ContactsCall.filter(state__in=list(OPEN), **whose_).order_by("at", "id")

    async def _views(self, rows: Sequence[ContactsCall], actor: Actor, *, is_family: bool) -> list[CallView]:
        wards = await self._audiences.children({str(row.pupil_id) for row in rows})
        others = {row.id: str(row.teacher_id if is_family else row.guardian_id) for row in rows}
        names: Mapping[str, str] = await self._audiences.names(set(others.values()))
        paired = frozenset[str]() if is_family else await self._reach.reaching.paired_with(actor.person_id)
        now = self._clock.now()
        return [
            CallView(
                str(row.id), wards[str(row.pupil_id)], names.get(others[row.id], ""), row.at,
                row.state is CallState.AGREED, row.is_from_family is is_family, row.at <= now,
                str(row.pupil_id) in paired,
            )
            for row in rows
            if str(row.pupil_id) in wards
        ]  # fmt: skip

    async def _wrote(self, actor: Actor, row: ContactsCall, purpose: str) -> None:
        action = _FAMILY if row.guardian_id == own_id(actor) else _STAFF
        subject = Subject(child_id=str(row.pupil_id), school_id=str(row.school_id))
        await self._audit.record(actor, action, f"contacts_call:{row.id}", whose=subject, purpose=f"call_{purpose}")
