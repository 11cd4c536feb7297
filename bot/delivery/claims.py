"""Taking pushes in hand and letting go of them: the statements by which any number of workers share the table.

A claim is a lease under a number of its own. Rows another worker has locked are skipped; every later change asks
whether the claim still stands. Before a push goes out its row says so, and a row that said so is never sent again by
itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from bot.delivery.credits import Credits, Reserved
from bot.delivery.models import DeliveryClaim, DeliveryStatus
from bot.delivery.pushes import ChannelName, Purpose, Push, PushClass
from bot.delivery.tables import Statement, by_index, moment_of, of_pushes
from bot.storage.database import transaction

NORMAL_LANE: Final = 2
# Any number will do as long as all workers use the same.
_CLAIMING: Final = 0x7869_616E_6770_7573
PUSH_COLUMNS: Final = (
    "id, reason, occurrence, person_id, rule, purpose, push_class, child_ids, not_before, expires_at, attempts, tried"
)
_STILL_OURS: Final = (
    "outbox_push.id = given.push_id AND outbox_push.claim = given.own_claim AND outbox_push.status = 'sending'"
)
# What is planned and what is in hand, by the index of what is due; what is held; whatever is not done with. The state
# itself is in no index, so that taking something in hand writes in none.
_DUE: Final = "queue = 0"
_HELD: Final = "queue = 1"
_UNDONE: Final = "queue IS NOT NULL"
# So many claims are taken back at a time.
_CLAIMS_AT_ONCE: Final = 20


@dataclass(slots=True, eq=False)
class Claimed:
    """A push in hand, under a claim until `lease_until`. `attempts`: how often it has been on its way; `tried`: the
    channels that refused it."""

    push: Push
    claim: UUID
    lease_until: datetime
    attempts: int
    tried: frozenset[ChannelName]
    credit: Reserved | None = None


class Waiting(NamedTuple):
    """Whether there is anything of a kind to be done: pushes that must not wait, others, lost ones, held ones."""

    express: bool
    usual: bool
    lost: bool
    held: bool


class Departing(NamedTuple):
    """A push that is about to go: through which channel, to whom, in which message."""

    row: Claimed
    channel: ChannelName
    recipient_index: str
    message_id: str


class Settled(NamedTuple):
    """What becomes of a push in hand. PLANNED and HELD: again at `not_before`."""

    status: DeliveryStatus
    not_before: datetime | None = None
    error: str | None = None
    channel: ChannelName | None = None
    recipient_index: str | None = None
    platform_id: str | None = None
    message_id: str | None = None
    refused_by: ChannelName | None = None
    credit: Reserved | None = None


class Claims:
    """The table of pushes, for workers."""

    def __init__(self, credits: Credits) -> None:
        self._credits = credits

    # ---------------------------------------------------------------------------------------------------------- taking
    async def waiting(self, now: datetime) -> Waiting:
        """What there is to be done now: one question to the database, so that resting costs little."""
        statement = Statement(of_pushes())
        moment = statement.add(now, "moment")
        planned = f"{_DUE} AND status = 'planned' AND not_before <= {moment}"
        (row,) = await statement.fetch(
            f"SELECT EXISTS (SELECT 1 FROM outbox_push WHERE {planned} AND lane < {NORMAL_LANE}) AS express,"  # noqa: S608
            f" EXISTS (SELECT 1 FROM outbox_push WHERE {planned} AND lane = {NORMAL_LANE}) AS usual,"
            f" EXISTS (SELECT 1 FROM delivery_claim WHERE lease_until <= {moment}) AS lost,"
            f" EXISTS (SELECT 1 FROM outbox_push WHERE {_HELD} AND not_before <= {moment}) AS held"
        )
        return Waiting(*(bool(row[name]) for name in Waiting._fields))

    async def take(self, number: int, now: datetime, lease: timedelta) -> list[Claimed]:
        """Claims what is due, alarms first. With a push of the usual class all that are due to the same person come
        along, beyond `number`, so that they can travel together."""
        taken = await self.take_express(number, now, lease)
        return taken + await self.take_usual(number - len(taken), now, lease)

    async def take_express(self, number: int, now: datetime, lease: timedelta) -> list[Claimed]:
        """Only what must not wait: alarms, then what is urgent."""
        taken: list[Claimed] = []
        for lane in range(NORMAL_LANE):
            taken += await self._take_lane(lane, number - len(taken), now, now + lease)
        return taken

    async def take_usual(self, number: int, now: datetime, lease: timedelta) -> list[Claimed]:
        """Only what may wait."""
        return await self._take_lane(NORMAL_LANE, number, now, now + lease)

    async def _take_lane(self, lane: int, number: int, now: datetime, until: datetime) -> list[Claimed]:
        claim = uuid4()
        if number <= 0:
            return []
        async with transaction() as connection:
            is_postgres = connection.capabilities.dialect == "postgres"
            if lane != NORMAL_LANE:
                return await self._take_rows(_first(lane), claim, number, now, until)
            if is_postgres:
                # One worker at a time: two that claim at the same moment would part what belongs to one person.
                await connection.execute_query(
                    "SELECT set_config('enable_seqscan', 'off', true), pg_advisory_xact_lock($1)", [_CLAIMING]
                )
            due = _with_companions(lane, is_postgres=is_postgres)
            return await self._take_rows(due, claim, number, now, until)

    async def _take_rows(self, due: str, claim: UUID, number: int, now: datetime, until: datetime) -> list[Claimed]:
        statement = Statement(of_pushes())
        moment, key = statement.add(now, "moment"), statement.add(claim, "id")
        end, most = statement.add(until, "moment"), statement.add(number, "number")
        skip = "FOR UPDATE SKIP LOCKED" if statement.is_postgres else ""
        chosen = due.format(now=moment, most=most, skip=skip, row="ctid" if statement.is_postgres else "id")
        change = f"SET status = 'sending', claim = {key}, lease_until = {end}, begun_at = NULL, updated_at = {moment}"
        if statement.is_postgres:
            query = (
                # By where the row lies, which stays so while it is locked: no index is asked a second time.
                f"WITH {chosen}, taken AS (UPDATE outbox_push {change} FROM due WHERE outbox_push.ctid = due.due_id"  # noqa: S608
                f" RETURNING {PUSH_COLUMNS}), listed AS (INSERT INTO delivery_claim (id, lease_until, created_at,"
                f" updated_at) SELECT {key}, {end}, {moment}, {moment} WHERE EXISTS (SELECT 1 FROM taken))"
                " SELECT * FROM taken"
            )
        else:
            query = (
                f"WITH {chosen} UPDATE outbox_push {change} WHERE id IN (SELECT due_id FROM due)"  # noqa: S608
                f" RETURNING {PUSH_COLUMNS}"
            )
        rows = [_claimed(row, claim, until) for row in await statement.fetch(query)]
        # In two steps: most have one moment, and moments take longer to compare than ids.
        rows.sort(key=_id_of)
        rows.sort(key=_moment_of)
        if rows and not statement.is_postgres:
            await DeliveryClaim.create(id=claim, lease_until=until, created_at=now, updated_at=now)
        return rows

    async def done(self, rows: Collection[Claimed]) -> None:
        """Nothing of their claims is in hand any more."""
        await DeliveryClaim.filter(id__in=list({row.claim for row in rows})).delete()

    async def wake(self, now: datetime) -> int:
        """What was held until now is planned again."""
        statement = Statement(of_pushes())
        moment = statement.add(now, "moment")
        skip = "FOR UPDATE SKIP LOCKED" if statement.is_postgres else ""
        return await statement.run(
            f"UPDATE outbox_push SET status = 'planned', updated_at = {moment} WHERE id IN (SELECT id FROM outbox_push"  # noqa: S608
            f" WHERE {_HELD} AND not_before <= {moment} LIMIT 10000 {skip})"
        )

    # --------------------------------------------------------------------------------------------------------- sending
    async def keep_credits(self, rows: Sequence[Claimed]) -> None:
        """Writes down what is reserved for which, in the transaction that reserved it: a worker that dies leaves a row
        from which it is given back."""
        reserved = [(row, row.credit) for row in rows if row.credit is not None]
        if not reserved:
            return
        statement = Statement(of_pushes())
        kinds = {"push_id": "id", "own_claim": "id", "own_credit": "text", "own_index": "text"}
        given = statement.rows(
            "given", kinds, [(row.push.id, row.claim, credit.what, credit.recipient_index) for row, credit in reserved]
        )
        await statement.run(
            f"UPDATE outbox_push SET credit = given.own_credit, recipient_index = given.own_index FROM {given}"  # noqa: S608
            f" WHERE {_STILL_OURS}"
        )

    async def begin(self, departing: Sequence[Departing], now: datetime, spare: timedelta) -> set[str]:
        """From now on they may be on their way; gives the ids of those that still may: not taken back in the meantime,
        and under a claim that stands for `spare` longer."""
        async with transaction():
            await by_index()
            statement = Statement(of_pushes())
            moment, end = statement.add(now, "moment"), statement.add(now + spare, "moment")
            kinds = {
                "push_id": "id",
                "own_claim": "id",
                "own_channel": "text",
                "own_index": "text",
                "own_message": "id",
            }
            given = statement.rows(
                "given", kinds, [(each.row.push.id, each.row.claim, *each[1:]) for each in departing]
            )
            begun = await statement.fetch(
                f"UPDATE outbox_push SET begun_at = {moment}, attempts = attempts + 1, channel = given.own_channel,"  # noqa: S608
                f" recipient_index = given.own_index, message_id = given.own_message, platform_id = NULL FROM {given}"
                f" WHERE {_STILL_OURS} AND lease_until > {end} RETURNING outbox_push.id AS id"
            )
        return {str(row["id"]) for row in begun}

    async def settle(self, settled: Sequence[tuple[Claimed, Settled]], now: datetime) -> set[str]:
        """Writes down what became of them, in the caller's transaction; gives the ids of those that were still ours.
        What was reserved is spent when a message went out or may have, and given back otherwise."""
        if not settled:
            return set()
        await by_index()
        statement = Statement(of_pushes())
        moment = statement.add(now, "moment")
        given = statement.rows("given", _SETTLING, [_settling(row, each) for row, each in settled])
        rows = await statement.fetch(
            "UPDATE outbox_push SET status = given.new_status, lease_until = NULL, claim = NULL,"  # noqa: S608
            " not_before = COALESCE(given.new_time, not_before), channel = given.new_channel,"
            " recipient_index = given.new_index, platform_id = given.new_platform_id, message_id = given.new_message,"
            " last_error = given.new_error, tried = given.new_tried, credit = NULL,"
            f" updated_at = {moment} FROM {given} WHERE {_STILL_OURS} RETURNING outbox_push.id AS id"
        )
        ours = {str(row["id"]) for row in rows}
        await self._clear_credits([pair for pair in settled if pair[0].push.id in ours])
        return ours

    async def _clear_credits(self, settled: Sequence[tuple[Claimed, Settled]]) -> None:
        spent, back = list[Reserved](), list[Reserved]()
        for row, each in settled:
            if row.credit is not None:
                gone = each.status in (DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)
                (spent if gone else back).append(row.credit)
        await self._credits.spend(spent)
        await self._credits.give_back(back)

    # --------------------------------------------------------------------------------------------------------- recovery
    async def adopt(self) -> None:
        """Claims that a replica of a version before made, which knew no list of them, come into the list."""
        statement = Statement(of_pushes())
        await statement.run(ADOPTION)

    async def recover(self, now: datetime) -> Mapping[DeliveryStatus, Sequence[str]]:
        """What workers that died had in hand: unknown if it may be on its way, else planned anew. Gives their ids."""
        found: dict[DeliveryStatus, list[str]] = {}
        async with transaction():
            lost = await self._lost_claims(now)
            if not lost:
                return found
            statement = Statement(of_pushes())
            moment = statement.add(now, "moment")
            skip = "FOR UPDATE SKIP LOCKED" if statement.is_postgres else ""
            rows = await statement.fetch(
                "UPDATE outbox_push SET status = CASE WHEN begun_at IS NULL THEN 'planned' ELSE 'unknown' END,"  # noqa: S608
                f" lease_until = NULL, updated_at = {moment}, last_error = 'worker_lost'"
                f" WHERE id IN (SELECT id FROM outbox_push WHERE {_DUE} AND status = 'sending'"
                f" AND claim {statement.ids(lost)} AND lease_until <= {moment}"
                # The claim stays to be read here; without `sending` it is worth nothing.
                f" {skip}) RETURNING id, status, claim, credit, recipient_index"
            )
            for row in rows:
                found.setdefault(DeliveryStatus(row["status"]), []).append(str(row["id"]))
            await self._release(rows)
            await self._strike(lost)
        return found

    async def _lost_claims(self, now: datetime) -> list[str]:
        statement = Statement(of_pushes())
        moment = statement.add(now, "moment")
        skip = "FOR UPDATE SKIP LOCKED" if statement.is_postgres else ""
        rows = await statement.fetch(
            f"SELECT id FROM delivery_claim WHERE lease_until <= {moment}"  # noqa: S608
            f" ORDER BY lease_until LIMIT {_CLAIMS_AT_ONCE} {skip}"
        )
        return [str(row["id"]) for row in rows]

    async def _strike(self, claims: Sequence[str]) -> None:
        """Takes claims off the list, but for those of which something is being settled elsewhere: that may fail."""
        statement = Statement(of_pushes())
        await statement.run(
            f"DELETE FROM delivery_claim WHERE id {statement.ids(claims)} AND id NOT IN (SELECT claim FROM outbox_push"  # noqa: S608
            f" WHERE {_DUE} AND status = 'sending' AND claim IS NOT NULL)"
        )

    async def let_go(self, rows: Sequence[Claimed], now: datetime, not_before: datetime) -> None:
        """Plans anew what was claimed and has not begun. What was kept for it is given back by what the rows say, since
        whoever lost the database on the way cannot know what was written."""
        async with transaction():
            statement = Statement(of_pushes())
            moment, later = statement.add(now, "moment"), statement.add(not_before, "moment")
            ids, claims = [row.push.id for row in rows], sorted({row.claim for row in rows})
            gone = await statement.fetch(
                f"UPDATE outbox_push SET status = 'planned', lease_until = NULL, not_before = {later},"  # noqa: S608
                f" updated_at = {moment}, last_error = 'not_prepared' WHERE id {statement.ids(ids)}"
                f" AND claim {statement.ids(claims)} AND status = 'sending' AND begun_at IS NULL"
                " RETURNING id, status, claim, credit, recipient_index"
            )
            await self._release(gone)

    async def _release(self, rows: Sequence[Mapping[str, Any]]) -> None:
        unsent = [row for row in rows if row["status"] == DeliveryStatus.PLANNED]
        await self._credits.uncount_lost([(str(row["id"]), str(row["claim"])) for row in unsent])
        held = [row for row in rows if row["credit"] is not None]
        if not held:
            return
        statement = Statement(of_pushes())
        await statement.run(
            f"UPDATE outbox_push SET credit = NULL WHERE id {statement.ids([row['id'] for row in held])}"  # noqa: S608
        )
        credits = [(row["status"], Reserved(row["recipient_index"], row["credit"])) for row in held]
        await self._credits.spend([each for status, each in credits if status == DeliveryStatus.UNKNOWN])
        await self._credits.give_back([each for status, each in credits if status != DeliveryStatus.UNKNOWN])


ADOPTION: Final = (
    "INSERT INTO delivery_claim (id, lease_until, created_at, updated_at)"  # noqa: S608 - constants
    f" SELECT claim, max(lease_until), max(updated_at), max(updated_at) FROM outbox_push WHERE {_DUE}"
    " AND status = 'sending' AND claim IS NOT NULL AND lease_until IS NOT NULL GROUP BY claim ON CONFLICT DO NOTHING"
)

_SETTLING: Final = {
    "push_id": "id", "own_claim": "id", "new_status": "text", "new_time": "moment", "new_channel": "text",
    "new_index": "text", "new_platform_id": "text", "new_message": "id", "new_error": "text", "new_tried": "text",
}  # fmt: skip


def _settling(row: Claimed, settled: Settled) -> tuple[Any, ...]:
    tried = row.tried | {settled.refused_by} if settled.refused_by else row.tried
    return (
        row.push.id, row.claim, settled.status, settled.not_before, settled.channel, settled.recipient_index,
        settled.platform_id, settled.message_id, settled.error, "+".join(sorted(tried)) if tried else None,
    )  # fmt: skip


def _first(lane: int) -> str:
    """The due pushes of a lane, as the table `due`."""
    return (
        f"due AS (SELECT {{row}} AS due_id FROM outbox_push WHERE {_DUE} AND status = 'planned' AND lane = {lane}"  # noqa: S608
        " AND not_before <= {now} ORDER BY not_before LIMIT {most} {skip})"
    )


def _with_companions(lane: int, *, is_postgres: bool) -> str:
    """The due pushes of a lane, and all others of it that are due to the same people.

    The others are looked up by person, in words that the index of what is due does not answer: a table that has just
    been filled has no statistics, and by that index all of it would be read.
    """
    same = "= ANY (ARRAY(SELECT person_id FROM chosen))" if is_postgres else "IN (SELECT person_id FROM chosen)"
    return (
        f"chosen AS (SELECT person_id FROM outbox_push WHERE {_DUE} AND status = 'planned' AND lane = {lane}"  # noqa: S608
        " AND not_before <= {now} ORDER BY not_before LIMIT {most}),"
        f" due AS (SELECT {{row}} AS due_id FROM outbox_push WHERE person_id {same}"
        f" AND {_UNDONE} AND status = 'planned' AND lane = {lane} AND not_before <= {{now}} {{skip}})"
    )


# Thousands of rows a second: a look-up costs a tenth of asking the enum.
_PURPOSES: Final = {each.value: each for each in Purpose}
_CLASSES: Final = {each.value: each for each in PushClass}
_NONE: Final[frozenset[ChannelName]] = frozenset()
_id_of = attrgetter("push.id")
_moment_of = attrgetter("push.not_before")


def push_of(row: Mapping[str, Any]) -> Push:
    """The push in a row with PUSH_COLUMNS."""
    child_ids = row["child_ids"]
    return Push(
        str(row["id"]),
        row["reason"],
        row["occurrence"],
        str(row["person_id"]),
        row["rule"],
        _PURPOSES[row["purpose"]],
        _CLASSES[row["push_class"]],
        tuple(child_ids.split("+")) if child_ids else (),
        moment_of(row["not_before"]),
        moment_of(row["expires_at"]),
    )


def _claimed(row: Mapping[str, Any], claim: UUID, until: datetime) -> Claimed:
    tried = row["tried"]
    refused = frozenset(ChannelName(each) for each in tried.split("+")) if tried else _NONE
    return Claimed(push_of(row), claim, until, row["attempts"], refused)
