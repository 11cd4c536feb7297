"""Requests that create something take effect once: their key is a row, written in the transaction of the effect.

A repetition that comes while the first is at work waits at the unique key and then reads what the first was answered.
When the process of the first dies, its transaction is undone and the key is free again. Refusals are answers too and
are kept like them, so that the same key and body always gets the same answer; only what may be different the next
moment (too many requests, something of ours away) leaves the key free.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from tortoise.exceptions import BaseORMException, IntegrityError

from bot.clock import Clock
from bot.errors import AppError, Conflict, LimitReached, Unreadable
from bot.identity import Actor
from bot.storage.database import transaction
from bot.storage.models import IdempotentAnswer

HEADER: Final = "Idempotency-Key"
KEY_PATTERN: Final = r"[!-~]{1,128}"
KEPT_FOR: Final = timedelta(days=3)
"""How long answers stay: far longer than a client repeats a request whose answer it missed."""

_KEY: Final = re.compile(KEY_PATTERN)
_SEPARATOR: Final = b"\0"


class KeyMissing(Unreadable):
    """A request that needs a key came without one."""

    code = "idempotency_key_required"
    default_message = "请求缺少 Idempotency-Key，请更新小程序后再试。"


class KeyInvalid(Unreadable):
    """The key is not 1 to 128 visible ASCII characters."""

    code = "idempotency_key_invalid"
    default_message = "请求的 Idempotency-Key 不对，请更新小程序后再试。"


class KeyReused(Conflict):
    """The key was used for another request before."""

    code = "idempotency_key_reused"
    default_message = "同一个 Idempotency-Key 已经用在别的请求上了，请重新提交。"


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered, as it goes over the wire."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request with a key: whose, which, and a digest of what it asks for."""

    scope: str
    key: str
    route: str
    digest: str


Act = Callable[[], Awaitable[Answered]]
AsAnswer = Callable[[AppError], Answered | None]
"""A refusal as it is answered; None when it is no answer to keep."""


def request_of(actor: Actor, key: str, route: str, *parts: bytes) -> Request:
    """The request of a caller; `parts` are everything the answer depends on. Raises KeyInvalid."""
    if not _KEY.fullmatch(key):
        raise KeyInvalid
    # The identity outlives the session: a client that had to log in again still repeats its own request.
    owner = actor.identity_id or actor.person_id or actor.session_id or ""
    digest = hashlib.sha256(_SEPARATOR.join((route.encode(), *parts))).hexdigest()
    return Request(owner, key, route, digest)


class Answers:
    """The answers given to requests with a key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def earlier(self, request: Request) -> Answered | None:
        """What the request was answered before, None when it is new. Raises KeyReused."""
        row = await IdempotentAnswer.get_or_none(scope=request.scope, key=request.key)
        if row is None:
            return None
        if (row.route, row.body_digest) != (request.route, request.digest):
            raise KeyReused
        assert row.status is not None  # committed with its answer or not at all
        return Answered(row.status, row.body or "")

    async def once(self, request: Request, act: Act, as_answer: AsAnswer) -> Answered:
        """Runs `act` in a transaction with the key, unless the request was answered before.

        `act` may raise AppError: what it has written by then in transactions of its own stays when the refusal is an
        answer to keep. Raises KeyReused, DatabaseAway, and whatever else `act` raises.
        """
        while True:
            try:
                return await self._first(request, act, as_answer)
            except _Taken:
                earlier = await self.earlier(request)
                if earlier is not None:
                    return earlier
                # The one that had it gave it back in between.

    async def forget_old(self) -> int:
        """Deletes the answers that nobody asks for any more; says how many."""
        return await IdempotentAnswer.filter(created_at__lt=self._clock.now() - KEPT_FOR).delete()

    async def _first(self, request: Request, act: Act, as_answer: AsAnswer) -> Answered:
        released: AppError | None = None
        async with transaction():
            row = await self._claim(request)
            try:
                answered = await act()
            except AppError as error:
                kept = as_answer(error)
                if kept is None and not isinstance(error, LimitReached):
                    raise
                # What was counted against somebody who guesses must stay counted.
                released = error if kept is None else None
                answered = kept or Answered(0, "")
                await self._settle_after(error, row, kept)
            else:
                await self._settle(row, answered)
        if released is not None:
            raise released
        return answered

    async def _settle_after(self, error: AppError, row: IdempotentAnswer, kept: Answered | None) -> None:
        """Keeps the refusal, or frees the key. Raises the refusal itself when the transaction is spoilt."""
        try:
            if kept is None:
                await IdempotentAnswer.filter(id=row.id).delete()
            else:
                await self._settle(row, kept)
        except BaseORMException:
            raise error from None

    async def _claim(self, request: Request) -> IdempotentAnswer:
        now = self._clock.now()
        try:
            return await IdempotentAnswer.create(
                id=uuid4(),
                scope=request.scope,
                key=request.key,
                route=request.route,
                body_digest=request.digest,
                created_at=now,
                updated_at=now,
            )
        except IntegrityError as error:
            raise _Taken from error

    async def _settle(self, row: IdempotentAnswer, answered: Answered) -> None:
        await IdempotentAnswer.filter(id=row.id).update(
            status=answered.status, body=answered.body, updated_at=self._clock.now()
        )


class _Taken(Exception):
    """The key has a row, here or elsewhere."""
