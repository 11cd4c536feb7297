"""What the chat keeps for a while about a person and a message, in Redis, behind one combined read per message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.dialogue import session as sessions
from bot.dialogue.notes import NOTE_KEPT_FOR, sealed_note
from bot.dialogue.session import Session
from bot.storage import redis_keys
from bot.storage.context import current_keys
from bot.storage.encryption import Undecipherable
from bot.storage.redis import RedisStore
from bot.wechat.errors import MalformedMessage
from bot.wechat.replies import Reply, from_stored, to_stored

REPLY_KEPT_FOR = timedelta(minutes=30)
"""Longer than the callback's freshness window, outside which a repetition is refused."""

SESSION_KEPT_FOR = timedelta(hours=2)
PROFILE_KEPT_FOR = timedelta(minutes=20)
LOCK_LIFE = timedelta(seconds=20)
LOCK_WAIT = timedelta(seconds=3)

_PROFILE_PLACE = "redis.profile"
# Most people never say where they are: their profile needs no opening.
_NOTHING_KNOWN = b"-"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known when a message arrives. `profile` is None when it has to be loaded."""

    session: Session
    reply: Reply | None = None
    profile: Mapping[str, str] | None = None
    note: bytes | None = None


class ChatStore:
    """Sessions, remembered replies, cached profiles, notes. Everything raises Unavailable when Redis is away."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    async def read(self, openid_index: str, dedupe_key: str, now: datetime) -> Snapshot:
        """All of it, in one round trip shared with whoever reads at the same moment."""
        reply, session, profile, note = await self._store.read_many(
            (
                redis_keys.reply(dedupe_key),
                redis_keys.session(openid_index),
                redis_keys.profile(openid_index),
                redis_keys.frame(openid_index),
            )
        )
        return Snapshot(
            session=sessions.IDLE if session is None else sessions.from_stored(session).at(now),
            reply=None if reply is None else _reply(reply),
            profile=None if profile is None else _profile(profile),
            note=note,
        )

    async def finish(
        self,
        openid_index: str,
        dedupe_key: str,
        reply: Reply,
        *,
        session: Session | None,
        profile: Mapping[str, str] | None,
    ) -> None:
        """Saves what an effect came to, all or none: the reply for repetitions, session and profile if not None."""
        writes = [(redis_keys.reply(dedupe_key), _sealed_reply(reply), REPLY_KEPT_FOR)]
        if session is not None:
            writes.append((redis_keys.session(openid_index), sessions.to_stored(session), SESSION_KEPT_FOR))
        if profile is not None:
            writes.append((redis_keys.profile(openid_index), _sealed_profile(profile), PROFILE_KEPT_FOR))
        await self._store.set_many(writes)

    def keep_profile(self, openid_index: str, profile: Mapping[str, str]) -> None:
        """Caches a profile that was loaded."""
        self._store.write_behind(redis_keys.profile(openid_index), _sealed_profile(profile), PROFILE_KEPT_FOR)

    def keep_note(self, openid_index: str, text: str, now: datetime) -> None:
        """Keeps a note for the next message."""
        self._store.write_behind(redis_keys.frame(openid_index), sealed_note(text, now), NOTE_KEPT_FOR)

    async def forget_profile(self, openid_index: str) -> None:
        """Has the profile loaded anew for the person's next message."""
        await self._store.delete(redis_keys.profile(openid_index))

    async def erase(self, openid_index: str) -> None:
        """Forgets everything kept about a person."""
        await self._store.delete(
            redis_keys.session(openid_index),
            redis_keys.profile(openid_index),
            redis_keys.frame(openid_index),
        )

    def lock(self, openid_index: str) -> AbstractAsyncContextManager[None]:
        """Held while something the person sent is changing something. Raises LockBusy."""
        return self._store.lock(redis_keys.person_lock(openid_index), LOCK_LIFE, wait=LOCK_WAIT)


def _reply(stored: bytes) -> Reply | None:
    try:
        return from_stored(current_keys().decrypt(stored, "redis.reply").encode())
    except (Undecipherable, MalformedMessage):
        return None


def _sealed_reply(reply: Reply) -> bytes:
    return current_keys().encrypt(to_stored(reply).decode(), "redis.reply")


def _profile(stored: bytes) -> Mapping[str, str] | None:
    if stored == _NOTHING_KNOWN:
        return {}
    try:
        profile: dict[str, str] = json.loads(current_keys().decrypt(stored, _PROFILE_PLACE))
    except (Undecipherable, ValueError):
        return None
    return profile


def _sealed_profile(profile: Mapping[str, str]) -> bytes:
    if not profile:
        return _NOTHING_KNOWN
    return current_keys().encrypt(json.dumps(dict(profile), ensure_ascii=False), _PROFILE_PLACE)
