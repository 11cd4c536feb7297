"""The chat of an application, put together from what its capabilities bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from bot.capability import Capability, CombinedIdentity, EntryPoints, Machinery
from bot.clock import Clock
from bot.delivery.combining import Combiner
from bot.delivery.outbox import NewMessage, Outbox
from bot.delivery.pulse import measuring
from bot.delivery.pushes import PushSource, UnreachableListener
from bot.delivery.reports import EVENTS, JOB_EVENT, Reports
from bot.delivery.reports import Job as DeliveryJob
from bot.delivery.worker import DeliveryCheck
from bot.dialogue.context import ChatContext
from bot.dialogue.dispatcher import Dispatcher, Surroundings
from bot.dialogue.inbox import Inbox
from bot.dialogue.ports import AlarmSource, SendLater
from bot.dialogue.router import Route, Router, Tier, event
from bot.dialogue.store import ChatStore
from bot.library import Library
from bot.rights import Action
from bot.scheduler.jobs import Daily, Every, Job
from bot.storage.base import blind_index
from bot.storage.redis import RedisStore
from bot.web.api import ApiRoute
from bot.web.idempotency import Answers
from bot.wechat.messages import NO_REPLY, Event, Inbound, Reply, TextReply
from bot.wechat.outgoing import template_job
from bot.wechat.window import WindowLedger

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase

LATE_REPLY = "late_reply"
# An answer that comes later than this finds nobody who still waits for it.
LATE_REPLY_LIFE = timedelta(hours=2)
_KNOWN_TEXTS = 4096
_CLEANING_TIME = time(3, 40)
_MEASURED_EVERY = timedelta(seconds=30)
# Reports come as fast as messages go out: those of a moment are taken together.
_REPORTS_TOGETHER_S = 0.02
_MOST_REPORTS = 500


class Assembly:
    """The capabilities of one application over its machinery. Opens nothing: the stores come with the dispatcher."""

    def __init__(self, capabilities: Sequence[Capability], machinery: Machinery) -> None:
        self._machinery = machinery
        self._inbox = Inbox(machinery.clock)
        self.answers = Answers(machinery.clock)
        for capability in capabilities:
            machinery.parts.append(capability.build(machinery))
        self.parts: tuple[EntryPoints, ...] = tuple(machinery.parts)
        self.delivery = machinery.delivery
        self.pushes: Mapping[str, PushSource] = all_of("push source", [part.pushes for part in self.parts])
        self.unreachable: tuple[UnreachableListener, ...] = tuple(
            listener for part in self.parts for listener in part.unreachable
        )
        reports = Reports(machinery.delivery.credits, lambda: self.unreachable, machinery.clock)
        self.router = Router([*(route for part in self.parts for route in part.routes), *report_routes(reports)])
        self.api: tuple[ApiRoute, ...] = tuple(route for part in self.parts for route in part.api)
        self.checks: Mapping[str, DeliveryCheck] = {
            reason: check for part in self.parts for reason, check in part.checks.items()
        }
        self.jobs: tuple[Job, ...] = (
            Job("dialogue.forget_claims", Daily(_CLEANING_TIME), self._inbox.forget_old),
            Job("api.forget_answers", Daily(_CLEANING_TIME), self.answers.forget_old),
            Job("delivery.forget_settled", Daily(_CLEANING_TIME), machinery.outbox.forget_settled),
            Job("delivery.measure", Every(_MEASURED_EVERY), machinery.outbox.measure),
            Job(
                "delivery.workers",
                Every(_MEASURED_EVERY),
                measuring(machinery.redis, machinery.clock, machinery.metrics),
            ),
            *(job for part in self.parts for job in part.jobs),
        )
        self.send_later = late_replies(machinery.outbox, machinery.clock)
        erasers = [eraser for part in self.parts for eraser in part.erasers]
        machinery.erasure.add(*erasers, machinery.outbox, self._inbox)

    def dispatcher(self, store: RedisStore) -> Dispatcher:
        """The dispatcher over an open store."""
        machinery = self._machinery
        parts = Surroundings(
            store=ChatStore(store),
            inbox=self._inbox,
            ledger=WindowLedger(store),
            identity=CombinedIdentity([part.identity for part in self.parts if part.identity is not None]),
            alarm=known_alarms(machinery.library),
            send_later=self.send_later,
            profiles=[source for part in self.parts for source in part.profiles],
            prefaces=[preface for part in self.parts for preface in part.prefaces],
            messages_per_minute=machinery.settings.limits.messages_per_minute,
            clock=machinery.clock,
            metrics=machinery.metrics,
            audit=machinery.audit,
        )
        return Dispatcher(self.router, parts)


def report_routes(reports: Reports) -> tuple[Route, ...]:
    """What the platform tells about messages and consents. Its events come in the name of the recipient."""
    jobs: Combiner[DeliveryJob, None] = Combiner(reports.take_jobs, linger_s=_REPORTS_TOGETHER_S, most=_MOST_REPORTS)

    async def take_job(context: ChatContext, message: Event) -> Reply:
        if (job := template_job(message)) is not None and job.message_id:
            await jobs.put([(job, blind_index("openid", message.openid))])
        return NO_REPLY

    async def take(context: ChatContext, message: Event) -> Reply:
        await reports.take(message, blind_index("openid", message.openid))
        return NO_REPLY

    return (
        Route(
            name="delivery.job", tier=Tier.MENU, of=Event, when=event(JOB_EVENT), handle=take_job,
            action=Action.CHAT_USE, changes=False, protected=True, must_happen=True,
        ),
        Route(
            name="delivery.report", tier=Tier.MENU, of=Event, when=event(*EVENTS), handle=take,
            action=Action.CHAT_USE, changes=True, must_happen=True,
        ),
    )  # fmt: skip


def all_of(kind: str, parts: Sequence[Mapping[str, PushSource]]) -> Mapping[str, PushSource]:
    """What all bring, by name. Raises ValueError for two of one name."""
    merged: dict[str, PushSource] = {}
    for part in parts:
        if twice := merged.keys() & part.keys():
            raise ValueError(f"two of one name, {kind}: {sorted(twice)}")
        merged |= part
    return merged


def late_replies(outbox: Outbox, clock: Clock) -> SendLater:
    """Has replies follow as customer-service messages, one for each message however often it was delivered."""

    async def send_later(inbound: Inbound, reply: TextReply) -> None:
        await outbox.enqueue(
            NewMessage(
                reason=LATE_REPLY,
                occurrence=inbound.dedupe_key,
                openid=inbound.openid,
                text=reply.text,
                expires_at=clock.now() + LATE_REPLY_LIFE,
            )
        )

    return send_later


def known_alarms(library: Library[KnowledgeBase]) -> AlarmSource:
    """The guard of the knowledge in use; texts met before cost a look-up. Raises KnowledgeLoading."""

    @lru_cache(maxsize=_KNOWN_TEXTS)
    def alarm_of(version: int, text: str) -> str | None:
        return library.current.guard.alarm(text)

    def alarm(text: str) -> str | None:
        return alarm_of(library.version, text)

    return alarm
