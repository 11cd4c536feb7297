"""Each message takes effect once: its claim is a row with a unique key, written in the transaction of its effect.

A repetition that comes while the first is at work waits at the unique key and then reads what the first answered. When
the first dies, its transaction is undone and the key is free again; one that froze is cut off by the server's limit on
idle transactions, which is the lease of a claim.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from tortoise.exceptions import IntegrityError

from bot.clock import Clock
from bot.dialogue import session as sessions
from bot.dialogue.session import Session
from bot.storage.database import transaction
from bot.storage.models import ProcessedMessage, ProcessingState
from bot.wechat.replies import Reply, from_stored, to_stored

KEPT_FOR = timedelta(days=3)
"""How long claims stay: far longer than WeChat repeats a message or the callback accepts an old one."""

_ERASED = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What handling a message came to. `session` is None when it did not move; `is_replay`: it happened before."""

    reply: Reply
    session: Session | None = None
    is_replay: bool = False


Act = Callable[[], Awaitable[Effect]]


class Inbox:
    """The claims of messages that change something."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def once(self, message_index: str, openid_index: str, act: Act) -> Effect:
        """Runs `act` in a transaction with the claim, unless the message was handled before.

        Whatever `act` raises undoes the claim too. Raises DatabaseAway.
        """
        try:
            async with transaction():
                claim = await self._claim(message_index, openid_index)
                effect = await act()
                await self._finish(claim, effect)
                return effect
        except _Claimed:
            return await self._earlier(message_index)

    async def earlier(self, message_index: str) -> Effect | None:
        """What an earlier handling came to, None when there was none."""
        row = await ProcessedMessage.get_or_none(dedupe_key=message_index)
        return None if row is None else _effect(row)

    async def erase(self, openid_index: str) -> None:
        """Takes a person out of their claims, in the caller's transaction. The claims stay, so nothing runs again."""
        await ProcessedMessage.filter(openid_index=openid_index).update(openid_index=_ERASED, reply=None)

    async def forget_old(self) -> int:
        """Deletes the claims that nothing can ask for any more; says how many."""
        return await ProcessedMessage.filter(created_at__lt=self._clock.now() - KEPT_FOR).delete()

    async def _claim(self, message_index: str, openid_index: str) -> ProcessedMessage:
        now = self._clock.now()
        try:
            return await ProcessedMessage.create(
                dedupe_key=message_index,
                openid_index=openid_index,
                state=ProcessingState.RUNNING,
                created_at=now,
                updated_at=now,
            )
        except IntegrityError as error:
            raise _Claimed from error

    async def _finish(self, claim: ProcessedMessage, effect: Effect) -> None:
        now = self._clock.now()
        # Through a query: an act that erases the person has already changed the row behind `claim`.
        rows = ProcessedMessage.filter(id=claim.id)
        await rows.exclude(openid_index=_ERASED).update(reply=_sealed(effect))
        await rows.update(state=ProcessingState.DONE, finished_at=now, updated_at=now)

    async def _earlier(self, message_index: str) -> Effect:
        effect = await self.earlier(message_index)
        assert effect is not None
        return effect


class _Claimed(Exception):
    """The message was handled, here or elsewhere."""


def _sealed(effect: Effect) -> str:
    session = None if effect.session is None else sessions.to_plain(effect.session)
    return json.dumps([to_stored(effect.reply).decode(), session], ensure_ascii=False)


def _effect(row: ProcessedMessage) -> Effect:
    if not row.reply:
        return Effect(from_stored(b"-"), is_replay=True)
    reply, session = json.loads(row.reply)
    return Effect(
        from_stored(reply.encode()), None if session is None else sessions.from_plain(session), is_replay=True
    )
