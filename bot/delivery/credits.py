"""The ledger of consents and allowances: what may be sent to whom before the platform refuses.

WeChat holds the consents and does not tell them: the ledger is fed by what the mini-program reports after a dialog, by
the platform's events and by its errors. A one-time accept is reserved when a message is planned on it and given back
when the message is not sent after all, so two workers never plan on the same one. In the database, because a
restart or an emptied Redis would lose what cannot be asked again.

One rule keeps results apart: of the one-time accepts of a template that serves results, the last one is left to them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from bot.clock import Clock, local_date
from bot.delivery.tables import Statement, of_pushes
from bot.storage.database import transaction

MASS: Final = "mass"
MASS_A_MONTH: Final = 4
FAMILY: Final = "family"
API: Final = "api"
# So many accepts of one template are believed at most: whoever reports more is mistaken.
_MOST_ACCEPTS: Final = 50
# Longer than any claim stands.
_BATCH_KEPT_FOR: Final = timedelta(days=1)


class ConsentKind(StrEnum):
    """How far an accept reaches."""

    ONE_TIME = "one_time"
    LONG_TERM = "long_term"


@dataclass(frozen=True, slots=True)
class Reserved:
    """A message that may be sent to one recipient: `what` is a template's id, or `mass`."""

    recipient_index: str
    what: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What is left of a recipient's accepts of one template: `free` one-time messages, or any number."""

    free: int
    is_long_term: bool
    is_refused: bool

    @property
    def is_open(self) -> bool:
        """Whether a message would be taken."""
        return not self.is_refused and (self.is_long_term or self.free > 0)


class Credits:
    """The ledger. Everything happens in the caller's transaction, if there is one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    # ------------------------------------------------------------------------------------------------------ consents
    async def accepted(
        self, recipient_index: str, template_id: str, kind: ConsentKind = ConsentKind.ONE_TIME, count: int = 1
    ) -> None:
        """The recipient accepted messages of a template: `count` more one-time ones, or all to come."""
        statement = Statement(of_pushes())
        key = f"{statement.add(uuid4(), 'id')}, {statement.add(recipient_index)}, {statement.add(template_id)}"
        more = statement.add(max(0, count) if kind is ConsentKind.ONE_TIME else 0, "number")
        is_long = "true" if kind is ConsentKind.LONG_TERM else "false"
        now = statement.add(self._clock.now(), "moment")
        smaller = "LEAST" if statement.is_postgres else "MIN"
        await statement.insert(
            "INSERT INTO delivery_consent (id, recipient_index, template_id, free, reserved, is_long_term, is_refused,"  # noqa: S608
            f" created_at, updated_at) VALUES ({key}, {more}, 0, {is_long}, false, {now}, {now})"
            " ON CONFLICT (recipient_index, template_id) DO UPDATE SET"
            f" free = {smaller}({_MOST_ACCEPTS}, delivery_consent.free + excluded.free),"
            " is_long_term = delivery_consent.is_long_term OR excluded.is_long_term,"
            " is_refused = false, updated_at = excluded.updated_at"
        )

    async def rejected(self, recipient_index: str, template_id: str) -> None:
        """The recipient wants no messages of the template any more."""
        statement = Statement(of_pushes())
        key = f"{statement.add(uuid4(), 'id')}, {statement.add(recipient_index)}, {statement.add(template_id)}"
        now = statement.add(self._clock.now(), "moment")
        await statement.insert(
            "INSERT INTO delivery_consent (id, recipient_index, template_id, free, reserved, is_long_term, is_refused,"  # noqa: S608
            f" created_at, updated_at) VALUES ({key}, 0, 0, false, true, {now}, {now})"
            " ON CONFLICT (recipient_index, template_id) DO UPDATE SET"
            " free = 0, is_long_term = false, is_refused = true, updated_at = excluded.updated_at"
        )

    async def used_up(self, recipient_index: str, template_id: str) -> None:
        """The platform refused a message: whatever we thought was left is gone."""
        statement = Statement(of_pushes())
        await statement.run(
            "UPDATE delivery_consent SET free = 0, reserved = 0, is_long_term = false,"  # noqa: S608
            f" updated_at = {statement.add(self._clock.now(), 'moment')}"
            f" WHERE recipient_index = {statement.add(recipient_index)} AND template_id = {statement.add(template_id)}"
        )

    async def consents(self, recipients: Collection[str]) -> Mapping[tuple[str, str], Consent]:
        """What is known of the recipients, by recipient and template."""
        if not recipients:
            return {}
        statement = Statement(of_pushes())
        wanted = statement.rows("wanted", {"recipient_index": "text"}, [(each,) for each in recipients])
        rows = await statement.fetch(
            "SELECT c.recipient_index, c.template_id, c.free, c.is_long_term, c.is_refused FROM delivery_consent c"  # noqa: S608
            f" JOIN {wanted} ON wanted.recipient_index = c.recipient_index"
        )
        return {
            (row["recipient_index"], row["template_id"]): Consent(
                row["free"], bool(row["is_long_term"]), bool(row["is_refused"])
            )
            for row in rows
        }

    async def reserve(self, wanted: Reserved, *, leave: int = 0) -> bool:
        """Takes one message of the recipient's for a plan; False when fewer than `leave` and one are free. A long-term
        accept needs none."""
        now = self._clock.now()
        if wanted.what == MASS:
            return await self.count(MASS, wanted.recipient_index, month_of(now), MASS_A_MONTH)
        statement = Statement(of_pushes())
        taken = await statement.run(
            "UPDATE delivery_consent SET reserved = reserved + 1,"  # noqa: S608
            " free = CASE WHEN is_long_term THEN free ELSE free - 1 END,"
            f" updated_at = {statement.add(now, 'moment')}"
            f" WHERE recipient_index = {statement.add(wanted.recipient_index)}"
            f" AND template_id = {statement.add(wanted.what)} AND NOT is_refused"
            f" AND (is_long_term OR free > {statement.add(leave, 'number')})"
        )
        return taken > 0

    async def give_back(self, reserved: Sequence[Reserved]) -> None:
        """The messages planned on these will not be sent."""
        now = self._clock.now()
        for each, number in _counted(reserved):
            if each.what == MASS:
                await self.uncount(MASS, each.recipient_index, month_of(now), number)
                continue
            statement = Statement(of_pushes())
            many = statement.add(number, "number")
            await statement.run(
                "UPDATE delivery_consent SET"  # noqa: S608
                f" free = CASE WHEN is_long_term OR is_refused THEN free ELSE free + {many} END,"
                f" reserved = reserved - {many}, updated_at = {statement.add(now, 'moment')}"
                f" WHERE recipient_index = {statement.add(each.recipient_index)}"
                f" AND template_id = {statement.add(each.what)} AND reserved >= {many}"
            )

    async def spend(self, reserved: Sequence[Reserved]) -> None:
        """The messages planned on these were sent, or may have been."""
        consents = [each for each in reserved if each.what != MASS]
        if not consents:
            return
        statement = Statement(of_pushes())
        rows = [(each.recipient_index, each.what, number) for each, number in _counted(consents)]
        kinds = {"recipient_index": "text", "template_id": "text", "spent": "number"}
        given = statement.rows("given", kinds, sorted(rows))
        await statement.run(
            "UPDATE delivery_consent SET reserved = reserved - given.spent,"  # noqa: S608
            f" updated_at = {statement.add(self._clock.now(), 'moment')} FROM {given}"
            " WHERE delivery_consent.recipient_index = given.recipient_index"
            " AND delivery_consent.template_id = given.template_id AND delivery_consent.reserved >= given.spent"
        )

    async def forget(self, recipient_index: str) -> None:
        """The person has left."""
        for query, value in (
            ("DELETE FROM delivery_consent WHERE recipient_index = ", recipient_index),
            ("DELETE FROM delivery_count WHERE what = 'mass' AND whose = ", recipient_index),
            ("DELETE FROM delivery_report WHERE recipient_index = ", recipient_index),
        ):
            statement = Statement(of_pushes())
            await statement.run(query + statement.add(value))

    # -------------------------------------------------------------------------------------------------------- counts
    async def count(self, what: str, whose: str, period: str, most: int, number: int = 1) -> bool:
        """Counts `number` up unless that would pass `most`; False when it would. One statement: workers share it."""
        if number > most:
            return False
        statement = Statement(of_pushes())
        row = [statement.add(uuid4(), "id"), *(statement.add(value) for value in (what, whose, period))]
        many, now = statement.add(number, "number"), statement.add(self._clock.now(), "moment")
        counted = await statement.insert(
            "INSERT INTO delivery_count (id, what, whose, period, used, created_at, updated_at)"  # noqa: S608
            f" VALUES ({', '.join(row)}, {many}, {now}, {now}) ON CONFLICT (what, whose, period) DO UPDATE"
            " SET used = delivery_count.used + excluded.used, updated_at = excluded.updated_at"
            f" WHERE delivery_count.used + excluded.used <= {statement.add(most, 'number')}"
        )
        return counted > 0

    async def count_many(self, what: str, wanted: Mapping[str, int], period: str, most: int) -> Mapping[str, int]:
        """Counts up for each as many as wanted, or as many as are left; gives how many those are."""
        if not wanted:
            return {}
        statement = Statement(of_pushes())
        kinds = {"own_whose": "text", "wanted": "number"}
        # In one order for all workers, so that none waits for one that waits for it.
        rows = [(whose, number) for whose, number in sorted(wanted.items()) if number <= most]
        given = statement.rows("given", kinds, rows)
        shared = [statement.add(value) for value in (what, period)]
        limit, now = statement.add(most, "number"), statement.add(self._clock.now(), "moment")
        counted = await statement.fetch(
            "INSERT INTO delivery_count (id, what, whose, period, used, created_at, updated_at)"  # noqa: S608
            f" SELECT {statement.new_id}, {shared[0]}, own_whose, {shared[1]}, wanted, {now}, {now} FROM {given}"
            " WHERE true ON CONFLICT (what, whose, period) DO UPDATE SET used = delivery_count.used + excluded.used,"
            f" updated_at = excluded.updated_at WHERE delivery_count.used + excluded.used <= {limit} RETURNING whose"
        )
        granted = {row["whose"]: wanted[row["whose"]] for row in counted}
        for whose, number in sorted(wanted.items()):
            if whose not in granted:
                granted[whose] = await self._count_singly(what, whose, period, most, number)
        return granted

    async def _count_singly(self, what: str, whose: str, period: str, most: int, number: int) -> int:
        counted = 0
        while counted < number and await self.count(what, whose, period, most):
            counted += 1
        return counted

    async def uncount(self, what: str, whose: str, period: str, number: int = 1) -> None:
        """Takes back what was counted and not used."""
        statement = Statement(of_pushes())
        many = statement.add(number, "number")
        await statement.run(
            f"UPDATE delivery_count SET used = used - {many}, updated_at = {statement.add(self._clock.now(), 'moment')}"  # noqa: S608
            f" WHERE what = {statement.add(what)} AND whose = {statement.add(whose)}"
            f" AND period = {statement.add(period)} AND used >= {many}"
        )

    async def note_batch(self, claim: UUID, families: Mapping[str, str], day: str) -> None:
        """Writes down, in the transaction that counts them, which families the messages of a claim were counted
        against, by push: a worker that dies leaves a row from which they are given back."""
        statement = Statement(of_pushes())
        row = [statement.add(claim, "id"), statement.add(day), statement.add(json.dumps(families))]
        now = statement.add(self._clock.now(), "moment")
        await statement.insert(
            "INSERT INTO delivery_batch (id, day, families, created_at, updated_at)"  # noqa: S608
            f" VALUES ({', '.join(row)}, {now}, {now})"
        )

    async def uncount_lost(self, lost: Collection[tuple[str, str]]) -> None:
        """Takes back what was counted for pushes, by id and claim, that a dead worker had in hand and did not send."""
        if not lost:
            return
        statement = Statement(of_pushes())
        batches = await statement.fetch(
            f"SELECT id, day, families FROM delivery_batch WHERE id {statement.ids(sorted({each[1] for each in lost}))}"  # noqa: S608
        )
        noted = {str(row["id"]): (row["day"], json.loads(row["families"])) for row in batches}
        counted = []
        for push_id, claim in lost:
            day, families = noted.get(claim, ("", {}))
            if push_id in families:
                counted.append((families[push_id], day))
        # In one order for all workers, so that none waits for one that waits for it.
        for family, day in sorted(counted):
            await self.uncount(FAMILY, family, day)

    async def used(self, what: str, whose: Collection[str], period: str) -> Mapping[str, int]:
        """What is counted of each; one that is left out has none."""
        if not whose:
            return {}
        statement = Statement(of_pushes())
        wanted = statement.rows("wanted", {"whose": "text"}, [(each,) for each in whose])
        rows = await statement.fetch(
            f"SELECT c.whose, c.used FROM delivery_count c JOIN {wanted} ON wanted.whose = c.whose"  # noqa: S608
            f" WHERE c.what = {statement.add(what)} AND c.period = {statement.add(period)}"
        )
        return {row["whose"]: row["used"] for row in rows}

    async def forget_counts(self, before: date) -> None:
        """Deletes what was counted in periods that are long over, and which claims counted what."""
        async with transaction():
            statement = Statement(of_pushes())
            await statement.run(
                "DELETE FROM delivery_count WHERE period < " + statement.add(before.isoformat()[:7])  # noqa: S608
            )
            over = Statement(of_pushes())
            long_ago = over.add(self._clock.now() - _BATCH_KEPT_FOR, "moment")
            await over.run(f"DELETE FROM delivery_batch WHERE created_at < {long_ago}")  # noqa: S608


def month_of(moment: datetime) -> str:
    """The month in China, as counts are kept by."""
    return local_date(moment).isoformat()[:7]


def day_of(moment: datetime) -> str:
    """The day in China, as counts are kept by."""
    return local_date(moment).isoformat()


def _counted(reserved: Sequence[Reserved]) -> list[tuple[Reserved, int]]:
    numbers: dict[Reserved, int] = {}
    for each in reserved:
        numbers[each] = numbers.get(each, 0) + 1
    # In one order for all workers, so that none waits for one that waits for it.
    return sorted(numbers.items(), key=lambda item: (item[0].recipient_index, item[0].what))
