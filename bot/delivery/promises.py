"""Promises to people, kept as rows: what is asked for, and the statements that write, move and withdraw them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from bot.delivery.credits import Credits, Reserved
from bot.delivery.models import DeliveryStatus
from bot.delivery.pushes import ChannelName, NewPush, Purpose, PushClass
from bot.delivery.tables import Statement, moment_of, of_pushes

LANES: Final[Mapping[PushClass, int]] = {PushClass.ALARM: 0, PushClass.URGENT: 1, PushClass.NORMAL: 2}
_BATCH = 1000
_COLUMNS = (
    "id, reason, occurrence, person_id, rule, purpose, push_class, child_ids, lane, status, not_before, expires_at,"
    " attempts, created_at, updated_at"
)
# What is promised and not on its way: it may be moved or taken back. One in hand whose sending has not begun, too: its
# worker asks the row once more before it begins.
_UNSENT = "(status IN ('planned', 'held') OR (status = 'sending' AND begun_at IS NULL))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """Promises to all whom a query finds. `sql` gives the columns person_id and child_ids (text, ids joined by "+", or
    NULL), its places written as the engine of the connection wants them; the rest is the same for all."""

    sql: str
    parameters: Sequence[Any] = field(repr=False)
    reason: str
    occurrence: str
    rule: str
    purpose: Purpose
    not_before: datetime
    expires_at: datetime
    push_class: PushClass = PushClass.NORMAL


@dataclass(frozen=True, slots=True)
class Progress:
    """How many promises of a matter are in which state, and how many of them are on their way or could be."""

    by_status: Mapping[DeliveryStatus, int]
    moving: int

    @property
    def unsettled(self) -> int:
        """What has no outcome yet."""
        open_states = (DeliveryStatus.PLANNED, DeliveryStatus.HELD, DeliveryStatus.SENDING)
        return sum(self.by_status.get(status, 0) for status in open_states)


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """What became of a promise. `channel` is None before one was chosen; `at`: since when; `error`: why not, in a
    word."""

    status: DeliveryStatus
    channel: ChannelName | None
    at: datetime
    error: str | None = None


async def promise(pushes: Sequence[NewPush], now: datetime) -> int:
    """Writes promises; those made before stay as they are. Gives how many are new."""
    made = 0
    for start in range(0, len(pushes), _BATCH):
        made += await _promise_batch(pushes[start : start + _BATCH], now)
    return made


async def _promise_batch(pushes: Sequence[NewPush], now: datetime) -> int:
    statement = Statement(of_pushes())
    kinds = {
        "id": "id", "reason": "text", "occurrence": "text", "person_id": "id", "rule": "text", "purpose": "text",
        "push_class": "text", "child_ids": "text", "lane": "number", "not_before": "moment", "expires_at": "moment",
    }  # fmt: skip
    rows = [
        (
            uuid4(), push.reason, push.occurrence, UUID(push.person_id), push.rule, push.purpose, push.push_class,
            "+".join(push.child_ids) or None, LANES[push.push_class], push.not_before, push.expires_at,
        )
        for push in pushes
    ]  # fmt: skip
    given = statement.rows("given", kinds, rows)
    moment = statement.add(now, "moment")
    return await statement.insert(
        f"INSERT INTO outbox_push ({_COLUMNS}) SELECT id, reason, occurrence, person_id, rule, purpose, push_class,"  # noqa: S608
        f" child_ids, lane, 'planned', not_before, expires_at, 0, {moment}, {moment} FROM {given}"
        " WHERE true ON CONFLICT (reason, person_id, occurrence) DO NOTHING"
    )


async def promise_selected(wanted: Selected, now: datetime) -> int:
    """One statement, however many people; those promised before stay. Gives how many are new."""
    statement = Statement(of_pushes(), wanted.parameters)
    moment = statement.add(now, "moment")
    shared = [statement.add(value) for value in (wanted.reason, wanted.occurrence)]
    kinds = [statement.add(value) for value in (wanted.rule, wanted.purpose, wanted.push_class)]
    times = [statement.add(value, "moment") for value in (wanted.not_before, wanted.expires_at)]
    return await statement.insert(
        f"WITH chosen AS ({wanted.sql}) INSERT INTO outbox_push ({_COLUMNS})"  # noqa: S608 - values are parameters
        f" SELECT {statement.new_id}, {', '.join(shared)}, person_id, {', '.join(kinds)}, child_ids,"
        f" {LANES[wanted.push_class]}, 'planned', {', '.join(times)}, 0, {moment}, {moment} FROM chosen"
        " WHERE true ON CONFLICT (reason, person_id, occurrence) DO NOTHING"
    )


async def cancel(
    reason: str, now: datetime, *, occurrence: str | None, person_ids: Collection[str] | None, credits: Credits
) -> int:
    """What is unsent is not needed any more; gives how many promises that were."""
    statement = Statement(of_pushes())
    which = _which(statement, reason, occurrence, person_ids)
    rows = await statement.fetch(
        f"UPDATE outbox_push SET status = 'not_needed', lease_until = NULL, last_error = 'cancelled',"  # noqa: S608
        f" updated_at = {statement.add(now, 'moment')} WHERE {which} AND {_UNSENT}"
        " RETURNING id, credit, recipient_index"
    )
    await credits.give_back(
        [Reserved(str(row["recipient_index"]), str(row["credit"])) for row in rows if row["credit"] is not None]
    )
    return len(rows)


async def postpone(
    reason: str, occurrence: str, not_before: datetime, now: datetime, *, expires_at: datetime | None = None
) -> int:
    """What is unsent waits until another moment; gives how many promises that were."""
    statement = Statement(of_pushes())
    which = _which(statement, reason, occurrence, None)
    end = f", expires_at = {statement.add(expires_at, 'moment')}" if expires_at is not None else ""
    return await statement.run(
        f"UPDATE outbox_push SET status = 'planned', claim = NULL, lease_until = NULL,"  # noqa: S608
        f" not_before = {statement.add(not_before, 'moment')}{end}, updated_at = {statement.add(now, 'moment')}"
        f" WHERE {which} AND {_UNSENT}"
    )


async def reached(reason: str, occurrence: str, person_ids: Collection[str] | None = None) -> dict[str, DeliveryState]:
    """What became of the promises of one matter, by person; of some people only when they are named."""
    statement = Statement(of_pushes())
    which = _which(statement, reason, occurrence, person_ids)
    rows = await statement.fetch(
        f"SELECT person_id, status, channel, updated_at, last_error FROM outbox_push WHERE {which}"  # noqa: S608
    )
    return {
        str(row["person_id"]): DeliveryState(
            DeliveryStatus(row["status"]),
            ChannelName(row["channel"]) if row["channel"] else None,
            moment_of(row["updated_at"]),
            row["last_error"],
        )
        for row in rows
    }


async def progress(reason: str, occurrence: str, now: datetime) -> Progress:
    """How far the promises of one matter are: counts only, whoever they are for."""
    statement = Statement(of_pushes())
    moment = statement.add(now, "moment")
    which = _which(statement, reason, occurrence, None)
    rows = await statement.fetch(
        "SELECT status, count(*) AS number, sum(CASE WHEN not_before <= "  # noqa: S608
        f"{moment} THEN 1 ELSE 0 END) AS due FROM outbox_push WHERE {which} GROUP BY status"
    )
    counts = {DeliveryStatus(row["status"]): int(row["number"]) for row in rows}
    due = sum(int(row["due"]) for row in rows if row["status"] == DeliveryStatus.PLANNED)
    return Progress(counts, due + counts.get(DeliveryStatus.SENDING, 0))


async def told(reason: str, occurrence: str) -> dict[str, tuple[str, ...]]:
    """To whom a matter was sent, and about which children."""
    statement = Statement(of_pushes())
    which = _which(statement, reason, occurrence, None)
    rows = await statement.fetch(
        f"SELECT person_id, child_ids FROM outbox_push WHERE {which} AND status = 'sent'"  # noqa: S608
    )
    return {str(row["person_id"]): tuple(row["child_ids"].split("+")) if row["child_ids"] else () for row in rows}


def _which(statement: Statement, reason: str, occurrence: str | None, person_ids: Collection[str] | None) -> str:
    parts = [f"reason = {statement.add(reason)}"]
    if occurrence is not None:
        parts.append(f"occurrence = {statement.add(occurrence)}")
    if person_ids is not None:
        parts.append(f"person_id {statement.ids(list(person_ids))}")
    return " AND ".join(parts)
