"""Sends letters: claim → check → send → settle, in small batches, by any number of workers.

A claim is a lease. Before a message goes out a row says so; when a worker dies, what had begun is `unknown` and never
sent again by itself, what had not is planned anew.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from tortoise.expressions import F, Q

from bot.clock import Clock
from bot.delivery.channels import Channel, Letter
from bot.delivery.models import DeliveryAttempt, DeliveryStatus, OutboxMessage, advance
from bot.delivery.outbox import text_of
from bot.delivery.policy import OPERATOR_PAUSE, SENT, Verdict, verdict_on
from bot.delivery.rounds import Activity, Rounds
from bot.errors import Unavailable
from bot.logs import get_logger
from bot.metrics import Metrics
from bot.storage.database import transaction
from bot.wechat.errors import Reaction, WeChatError

UNAVAILABLE_PAUSE = timedelta(seconds=5)
_log = get_logger(__name__)


class DeliveryCheck(Protocol):
    """A capability's last word before its message goes out."""

    async def is_needed(self, reason: str, occurrence: str, openid_index: str) -> bool:
        """False when the message has become pointless."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """`batch` messages are claimed at a time, for `lease`; one call to the platform takes at most `send_s` seconds."""

    batch: int = 50
    lease: timedelta = timedelta(minutes=3)
    send_s: float = 30.0
    idle_s: float = 1.0
    trouble_s: float = 5.0
    grace_s: float = 15.0


class DeliveryWorker:
    """Sends what is due. Several, in one process or many, share the work."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        *,
        checks: Mapping[str, DeliveryCheck],
        clock: Clock,
        metrics: Metrics,
        limits: WorkerLimits | None = None,
        random: Random | None = None,
    ) -> None:
        """`channels` by kind of message, `checks` by reason; `random` spreads the pauses."""
        self._channels = channels
        self._checks = checks
        self._clock = clock
        self._metrics = metrics
        self._limits = limits or WorkerLimits()
        self._random = random or Random()  # noqa: S311 - spreads load, guards nothing
        self._rounds = Rounds(
            [self._round],
            metrics,
            idle_s=self._limits.idle_s,
            trouble_s=self._limits.trouble_s,
            grace_s=self._limits.grace_s,
        )

    @property
    def activity(self) -> Activity:
        """When it last looked and last worked."""
        return self._rounds.activity

    # --------------------------------------------------------------------------------------------------------- running
    def start(self) -> None:
        """Begins to work in the background until `stop`."""
        self._rounds.start()

    async def stop(self) -> None:
        """Finishes what is being sent, claims nothing more."""
        await self._rounds.stop()

    async def run(self) -> None:
        """Works until `stop` is called."""
        await self._rounds.run()

    # ---------------------------------------------------------------------------------------------------------- a batch
    async def _round(self) -> int:
        """A batch if there is one: resting costs one question to the database and no transaction."""
        now = self._clock.now()
        due = Q(status=DeliveryStatus.PLANNED, not_before__lte=now)
        lost = Q(status=DeliveryStatus.SENDING, lease_until__lte=now)
        return await self.run_once() if await OutboxMessage.filter(due | lost).exists() else 0

    async def run_once(self) -> int:
        """Takes back what dead workers left, then claims and sends one batch; gives how many messages it claimed."""
        await self._recover()
        messages = await self._claim()
        waves: dict[int, list[OutboxMessage]] = defaultdict(list)
        seen: dict[str, int] = defaultdict(int)
        for message in messages:
            # One recipient's messages go one after another, in their order.
            waves[seen[message.openid_index]].append(message)
            seen[message.openid_index] += 1
        for number in sorted(waves):
            await self._send_wave(waves[number])
        return len(messages)

    async def _claim(self) -> list[OutboxMessage]:
        now = self._clock.now()
        async with transaction():
            rows = await (
                OutboxMessage.filter(status=DeliveryStatus.PLANNED, not_before__lte=now)
                .order_by("not_before", "created_at")
                .limit(self._limits.batch)
                .select_for_update(skip_locked=True)
            )
            if not rows:
                return []
            lease = now + self._limits.lease
            await OutboxMessage.filter(id__in=[row.id for row in rows]).update(
                status=DeliveryStatus.SENDING, lease_until=lease, attempts=F("attempts") + 1, updated_at=now
            )
        for row in rows:
            row.status, row.lease_until, row.attempts = DeliveryStatus.SENDING, lease, row.attempts + 1
        return rows

    async def _send_wave(self, messages: Sequence[OutboxMessage]) -> None:
        verdicts: dict[OutboxMessage, Verdict] = {}
        going: list[OutboxMessage] = []
        now = self._clock.now()
        for message in messages:
            verdict = await self._before_sending(message, now)
            if verdict is None:
                going.append(message)
            else:
                verdicts[message] = verdict
        await self._begin(going, now)
        results = await asyncio.gather(*(self._send(message) for message in going))
        verdicts.update(zip(going, results, strict=True))
        await self._settle(verdicts)

    async def _before_sending(self, message: OutboxMessage, now: datetime) -> Verdict | None:
        """The verdict on a message that must not go out (now), None for one that may."""
        if message.expires_at <= now:
            return Verdict(DeliveryStatus.EXPIRED)
        if message.lease_until is None or message.lease_until <= now + timedelta(seconds=self._limits.send_s):
            return Verdict(DeliveryStatus.PLANNED, now)
        if message.kind not in self._channels:
            return Verdict(DeliveryStatus.FAILED, error="no_channel")
        return await self._checked(message, now)

    async def _checked(self, message: OutboxMessage, now: datetime) -> Verdict | None:
        check = self._checks.get(message.reason)
        if check is None:
            return None
        try:
            needed = await check.is_needed(message.reason, message.occurrence, message.openid_index)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - one capability's fault must not hold up the others' messages
            _log.exception("delivery_check_failed", reason=message.reason)
            self._metrics.errors_total.labels("delivery_check").inc()
            return Verdict(DeliveryStatus.PLANNED, now + OPERATOR_PAUSE, "check_failed")
        return None if needed else Verdict(DeliveryStatus.NOT_NEEDED)

    async def _begin(self, messages: Sequence[OutboxMessage], now: datetime) -> None:
        await DeliveryAttempt.bulk_create(
            [
                DeliveryAttempt(message_id=message.id, number=message.attempts, created_at=now, updated_at=now)
                for message in messages
            ]
        )

    async def _send(self, message: OutboxMessage) -> Verdict:
        letter = Letter(message.recipient, message.openid_index, text_of(message.payload))
        try:
            async with asyncio.timeout(self._limits.send_s):
                message.platform_id = await self._channels[message.kind].send(letter)
        except Unavailable as error:
            # Before the call: the limiter that says when to call is away.
            return Verdict(DeliveryStatus.PLANNED, self._clock.now() + UNAVAILABLE_PAUSE, error.code)
        except WeChatError as error:
            if error.reaction is Reaction.STOP_AND_ALERT:
                _log.error("delivery_needs_operator", cause=str(error))
            return verdict_on(error, message.attempts, self._clock.now(), self._random)
        except TimeoutError:
            return Verdict(DeliveryStatus.UNKNOWN, error="timeout")
        except Exception:  # noqa: BLE001 - it may have gone out, and the other messages of the batch did
            _log.exception("sending_failed", kind=message.kind)
            self._metrics.errors_total.labels("delivery").inc()
            return Verdict(DeliveryStatus.UNKNOWN, error="unexpected")
        return SENT

    async def _settle(self, verdicts: Mapping[OutboxMessage, Verdict]) -> None:
        now = self._clock.now()
        async with transaction():
            for message, verdict in verdicts.items():
                status = advance(DeliveryStatus.SENDING, verdict.status)
                # Only while the claim is still ours: after its lease somebody else decides.
                await OutboxMessage.filter(
                    id=message.id, status=DeliveryStatus.SENDING, lease_until=message.lease_until
                ).update(
                    status=status,
                    lease_until=None,
                    not_before=verdict.not_before or message.not_before,
                    platform_id=message.platform_id,
                    last_error=verdict.error,
                    updated_at=now,
                )
                await DeliveryAttempt.filter(message_id=message.id, number=message.attempts).update(
                    outcome=status, error=verdict.error, finished_at=now, updated_at=now
                )
        for verdict in verdicts.values():
            self._metrics.outbox_total.labels(verdict.status).inc()

    # --------------------------------------------------------------------------------------------------------- recovery
    async def _recover(self) -> None:
        """Messages whose worker died: those whose sending had begun are unknown, the others planned anew."""
        now = self._clock.now()
        async with transaction():
            rows = await (
                OutboxMessage.filter(status=DeliveryStatus.SENDING, lease_until__lte=now)
                .limit(self._limits.batch)
                .select_for_update(skip_locked=True)
            )
            if not rows:
                return
            attempts = await DeliveryAttempt.filter(
                message_id__in=[row.id for row in rows], outcome__isnull=True
            ).values_list("message_id", "number")
            begun = set(attempts)
            for row in rows:
                had_begun = (row.id, row.attempts) in begun
                status = advance(row.status, DeliveryStatus.UNKNOWN if had_begun else DeliveryStatus.PLANNED)
                await OutboxMessage.filter(id=row.id).update(status=status, lease_until=None, updated_at=now)
                self._metrics.outbox_total.labels(status).inc()
        _log.warning("deliveries_taken_back", count=len(rows), unknown=len(begun))
