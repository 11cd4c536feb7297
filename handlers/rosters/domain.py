"""Kinds and states of imports, and what can be said about a row of a sheet. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput, LimitReached, Unreadable
from handlers.rosters import texts


class ImportState(StrEnum):
    """How far an import has come."""

    READ = "read"
    FAULTY = "faulty"
    READY = "ready"
    APPLIED = "applied"
    UNDONE = "undone"
    DISCARDED = "discarded"


class ImportEvent(StrEnum):
    """What happens to an import."""

    FOUND_GOOD = "found_good"
    FOUND_FAULTY = "found_faulty"
    APPLY = "apply"
    UNDO = "undo"
    DISCARD = "discard"


_MOVES: Final[Mapping[tuple[ImportState, ImportEvent], ImportState]] = {
    (ImportState.READ, ImportEvent.FOUND_GOOD): ImportState.READY,
    (ImportState.READ, ImportEvent.FOUND_FAULTY): ImportState.FAULTY,
    (ImportState.READY, ImportEvent.APPLY): ImportState.APPLIED,
    (ImportState.APPLIED, ImportEvent.UNDO): ImportState.UNDONE,
    (ImportState.READ, ImportEvent.DISCARD): ImportState.DISCARDED,
    (ImportState.FAULTY, ImportEvent.DISCARD): ImportState.DISCARDED,
    (ImportState.READY, ImportEvent.DISCARD): ImportState.DISCARDED,
}


class RosterKind(StrEnum):
    """What the sheet lists."""

    PUPILS = "pupils"
    STAFF = "staff"


class Coverage(StrEnum):
    """Of what the sheet is the whole list: who is enrolled there and not in it would vanish."""

    CLASSES = "classes"
    SCHOOLS = "schools"


class RowState(StrEnum):
    """What applying would do with one row, or why it cannot."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    FAULTY = "faulty"
    VANISHING = "vanishing"


class ExportPurpose(StrEnum):
    """What an export is made for: printed on it, and kept in the audit."""

    CHECK = "check"
    REPORT = "report"
    PRINT = "print"
    REIMPORT = "reimport"


# ------------------------------------------------------------------------------------------------------------- errors
class FileTooLarge(LimitReached):
    """More bytes or rows than are read."""

    code = "file_too_large"
    default_message = texts.FILE_TOO_LARGE


class NoWorkbook(Unreadable):
    """No .xlsx workbook, a damaged one, or one that is a trap."""

    code = "no_workbook"
    default_message = texts.NO_WORKBOOK


class NoSuchColumns(InvalidInput):
    """A sheet without the columns that are needed."""

    code = "columns_missing"
    default_message = texts.NO_COLUMNS


class NoRows(InvalidInput):
    """A sheet with a head and nothing under it."""

    code = "no_rows"
    default_message = texts.NO_ROWS


class MoveNotAllowed(Conflict):
    """The import is not in a state in which this can be done."""

    code = "import_state"
    default_message = texts.MOVE_NOT_ALLOWED


class StillRunning(Conflict):
    """Something is being done with the import just now."""

    code = "import_running"
    default_message = texts.STILL_RUNNING


class BaseChanged(Conflict):
    """What the dry run was made against is not what is there now."""

    code = "base_changed"
    default_message = texts.BASE_CHANGED


class ConflictsLeft(Conflict):
    """Rows contradict what is there, and nobody said to leave them out."""

    code = "conflicts_left"
    default_message = texts.CONFLICTS_LEFT


class LaterDepends(Conflict):
    """Something later rests on what the import made; `details` counts it by kind."""

    code = "later_depends"
    default_message = texts.LATER_DEPENDS


def advance(current: ImportState, event: ImportEvent) -> ImportState:
    """The next state. Raises MoveNotAllowed."""
    following = _MOVES.get((current, event))
    if following is None:
        raise MoveNotAllowed(details={"state": current.value, "event": event.value})
    return following


# --------------------------------------------------------------------------------------------------------------- rows
@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a row; `column` is the head of the cell it is about, "" for the whole row."""

    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that would change, in words. Numbers that identify are masked when shown, not here."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowReport:
    """What is to be said about one row of the sheet, or about one pupil who is not in it.

    `row` is its number in the sheet as the program shows it (from 1), 0 for one who would vanish, who is named by
    `subject_id`.
    """

    row: int
    state: RowState
    name: str
    place: str
    faults: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    differences: tuple[Difference, ...] = ()
    subject_id: str | None = None


Cell = str | float
"""What stood in a cell: text, or a number that Excel kept as one. A date is text, `2017-05-06`."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as it was read: its head, and the rows under it with their numbers (from 1)."""

    head: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are of each state, and what else would be made."""

    by_state: Mapping[str, int]
    warnings: int = 0
    new_classes: tuple[str, ...] = ()

    def of(self, state: RowState) -> int:
        """How many are in the state."""
        return self.by_state.get(state.value, 0)
