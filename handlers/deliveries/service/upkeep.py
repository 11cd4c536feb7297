"""What puts lines onto the list and takes them off by itself: deliveries that reached nobody, and those that did after
all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from tortoise.queryset import QuerySet

from bot.clock import Clock, local_date, to_local
from bot.delivery.outbox import DeliveryStatus, Outbox
from bot.delivery.pushes import NotNeeded, Push, PushClass, PushSource
from bot.storage.database import transaction
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.deliveries.domain import LineState
from handlers.deliveries.models import HandListLine
from handlers.deliveries.service.composing import composed_of
from handlers.deliveries.service.lines import HandList, line_for, push_of
from handlers.deliveries.texts import TOLD_HEADING, WAYS

KEPT_FOR: Final = timedelta(days=180)
# A message that has not gone out by then will not.
_WATCHED_FOR: Final = timedelta(days=14)
_BATCH: Final = 500
_GUARDIANS: Final = frozenset({AudienceRole.GUARDIANS})

Matter = tuple[str, str]


class Unreached:
    """An `UnreachableListener`: a family nobody of which was reached comes onto the list."""

    def __init__(self, lines: HandList, audiences: AccountsAudiences, outbox: Outbox, clock: Clock) -> None:
        self._lines = lines
        self._audiences = audiences
        self._outbox = outbox
        self._clock = clock

    async def could_not_reach(self, pushes: Sequence[Push], why: str) -> None:
        """In the transaction that settles them. Alarms have their own way of calling people; a child somebody else was
        told about needs no call."""
        wanted = [push for push in pushes if push.push_class is not PushClass.ALARM]
        reached = await self.reached([(push.reason, push.occurrence, push.child_ids) for push in wanted])
        lines = [
            line_for(push, child, why)
            for push in wanted
            for child in push.child_ids or (None,)
            if child not in reached[push.reason, push.occurrence]
        ]
        if lines:
            await self._lines.add(lines)

    async def reached(self, wanted: Sequence[tuple[str, str, Collection[str]]]) -> Mapping[Matter, set[str | None]]:
        """By matter the children about whom somebody was told who has proved to look after them."""
        children: dict[Matter, set[str]] = defaultdict(set)
        for reason, occurrence, ids in wanted:
            children[reason, occurrence].update(ids)
        found: dict[Matter, set[str | None]] = defaultdict(set)
        everybody = {child for ids in children.values() for child in ids}
        if not everybody:
            return found
        guardians = await self._guardians(everybody)
        for matter, ids in children.items():
            people = {person for child in ids for person in guardians[child]}
            states = await self._outbox.reached(*matter, people) if people else {}
            sent = {person for person, state in states.items() if state.status is DeliveryStatus.SENT}
            found[matter] = {child for child in ids if guardians[child] & sent}
        return found

    async def _guardians(self, child_ids: Collection[str]) -> Mapping[str, set[str]]:
        meant = Audience(roles=_GUARDIANS, pupil_ids=frozenset(child_ids))
        found: dict[str, set[str]] = defaultdict(set)
        for each in await self._audiences.children_of(meant, local_date(self._clock.now())):
            found[each.child.id] = {guardian.person_id for guardian in each.guardians if guardian.is_bound}
        return found


class Upkeep:
    """The jobs."""

    def __init__(
        self,
        unreached: Unreached,
        audiences: AccountsAudiences,
        sources: Callable[[], Mapping[str, PushSource]],
        clock: Clock,
    ) -> None:
        self._unreached = unreached
        self._audiences = audiences
        self._sources = sources
        self._clock = clock

    async def take_off(self) -> int:
        """Children whose families were reached by a message after all; gives how many. Doing it twice equals once."""
        since = self._clock.now() - _WATCHED_FOR
        rows = HandListLine.filter(state=LineState.OPEN, child_id__not_isnull=True, created_at__gte=since)
        taken = 0
        async for some in _batches(rows):
            wanted = [(row.reason, row.occurrence, [str(row.child_id)]) for row in some]
            reached = await self._unreached.reached(wanted)
            done = [row.id for row in some if str(row.child_id) in reached[row.reason, row.occurrence]]
            taken += await self._settle(done, LineState.REACHED)
        return taken

    async def tidy(self) -> None:
        """Lines about which there is nothing to be told any more go, and those whose term is over; the others follow
        their children into other classes."""
        async for some in _batches(HandListLine.filter(state=LineState.OPEN, child_id__not_isnull=True)):
            await self._settle(await self._follow(some), LineState.NOT_NEEDED)
        async for some in _batches(HandListLine.filter(state=LineState.OPEN, person_id__not_isnull=True)):
            words = await composed_of(self._sources(), [push_of(row) for row in some], self._clock.now())
            over = [row.id for row in some if isinstance(words.get(str(row.id)), NotNeeded)]
            await self._settle(over, LineState.NOT_NEEDED)
        await HandListLine.filter(created_at__lt=self._clock.now() - KEPT_FOR).delete()

    async def _follow(self, rows: Sequence[HandListLine]) -> list[UUID]:
        """Puts lines where their children are now; gives those of children who have left."""
        wards = await self._audiences.children({str(row.child_id) for row in rows})
        for row in rows:
            ward = wards.get(str(row.child_id))
            place = ward and (ward.class_id and UUID(ward.class_id), UUID(ward.school_id), UUID(ward.township_id))
            if place and place != (row.class_id, row.school_id, row.township_id):
                class_id, school_id, township_id = place
                await HandListLine.filter(id=row.id).update(
                    class_id=class_id, school_id=school_id, township_id=township_id, updated_at=self._clock.now()
                )
        return [row.id for row in rows if str(row.child_id) not in wards]

    async def _settle(self, ids: Sequence[Any], state: LineState) -> int:
        if not ids:
            return 0
        now = self._clock.now()
        async with transaction():
            rows = HandListLine.filter(id__in=list(ids), state=LineState.OPEN)
            return int(await rows.update(state=state, settled_at=now, updated_at=now))


class HandListRecords:
    """A `ChildRecords`: that and how the family was told, without what."""

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """Calls and slips to the guardian who asks."""
        rows = HandListLine.filter(child_id=child_id, person_id=person_id, state=LineState.TOLD)
        told = [
            {"时间": to_local(row.settled_at).isoformat("T", "seconds"), "方式": WAYS[row.way]}
            for row in await rows.order_by("settled_at", "id")
            if row.settled_at is not None and row.way is not None
        ]
        return {TOLD_HEADING: told} if told else {}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """Nothing rests on consent here; with the child everything goes."""
        if not keep_duty:
            await HandListLine.filter(child_id=child_id).delete()


async def _batches(rows: QuerySet[HandListLine]) -> AsyncIterator[list[HandListLine]]:
    """All of them, some at a time, in the order of their ids."""
    last: UUID | None = None
    while some := await (rows.filter(id__gt=last) if last else rows).order_by("id").limit(_BATCH):
        yield some
        last = some[-1].id
