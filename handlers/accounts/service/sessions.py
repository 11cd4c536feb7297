"""Who is logged in: at the mini-program's API with a token, in the console with a cookie.

The secret is known to its client alone; kept is a fingerprint under the session key. A session renews itself while it
is used, with at most one write an hour.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from tortoise.expressions import Q

from bot.clock import Clock, local_date
from bot.errors import NotAuthenticated, NotFound
from bot.identity import Actor, Door, Hat
from bot.rights import Action, require
from bot.storage.base import BLIND_INDEX_LENGTH
from bot.storage.combined import Combined
from bot.storage.database import transaction
from handlers.accounts.domain import PRIVACY_VERSION, SessionKind
from handlers.accounts.models import Session
from handlers.accounts.service.identity import Way, found_in, rows_of

SECRET_BYTES: Final = 32
_DIGEST_BYTES: Final = BLIND_INDEX_LENGTH * 3 // 4
_KEPT_AFTER_END: Final = timedelta(days=30)
_DOORS: Final[Mapping[SessionKind, Door]] = {SessionKind.API: Door.API, SessionKind.CONSOLE: Door.CONSOLE}


@dataclass(frozen=True, slots=True)
class _Term:
    """How long a session lasts without being used, and how often its use is written down."""

    life: timedelta
    renewed_after: timedelta


TERMS: Final[Mapping[SessionKind, _Term]] = {
    SessionKind.API: _Term(timedelta(days=30), timedelta(hours=1)),
    SessionKind.CONSOLE: _Term(timedelta(hours=8), timedelta(minutes=10)),
}

# Whose session it is, for the statement that finds out everything else; what only sessions have comes as `extra`.
_SEPARATOR: Final = "|"
_EXTRA: Final = f" || '{_SEPARATOR}' || ".join(
    (
        "CAST(s.id AS TEXT)",
        "CAST(s.expires_at AS TEXT)",
        "CAST(s.seen_at AS TEXT)",
        "COALESCE(i.openid_index, '')",
        "COALESCE(i.privacy_version, '')",
    )
)
_SESSIONS: Final = (
    "SELECT s.secret_index AS key, COALESCE(i.person_id, s.person_id) AS person_id, i.id AS identity_id,"  # noqa: S608
    f" COALESCE(s.hat, i.hat) AS hat, {_EXTRA} AS extra"
    " FROM accounts_session s LEFT JOIN accounts_identity i ON i.id = s.identity_id"
    " WHERE s.revoked_at IS NULL AND s.kind = {1} AND "
)
_BY_SECRET: Final = _SESSIONS + "s.secret_index = {0}"
_BY_SECRETS: Final[Mapping[str, str]] = {
    "postgres": _SESSIONS + "s.secret_index = ANY({0}::text[])",
    "sqlite": _SESSIONS + "s.secret_index IN (SELECT value FROM json_each({0}))",  # noqa: S608 - a placeholder
}
_BY_ID: Final = _SESSIONS + "s.id = {0}"


class SessionEnded(NotAuthenticated):
    """No session with this secret, or it ran out or was ended."""

    code = "session_ended"
    default_message = "登录已经过期，请重新登录。"


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session. `secret` is told once, here."""

    id: str
    secret: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its owner sees it. `is_current`: the one they look with."""

    id: str
    kind: SessionKind
    device: str
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_current: bool


class SessionService:
    """Opens, recognises and ends sessions."""

    def __init__(self, clock: Clock, session_key: bytes) -> None:
        self._clock = clock
        self._key = session_key
        self._found = Combined(self._rows_of_secrets)

    async def open_api(self, identity_id: UUID | str, *, device: str = "") -> Opened:
        """Somebody proved to own a WeChat id. In the caller's transaction."""
        return await self._open(SessionKind.API, identity_id=identity_id, device=device)

    async def open_console(
        self, person_id: UUID | str, *, identity_id: UUID | str | None = None, device: str = ""
    ) -> Opened:
        """Somebody on the staff proved who they are. In the caller's transaction."""
        return await self._open(SessionKind.CONSOLE, person_id=person_id, identity_id=identity_id, device=device)

    async def authenticate(self, secret: str) -> Actor:
        """Who owns an API session. Raises SessionEnded."""
        key = self._fingerprint(secret)
        rows = (await self._found.find((key,))).get(key, ())
        return await self._owner_in(rows, SessionKind.API)

    async def authenticate_console(self, secret: str) -> Actor:
        """Who owns a console session: always as staff. Raises SessionEnded."""
        return await self._owner(_BY_SECRET, self._fingerprint(secret), SessionKind.CONSOLE)

    async def refreshed(self, actor: Actor) -> Actor:
        """The owner of the actor's session as they are now, in this transaction: after a binding, say. Raises
        SessionEnded."""
        if actor.session_id is None:
            raise SessionEnded
        kind = SessionKind.CONSOLE if actor.door is Door.CONSOLE else SessionKind.API
        return await self._owner(_BY_ID, UUID(actor.session_id), kind)

    async def expiry(self, actor: Actor) -> datetime:
        """When the actor's own session ends unless it is used. Raises SessionEnded."""
        session = await Session.get_or_none(id=actor.session_id) if actor.session_id else None
        if session is None:
            raise SessionEnded
        return session.expires_at

    async def sessions(self, actor: Actor) -> Sequence[SessionView]:
        """The actor's own open sessions, the last used first."""
        rows = Session.filter(self._own(actor), revoked_at=None, expires_at__gt=self._clock.now())
        return [
            SessionView(
                id=str(row.id),
                kind=row.kind,
                device=row.device,
                opened_at=row.created_at,
                seen_at=row.seen_at,
                expires_at=row.expires_at,
                is_current=str(row.id) == actor.session_id,
            )
            for row in await rows.order_by("-seen_at", "id")
        ]

    async def revoke(self, actor: Actor, session_id: str) -> None:
        """Ends one of the actor's own sessions; one that has ended stays so. Raises NotFound."""
        own = Session.filter(self._own(actor), id=session_id)
        if not await own.exists():
            raise NotFound
        await self._end(Q(id=session_id))

    async def revoke_all(
        self,
        *,
        person_id: UUID | str | None = None,
        identity_id: UUID | str | None = None,
        kind: SessionKind | None = None,
        but: str | None = None,
    ) -> int:
        """Ends every session of a person or of a WeChat id (but one), for a lost phone, an unbinding, a new password;
        says how many. In the caller's transaction."""
        whose = [Q(identity_id=identity_id)] if identity_id else []
        whose += [Q(person_id=person_id), Q(identity__person_id=person_id)] if person_id else []
        if not whose:
            return 0
        chosen = Q(*whose, join_type=Q.OR)
        chosen &= Q(kind=kind) if kind else Q()
        return await self._end(chosen & ~Q(id=but) if but else chosen)

    async def forget_ended(self) -> int:
        """Deletes sessions that ended a month ago; says how many."""
        long_ago = self._clock.now() - _KEPT_AFTER_END
        return await Session.filter(Q(expires_at__lt=long_ago) | Q(revoked_at__lt=long_ago)).delete()

    # ------------------------------------------------------------------------------------------------------- inside
    async def _open(
        self,
        kind: SessionKind,
        *,
        identity_id: UUID | str | None = None,
        person_id: UUID | str | None = None,
        device: str,
    ) -> Opened:
        now, secret = self._clock.now(), secrets.token_urlsafe(SECRET_BYTES)
        row = await Session.create(
            kind=kind,
            secret_index=self._fingerprint(secret),
            identity_id=identity_id,
            person_id=person_id,
            device=device,
            expires_at=now + TERMS[kind].life,
            seen_at=now,
            created_at=now,
            updated_at=now,
        )
        return Opened(str(row.id), secret, row.expires_at)

    async def _owner(self, source: str, key: str | UUID, kind: SessionKind) -> Actor:
        return await self._owner_in(await rows_of(source, [key, kind.value], local_date(self._clock.now())), kind)

    async def _rows_of_secrets(self, keys: Collection[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Those of all API sessions with these fingerprints, by fingerprint."""
        engine = Session._meta.db.capabilities.dialect
        wanted: Any = list(keys) if engine == "postgres" else json.dumps(list(keys))
        values = [wanted, SessionKind.API.value]
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in await rows_of(_BY_SECRETS[engine], values, local_date(self._clock.now())):
            found.setdefault(row["key"], []).append(row)
        return found

    async def _owner_in(self, rows: Sequence[Mapping[str, Any]], kind: SessionKind) -> Actor:
        now = self._clock.now()
        found = found_in(_as_staff(rows) if kind is SessionKind.CONSOLE else rows)
        if found is None or found.extra is None:
            raise SessionEnded
        session_id, expires_at, seen_at, openid_index, privacy_version = found.extra.split(_SEPARATOR)
        if datetime.fromisoformat(expires_at) <= now:
            raise SessionEnded
        if now - datetime.fromisoformat(seen_at) >= TERMS[kind].renewed_after:
            await self._renew(session_id, kind, now)
        way = Way(openid_index or None, _DOORS[kind], session_id, has_agreed=privacy_version == PRIVACY_VERSION)
        return found.actor(way)

    async def _renew(self, session_id: str, kind: SessionKind, now: datetime) -> None:
        open_session = Session.filter(id=session_id, revoked_at=None)
        await open_session.update(seen_at=now, expires_at=now + TERMS[kind].life, updated_at=now)

    async def _end(self, chosen: Q) -> int:
        now = self._clock.now()
        async with transaction():
            ids = await Session.filter(chosen, revoked_at=None).values_list("id", flat=True)
            return await Session.filter(id__in=list(ids)).update(revoked_at=now, updated_at=now) if ids else 0

    def _own(self, actor: Actor) -> Q:
        require(actor, Action.SESSION_MANAGE)
        if actor.person_id is not None:
            return Q(person_id=actor.person_id) | Q(identity__person_id=actor.person_id)
        # A stranger's id alone: there may be nobody behind it yet.
        return Q(identity_id=actor.identity_id) if actor.identity_id else Q(id=actor.session_id)

    def _fingerprint(self, secret: str) -> str:
        digest = hmac.digest(self._key, b"session\0" + secret.encode(errors="replace"), "sha256")
        return base64.urlsafe_b64encode(digest[:_DIGEST_BYTES]).decode("ascii")


def _as_staff(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """In the console nobody acts as a guardian."""
    for row in rows:
        yield {**row, "c": Hat.STAFF} if row["part"] == "who" else row
