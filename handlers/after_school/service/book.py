"""The book of places: the one code that changes an enrolment's state, and with it the counts of its pool.

Whoever opens it holds the rows of the pools, locked in the order of their ids, until the transaction ends; so counts
and states are read and changed by one at a time, over any number of replicas.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from bot.storage.rows import insert_together, row_of, selected, update_together
from bot.storage.sets import as_value, select_ids
from handlers.after_school.domain.places import Member, Party, offers
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import ACTIVE, OCCUPYING, EnrolmentState, advance
from handlers.after_school.models import AfterSchoolEnrolment, AfterSchoolEnrolmentEvent, AfterSchoolPool

_S = EnrolmentState
_POOLS: Final = """
SELECT {columns}
  FROM after_school_pool o
 WHERE o.id IN (SELECT p.pool_id FROM after_school_programme p WHERE p.id IN ({programmes}))
 ORDER BY o.id {lock}
"""
# SQLite has one writer, which holds everything.
_LOCK: Final = {"postgres": "FOR UPDATE", "sqlite": ""}
_MOVING: Final = ("state", "turn", "position", "offered_until", "draw_id", "active_key", "updated_at")


@dataclass(frozen=True, slots=True)
class Move:
    """Who does it (None: nobody, a moment passed), on which way, when."""

    by: UUID | None
    via: Source
    at: datetime


def active_key(programme_id: UUID, pupil_id: UUID) -> str:
    """What only one living sign-up may have."""
    return f"{programme_id}:{pupil_id}"


async def lock_children(child_ids: Collection[UUID]) -> None:
    """Until the transaction ends nobody else decides for these children, so that nothing they get elsewhere at the same
    moment is missed. Before the book is opened; SQLite has one writer anyway."""
    connection = AfterSchoolPool._meta.db
    if connection.capabilities.dialect != "postgres" or not child_ids:
        return
    # The lower half of a made-up id is chance; as PostgreSQL counts, with a sign.
    numbers = sorted({int.from_bytes(own.bytes[8:], "big", signed=True) for own in child_ids})
    await connection.execute_query("SELECT pg_advisory_xact_lock(n) FROM unnest($1::bigint[]) n", [numbers])


async def open_book(programme_ids: Collection[UUID]) -> Book:
    """Over the pools of these programmes, in the caller's transaction. A programme never changes its pool once families
    can see it, so which pools those are needs no lock."""
    connection = AfterSchoolPool._meta.db
    engine = connection.capabilities.dialect
    query = _POOLS.format(columns=selected(AfterSchoolPool, "o"), programmes=select_ids(engine, 1), lock=_LOCK[engine])
    _, rows = await connection.execute_query(query, [as_value(engine, programme_ids)])
    return Book(row_of(AfterSchoolPool, "o", row) for row in rows)


async def open_plans(plan_ids: Collection[UUID]) -> Book:
    """Over all pools of plans: for whatever may free a place, since siblings wait for several at once."""
    rows = await AfterSchoolPool.filter(plan_id__in=list(plan_ids)).order_by("id").select_for_update()
    return Book(rows)


class Book:
    """Pools that are locked, and what changes in them until `save`."""

    def __init__(self, pools: Iterable[AfterSchoolPool]) -> None:
        self.pools: dict[UUID, AfterSchoolPool] = {pool.id: pool for pool in pools}
        self._changed: set[UUID] = set()
        self._new: list[dict[str, Any]] = []
        self._moved: dict[UUID, AfterSchoolEnrolment] = {}
        self._events: list[dict[str, Any]] = []

    # --------------------------------------------------------------------------------------------------------- changes
    def turn_of(self, pool_ids: Collection[UUID]) -> int:
        """The turn of a party that comes now: later than everybody's who stands in any of its lines."""
        own = [self.pools[pool_id] for pool_id in pool_ids]
        turn = max(pool.next_turn for pool in own)
        for pool in own:
            pool.next_turn = turn + 1
            self._changed.add(pool.id)
        return turn

    def add(self, row: dict[str, Any], move: Move) -> int | None:
        """A new enrolment, by column; gives its position when it waits."""
        state, pool = row["state"], self.pools[row["pool_id"]]
        self._count(pool, None, state)
        position = pool.waiting if state is _S.WAITLISTED else None
        row["position"] = position
        row |= {"created_at": move.at, "updated_at": move.at}
        row["active_key"] = active_key(row["programme_id"], row["pupil_id"])
        self._new.append(row)
        self._note(row["id"], None, state, move)
        return position

    def move(
        self, row: AfterSchoolEnrolment, to: EnrolmentState, move: Move, offered_until: datetime | None = None
    ) -> None:
        """Raises IllegalEnrolmentMove."""
        before = row.state
        row.state = advance(before, to)
        row.offered_until = offered_until
        row.active_key = row.active_key if to in ACTIVE else None
        row.updated_at = move.at
        self._count(self.pools[row.pool_id], before, to)
        self._moved[row.id] = row
        self._note(row.id, before, to, move)

    def line_up(self, row: AfterSchoolEnrolment, move: Move) -> None:
        """Into the line, behind everybody who stands there: for those a draw gave nothing, in the order of the draw."""
        row.turn = self.turn_of([row.pool_id])
        self.move(row, _S.WAITLISTED, move)
        row.position = self.pools[row.pool_id].waiting

    def resize(self, pool_id: UUID, places: int | None) -> None:
        """Another number of places; nobody who has one loses it."""
        self.pools[pool_id].places = places
        self._changed.add(pool_id)

    def _count(self, pool: AfterSchoolPool, before: EnrolmentState | None, after: EnrolmentState) -> None:
        taken = (after in OCCUPYING) - (before in OCCUPYING)
        waiting = (after is _S.WAITLISTED) - (before is _S.WAITLISTED)
        if taken or waiting:
            pool.taken += taken
            pool.waiting += waiting
            self._changed.add(pool.id)

    def _note(self, own: UUID, before: EnrolmentState | None, after: EnrolmentState, move: Move) -> None:
        self._events.append(
            {
                "enrolment_id": own,
                "at": move.at,
                "from_state": before,
                "to_state": after,
                "by_person": move.by,
                "via": move.via,
                "created_at": move.at,
                "updated_at": move.at,
            }
        )

    # -------------------------------------------------------------------------------------------------------- the line
    async def awaited(self) -> frozenset[UUID]:
        """Pools with a free place for somebody who waits. Usually none: what becomes free is offered at once. Another
        pool that a sibling needs may not be locked here, but it gains no place meanwhile: that takes all of them."""
        open_lines = {pool.plan_id for pool in self.pools.values() if pool.waiting and _free(pool) > 0}
        if not open_lines:
            return frozenset()
        pools = await AfterSchoolPool.filter(plan_id__in=list(open_lines))
        waiting = await _waiting([pool.id for pool in pools])
        able = offers(_parties(waiting), {str(pool.id): _free(self.pools.get(pool.id, pool)) for pool in pools})
        return frozenset(UUID(member.pool) for party in able for member in party.members)

    async def offer_free(self, plan_id: UUID, until: datetime, at: datetime) -> list[AfterSchoolEnrolment]:
        """Offers what is free down the lines of a plan, siblings together; gives whom. The book must be open over the
        whole plan, and saved."""
        pools = [pool for pool in self.pools.values() if pool.plan_id == plan_id]
        free = {str(pool.id): _free(pool) for pool in pools}
        if not any(pool.waiting and _free(pool) > 0 for pool in pools):
            return []
        waiting = await _waiting([pool.id for pool in pools])
        parties = _parties(waiting)
        rows = {row.id: row for row in waiting}
        offered = [rows[UUID(member.child)] for party in offers(parties, free) for member in party.members]
        for row in offered:
            self.move(row, _S.OFFERED, Move(None, Source.SYSTEM, at), until)
        await self.save(at)
        return offered

    # ------------------------------------------------------------------------------------------------------------ rows
    async def save(self, at: datetime) -> None:
        """Writes everything, in few statements."""
        await insert_together(AfterSchoolEnrolment, self._new)
        await update_together(AfterSchoolEnrolment, list(self._moved.values()), _MOVING)
        await insert_together(AfterSchoolEnrolmentEvent, self._events)
        for pool_id in sorted(self._changed):
            pool = self.pools[pool_id]
            pool.updated_at = at
            await pool.save(update_fields=("places", "taken", "waiting", "next_turn", "updated_at"))
        self._new, self._moved, self._events, self._changed = [], {}, [], set()


def _free(pool: AfterSchoolPool) -> float:
    return float("inf") if pool.places is None else max(0, pool.places - pool.taken)


async def _waiting(pool_ids: Sequence[UUID]) -> list[AfterSchoolEnrolment]:
    """Those who wait, in the order of their turns: among those who want a place of the same pool no two have the same
    turn unless they are siblings who wait together."""
    rows = AfterSchoolEnrolment.filter(pool_id__in=list(pool_ids), state=_S.WAITLISTED)
    return list(await rows.order_by("turn", "party_id", "id"))


def _parties(waiting: Sequence[AfterSchoolEnrolment]) -> list[Party]:
    by_party: Mapping[UUID, list[AfterSchoolEnrolment]] = defaultdict(list)
    for row in waiting:
        by_party[row.party_id].append(row)
    return [
        Party(str(party_id), tuple(Member(str(row.id), str(row.pool_id)) for row in members))
        for party_id, members in by_party.items()
    ]
