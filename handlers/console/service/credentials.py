"""Names and passwords: checking them in two steps, locking after failures, setting them anew."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock
from bot.identity import SYSTEM, VISITOR, Actor, Door
from bot.rights import Action, require
from bot.storage.base import blind_index
from bot.storage.database import transaction
from handlers.accounts.domain import SessionKind
from handlers.accounts.service.sessions import SessionService
from handlers.console.domain import (
    STEP_LIFE,
    LoginRefused,
    LoginTaken,
    StepOver,
    check_password,
    checked_login,
    locked_after,
    matching_step,
    new_totp_secret,
    totp_address,
)
from handlers.console.models import Credential

# As OWASP advises; little memory each, because several may log in at once on a small machine.
_COST: Final[dict[str, Any]] = {"time_cost": 2, "memory_cost": 19_456, "parallelism": 1}
_AT_ONCE: Final = 4
_VISITOR: Final = Actor(roles=VISITOR.roles, door=Door.CONSOLE)


@dataclass(frozen=True, slots=True)
class Setup:
    """What an authenticator is set up with: the secret to type, and what its QR code says."""

    secret: str
    address: str


@dataclass(frozen=True, slots=True)
class OwnCredential:
    """How somebody logs in; `has_code` once their authenticator was set up."""

    login: str
    has_code: bool
    must_change: bool


class CredentialService:
    """Passwords and codes of the staff. Hashing is slow on purpose and runs in threads, a few at a time."""

    def __init__(self, clock: Clock, audit: Audit, sessions: SessionService) -> None:
        self._clock = clock
        self._audit = audit
        self._sessions = sessions
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._nobody = ""

    # ------------------------------------------------------------------------------------------------------ logging in
    async def check_password(self, login: str, password: str, *, browser: str) -> str:
        """The first step: gives what the second must show. Raises LoginRefused; takes as long for an unknown name."""
        credential = await Credential.get_or_none(login=login.strip().lower())
        is_right = await self._verify(credential.password if credential else await self._dummy(), password)
        if credential is None:
            raise LoginRefused
        await self._count(credential.id, is_right=is_right, at=self._clock.now())
        return self._sealed(credential.id, browser)

    async def setup_of(self, step: str, *, browser: str) -> Setup | None:
        """What to set an authenticator up with, None for somebody who has one. Raises StepOver."""
        credential = await self._of_step(step, browser)
        return await self._setup(credential)

    async def check_code(self, step: str, code: str, *, browser: str) -> UUID:
        """The second step: whose log-in it is. Each code counts once. Raises LoginRefused, StepOver."""
        credential = await self._of_step(step, browser)
        async with transaction():
            row = await Credential.select_for_update().get(id=credential.id)
            person = await self._take_code(row, code)
        if person is None:
            raise LoginRefused
        return person

    async def _take_code(self, row: Credential, code: str) -> UUID | None:
        now = self._clock.now()
        if row.locked_until is not None and row.locked_until > now:
            return None
        step = matching_step(row.totp_secret, code, now, row.totp_last_step) if row.totp_secret else None
        if step is None:
            await self._fail(row, now)
            return None
        row.failures, row.locked_until, row.totp_last_step = 0, None, step
        row.totp_confirmed_at = row.totp_confirmed_at or now
        row.updated_at = now
        await row.save()
        return row.person_id

    async def _count(self, credential_id: UUID, *, is_right: bool, at: datetime) -> None:
        async with transaction():
            row = await Credential.select_for_update().get(id=credential_id)
            is_locked = row.locked_until is not None and row.locked_until > at
            if not is_right and not is_locked:
                await self._fail(row, at)
        if is_locked or not is_right:
            raise LoginRefused

    async def _fail(self, row: Credential, at: datetime) -> None:
        """One more failure; with the last the lock falls and the count begins anew."""
        row.failures += 1
        locked = locked_after(row.failures, at)
        if locked is not None:
            row.failures, row.locked_until = 0, locked
        row.updated_at = at
        await row.save()
        purpose = "locked" if locked is not None else "wrong"
        await self._audit.record(_VISITOR, Action.SESSION_OPEN, f"person:{row.person_id}", purpose=purpose)

    def _sealed(self, credential_id: UUID, browser: str) -> str:
        until = int((self._clock.now() + STEP_LIFE).timestamp())
        return f"{credential_id}.{until}.{_mark(str(credential_id), until, browser)}"

    async def _of_step(self, step: str, browser: str) -> Credential:
        credential_id, _, rest = step.partition(".")
        until, _, mark = rest.partition(".")
        if not until.isdecimal() or len(until) > 12:
            raise StepOver
        is_ours = hmac.compare_digest(mark.encode(), _mark(credential_id, int(until), browser).encode())
        if not is_ours or datetime.fromtimestamp(int(until), UTC) <= self._clock.now():
            raise StepOver
        credential = await Credential.get_or_none(id=credential_id)
        if credential is None:
            raise StepOver
        return credential

    async def _setup(self, credential: Credential) -> Setup | None:
        if credential.totp_confirmed_at is not None:
            return None
        if credential.totp_secret is None:
            credential.totp_secret = new_totp_secret()
            credential.updated_at = self._clock.now()
            # Two pages opened at once must show one secret.
            await Credential.filter(id=credential.id, totp_secret=None).update(totp_secret=credential.totp_secret)
            credential = await Credential.get(id=credential.id)
        assert credential.totp_secret is not None
        return Setup(credential.totp_secret, totp_address(credential.totp_secret, credential.login))

    # ------------------------------------------------------------------------------------------------------- one's own
    async def own(self, actor: Actor) -> OwnCredential | None:
        """How the actor logs in by password, None when they cannot."""
        require(actor, Action.SESSION_MANAGE)
        row = await Credential.get_or_none(person_id=actor.person_id) if actor.person_id else None
        return OwnCredential(row.login, row.totp_confirmed_at is not None, row.must_change) if row else None

    async def set_own(self, actor: Actor, login: str, password: str, *, proof: str) -> None:
        """Sets the actor's name and password, and the authenticator anew. Somebody who has them already proves it with
        the old password or a code. Raises BadLogin, WeakPassword, LoginTaken, LoginRefused."""
        require(actor, Action.SESSION_MANAGE)
        assert actor.person_id is not None
        person_id = UUID(actor.person_id)
        row = await Credential.get_or_none(person_id=person_id)
        if row is not None:
            await self._prove(row, proof)
        await self.put(person_id, login, password, by=actor)

    async def _prove(self, row: Credential, proof: str) -> None:
        fits = await self._verify(row.password, proof)
        async with transaction():
            row = await Credential.select_for_update().get(id=row.id)
            is_locked = row.locked_until is not None and row.locked_until > self._clock.now()
            is_right = not is_locked and (fits or await self._take_code(row, proof) is not None)
        if not is_right:
            raise LoginRefused

    async def owner(self, login: str) -> UUID | None:
        """Who logs in under the name, None when nobody does. For the command line."""
        row = await Credential.get_or_none(login=checked_login(login))
        return row.person_id if row else None

    async def put(
        self, person_id: UUID, login: str, password: str, *, by: Actor = SYSTEM, totp_secret: str | None = None
    ) -> None:
        """Sets somebody's name and password; the lock and the authenticator begin anew, and whoever else is logged in
        to the console as them must log in again. With `totp_secret` an authenticator is set up already. Raises
        BadLogin, WeakPassword, LoginTaken."""
        plain = checked_login(login)
        check_password(password, plain)
        digest = await self._hash(password)
        now = self._clock.now()
        fresh: dict[str, Any] = {
            "login": plain,
            "password": digest,
            "totp_secret": totp_secret,
            "totp_confirmed_at": now if totp_secret else None,
            "totp_last_step": None,
            "must_change": False,
            "failures": 0,
            "locked_until": None,
            "updated_at": now,
        }
        async with transaction():
            if await Credential.filter(login=plain).exclude(person_id=person_id).exists():
                raise LoginTaken
            row = await Credential.select_for_update().get_or_none(person_id=person_id)
            if row is None:
                await Credential.create(id=uuid4(), person_id=person_id, created_at=now, **fresh)
            else:
                await row.update_from_dict(fresh).save()
            await self._sessions.revoke_all(person_id=person_id, kind=SessionKind.CONSOLE, but=by.session_id)
            await self._audit.record(by, Action.SESSION_MANAGE, f"person:{person_id}", fields=["login", "password"])

    # --------------------------------------------------------------------------------------------------------- hashing
    async def _verify(self, digest: str, password: str) -> bool:
        async with self._slots:
            return await asyncio.to_thread(_fits, digest, password)

    async def _hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(_hashed, password)

    async def _dummy(self) -> str:
        self._nobody = self._nobody or await self._hash("nobody has this password")
        return self._nobody


def _hashed(password: str) -> str:
    from argon2 import PasswordHasher

    return PasswordHasher(**_COST).hash(password)


def _fits(digest: str, password: str) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import VerificationError

    try:
        return PasswordHasher(**_COST).verify(digest, password[:1024])
    except VerificationError:
        return False


def _mark(credential_id: str, until: int, browser: str) -> str:
    return blind_index("console.step", f"{credential_id}.{until}.{browser}")
