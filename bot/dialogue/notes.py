"""What one message leaves for the next: a short text, encrypted, with the moment it was noted."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.storage.context import current_keys
from bot.storage.encryption import Undecipherable

NOTE_KEPT_FOR = timedelta(minutes=10)

_PLACE = "redis.note"
_KEPT_S = NOTE_KEPT_FOR.total_seconds()


def sealed_note(text: str, now: datetime) -> bytes:
    """The note as it is kept."""
    return b"%d|%b" % (int(now.timestamp()), current_keys().encrypt(text, _PLACE))


def read_note(stored: bytes, now: datetime) -> str | None:
    """The note; None when it is too old, or cannot be read any more."""
    moment, _, sealed = stored.partition(b"|")
    try:
        if now.timestamp() - int(moment) >= _KEPT_S:
            return None
        return current_keys().decrypt(sealed, _PLACE)
    except (Undecipherable, ValueError):
        return None
