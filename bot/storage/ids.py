"""Ids in great numbers: a row that is written with hundreds of others needs several, and Python's own UUID takes longer
to be made, read and written out than the rest of the row.

The driver of PostgreSQL brings a UUID in C, which is one of Python's, equal to it and hashed like it. What is read from
PostgreSQL is one anyway. Where the driver is not loaded, because SQLite is used, Python's own does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final
from uuid import UUID

_BYTES: Final = 16
_DRIVER: Final = "asyncpg.pgproto.pgproto"


def id_of(text: str) -> UUID | None:
    """The id a text is, None when it is none."""
    try:
        return (_fast() or UUID)(text)
    except ValueError:
        return None


def new_ids(count: int) -> list[UUID]:
    """Made-up ids, as `uuid4` makes them one by one."""
    chance, fast = os.urandom(_BYTES * count), _fast()
    made = [_made_up(chance[start : start + _BYTES]) for start in range(0, len(chance), _BYTES)]
    return [fast(own) if fast else UUID(bytes=own) for own in made]


def _fast() -> Callable[[str | bytes], UUID] | None:
    return getattr(sys.modules.get(_DRIVER), "UUID", None)


def _made_up(chance: bytes) -> bytes:
    """With the marks of the fourth kind of ids."""
    own = bytearray(chance)
    own[6] = own[6] & 0x0F | 0x40
    own[8] = own[8] & 0x3F | 0x80
    return bytes(own)
