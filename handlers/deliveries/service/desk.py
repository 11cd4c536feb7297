"""Deliveries as the staff see them: how far they are, and those somebody has to decide about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.delivery.outbox import DECIDED_BY_HAND, Backlog, DeliveryStatus, Outbox, Trouble
from bot.delivery.pulse import WorkerSeen, workers_seen
from bot.delivery.pushes import UnreachableListener
from bot.errors import InvalidInput, Unavailable
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, may, require
from bot.storage.database import transaction
from bot.storage.redis import RedisStore
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.scope import missing
from handlers.deliveries.domain import AlreadyDecided
from handlers.deliveries.service.lines import HandList, line_for
from handlers.deliveries.texts import TODO_UNKNOWN

DELIVERIES: Final = "/deliveries"
MOST: Final = 500
"""So many of the newest in trouble are looked at."""


class Verdict(StrEnum):
    """What somebody found out about a delivery."""

    ARRIVED = "arrived"
    LOST = "lost"
    CALL = "call"
    """It did not arrive, and the family is to be called."""


class VerdictUnknown(InvalidInput):
    """None of the verdicts, or one that such a delivery cannot have."""

    code = "verdict_unknown"
    default_message = "请选“已送到”“没送到”或“改为电话”。"


@dataclass(frozen=True, slots=True)
class Troubled:
    """A delivery in trouble. `name`: of whom it was for, "" for a letter to somebody we know only by WeChat;
    `children`: whom it concerns; `on_list`: the family stands on the list of calls."""

    trouble: Trouble
    name: str
    children: Sequence[str]
    on_list: bool

    @property
    def can_be_called(self) -> bool:
        """Whether the family can still be put onto the list of calls."""
        return self.trouble.push is not None and not self.on_list


class DeliveryDesk:
    """The use cases."""

    def __init__(
        self,
        outbox: Outbox,
        audiences: AccountsAudiences,
        lines: HandList,
        listeners: Callable[[], Sequence[UnreachableListener]],
        *,
        redis: Callable[[], RedisStore],
        audit: Audit,
        clock: Clock,
    ) -> None:
        """`listeners` want to know who was told nothing, whoever found it out."""
        self._listeners = listeners
        self._redis = redis
        self._outbox = outbox
        self._audiences = audiences
        self._lines = lines
        self._audit = audit
        self._clock = clock

    async def overview(self, actor: Actor) -> Backlog:
        """Numbers over everything that goes out; they tell nothing about anybody."""
        require(actor, Action.DELIVERIES_VIEW)
        return await self._outbox.overview()

    async def workers(self, actor: Actor) -> list[WorkerSeen] | None:
        """Who is at work on the deliveries; None: nobody can know just now."""
        require(actor, Action.DELIVERIES_VIEW)
        try:
            return await workers_seen(self._redis())
        except Unavailable:
            return None

    async def troubled(self, actor: Actor) -> list[Troubled]:
        """What failed or may not have arrived within reach, the newest first."""
        found = await self._within(require(actor, Action.DELIVERIES_VIEW))
        people = {trouble.person_id for trouble, _ in found if trouble.person_id}
        children = await self._audiences.children({child for trouble, _ in found for child in trouble.child_ids})
        names = await self._audiences.names(people)
        on_list = await self._on_list([trouble for trouble, _ in found])
        return [
            Troubled(
                trouble,
                names.get(trouble.person_id or "", ""),
                [children[child].name for child in trouble.child_ids if child in children],
                trouble.id in on_list,
            )
            for trouble, _ in found
        ]

    async def decide(self, actor: Actor, delivery_id: str, verdict: Verdict) -> None:
        """Somebody found out; the first one who says so is right. Raises NotFound, AlreadyDecided, VerdictUnknown."""
        reach = require(actor, Action.DELIVERIES_DECIDE)
        async with transaction():
            found = {trouble.id: (trouble, whose) for trouble, whose in await self._within(reach)}
            if delivery_id not in found:
                raise missing(actor, Action.DELIVERIES_DECIDE)
            trouble, whose = found[delivery_id]
            if verdict is Verdict.CALL and trouble.push is None:
                raise VerdictUnknown
            await self._settle(trouble, verdict)
            await self._audit.record(
                actor,
                Action.DELIVERIES_DECIDE,
                f"delivery:{trouble.id}",
                whose=whose,
                fields=["status"],
                purpose=verdict.value,
            )

    async def _settle(self, trouble: Trouble, verdict: Verdict) -> None:
        is_new = False
        if verdict is Verdict.CALL and trouble.push is not None:
            children = trouble.child_ids or (None,)
            added = [line_for(trouble.push, child, trouble.error or trouble.status.value) for child in children]
            is_new = await self._lines.add(added) > 0
        if trouble.can_be_decided:
            if not await self._outbox.decide(trouble.id, verdict is Verdict.ARRIVED):
                raise AlreadyDecided
            if verdict is not Verdict.ARRIVED and trouble.push is not None:
                for listener in self._listeners():
                    await listener.could_not_reach([trouble.push], DECIDED_BY_HAND)
        elif not is_new:
            raise AlreadyDecided

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """A `TodoSource`: deliveries nobody knows about whether they arrived."""
        if not may(actor, Action.DELIVERIES_DECIDE):
            return ()
        found = await self._within(require(actor, Action.DELIVERIES_DECIDE))
        count = sum(trouble.status is DeliveryStatus.UNKNOWN for trouble, _ in found)
        return (Todo(TODO_UNKNOWN, count, DELIVERIES),) if count else ()

    async def _within(self, reach: Reach) -> list[tuple[Trouble, Subject]]:
        """Those within reach, and whose affair each is. A letter is the township's: nobody knows whose else."""
        found = await self._outbox.troubled(limit=MOST)
        children = await self._audiences.children({child for trouble in found for child in trouble.child_ids})
        people = {trouble.person_id for trouble in found if trouble.person_id}
        staff = await self._audiences.staff_places(people, local_date(self._clock.now()))
        result = []
        for trouble in found:
            ward = next((children[child] for child in trouble.child_ids if child in children), None)
            place = ward or staff.get(trouble.person_id or "")
            whose = Subject(
                child_id=ward.id if ward else None,
                class_id=ward.class_id if ward else None,
                school_id=place.school_id if place else None,
                township_id=place.township_id if place else None,
            )
            is_letter = trouble.person_id is None and bool(reach.townships)
            if reach.covers(whose) or is_letter:
                result.append((trouble, whose))
        return result

    async def _on_list(self, found: Sequence[Trouble]) -> set[str]:
        matters = {(trouble.reason, trouble.occurrence) for trouble in found if trouble.push}
        lines = {matter: await self._lines.of_matter(*matter) for matter in matters}
        return {
            trouble.id
            for trouble in found
            if (known := lines.get((trouble.reason, trouble.occurrence))) is not None
            and any(subject in known for subject in trouble.child_ids or (trouble.person_id,))
        }
