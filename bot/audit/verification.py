"""Checks the chain from its first seal to its last, while it grows: what is broken, what is missing, and whether that
is explained."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from bot.audit.chain import GENESIS, Head, digest_of
from bot.audit.models import AuditGap, AuditRow, AuditSeal
from bot.audit.reading import entries, head

CHUNK: Final = 2000
_LOOKS: Final = 3

Progress = Callable[[int, int], None]
"""Told how many seals are checked, of how many."""


class Fault(StrEnum):
    """How a link can be broken."""

    ENTRY_CHANGED = "entry_changed"
    ENTRY_REMOVED = "entry_removed"
    SEAL_CHANGED = "seal_changed"
    SEAL_REMOVED = "seal_removed"
    REORDERED = "reordered"
    END_REMOVED = "end_removed"
    """The chain is shorter than it once was."""
    REWRITTEN = "rewritten"
    """The chain holds in itself, and is another than it once was."""


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first link that does not hold: the number of its seal, and the entry it should cover if that is known."""

    fault: Fault
    number: int
    entry_id: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers of entries, both ends included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many numbers."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `noted` are missing numbers the sealer met (rolled back, or still to come), `unexplained` those
    it did not: something was taken out together with its note."""

    sealed: int
    head: Head | None
    unsealed: int
    oldest_unsealed: datetime | None
    broken: BrokenLink | None
    noted: Sequence[Span]
    unexplained: Sequence[Span]

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against it."""
        return self.broken is None and not self.unexplained


async def verify(heads: Sequence[Head] = (), progress: Progress | None = None) -> Verification:
    """Reads the whole chain, holding nothing up. `heads` are known from elsewhere: the chain must lead through them.

    Raises DatabaseAway.
    """
    end = await head()
    broken = await _first_broken(end.number if end else 0, heads, progress)
    noted, unexplained = await _gaps()
    unsealed, oldest = await _unsealed()
    return Verification(end.number if end else 0, end, unsealed, oldest, broken, noted, unexplained)


# --------------------------------------------------------------------------------------------------------- the chain
@dataclass(frozen=True, slots=True)
class _Seal:
    number: int
    entry_id: int
    digest: str


async def _seals(end: int) -> AsyncIterator[list[_Seal]]:
    """All seals up to a number, by chunks. They are never changed, so no transaction need hold them together."""
    last = 0
    while True:
        rows = AuditSeal.filter(number__gt=last, number__lte=end).order_by("number").limit(CHUNK)
        chunk = [_Seal(*row) for row in await rows.values_list("number", "entry_id", "digest")]
        if not chunk:
            return
        yield chunk
        last = chunk[-1].number


async def _first_broken(end: int, heads: Sequence[Head], progress: Progress | None) -> BrokenLink | None:
    known = {known.number: known.digest for known in heads}
    number, digest = 0, GENESIS
    async for chunk in _seals(end):
        rows = await entries([seal.entry_id for seal in chunk])
        for place, seal in enumerate(chunk):
            if seal.number != number + 1:
                return BrokenLink(Fault.SEAL_REMOVED, number + 1)
            row = rows.get(seal.entry_id)
            if row is None:
                return BrokenLink(Fault.ENTRY_REMOVED, seal.number, seal.entry_id)
            if digest_of(digest, row) != seal.digest:
                fault = _fault_of(digest, chunk[place:], rows)
                return BrokenLink(fault, seal.number, seal.entry_id)
            if known.get(seal.number, seal.digest) != seal.digest:
                return BrokenLink(Fault.REWRITTEN, seal.number, seal.entry_id)
            number, digest = seal.number, seal.digest
        if progress is not None:
            progress(number, end)
    lost = [known.number for known in heads if known.number > end]
    return BrokenLink(Fault.END_REMOVED, end + 1) if lost else None


def _fault_of(before: str, seals: Sequence[_Seal], rows: dict[int, dict[str, Any]]) -> Fault:
    """What is wrong with the first of the seals, judged by what fits instead."""
    seal, following = seals[0], seals[1:2]
    fitting = {digest_of(before, row) for row in rows.values()}
    if any(known.digest in fitting for known in seals):
        return Fault.REORDERED
    next_row = rows.get(following[0].entry_id) if following else None
    if next_row is not None and digest_of(seal.digest, next_row) == following[0].digest:
        return Fault.ENTRY_CHANGED
    own = digest_of(before, rows[seal.entry_id])
    if next_row is not None and digest_of(own, next_row) == following[0].digest:
        return Fault.SEAL_CHANGED
    return Fault.ENTRY_CHANGED


# -------------------------------------------------------------------------------------------------- missing numbers
async def _gaps() -> tuple[list[Span], list[Span]]:
    """Missing numbers below the last sealed one: noted by the sealer, and not noted.

    A gap may close between two statements; what is unexplained is looked at again before it is told.
    """
    noted: list[Span] = []
    unexplained: list[Span] = []
    for _ in range(_LOOKS):
        holes = await _holes()
        noted = [Span(*row) for row in await AuditGap.all().order_by("from_id").values_list("from_id", "to_id")]
        unexplained = [piece for hole in holes for piece in _without(hole, noted)]
        if not unexplained:
            break
    return noted, unexplained


async def _holes() -> list[Span]:
    query = (
        "SELECT before, entry_id FROM (SELECT entry_id, LAG(entry_id, 1, 0) OVER (ORDER BY entry_id) AS before"
        " FROM audit_seal) AS seals WHERE entry_id > before + 1 ORDER BY entry_id"
    )
    rows = await AuditSeal._choose_db().execute_query_dict(query)
    return [Span(row["before"] + 1, row["entry_id"] - 1) for row in rows]


def _without(hole: Span, noted: Sequence[Span]) -> list[Span]:
    """What of the hole no note covers. The notes are in order and do not overlap."""
    pieces, start = [], hole.first
    for place in range(bisect_left(noted, start, key=_last), len(noted)):
        note = noted[place]
        if note.first > hole.last:
            break
        if note.first > start:
            pieces.append(Span(start, note.first - 1))
        start = note.last + 1
    if start <= hole.last:
        pieces.append(Span(start, hole.last))
    return pieces


def _last(span: Span) -> int:
    return span.last


async def _unsealed() -> tuple[int, datetime | None]:
    query = (
        "SELECT COUNT(*) AS number, MIN(e.id) AS first FROM audit_entry e"
        " LEFT JOIN audit_seal s ON s.entry_id = e.id WHERE s.entry_id IS NULL"
    )
    found = (await AuditSeal._choose_db().execute_query_dict(query))[0]
    oldest = await AuditRow.filter(id=found["first"]).values_list("at", flat=True) if found["first"] else []
    return found["number"], oldest[0] if oldest else None  # type: ignore[return-value] # typed as a tuple upstream
