"""Requests that create something take effect once: their key is a row, written in the transaction of the effect.

A repetition that comes while the first is at work waits at the unique key and then reads what the first was answered.
When the process of the first dies, its transaction is undone and the key is free again. Refusals are answers too and
are kept like them, so that the same key and body always gets the same answer; only what may be different the next
moment (too many requests, something of ours away) leaves the key free.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from tortoise.exceptions import BaseORMException, IntegrityError

from bot.clock import Clock
from bot.errors import AppError, Conflict, LimitReached, Unreadable
from bot.identity import Actor
from bot.storage.database import transaction
from bot.storage.ids import new_ids
from bot.storage.models import IdempotentAnswer
from bot.storage.rows import insert_new

HEADER: Final = "Idempotency-Key"
KEY_PATTERN: Final = r"[!-~]{1,128}"
KEPT_FOR: Final = timedelta(days=3)
"""How long answers stay: far longer than a client repeats a request whose answer it missed."""

_KEY: Final = re.compile(KEY_PATTERN)
_SEPARATOR: Final = b"\0"
_WRITE_POSTGRES: Final = """
UPDATE idempotent_answer a SET status = n.status, body = n.body, updated_at = $4
  FROM unnest($1::uuid[], $2::smallint[], $3::bytea[]) AS n (id, status, body) WHERE a.id = n.id
"""
_WRITE_SQLITE: Final = "UPDATE idempotent_answer SET status = ?, body = ?, updated_at = ? WHERE id = ?"


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
ActTogether = Callable[[Sequence[int]], Awaitable[Sequence[Answered | AppError]]]
"""For requests that are new, by their place among those asked, in the order asked: what each is answered."""
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

    async def together(
        self, asked: Sequence[Request], act: ActTogether, as_answer: AsAnswer
    ) -> Sequence[Answered | Exception]:
        """As `once`, for many requests in one transaction: `act` is given those that are new and refuses by what it
        gives, never by raising. What it raises concerns all of them, but for a fault of the database over what one of
        them brought: then each is tried by itself."""
        try:
            return await self._together(asked, act, as_answer)
        except BaseORMException as error:
            if len(asked) == 1:
                return [error]
        outcomes: list[Answered | Exception] = []
        for place, one in enumerate(asked):

            async def alone(_: Sequence[int], place: int = place) -> Sequence[Answered | AppError]:
                return await act([place])

            outcomes += await self.together([one], alone, as_answer)
        return outcomes

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

    # -------------------------------------------------------------------------------------------------------- together
    async def _together(
        self, asked: Sequence[Request], act: ActTogether, as_answer: AsAnswer
    ) -> list[Answered | Exception]:
        found: dict[int, Answered | Exception] = {}
        first = {(one.scope, one.key): place for place, one in reversed(list(enumerate(asked)))}
        while missing := [place for place in sorted(first.values()) if place not in found]:
            async with transaction():
                rows = await self._claim_all({place: asked[place] for place in missing})
                outcomes = dict(zip(rows, await act(list(rows)), strict=True)) if rows else {}
                await self._settle_all(rows, outcomes, as_answer)
                outcomes |= await self._earlier_of({place: asked[place] for place in missing if place not in rows})
            # Only what is committed is told.
            found |= outcomes
        return [_answer_to(one, asked[first[one.scope, one.key]], found[first[one.scope, one.key]]) for one in asked]

    async def _claim_all(self, asked: Mapping[int, Request]) -> dict[int, UUID]:
        """The rows of those that are new, in the order asked. Inserted in the order of the keys, so that two who want
        the same ones wait for one another in one direction only."""
        now = self._clock.now()
        ids = dict(zip(asked, new_ids(len(asked)), strict=True))
        rows = [
            {
                "id": ids[place],
                "scope": one.scope,
                "key": one.key,
                "route": one.route,
                "body_digest": one.digest,
                "created_at": now,
                "updated_at": now,
            }
            for place, one in sorted(asked.items(), key=lambda each: (each[1].scope, each[1].key))
        ]
        new = await insert_new(IdempotentAnswer, rows)
        return {place: own for place, own in ids.items() if own in new}

    async def _settle_all(
        self, rows: Mapping[int, UUID], outcomes: Mapping[int, Answered | AppError], as_answer: AsAnswer
    ) -> None:
        """Keeps what is to be kept, and frees the keys of the others."""
        kept: dict[UUID, Answered] = {}
        for place, outcome in outcomes.items():
            answer = as_answer(outcome) if isinstance(outcome, AppError) else outcome
            if answer is not None:
                kept[rows[place]] = answer
        freed = [own for own in rows.values() if own not in kept]
        if freed:
            await IdempotentAnswer.filter(id__in=freed).delete()
        if kept:
            await _write(kept, self._clock.now())

    async def _earlier_of(self, asked: Mapping[int, Request]) -> dict[int, Answered | AppError]:
        """What requests were answered before; one whose key was given back in between is left out."""
        if not asked:
            return {}
        rows = await IdempotentAnswer.filter(
            scope__in=list({one.scope for one in asked.values()}), key__in=list({one.key for one in asked.values()})
        )
        known = {(row.scope, row.key): row for row in rows}
        found: dict[int, Answered | AppError] = {}
        for place, one in asked.items():
            row = known.get((one.scope, one.key))
            if row is None:
                continue
            is_same = (row.route, row.body_digest) == (one.route, one.digest)
            found[place] = Answered(row.status or 0, row.body or "") if is_same else KeyReused()
        return found


def _answer_to(one: Request, first: Request, outcome: Answered | Exception) -> Answered | Exception:
    """Of several with the same key, the later ones get the answer of the first."""
    return outcome if (one.route, one.digest) == (first.route, first.digest) else KeyReused()


async def _write(kept: Mapping[UUID, Answered], now: datetime) -> None:
    """The answers, in one statement where the engine has one for it."""
    connection, fields = IdempotentAnswer._meta.db, IdempotentAnswer._meta.fields_map
    rows: list[tuple[Any, ...]] = [
        (
            fields["id"].to_db_value(own, IdempotentAnswer),
            answer.status,
            fields["body"].to_db_value(answer.body, IdempotentAnswer),
        )
        for own, answer in kept.items()
    ]
    moment = fields["updated_at"].to_db_value(now, IdempotentAnswer)
    if connection.capabilities.dialect == "postgres":
        await connection.execute_query(_WRITE_POSTGRES, [*map(list, zip(*rows, strict=True)), moment])
    else:
        await connection.execute_many(_WRITE_SQLITE, [[status, body, moment, own] for own, status, body in rows])


class _Taken(Exception):
    """The key has a row, here or elsewhere."""
