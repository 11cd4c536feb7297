"""A post office for pushes: a source, an address book and channels that do as they are told, over a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from uuid import UUID

from bot.clock import FrozenClock
from bot.delivery.credits import Credits
from bot.delivery.limiter import Limiter
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.outbox import Outbox
from bot.delivery.parcels import Outgoing
from bot.delivery.planner import ChannelPlanner, Template
from bot.delivery.preparation import Preparation, Rules
from bot.delivery.push_worker import PushLimits, PushWorker
from bot.delivery.pushes import (
    Address,
    ChannelName,
    Composed,
    NewPush,
    NotNeeded,
    NotYet,
    Purpose,
    Push,
    PushClass,
    Slot,
)
from bot.delivery.quiet import QuietHours
from bot.metrics import Metrics
from bot.storage.redis import RedisStore
from bot.wechat.window import WindowLedger

SLOTS = {Slot.SUBJECT: "thing1", Slot.WHEN: "time2", Slot.NOTE: "thing3"}
LIFE = timedelta(days=2)
Behaviour = Callable[[Outgoing], Awaitable[str | None]]


def person(number: int) -> str:
    """The id of a person."""
    return str(UUID(int=number + 1))


@dataclass
class Source:
    """Composes a line for each push; what `answers` says about an occurrence instead."""

    answers: dict[str, Composed | NotNeeded | NotYet | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    same: bool = False

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        composed: dict[str, Composed | NotNeeded | NotYet] = {}
        for push in pushes:
            self.asked.append(push.occurrence)
            answer = self.answers.get(push.occurrence)
            if isinstance(answer, Exception):
                raise answer
            composed[push.id] = answer or self.words(push)
        return composed

    def words(self, push: Push) -> Composed:
        text = f"{push.occurrence}" if self.same else f"{push.occurrence} {push.person_id}"
        return Composed(text=text, line=push.occurrence, slots={Slot.SUBJECT: push.occurrence}, path="/n/1")


@dataclass
class Book:
    """Everybody has a phone at the 服务号 and a family of their own, unless told otherwise."""

    families: dict[str, str] = field(default_factory=dict)
    unbound: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    mini: bool = False

    async def addresses(self, person_ids: Collection[str]) -> Mapping[str, Address]:
        return {each: self.address(each) for each in person_ids if each not in self.gone}

    def address(self, each: str) -> Address:
        family = self.families.get(each, each)
        if each in self.unbound:
            return Address(person_id=each, family=family)
        mini = f"mini-{each[-4:]}" if self.mini else None
        return Address(
            person_id=each, family=family, openid=f"open-{each[-4:]}", openid_index=index_of(each),
            mini_program_openid=mini, mini_program_openid_index=mini,
        )  # fmt: skip


def index_of(each: str) -> str:
    """The blind index of a person's openid."""
    return f"index-{each[-4:]}"


class Phone:
    """A channel that keeps what it is given; `faults` are raised one by one instead, None letting one through."""

    def __init__(self, *faults: Exception | None, behaviour: Behaviour | None = None) -> None:
        self.sent: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.faults = list(faults)
        self._behaviour = behaviour

    async def send(self, message: Outgoing) -> str | None:
        self.keys.append(message.key)
        if self._behaviour is not None:
            return await self._behaviour(message)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        await asyncio.sleep(0)
        self.sent += [(way.openid, message.words.line) for way in message.ways]
        return f"msg-{len(self.sent)}"

    @property
    def lines(self) -> list[str]:
        return [line for _, line in self.sent]


@dataclass
class Listener:
    """Remembers who was told nothing, and why."""

    told: list[tuple[str, str]] = field(default_factory=list)

    async def could_not_reach(self, pushes: Sequence[Push], why: str) -> None:
        self.told += [(push.person_id, why) for push in pushes]


@dataclass(frozen=True)
class Night:
    """Quiet from nine to seven."""

    start: time = time(21)
    end: time = time(7)


@dataclass
class PostOffice:
    """An outbox for pushes and what works on it."""

    clock: FrozenClock
    metrics: Metrics
    redis: RedisStore
    kinds: Sequence[ChannelName] = (ChannelName.TEMPLATE,)
    cap: int = 100
    a_second: float = 0.0
    a_day: int = 100_000
    source: Source = field(default_factory=Source)
    book: Book = field(default_factory=Book)
    listener: Listener = field(default_factory=Listener)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.clock, self.metrics)
        self.credits = Credits(self.clock)
        self.use(*self.kinds)

    def use(self, *kinds: ChannelName) -> None:
        """Templates of these kinds are there, one for each purpose."""
        self.templates = tuple(
            Template(purpose, kind, f"{kind}-{purpose}", SLOTS) for kind in kinds for purpose in Purpose
        )

    @property
    def windows(self) -> WindowLedger:
        return WindowLedger(self.redis)

    @property
    def planner(self) -> ChannelPlanner:
        return ChannelPlanner(lambda: self.book, self.credits, lambda: self.windows, self.templates, self.clock)

    def limiter(self) -> Limiter:
        return Limiter(lambda: self.redis, self.credits, self.clock, a_second=self.a_second, a_day=self.a_day)

    def preparation(self, limiter: Limiter | None = None) -> Preparation:
        """All that is asked before something goes out."""
        return Preparation(
            {"test": self.source}, self.planner, self.credits, limiter or self.limiter(),
            Rules(quiet=QuietHours(Night()), a_family_a_day=self.cap),
            templates=self.templates, clock=self.clock, metrics=self.metrics,
        )  # fmt: skip

    def worker(self, *phones: Phone, limits: PushLimits | None = None, **more: Phone) -> PushWorker:
        """Over one phone for all channels, or one for each channel by name."""
        senders = {channel: more.get(channel.value, phones[0] if phones else Phone()) for channel in ChannelName}
        limiter = self.limiter()
        return PushWorker(
            senders, self.preparation(limiter), self.credits, limiter, [self.listener],
            clock=self.clock, metrics=self.metrics, limits=limits, random=Random(7),
        )  # fmt: skip

    def push(
        self,
        occurrence: str = "a",
        *,
        who: int = 0,
        purpose: Purpose = Purpose.REMINDER,
        push_class: PushClass = PushClass.NORMAL,
        reason: str = "test",
        after: timedelta = timedelta(),
        life: timedelta = LIFE,
    ) -> NewPush:
        now = self.clock.now()
        return NewPush(
            reason=reason, occurrence=occurrence, person_id=person(who), rule="rule", purpose=purpose,
            push_class=push_class, not_before=now + after, expires_at=now + life, child_ids=("c1", "c2"),
        )  # fmt: skip

    async def promise(self, *pushes: NewPush) -> int:
        return await self.outbox.promise(pushes)

    async def rows(self) -> dict[tuple[str, str], OutboxPush]:
        """By occurrence and person."""
        return {(row.occurrence, str(row.person_id)): row for row in await OutboxPush.all()}

    async def statuses(self) -> dict[str, DeliveryStatus]:
        """By occurrence."""
        return {row.occurrence: row.status for row in await OutboxPush.all()}

    async def drain(self, worker: PushWorker) -> None:
        while await worker.run_once():
            pass
