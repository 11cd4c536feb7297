"""What was erased, as backups and the capability that keeps the list both know it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

# The table of that list: ids, kinds and moments, no values.
ERASURES: Final = "consent_erasure"


@dataclass(frozen=True, slots=True)
class ErasureNote:
    """Something was erased: of which kind, whose, and when."""

    kind: str
    subject_id: str
    done_at: datetime


Replay: TypeAlias = Callable[[Sequence[ErasureNote]], Awaitable[object]]
"""Erases it all again and notes it in the list, in the caller's transaction. Twice does no harm."""
