"""Chains committed entries by hash, within seconds, behind everybody's back: no request waits for the chain's head.

Every replica has a sealer and one works at a time: an advisory lock on PostgreSQL, the write lock on SQLite. If two
worked at once all the same, the unique number of a seal would let one of them win and the other begin anew.

Entries are chained in the order in which they are found committed, which need not be that of their ids. Ids missing at
that time are noted as a gap: of a transaction that was rolled back, or is late. A late entry is chained when it comes,
and its gap closes. Why a number stays missing the database does not tell: an entry removed within the seconds before
its seal looks like one that was rolled back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web
from tortoise.exceptions import BaseORMException

from bot.audit.chain import GENESIS, Head, digest_of
from bot.audit.models import AuditGap, AuditRow, AuditSeal
from bot.audit.reading import COLUMNS, entries, head, last_sealed_id
from bot.clock import Clock
from bot.errors import AppError
from bot.logs import get_logger
from bot.metrics import Metrics
from bot.storage.database import transaction
from bot.storage.rows import insert_together

LOCK_NUMBER: Final = 0x7869_616E_6775_6164
PACE_S: Final = 2.0
BATCH: Final = 500
# No transaction stays open as long as this: what is missing after it was rolled back.
LATE: Final = timedelta(minutes=10)
HEAD_EVERY: Final = timedelta(hours=1)

_log = get_logger(__name__)


class Sealer:
    """One replica's part in it. `start` and `stop` belong to the application; `seal_due` is one round."""

    def __init__(self, clock: Clock, metrics: Metrics, *, pace_s: float = PACE_S) -> None:
        self._clock = clock
        self._metrics = metrics
        self._pace_s = pace_s
        self._task: asyncio.Task[None] | None = None
        self._told_at: datetime | None = None
        # The first round looks at all gaps: a replica may have been away for long.
        self._late_since = datetime.min.replace(tzinfo=clock.now().tzinfo)

    def start(self) -> None:
        """Begins to work; needs the database context."""
        self._task = asyncio.create_task(self._work(), name="audit_sealer")

    async def stop(self) -> None:
        """Ends after the batch at hand; what is left is sealed after the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def seal_due(self) -> int:
        """Chains what is committed and not chained yet, and returns how many entries that were; 0 also when another
        sealer is at work. Raises DatabaseAway."""
        total = 0
        while await self._is_due():
            sealed = await self._seal_batch()
            if not sealed:
                break
            total += sealed
        self._late_since = self._clock.now() - LATE
        await self._tell_head()
        return total

    async def _work(self) -> None:
        while True:
            try:
                await self.seal_due()
            except (AppError, BaseORMException) as error:
                _log.warning("audit_not_sealed", cause=type(error).__name__)
            await asyncio.sleep(self._pace_s)

    async def _is_due(self) -> bool:
        """A look without a lock, so that an idle sealer costs its neighbours nothing."""
        if await AuditRow.filter(id__gt=await last_sealed_id()).exists():
            return True
        return bool(await self._late(1))

    async def _seal_batch(self) -> int:
        async with transaction() as connection:
            if connection.capabilities.dialect == "postgres":
                query = f"SELECT pg_try_advisory_xact_lock({LOCK_NUMBER}) AS is_mine"
                if not (await connection.execute_query_dict(query))[0]["is_mine"]:
                    return 0
            now, last = self._clock.now(), await head()
            before = await last_sealed_id()
            late = await self._late(BATCH)
            fresh = await AuditRow.filter(id__gt=before).order_by("id").limit(BATCH).values(*COLUMNS)
            await self._close_gaps([row["id"] for row in late])
            await self._note_gaps(before, [row["id"] for row in fresh], now)
            seals = _chained(last, [*late, *fresh], now)
            await insert_together(AuditSeal, seals)
        if seals:
            self._metrics.audit_head_number.set(seals[-1]["number"])
        return len(seals)

    async def _late(self, limit: int) -> list[dict[str, Any]]:
        """Entries that were missing when their neighbours were sealed, and have come since."""
        recent = AuditGap.filter(noted_at__gte=self._late_since).order_by("from_id").limit(1)
        floor = await recent.values_list("from_id", flat=True)
        if not floor:
            return []
        query = (
            "SELECT e.id AS id FROM audit_gap g JOIN audit_entry e ON e.id BETWEEN g.from_id AND g.to_id"  # noqa: S608 - two numbers
            f" WHERE g.from_id >= {int(str(floor[0]))} ORDER BY e.id LIMIT {limit}"
        )
        ids = [row["id"] for row in await AuditGap._choose_db().execute_query_dict(query)]
        return [row for _, row in sorted((await entries(ids)).items())]

    async def _note_gaps(self, before: int, ids: Sequence[int], now: datetime) -> None:
        gaps = []
        for own in ids:
            if own > before + 1:
                gaps.append(AuditGap(from_id=before + 1, to_id=own - 1, noted_at=now))
            before = own
        await AuditGap.bulk_create(gaps)

    async def _close_gaps(self, ids: Sequence[int]) -> None:
        for own in ids:
            gap = await AuditGap.get(from_id__lte=own, to_id__gte=own)
            await gap.delete()
            for start, end in ((gap.from_id, own - 1), (own + 1, gap.to_id)):
                if start <= end:
                    await AuditGap.create(from_id=start, to_id=end, noted_at=gap.noted_at)

    async def _tell_head(self) -> None:
        """Writes the head where the database's owner cannot take it back: into the log and the metrics."""
        now = self._clock.now()
        if self._told_at is not None and now - self._told_at < HEAD_EVERY:
            return
        last = await head()
        if last is None:
            return
        self._told_at = now
        self._metrics.audit_head_number.set(last.number)
        self._metrics.audit_head.info({"head": str(last)})
        _log.info("audit_head", head=str(last))


def _chained(last: Head | None, rows: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    number, digest = (last.number, last.digest) if last else (0, GENESIS)
    seals = []
    for row in rows:
        number, digest = number + 1, digest_of(digest, row)
        seals.append({"number": number, "entry_id": row["id"], "digest": digest, "sealed_at": now})
    return seals


def sealing_ctx(clock: Clock, metrics: Metrics) -> Callable[[web.Application], AsyncIterator[None]]:
    """The sealer for the lifetime of the application, after the database."""

    async def context(_: web.Application) -> AsyncIterator[None]:
        sealer = Sealer(clock, metrics)
        sealer.start()
        yield
        await sealer.stop()

    return context
