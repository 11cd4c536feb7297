"""Running what changes something: once for each message, in order for each person, and later if it cannot be now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from bot.clock import Clock
from bot.dialogue.context import ChatContext
from bot.dialogue.inbox import Effect, Inbox
from bot.dialogue.router import Route, Tier
from bot.dialogue.store import ChatStore, Snapshot
from bot.errors import AppError, Unavailable
from bot.logs import get_logger
from bot.metrics import Metrics
from bot.storage.base import blind_index
from bot.storage.errors import LockBusy
from bot.wechat.messages import NO_REPLY, Inbound, Reply
from bot.wechat.window import WindowLedger

# Shorter than the life of the person's lock, so that two never work at once.
EFFECT_TIMEOUT_S = 15.0
CRISIS_PATIENCE_S = 1.5
LATER_S = (2.0, 10.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0)

_log = get_logger(__name__)

Pause = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Handling:
    """One message on its way: what was read for it, and what came of it."""

    inbound: Inbound
    openid_index: str
    snapshot: Snapshot
    is_store_away: bool = False
    context: ChatContext | None = None
    effect: Effect | None = None
    prepared: object = None


Act = Callable[[Handling], Awaitable[Effect]]
"""Matches and runs the route for the snapshot of a handling; sets its context."""


class Effects:
    """Keeps the promise that a message which changes something does so once."""

    def __init__(
        self,
        store: ChatStore,
        inbox: Inbox,
        ledger: WindowLedger,
        act: Act,
        *,
        clock: Clock,
        metrics: Metrics,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """`pause` waits before something is tried again."""
        self._store = store
        self._inbox = inbox
        self._ledger = ledger
        self._act = act
        self._clock = clock
        self._metrics = metrics
        self._pause = pause
        self._running: dict[str, asyncio.Future[Reply]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()

    async def run(self, handling: Handling, route: Route) -> Reply:
        """The reply, after the effect. A repetition in this process waits for the same result. Raises AppError."""
        running = self._running.get(handling.inbound.dedupe_key)
        if running is not None:
            self._metrics.replayed_total.inc()
            return await asyncio.shield(running)
        future = asyncio.get_running_loop().create_future()
        self._running[handling.inbound.dedupe_key] = future
        try:
            reply = await self._run(handling, route)
        except BaseException as error:
            future.set_exception(error if isinstance(error, AppError) else Unavailable())
            future.exception()  # nobody may be waiting, and that is no fault
            raise
        else:
            future.set_result(reply)
            return reply
        finally:
            del self._running[handling.inbound.dedupe_key]

    async def drain(self, seconds: float = 10.0) -> None:
        """Waits for effects still running; those that wait for another try are given up and logged."""
        for task in tuple(self._waiting):
            task.cancel()
        tasks = self._tasks | self._waiting
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def _run(self, handling: Handling, route: Route) -> Reply:
        if route.tier is Tier.CRISIS:
            return await self._run_in_crisis(handling, route)
        if route.prepare is not None and handling.context is not None:
            # Before the lock and the transaction: what another system takes its time for must hold up neither.
            handling.prepared = await route.prepare(handling.context, handling.inbound)
        try:
            return await self._run_in_order(handling, route)
        except (Unavailable, LockBusy):
            if not route.must_happen:
                raise
            self._try_later(handling, route)
            return NO_REPLY

    async def _run_in_order(self, handling: Handling, route: Route) -> Reply:
        async with self._lock(handling, route):
            if not handling.is_store_away:
                handling.snapshot = await self._store.read(
                    handling.openid_index, handling.inbound.dedupe_key, self._clock.now()
                )
            if handling.snapshot.reply is not None:
                self._metrics.replayed_total.inc()
                return handling.snapshot.reply
            return await self._once(handling, is_urgent=route.must_happen)

    def _lock(self, handling: Handling, route: Route) -> AbstractAsyncContextManager[None]:
        if handling.is_store_away:
            if not route.must_happen:
                raise Unavailable
            return nullcontext()
        return self._store.lock(handling.openid_index)

    async def _once(self, handling: Handling, *, is_urgent: bool) -> Reply:
        async def act() -> Effect:
            return await self._act(handling)

        if handling.effect is None:
            try:
                async with asyncio.timeout(EFFECT_TIMEOUT_S):
                    index = blind_index("message", handling.inbound.dedupe_key)
                    effect = await self._inbox.once(index, handling.openid_index, act)
            except TimeoutError as error:
                raise Unavailable from error
            handling.effect = effect
        try:
            await self._save(handling, handling.effect)
        except Unavailable:
            # What counts is committed. A repetition finds it, and saves what could not be saved now.
            _log.warning("effect_not_saved_in_redis")
            if is_urgent:
                raise
        return handling.effect.reply

    async def _save(self, handling: Handling, effect: Effect) -> None:
        session, context = effect.session, handling.context
        if effect.is_replay:
            self._metrics.replayed_total.inc()
            known = handling.snapshot.session.version
            session = session if session is not None and session.version > known else None
        profile = None
        if context is not None and context.profile_changes:
            profile = {**context.profile, **context.profile_changes}
        erased = context.erased if context is not None else None
        if erased is not None:
            await self._store.erase(erased)
            await self._ledger.forget(erased)
        elif not handling.is_store_away:
            await self._store.finish(
                handling.openid_index, handling.inbound.dedupe_key, effect.reply, session=session, profile=profile
            )
        if context is not None and context.noted is not None and erased is None:
            self._store.keep_note(handling.openid_index, context.noted, self._clock.now())
        if context is not None and not handling.is_store_away:
            for index in context.stale_profiles:
                await self._store.forget_profile(index)

    # ---------------------------------------------------------------------------------------------------------- crisis
    async def _run_in_crisis(self, handling: Handling, route: Route) -> Reply:
        """Without the lock, which a slow step may hold, and within a moment, record or no record."""
        task = asyncio.get_running_loop().create_task(self._record(handling, route))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait((task,), timeout=CRISIS_PATIENCE_S)
        if handling.effect is not None:
            return handling.effect.reply
        assert route.fallback is not None
        context = handling.context
        assert context is not None
        return route.fallback(context, handling.inbound)

    async def _record(self, handling: Handling, route: Route) -> None:
        try:
            await self._once(handling, is_urgent=False)
        except Exception as error:  # noqa: BLE001 - the sentence is said whatever happens to the record
            _log.error("crisis_not_recorded_yet", cause=repr(error))
            self._metrics.dispatch_failures_total.labels("crisis").inc()
            self._try_later(handling, route)

    # ----------------------------------------------------------------------------------------------------------- later
    def _try_later(self, handling: Handling, route: Route) -> None:
        task = asyncio.get_running_loop().create_task(self._until_done(handling, route))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _until_done(self, handling: Handling, route: Route) -> None:
        try:
            for delay in LATER_S:
                await self._pause(delay)
                if await self._again(handling, route):
                    return
        except asyncio.CancelledError:
            _log.error("effect_given_up", route=route.name)
            raise
        _log.error("effect_given_up", route=route.name)

    async def _again(self, handling: Handling, route: Route) -> bool:
        try:
            await self._once(handling, is_urgent=route.tier is not Tier.CRISIS)
        except Unavailable:
            return False
        except Exception as error:  # noqa: BLE001 - nobody waits for this task
            _log.error("effect_failed_later", route=route.name, cause=repr(error))
            return True
        _log.info("effect_done_later", route=route.name)
        return True
