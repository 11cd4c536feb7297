"""What a person is in the middle of: the dialogue, its step, the answers given so far."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.storage.context import current_keys
from bot.storage.encryption import Undecipherable

KEPT_FOR = timedelta(minutes=30)
"""How long an unfinished dialogue waits for its next answer."""

# Where the value lives, as the encryption of a database column names it.
_PLACE = "redis.session"


@dataclass(frozen=True, slots=True)
class Session:
    """A person's place in a dialogue. In none, `dialogue` is "".

    `answers` holds what the dialogue needs later, nothing more. `version` counts changes: a change that was
    committed but not saved is applied again only to the version it was made from.
    """

    dialogue: str = ""
    step: str = ""
    answers: Mapping[str, str] = field(default_factory=dict, hash=False)
    expires_at: datetime | None = None
    version: int = 0

    @property
    def is_idle(self) -> bool:
        """True when the person is in no dialogue."""
        return not self.dialogue

    def at(self, now: datetime) -> Session:
        """The session as of `now`: a dialogue that was left alone too long is over."""
        if self.expires_at is not None and self.expires_at <= now:
            return replace(IDLE, version=self.version)
        return self

    def entered(self, dialogue: str, step: str, answers: Mapping[str, str], now: datetime) -> Session:
        """The session after moving to a step."""
        return Session(dialogue, step, dict(answers), now + KEPT_FOR, self.version + 1)

    def left(self) -> Session:
        """The session after the dialogue has ended."""
        return Session(version=self.version + 1)


IDLE = Session()


def to_plain(session: Session) -> list[object]:
    """The session as values that JSON knows."""
    expires = session.expires_at.timestamp() if session.expires_at else None
    return [session.dialogue, session.step, dict(session.answers), expires, session.version]


def from_plain(values: Sequence[Any]) -> Session:
    """The session again. Raises ValueError or TypeError for values that were none."""
    dialogue, step, answers, expires, version = values
    expires_at = None if expires is None else datetime.fromtimestamp(expires, UTC)
    return Session(str(dialogue), str(step), dict(answers), expires_at, int(version))


def to_stored(session: Session) -> bytes:
    """The session as kept in Redis, encrypted: answers are what a person wrote."""
    return current_keys().encrypt(json.dumps(to_plain(session), ensure_ascii=False), _PLACE)


def from_stored(stored: bytes) -> Session:
    """The session; one that can no longer be read (its key is gone, its form is old) is an idle one."""
    try:
        return from_plain(json.loads(current_keys().decrypt(stored, _PLACE)))
    except (Undecipherable, ValueError, TypeError):
        return IDLE
