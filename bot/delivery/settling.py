"""Writing down outcomes, many at a time: within a moment of the first, since what is not written when a worker dies can
never be known.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.clock import Clock
from bot.delivery.claims import Claimed, Claims, Settled
from bot.delivery.combining import Combiner
from bot.delivery.credits import FAMILY, Credits, day_of
from bot.delivery.models import DeliveryStatus
from bot.delivery.pushes import Push, UnreachableListener
from bot.delivery.reports import Reports
from bot.errors import Unavailable
from bot.logs import get_logger
from bot.metrics import Metrics
from bot.storage.database import transaction

# How long the first outcome waits for others.
LINGER_S: Final = 0.03
_MOST: Final = 500
# While the database is away outcomes are kept and tried again so often.
_PATIENCE: Final = 100
_PAUSE_S: Final = 0.5
_UNTOLD: Final = frozenset({DeliveryStatus.UNREACHABLE, DeliveryStatus.FAILED, DeliveryStatus.EXPIRED})
_GONE_OUT: Final = frozenset({DeliveryStatus.SENT, DeliveryStatus.UNKNOWN})

_log = get_logger(__name__)


class Settlement(NamedTuple):
    """An outcome. `family`: against whose day the message was counted, None when it was not; `is_call`: it stands for
    one call to the platform."""

    row: Claimed
    settled: Settled
    family: str | None = None
    is_call: bool = False


class Settler:
    """Writes outcomes, and tells those who want to know who was told nothing."""

    def __init__(
        self,
        claims: Claims,
        credits: Credits,
        reports: Reports,
        listeners: Sequence[UnreachableListener],
        *,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._claims = claims
        self._credits = credits
        self._reports = reports
        self._listeners = listeners
        self._clock = clock
        self._metrics = metrics
        self._combiner: Combiner[Settlement, None] = Combiner(self._write, linger_s=LINGER_S, most=_MOST)

    async def put(self, settlements: Sequence[Settlement]) -> None:
        """Returns when they are written. Raises Unavailable when the database stays away."""
        await self._combiner.put(settlements)

    def add(self, settlements: Sequence[Settlement]) -> asyncio.Future[None]:
        """As `put`, without waiting: what is given tells when they are written, and is shared with others."""
        return self._combiner.add(settlements)

    async def close(self) -> None:
        """Waits for what is being written."""
        await self._combiner.close()

    async def _write(self, settlements: Sequence[Settlement]) -> None:
        for left in reversed(range(_PATIENCE)):
            try:
                await self._written(settlements)
            except Unavailable as error:
                if not left:
                    raise
                _log.warning("outcomes_wait", cause=error.code, number=len(settlements))
                await asyncio.sleep(_PAUSE_S)
            else:
                return

    async def _written(self, settlements: Sequence[Settlement]) -> None:
        now = self._clock.now()
        async with transaction():
            # In one order for all workers, so that none waits for one that waits for it.
            ordered = sorted(settlements, key=lambda each: each.row.push.id)
            ours = await self._claims.settle([(each.row, each.settled) for each in ordered], now)
            kept = [each for each in ordered if each.row.push.id in ours]
            await self._uncount([each for each in kept if each.settled.status not in _GONE_OUT])
            await self._reports.apply([each.settled.platform_id for each in kept if each.settled.platform_id])
            unsure = [each.settled for each in kept if each.settled.status is DeliveryStatus.UNKNOWN]
            await self.resolve([each.recipient_index for each in unsure if each.recipient_index])
            await self._tell([each for each in kept if each.settled.status in _UNTOLD])
        self._count(kept)

    def _count(self, kept: Sequence[Settlement]) -> None:
        for status, number in Counter(each.settled.status for each in kept).items():
            self._metrics.outbox_total.labels(status).inc(number)
        calls = [each.settled for each in kept if each.is_call and each.settled.channel is not None]
        results = Counter((each.channel, each.error or each.status.value) for each in calls)
        for (channel, result), number in results.items():
            self._metrics.pushes_total.labels(channel, result).inc(number)

    async def resolve(self, recipients: Sequence[str]) -> None:
        """What may have arrived, and reports that came before: see `Reports.resolve`."""
        if recipients:
            await self._reports.resolve(recipients)

    async def _uncount(self, unsent: Sequence[Settlement]) -> None:
        day = day_of(self._clock.now())
        for family in sorted(each.family for each in unsent if each.family):
            await self._credits.uncount(FAMILY, family, day)

    async def _tell(self, untold: Sequence[Settlement]) -> None:
        by_cause: dict[str, list[Push]] = defaultdict(list)
        for each in untold:
            by_cause[each.settled.error or each.settled.status.value].append(each.row.push)
        for why, pushes in by_cause.items():
            for listener in self._listeners:
                await listener.could_not_reach(pushes, why)
