"""Keeps the promises to people: claim → prepare → begin → send → settle, by any number of workers.

A message says in its row that it may be on its way just before it goes, and its outcome is written within a moment: a
worker that is killed leaves few messages of which nobody can know whether they arrived. Those are `unknown`, and never
sent again by themselves.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from bot.clock import Clock
from bot.delivery.carriers import Carriers
from bot.delivery.claims import Claimed, Claims, Departing, Settled
from bot.delivery.credits import Credits
from bot.delivery.departures import Batch, Departure, all_of
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

# The row says "begun" so long before the moment of the call that the moment is not missed: longer when saying so has
# taken long lately.
_BEGIN_BEFORE_S: Final = 0.02
_BEGIN_LONGEST_S: Final = 0.1
_FORGOTTEN: Final = 0.9
_ROUNDS_AHEAD_S: Final = 2.0
_AT_ONCE: Final = 0.0
_SENT: Final = Outcome(DeliveryStatus.SENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushLimits:
    """`batch` pushes are claimed at a time, for `lease`; `at_once` calls are on their way at the same time, each for
    less than `send_s` seconds, which is for the clients to keep. `lines`: how many batches are in hand at once."""

    batch: int = 500
    at_once: int = 50
    lines: int = 3
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
        # So many say together that they go, while as many as may be are on their way.
        self._together = at_once // 2 + 1
        self._begin_before_s = _BEGIN_BEFORE_S
        self._has_adopted = False
        self._carriers: Carriers[Departure] = Carriers(self._carry, at_once=at_once, most=at_once + 2 * self._together)
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
        await self._carriers.close()
        await self._settler.close()

    # ---------------------------------------------------------------------------------------------------------- a batch
    async def run_once(self) -> int:
        """One batch of all that is due; gives how many pushes it claimed."""
        await self._take_back()
        return await self._work_off(await self._claims.take(self._limits.batch, self._clock.now(), self._limits.lease))

    async def _express_round(self) -> int:
        """What must not wait, and what dead workers left."""
        now = self._clock.now()
        if not self._has_adopted:
            await self._claims.adopt()
            self._has_adopted = True
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
        batch = Batch()
        if prepared.settled:
            batch.writes.add(self._settler.add([Settlement(row, each) for row, each in prepared.settled]))
        by_channel: dict[ChannelName, list[Sequence[Parcel]]] = defaultdict(list)
        for shipment in prepared.shipments:
            by_channel[_way(shipment[0]).channel].append(shipment)
        await all_of([asyncio.create_task(self._send_off(*each, batch)) for each in by_channel.items()])
        await batch.is_done()
        await self._claims.done(rows)
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
    async def _send_off(self, channel: ChannelName, shipments: Sequence[Sequence[Parcel]], batch: Batch) -> None:
        """Lets them go, some at a time, as there is room and as their moments come."""
        start = 0
        while start < len(shipments):
            some = shipments[start : start + self._together]
            await self._carriers.reserve(len(some))
            try:
                start += await self._depart(channel, some, batch)
            except Exception as fault:  # noqa: BLE001 - what is on its way is waited for first
                batch.fault = fault
                return
            finally:
                self._carriers.release(len(some))

    async def _depart(self, channel: ChannelName, shipments: Sequence[Sequence[Parcel]], batch: Batch) -> int:
        """Gives how many it dealt with: the first of them, or all."""
        try:
            moments = await self._moments(channel, len(shipments))
            if not moments:
                batch.writes.add(self._put_off(shipments, timedelta(), "not_begun"))
                return len(shipments)
            shipments = shipments[: len(moments)]
            await self._begin(shipments, batch)
        except Unavailable as error:
            # Nothing has gone out, whatever the rows say.
            batch.writes.add(self._put_off(shipments, timedelta(seconds=self._limits.trouble_s), error.code))
            return len(shipments)
        departures = [
            Departure(going, at, batch)
            for shipment, at in zip(shipments, moments, strict=True)
            if (going := [parcel for parcel in shipment if parcel.parts])
        ]
        batch.left += len(departures)
        self._carriers.take(departures)
        return len(shipments)

    async def _moments(self, channel: ChannelName, number: int) -> list[float]:
        """Returns shortly before the first of the moments at which calls may be made, `number` or fewer; none when
        there are none today."""
        if self.rounds.is_stopping:
            return []
        is_unpaced = self._limiter.is_unpaced
        moments = [_AT_ONCE] * number if is_unpaced else await self._limiter.moments(channel, number)
        moments = moments[: await self._limiter.quota(channel, len(moments))]
        if not moments:
            now = self._clock.now()
            await self._limiter.pause(channel.value, again_at(After.NEXT_DAY, 1, now, self._random))
        elif not is_unpaced:
            await on_time(moments[0] - self._begin_before_s)
        return moments

    async def _begin(self, shipments: Sequence[Sequence[Parcel]], batch: Batch) -> None:
        """From now on they may be on their way. What was cancelled at the last moment is left out, and what has waited
        so long that its lease might end on the way: somebody takes that anew, and not only when the lease has ended."""
        departing = [
            Departing(row, way.channel, way.recipient_index, parcel.first.id)
            for shipment in shipments
            for parcel in shipment
            for way in [_way(parcel)]
            for row, _ in parcel.parts
        ]
        loop = asyncio.get_running_loop()
        asked = loop.time()
        ids = await self._claims.begin(departing, self._clock.now(), timedelta(seconds=self._limits.send_s))
        lately = max(_BEGIN_BEFORE_S, self._begin_before_s * _FORGOTTEN, 2 * (loop.time() - asked))
        self._begin_before_s = min(_BEGIN_LONGEST_S, lately)
        parcels = [parcel for shipment in shipments for parcel in shipment]
        if stranded := [parcel for parcel in parcels if ids.isdisjoint(row.push.id for row, _ in parcel.parts)]:
            batch.writes.add(self._put_off([stranded], timedelta(), "not_begun"))
        for parcel in parcels:
            parcel.keep(ids)
            for row, _ in parcel.parts:
                row.attempts += 1

    async def _carry(self, departure: Departure) -> None:
        """One call to the platform, from its moment to its outcome."""
        shipment, at, batch = departure
        try:
            batch.writes.add(await self._carried(shipment, at))
        except (Exception, asyncio.CancelledError) as fault:
            batch.fault = fault
            if isinstance(fault, asyncio.CancelledError):
                raise
        finally:
            batch.is_rid_of_one()

    async def _carried(self, shipment: Sequence[Parcel], at: float) -> asyncio.Future[None]:
        try:
            if at and not await on_time(at):
                await self._limiter.pace(_way(shipment[0]).channel)
        except Unavailable as error:
            # Nothing has gone out, whatever the rows say.
            return self._put_off([shipment], timedelta(seconds=self._limits.trouble_s), error.code)
        return await self._conclude(shipment, *await self._call(shipment))

    async def _call(self, shipment: Sequence[Parcel]) -> tuple[Outcome, str | None, str | None]:
        """What came of it, the platform's id, and the error in a word."""
        ways = [_way(parcel) for parcel in shipment]
        channel = ways[0].channel
        message = Outgoing(shipment[0].first.id.replace("-", ""), shipment[0].words, ways)
        try:
            return _SENT, await self._senders[channel].send(message), None
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
    ) -> asyncio.Future[None]:
        now = self._clock.now()
        if outcome.after is not After.NOTHING:
            await self._follow_up(shipment, outcome, now)
        settlements, is_call = [], True
        for parcel in shipment:
            family = parcel.address.family if parcel.is_counted else None
            for row, _ in parcel.parts:
                settled = self._settled(row, parcel, outcome, now, platform_id=platform_id, error=error)
                settlements.append(Settlement(row, settled, family, is_call))
                family, is_call = None, False
        return self._settler.add(settlements)

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

    def _put_off(self, shipments: Sequence[Sequence[Parcel]], by: timedelta, why: str) -> asyncio.Future[None]:
        settled = Settled(status=DeliveryStatus.PLANNED, not_before=self._clock.now() + by, error=why)
        return self._settler.add(
            [
                Settlement(row, settled, parcel.address.family if parcel.is_counted and not number else None)
                for shipment in shipments
                for parcel in shipment
                for number, row in enumerate(parcel.rows)
            ]
        )


def _way(parcel: Parcel) -> Way:
    assert parcel.way is not None
    return parcel.way
