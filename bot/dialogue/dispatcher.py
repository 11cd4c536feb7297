"""From a message to its reply: what is known → may it run → which route → the handler."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.audit.log import Audit
from bot.clock import Clock
from bot.dialogue import texts
from bot.dialogue.context import NOTHING_KNOWN, ChatContext
from bot.dialogue.effects import Effects, Handling, Pause
from bot.dialogue.inbox import Effect, Inbox
from bot.dialogue.limits import RateLimit
from bot.dialogue.ports import KNOWN, AlarmSource, Preface, ProfileSource, SendLater
from bot.dialogue.router import Route, Router, Tier, command_form
from bot.dialogue.sentences import sentence_for
from bot.dialogue.session import IDLE
from bot.dialogue.store import ChatStore, Snapshot
from bot.errors import AppError, NotPermitted, Unavailable
from bot.identity import Actor, IdentityProvider, Role
from bot.logs import get_logger, request_id
from bot.metrics import Metrics
from bot.rights import refusal as denied
from bot.storage.base import blind_index
from bot.wechat.messages import NO_REPLY, Event, Inbound, Reply, TextMessage, TextReply, accepts_reply
from bot.wechat.replies import MAX_TEXT_BYTES
from bot.wechat.window import WindowLedger

PROFILE_PATIENCE_S = 0.8
PROFILE_REST_S = 5.0
_ID_LENGTH = 10
_KNOWN_INDEXES = 20_000
_KNOWN_WORDS = 4096
_VISITOR = frozenset({Role.VISITOR})

_log = get_logger(__name__)
_word_of = lru_cache(_KNOWN_WORDS)(command_form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the dispatcher works with. `messages_per_minute` is the limit of one person."""

    store: ChatStore
    inbox: Inbox
    ledger: WindowLedger
    identity: IdentityProvider
    alarm: AlarmSource
    send_later: SendLater
    profiles: Sequence[ProfileSource] = ()
    prefaces: Sequence[Preface] = ()
    messages_per_minute: int
    clock: Clock
    metrics: Metrics
    pause: Pause = asyncio.sleep
    audit: Audit | None = None


class Dispatcher:
    """Answers every message with a `Reply`; nothing but a cancellation ever leaves it."""

    def __init__(self, router: Router, parts: Surroundings) -> None:
        faulty = [route.name for route in router.routes if route.tier is Tier.CRISIS and route.fallback is None]
        if faulty:
            raise ValueError(f"crisis routes without a fallback: {faulty}")
        self._router = router
        self._parts = parts
        self._clock = parts.clock
        self._store = parts.store
        self._rate = RateLimit(parts.messages_per_minute)
        self._effects = Effects(
            parts.store,
            parts.inbox,
            parts.ledger,
            self._act,
            clock=parts.clock,
            metrics=parts.metrics,
            pause=parts.pause,
        )
        self._no_profiles_until = 0.0
        # Most people say several things, and working out a fingerprint takes longer than looking it up.
        self._indexes: dict[str, str] = {}

    async def dispatch(self, inbound: Inbound) -> Reply:
        """The reply to a message or event. Whatever fails becomes a sentence with a way on."""
        token = request_id.set(inbound.dedupe_key[:_ID_LENGTH])
        try:
            return await self._dispatch(inbound)
        except AppError as error:
            self._parts.metrics.dispatch_failures_total.labels(error.code).inc()
            _log.info("message_refused", cause=error.code, detail=repr(error.__cause__))
            if self._parts.audit is not None:
                await self._parts.audit.note_denial(error)
            return TextReply(sentence_for(error))
        except Exception:  # noqa: BLE001 - the last line: the person gets a sentence, the log the rest
            self._parts.metrics.dispatch_failures_total.labels("unexpected").inc()
            _log.exception("message_failed", kind=type(inbound).__name__)
            return TextReply(texts.APOLOGY.format(id=inbound.dedupe_key[:_ID_LENGTH]))
        finally:
            request_id.reset(token)

    async def drain(self) -> None:
        """Waits for effects that outlive their messages: for the shutdown."""
        await self._effects.drain()

    async def _dispatch(self, inbound: Inbound) -> Reply:
        if isinstance(inbound, Event) and not self._expects(inbound):
            return NO_REPLY
        index = self._index_of(inbound.openid)
        handling = await self._read(inbound, index)
        if handling.snapshot.reply is not None:
            self._parts.metrics.replayed_total.inc()
            return handling.snapshot.reply
        self._parts.ledger.note(index, inbound)
        context = await self._context(handling)
        route = self._router.match(context, inbound)
        if route is not None and route.protected and not route.changes:
            # What is shown about people is shown to who they are now, not to who they were a moment ago.
            context = await self._context(handling, fresh=True)
            route = self._router.match(context, inbound)
        handling.context = context
        if route is None:
            return TextReply(texts.OTHERWISE) if isinstance(inbound, TextMessage) else NO_REPLY
        if not (route.tier is Tier.CRISIS or route.must_happen or self._rate.allows(index, context.now)):
            return TextReply(texts.TOO_FAST)
        if (refusal := self._refusal(route, context, inbound)) is not None:
            return refusal
        if route.changes or self._due(context, route, inbound):
            return await self._effects.run(handling, route)
        reply = await route.handle(context, inbound)
        if context.noted is not None and not handling.is_store_away:
            self._store.keep_note(index, context.noted, context.now)
        return reply

    def _expects(self, event: Event) -> bool:
        """Whether any route is for an event; most are not, and those cost no look into the store."""
        context = ChatContext(actor=Actor(), openid=event.openid, now=event.created_at, session=IDLE)
        return self._router.match(context, event) is not None

    async def _read(self, inbound: Inbound, index: str) -> Handling:
        try:
            snapshot = await self._store.read(index, inbound.dedupe_key, self._clock.now())
        except Unavailable:
            return Handling(inbound, index, Snapshot(IDLE, profile=NOTHING_KNOWN), is_store_away=True)
        return Handling(inbound, index, snapshot)

    def _index_of(self, openid: str) -> str:
        index = self._indexes.get(openid)
        if index is None:
            if len(self._indexes) >= _KNOWN_INDEXES:
                self._indexes.clear()
            index = self._indexes[openid] = blind_index("openid", openid)
        return index

    async def _context(self, handling: Handling, *, changeable: bool = False, fresh: bool = False) -> ChatContext:
        inbound, snapshot = handling.inbound, handling.snapshot
        content = inbound.content if isinstance(inbound, TextMessage) else None
        profile = snapshot.profile if inbound.authenticated else NOTHING_KNOWN
        if profile is None:
            profile = await self._loaded_profile(handling)
        return ChatContext(
            actor=await self._actor(handling.openid_index, None if changeable or fresh else KNOWN in profile),
            openid=inbound.openid,
            now=self._clock.now(),
            session=snapshot.session,
            profile=profile,
            note=snapshot.note,
            word="" if content is None else _word_of(content),
            alarm=None if content is None else self._alarm(content),
            authenticated=inbound.authenticated,
            changeable=changeable,
            prepared=handling.prepared,
        )

    def _alarm(self, content: str) -> str | None:
        try:
            return self._parts.alarm(content)
        except Unavailable:
            # For a moment after the start. What is said then names the numbers to call.
            return None

    async def _actor(self, index: str, is_known: bool | None) -> Actor:
        try:
            return await self._parts.identity.actor_of(index, is_known=is_known)
        except Unavailable:
            # Who they are cannot be found out now; what is for everybody still works.
            return Actor(openid_index=index, roles=_VISITOR)

    async def _loaded_profile(self, handling: Handling) -> Mapping[str, str]:
        """What the database knows about the person, from now on in the store."""
        loop = asyncio.get_running_loop()
        if not self._parts.profiles or loop.time() < self._no_profiles_until:
            return NOTHING_KNOWN
        profile: dict[str, str] = {}
        try:
            async with asyncio.timeout(PROFILE_PATIENCE_S):
                for source in self._parts.profiles:
                    profile |= await source.profile_of(handling.openid_index)
        except (Unavailable, TimeoutError):
            # An answer without the person's place is better than none; nobody waits again for a moment.
            self._no_profiles_until = loop.time() + PROFILE_REST_S
            return NOTHING_KNOWN
        self._store.keep_profile(handling.openid_index, profile)
        handling.snapshot = replace(handling.snapshot, profile=profile)
        return profile

    def _refusal(self, route: Route, context: ChatContext, inbound: Inbound) -> Reply | None:
        """Why the route may not run for this sender, None when it may."""
        if route.needs_certain_sender and not inbound.authenticated:
            _log.warning("uncertain_sender", route=route.name)
            if route.fallback is not None:
                return route.fallback(context, inbound)
            return TextReply(texts.NOT_CONFIRMED) if accepts_reply(inbound) else NO_REPLY
        if not context.actor.has(*route.roles):
            raise denied(NotPermitted(), context.actor, route.action, None)
        return None

    def _due(self, context: ChatContext, route: Route, inbound: Inbound) -> list[Preface]:
        if route.tier is Tier.CRISIS or not context.profile or not accepts_reply(inbound):
            return []
        return [preface for preface in self._parts.prefaces if preface.is_due(context.profile)]

    async def _act(self, handling: Handling) -> Effect:
        """Matches again for what is known now, and runs the route: inside the lock and the claim's transaction."""
        context = await self._context(handling, changeable=True)
        handling.context = context
        route = self._router.match(context, handling.inbound)
        if route is None:
            return Effect(TextReply(texts.OTHERWISE))
        if (refusal := self._refusal(route, context, handling.inbound)) is not None:
            return Effect(refusal)
        before = context.session
        told = [await preface.take(context) for preface in self._due(context, route, handling.inbound)]
        reply = await route.handle(context, handling.inbound)
        if any(told):
            reply = await self._joined([text for text in told if text], reply, handling.inbound)
        return Effect(reply, context.session if context.session is not before else None)

    async def _joined(self, told: list[str], reply: Reply, inbound: Inbound) -> Reply:
        """What waits first, then the reply: in one bubble if it fits, else the reply follows by itself."""
        first = "\n\n".join(told)
        if not isinstance(reply, TextReply):
            return TextReply(first)
        together = f"{first}\n\n{reply.text}"
        if len(together.encode()) <= MAX_TEXT_BYTES:
            return TextReply(together)
        await self._parts.send_later(inbound, reply)
        return TextReply(first)
