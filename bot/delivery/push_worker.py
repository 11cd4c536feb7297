"""Keeps the promises to people: claim → prepare → begin → send → settle, by any number of workers.

A message says in its row that it may be on its way just before it goes, and its outcome is written within a moment: a
worker that is killed leaves few messages of which nobody can know whether they arrived. Those are `unknown`, and never
sent again by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from bot.clock import Clock
from bot.delivery.claims import Claimed, Claims, Departing, Settled
from bot.delivery.combining import Combiner
from bot.delivery.credits import Credits
from bot.delivery.limiter import Limiter, on_time
from bot.delivery.models import DeliveryStatus
from bot.delivery.outcomes import MAX_ATTEMPTS, OPERATOR_PAUSE, After, Outcome, again_at, outcome_of
from bot.delivery.parcels import Outgoing, Parcel
from bot.delivery.planner import Way
from bot.delivery.preparation import Preparation
from bot.delivery.pushes import ChannelName, UnreachableListener
from bot.delivery.reports import Reports
from bot.delivery.rounds import Rounds
from bot.delivery.senders import SENDING_APIS, Sender
from bot.delivery.settling import Settlement, Settler
from bot.errors import Unavailable
from bot.logs import get_logger
from bot.metrics import Metrics
from bot.storage.database import transaction
from bot.wechat.errors import WeChatError
from bot.wechat.template_values import UnfitValue

_log = get_logger(__name__)

# The row says "begun" so long before the moment of the call that the moment is not missed.
_BEGIN_BEFORE_S: Final = 0.02
_BEGIN_TOGETHER_S: Final = 0.008
_ROUNDS_AHEAD_S: Final = 2.0
_AT_ONCE: Final = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PushLimits:
    """`batch` pushes are claimed at a time, for `lease`; `at_once` calls are on their way at the same time, each for
    less than `send_s` seconds, which is for the clients to keep. `lines`: how many batches are in hand at once."""

    batch: int = 500
    at_once: int = 50
    lines: int = 2
    lease: timedelta = timedelta(minutes=3)
    send_s: float = 30.0
    idle_s: float = 1.0
    trouble_s: float = 5.0
    grace_s: float = 15.0

    def paced(self, a_second: float) -> PushLimits:
        """With batches that go out within moments at a rate (0: none), so that nothing urgent is kept waiting."""
        if not a_second:
            return self
        fitting = max(10, int(a_second * _ROUNDS_AHEAD_S))
        return PushLimits(
            batch=min(self.batch, fitting), at_once=self.at_once, lines=self.lines, lease=self.lease,
            send_s=self.send_s, idle_s=self.idle_s, trouble_s=self.trouble_s, grace_s=self.grace_s,
        )  # fmt: skip


class PushWorker:
    """Sends what is due to people. Several, in one process or many, share the work."""

    def __init__(
        self,
        senders: Mapping[ChannelName, Sender],
        preparation: Preparation,
        credits: Credits,
        limiter: Limiter,
        listeners: Sequence[UnreachableListener] = (),
        *,
        clock: Clock,
        metrics: Metrics,
        limits: PushLimits | None = None,
        random: Random | None = None,
    ) -> None:
        """`listeners` are told who was told nothing; `random` spreads the pauses."""
        self._senders = senders
        self._preparation = preparation
        self._credits = credits
        self._limiter = limiter
        self._clock = clock
        self._metrics = metrics
        self._limits = limits or PushLimits()
        self._random = random or Random()  # noqa: S311 - spreads load, guards nothing
        self._claims = Claims(credits)
        self._reports = Reports(credits, lambda: listeners, clock)
        self._settler = Settler(self._claims, credits, self._reports, listeners, clock=clock, metrics=metrics)
        at_once = self._limits.at_once
        self._beginner: Combiner[Departing, set[str]] = Combiner(
            self._begin, linger_s=_BEGIN_TOGETHER_S, most=at_once // 4 + 1
        )
        # Some wait for their rows to say that they go, while as many as may be are on their way.
        self._in_hand = asyncio.Semaphore(at_once + at_once // 2 + 1)
        self._calls = asyncio.Semaphore(self._limits.at_once)
        self.rounds = Rounds(
            [self._express_round, *[self._usual_round] * self._limits.lines],
            metrics,
            idle_s=self._limits.idle_s,
            trouble_s=self._limits.trouble_s,
            grace_s=self._limits.grace_s,
        )

    def start(self) -> None:
        """Begins to work in the background until `stop`."""
        self.rounds.start()

    async def stop(self) -> None:
        """Finishes what is being sent, begins nothing more."""
        await self.rounds.stop()
        await self._beginner.close()
        await self._settler.close()

    # ---------------------------------------------------------------------------------------------------------- a batch
    async def run_once(self) -> int:
        """One batch of all that is due; gives how many pushes it claimed."""
        await self._take_back()
        return await self._work_off(await self._claims.take(self._limits.batch, self._clock.now(), self._limits.lease))

    async def _express_round(self) -> int:
        """What must not wait, and what dead workers left."""
        now = self._clock.now()
        waiting = await self._claims.waiting(now)
        if waiting.lost or waiting.held:
            await self._take_back()
        if not waiting.express:
            return 0
        return await self._work_off(await self._claims.take_express(self._limits.batch, now, self._limits.lease))

    async def _usual_round(self) -> int:
        now = self._clock.now()
        if not (await self._claims.waiting(now)).usual:
            return 0
        return await self._work_off(await self._claims.take_usual(self._limits.batch, now, self._limits.lease))

    async def _take_back(self) -> None:
        now = self._clock.now()
        found = await self._claims.recover(now)
        for status, ids in found.items():
            self._metrics.outbox_total.labels(status).inc(len(ids))
            _log.warning("pushes_taken_back", status=status.value, number=len(ids))
        if unsure := found.get(DeliveryStatus.UNKNOWN):
            async with transaction():
                await self._reports.resolve_pushes(unsure)
        await self._claims.wake(now)

    async def _work_off(self, rows: Sequence[Claimed]) -> int:
        if not rows:
            return 0
        try:
            prepared = await self._preparation.prepare(rows)
        except Exception:
            await self._let_go(rows)
            raise
        tasks: list[asyncio.Task[None]] = []
        try:
            if prepared.settled:
                settled = [Settlement(row, each) for row, each in prepared.settled]
                tasks.append(asyncio.create_task(self._settle(settled)))
            for shipment in prepared.shipments:
                await self._in_hand.acquire()
                tasks.append(asyncio.create_task(self._ship(shipment)))
        finally:
            await _all(tasks)
        return len(rows)

    async def _let_go(self, rows: Sequence[Claimed]) -> None:
        """What could not be prepared is planned anew; when the database stays away its lease ends by itself."""
        trouble_s = self._limits.trouble_s
        for patience_s in (trouble_s, 0.0):
            now = self._clock.now()
            try:
                await self._claims.let_go(rows, now, now + timedelta(seconds=trouble_s))
            except Unavailable as error:
                _log.warning("letting_go_failed", cause=error.code)
                await asyncio.sleep(patience_s)
            else:
                return

    # ---------------------------------------------------------------------------------------------------------- sending
    async def _ship(self, shipment: Sequence[Parcel]) -> None:
        """One call to the platform, from its moment to its outcome."""
        try:
            channel = _way(shipment[0]).channel
            try:
                at = None if self.rounds.is_stopping else await self._moment(channel)
                going = [] if at is None else await self._begun(shipment)
                if at and going and not await on_time(at):
                    await self._limiter.pace(channel)
            except Unavailable as error:
                # Nothing has gone out, whatever the rows say.
                await self._put_off(shipment, timedelta(seconds=self._limits.trouble_s), error.code)
                return
            if at is None:
                await self._put_off(shipment, timedelta(), "not_begun")
            elif going:
                await self._conclude(going, *await self._call(going))
        finally:
            self._in_hand.release()

    async def _moment(self, channel: ChannelName) -> float | None:
        """Returns shortly before the moment of the call; None when there is none today."""
        if not await self._limiter.has_quota(channel):
            now = self._clock.now()
            await self._limiter.pause(channel.value, again_at(After.NEXT_DAY, 1, now, self._random))
            return None
        if self._limiter.is_unpaced:
            return _AT_ONCE
        at = await self._limiter.moment(channel)
        await on_time(at - _BEGIN_BEFORE_S)
        return at

    async def _begun(self, shipment: Sequence[Parcel]) -> list[Parcel]:
        """Those that may go. What was cancelled at the last moment is left out, and what has waited so long that its
        lease might end on the way: somebody takes that anew, and not only when the lease has ended."""
        ids = await self._beginner.put(
            [
                Departing(row, way.channel, way.recipient_index, parcel.first.id)
                for parcel in shipment
                for way in [_way(parcel)]
                for row in parcel.rows
            ]
        )
        if stranded := [parcel for parcel in shipment if ids.isdisjoint(row.push.id for row in parcel.rows)]:
            await self._put_off(stranded, timedelta(), "not_begun")
        for parcel in shipment:
            parcel.keep(ids)
            for row in parcel.rows:
                row.attempts += 1
        return [parcel for parcel in shipment if parcel.parts]

    async def _begin(self, departing: Sequence[Departing]) -> set[str]:
        spare = timedelta(seconds=self._limits.send_s)
        return await self._claims.begin(departing, self._clock.now(), spare)

    async def _call(self, shipment: Sequence[Parcel]) -> tuple[Outcome, str | None, str | None]:
        """What came of it, the platform's id, and the error in a word."""
        ways = [_way(parcel) for parcel in shipment]
        channel = ways[0].channel
        message = Outgoing(shipment[0].first.id.replace("-", ""), shipment[0].words, ways)
        try:
            async with self._calls:
                return Outcome(DeliveryStatus.SENT), await self._senders[channel].send(message), None
        except WeChatError as error:
            outcome = outcome_of(error, channel, SENDING_APIS)
            if outcome.after in (After.STOP_CHANNEL, After.STOP_TEMPLATE, After.REVIEW):
                _log.error("delivery_needs_operator", cause=str(error), channel=channel.value)
            return outcome, None, error.code
        except UnfitValue as error:
            _log.error("delivery_unfit", cause=str(error.details), rule=shipment[0].first.rule)
            return Outcome(DeliveryStatus.FAILED, After.REVIEW), None, error.code
        except Unavailable as error:
            return Outcome(DeliveryStatus.PLANNED, After.OTHER_CHANNEL), None, error.code
        except Exception:  # noqa: BLE001 - it may have gone out, and other messages are on their way
            _log.exception("sending_failed", channel=channel.value)
            self._metrics.errors_total.labels("delivery").inc()
            return Outcome(DeliveryStatus.UNKNOWN), None, "unexpected"

    # --------------------------------------------------------------------------------------------------------- settling
    async def _conclude(
        self, shipment: Sequence[Parcel], outcome: Outcome, platform_id: str | None, error: str | None
    ) -> None:
        now = self._clock.now()
        await self._follow_up(shipment, outcome, now)
        settlements = []
        for parcel in shipment:
            for row in parcel.rows:
                settled = self._settled(row, parcel, outcome, now, platform_id=platform_id, error=error)
                family = parcel.address.family if parcel.is_counted and row is parcel.rows[0] else None
                settlements.append(Settlement(row, settled, family, is_call=row is shipment[0].rows[0]))
        await self._settle(settlements)

    def _settled(
        self,
        row: Claimed,
        parcel: Parcel,
        outcome: Outcome,
        now: datetime,
        *,
        platform_id: str | None,
        error: str | None,
    ) -> Settled:
        way, status = _way(parcel), outcome.status
        not_before = None
        refused_by = None
        if status is DeliveryStatus.PLANNED:
            not_before = again_at(outcome.after, row.attempts, now, self._random)
            if outcome.after in (After.OTHER_CHANNEL, After.USED_UP, After.CLOSE_WINDOW):
                refused_by = way.channel
            if outcome.after is After.RETRY and row.attempts >= MAX_ATTEMPTS:
                status = DeliveryStatus.FAILED
        return Settled(
            status=status, not_before=not_before, error=error, channel=way.channel,
            recipient_index=way.recipient_index, platform_id=platform_id, message_id=parcel.first.id,
            refused_by=refused_by,
        )  # fmt: skip

    async def _follow_up(self, shipment: Sequence[Parcel], outcome: Outcome, now: datetime) -> None:
        """What the outcome means for other messages."""
        way = _way(shipment[0])
        try:
            if outcome.after in (After.NEXT_DAY, After.NEXT_MINUTE, After.STOP_CHANNEL):
                await self._limiter.pause(way.channel.value, again_at(outcome.after, 1, now, self._random))
            elif outcome.after is After.STOP_TEMPLATE and way.template is not None:
                await self._limiter.pause(way.template.id, now + OPERATOR_PAUSE)
            elif outcome.after is After.USED_UP and way.template is not None:
                for parcel in shipment:
                    await self._credits.used_up(_way(parcel).recipient_index, way.template.id)
        except Unavailable as error:
            _log.warning("outcome_not_shared", cause=error.code)

    async def _put_off(self, shipment: Sequence[Parcel], by: timedelta, why: str) -> None:
        settled = Settled(status=DeliveryStatus.PLANNED, not_before=self._clock.now() + by, error=why)
        await self._settle(
            [
                Settlement(row, settled, parcel.address.family if parcel.is_counted and not number else None)
                for parcel in shipment
                for number, row in enumerate(parcel.rows)
            ]
        )

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        await self._settler.put(settlements)


async def _all(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Waits for all, whatever becomes of any; then raises what the first that failed raised. Cancelled, it cancels
    them."""
    if not tasks:
        return
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    for task in tasks:
        task.result()


def _way(parcel: Parcel) -> Way:
    assert parcel.way is not None
    return parcel.way
