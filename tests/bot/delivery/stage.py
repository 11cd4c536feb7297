"""An outbox and workers over channels that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from bot.clock import Clock, FrozenClock
from bot.delivery.channels import Channel, Letter
from bot.delivery.models import DeliveryStatus, OutboxMessage
from bot.delivery.outbox import CUSTOMER_SERVICE, NewMessage, Outbox
from bot.delivery.worker import DeliveryCheck, DeliveryWorker, WorkerLimits
from bot.metrics import Metrics

Behaviour = Callable[[Letter], Awaitable[None]]


class ScriptedChannel:
    """Keeps what it is given; `faults` are raised one by one instead, None letting one through."""

    def __init__(self, *faults: Exception | None, behaviour: Behaviour | None = None) -> None:
        self.sent: list[str] = []
        self.faults = list(faults)
        self._behaviour = behaviour

    async def send(self, letter: Letter) -> str | None:
        if self._behaviour is not None:
            await self._behaviour(letter)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        await asyncio.sleep(0)
        self.sent.append(letter.text)
        return f"id-{len(self.sent)}"


@dataclass
class Office:
    """An outbox and what works on it."""

    clock: FrozenClock
    metrics: Metrics
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.clock, self.metrics)

    def worker(
        self,
        channel: Channel,
        *,
        checks: Mapping[str, DeliveryCheck] | None = None,
        limits: WorkerLimits | None = None,
        clock: Clock | None = None,
    ) -> DeliveryWorker:
        return DeliveryWorker(
            {CUSTOMER_SERVICE: channel},
            checks=checks or {},
            clock=clock or self.clock,
            metrics=self.metrics,
            limits=limits,
            random=Random(7),
        )

    async def promise(
        self,
        words: str = "好的",
        *,
        occurrence: str | None = None,
        openid: str = "demo_g_000001",
        life: timedelta = timedelta(hours=2),
    ) -> None:
        await self.outbox.enqueue(
            NewMessage(
                reason="test",
                occurrence=occurrence or words,
                openid=openid,
                text=words,
                expires_at=self.clock.now() + life,
            )
        )

    async def statuses(self) -> dict[str, DeliveryStatus]:
        """By occurrence."""
        return {row.occurrence: row.status for row in await OutboxMessage.all()}
