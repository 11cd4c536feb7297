"""The chain over the audit: what is hashed and how. Pure.

The digest of a seal covers the digest of the seal before it and the whole entry, so no entry can be changed, removed or
moved without every later digest changing too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

# The digest before the first.
GENESIS: Final = "0" * 64
_GROUP: Final = 8
_encode: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def canonical(row: Mapping[str, Any]) -> bytes:
    """An entry by column as the same bytes on every engine. A column without a value is left out, so that one added
    later changes no old digest."""
    values = {
        key: _plain(value) if isinstance(value, datetime) else value for key, value in row.items() if value is not None
    }
    return _encode(values).encode()


def _plain(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def digest_of(previous: str, row: Mapping[str, Any]) -> str:
    """The digest of an entry that follows the one with the digest `previous`: 64 hexadecimal characters."""
    return hashlib.sha256(previous.encode() + b"\n" + canonical(row)).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain reached at some moment. Kept outside the database, it shows when the end is cut off."""

    number: int
    digest: str

    def __str__(self) -> str:
        """`number:digest`, in groups: a digest has runs of digits, which logs would take for somebody's number."""
        groups = [self.digest[start : start + _GROUP] for start in range(0, len(self.digest), _GROUP)]
        return f"{self.number}:{'.'.join(groups)}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Of `number:digest`, dots or not. Raises ValueError."""
        number, _, digest = text.strip().partition(":")
        digest = digest.replace(".", "").lower()
        if len(bytes.fromhex(digest)) != hashlib.sha256().digest_size:
            raise ValueError(f"not a digest: {digest}")
        return cls(int(number), digest)
