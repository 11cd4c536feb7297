"""Deliveries as people look at them: how much waits, and what somebody has to decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from bot.clock import SHANGHAI, local_date, to_utc
from bot.delivery.models import DeliveryStatus, OutboxMessage, OutboxPush
from bot.delivery.pushes import ChannelName, Purpose, Push, PushClass
from bot.delivery.tables import Statement, moment_of, of_pushes

_TROUBLED = "status IN ('failed', 'unknown')"
DECIDED_BY_HAND = "decided_by_hand"
_TABLES = ("outbox_push", "outbox_message")


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many deliveries are in which state (states with none are left out), those of all time that are still kept;
    `due`: how many should have gone out by now; `oldest_due`: since when the first of them; `sent`: by channel, and
    `sent_today`: of those the ones since midnight in China."""

    by_status: Mapping[DeliveryStatus, int]
    due: int
    oldest_due: datetime | None
    sent: Mapping[ChannelName, int]
    sent_today: Mapping[ChannelName, int]

    @property
    def waiting(self) -> int:
        """What will still go out."""
        waiting = (DeliveryStatus.PLANNED, DeliveryStatus.HELD, DeliveryStatus.SENDING)
        return sum(self.by_status.get(status, 0) for status in waiting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A delivery that failed or may not have arrived. `person_id` is None for a letter, which knows an openid only;
    `error` says why, in a word; `at`: when it was settled."""

    id: str
    reason: str
    occurrence: str
    rule: str
    person_id: str | None
    child_ids: tuple[str, ...]
    channel: ChannelName | None
    status: DeliveryStatus
    error: str | None
    attempts: int
    at: datetime
    push: Push | None
    """The promise itself; None for a letter."""

    @property
    def can_be_decided(self) -> bool:
        """Whether somebody can still say that it arrived."""
        return self.status is DeliveryStatus.UNKNOWN


async def overview(now: datetime) -> Backlog:
    """See `Outbox.overview`."""
    by_status: dict[DeliveryStatus, int] = {}
    due, oldest = 0, None
    for table in _TABLES:
        rows = await Statement(of_pushes()).fetch(f"SELECT status, count(*) AS number FROM {table} GROUP BY status")  # noqa: S608
        for row in rows:
            status = DeliveryStatus(row["status"])
            by_status[status] = by_status.get(status, 0) + int(row["number"])
        statement = Statement(of_pushes())
        [row] = await statement.fetch(
            f"SELECT count(*) AS number, min(not_before) AS oldest FROM {table}"  # noqa: S608 - names of our own
            f" WHERE status = 'planned' AND not_before <= {statement.add(now, 'moment')}"
        )
        due += int(row["number"])
        if row["oldest"] is not None:
            first = moment_of(row["oldest"])
            oldest = first if oldest is None else min(oldest, first)
    midnight = to_utc(datetime.combine(local_date(now), time(), SHANGHAI))
    return Backlog(by_status, due, oldest, await _sent(), await _sent(midnight))


async def _sent(since: datetime | None = None) -> Mapping[ChannelName, int]:
    statement = Statement(of_pushes())
    newer = f" AND updated_at >= {statement.add(since, 'moment')}" if since is not None else ""
    rows = await statement.fetch(
        "SELECT channel, count(*) AS number FROM outbox_push WHERE status = 'sent' AND channel IS NOT NULL"  # noqa: S608
        f"{newer} GROUP BY channel"
    )
    return {ChannelName(row["channel"]): int(row["number"]) for row in rows}


async def troubled(*, limit: int, offset: int) -> Sequence[Trouble]:
    """See `Outbox.troubled`."""
    statement = Statement(of_pushes())
    rows = await statement.fetch(
        "SELECT * FROM (SELECT id, reason, occurrence, rule, person_id, child_ids, channel, status, last_error,"  # noqa: S608
        " purpose, push_class, not_before, expires_at,"
        f" attempts, updated_at FROM outbox_push WHERE queue = 2 AND {_TROUBLED} UNION ALL"
        " SELECT id, reason, occurrence, '' AS rule, NULL AS person_id, NULL AS child_ids, NULL AS channel, status,"
        " last_error, NULL AS purpose, NULL AS push_class, NULL AS not_before, NULL AS expires_at,"
        f" attempts, updated_at FROM outbox_message WHERE {_TROUBLED}) AS troubled"
        f" ORDER BY updated_at DESC, id LIMIT {int(limit)} OFFSET {int(offset)}"
    )
    return [_trouble(row) for row in rows]


def _trouble(row: Mapping[str, Any]) -> Trouble:
    return Trouble(
        id=str(row["id"]),
        reason=row["reason"],
        occurrence=row["occurrence"],
        rule=row["rule"],
        person_id=str(row["person_id"]) if row["person_id"] else None,
        child_ids=tuple(row["child_ids"].split("+")) if row["child_ids"] else (),
        channel=ChannelName(row["channel"]) if row["channel"] else None,
        status=DeliveryStatus(row["status"]),
        error=row["last_error"],
        attempts=int(row["attempts"]),
        at=moment_of(row["updated_at"]),
        push=_push(row) if row["person_id"] else None,
    )


def _push(row: Mapping[str, Any]) -> Push:
    return Push(
        id=str(row["id"]),
        reason=row["reason"],
        occurrence=row["occurrence"],
        person_id=str(row["person_id"]),
        rule=row["rule"],
        purpose=Purpose(row["purpose"]),
        push_class=PushClass(row["push_class"]),
        child_ids=tuple(row["child_ids"].split("+")) if row["child_ids"] else (),
        not_before=moment_of(row["not_before"]),
        expires_at=moment_of(row["expires_at"]),
    )


async def decide(id: str, now: datetime, *, sent: bool) -> bool:
    """See `Outbox.decide`."""
    try:
        key = UUID(id)
    except ValueError:
        return False
    status = DeliveryStatus.SENT if sent else DeliveryStatus.FAILED
    for table in (OutboxPush, OutboxMessage):
        if await table.filter(id=key, status=DeliveryStatus.UNKNOWN).update(
            status=status, last_error=DECIDED_BY_HAND, updated_at=now
        ):
            return True
    return False


async def settle_past(reason: str, told: Collection[str], why: str, now: datetime) -> list[Push]:
    """See `Outbox.settle_past`."""
    statement = Statement(of_pushes())
    moment, cause, channel = statement.add(now, "moment"), statement.add(why), statement.add(ChannelName.TEMPLATE)
    matter, them = statement.add(reason), statement.ids(sorted(told))
    rows = await statement.fetch(
        f"UPDATE outbox_push SET status = CASE WHEN person_id {them} THEN 'sent' ELSE 'unreachable' END,"  # noqa: S608
        f" channel = CASE WHEN person_id {them} THEN {channel} END,"
        f" last_error = CASE WHEN person_id {them} THEN NULL ELSE {cause} END, updated_at = {moment}"
        f" WHERE reason = {matter} AND status = 'planned' RETURNING id, reason, occurrence, rule, person_id,"
        " child_ids, purpose, push_class, not_before, expires_at, status"
    )
    return [_push(row) for row in rows if row["status"] == DeliveryStatus.UNREACHABLE]
