"""Taking back what a roster wrote, by the thousand: what depends on it is named first, then rows go or become what they
were. In the caller's transaction; whoever calls has checked the rights and writes the audit.

Of a row that was made only a fingerprint is kept: enough to see that nobody has changed it since.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from tortoise.models import Model

from bot.storage.base import EncryptedText
from handlers.accounts.models import (
    Appointment,
    Bar,
    BindingRequest,
    ClassHandOver,
    Guardianship,
    Invitation,
    Placement,
    Pupil,
    SchoolClass,
    Session,
    WeChatIdentity,
)
from handlers.accounts.service.bulk_rows import (
    aside,
    converted,
    delete_many,
    insert_many,
    plain_of,
    select,
    stored_of,
    update_many,
)
from handlers.accounts.service.rows import TABLES, RowChange, columns_of

SLICE: Final = 500
# What is called how when it stands in the way.
_KIND_OF_TABLE: Final[Mapping[str, str]] = {
    "class": "classes",
    "person": "people",
    "pupil": "pupils",
    "placement": "placements",
    "guardianship": "guardianships",
    "appointment": "appointments",
}
# Where a row that was made may be spoken of by something later, and what that is called.
_USES: Final[Mapping[str, Sequence[tuple[type[Model], str, str, str]]]] = {
    "class": (
        (Pupil, "school_class_id", "pupil", "classes"),
        (Placement, "school_class_id", "placement", "classes"),
        (Appointment, "school_class_id", "appointment", "appointments"),
        (ClassHandOver, "school_class_id", "", "classes"),
        (SchoolClass, "promoted_from_id", "class", "classes"),
        (BindingRequest, "class_id", "", "requests"),
    ),
    "person": (
        (Guardianship, "person_id", "guardianship", "guardianships"),
        (Appointment, "person_id", "appointment", "appointments"),
        (WeChatIdentity, "person_id", "", "identities"),
        (Session, "person_id", "", "identities"),
        (Bar, "person_id", "", "bars"),
        (Invitation, "person_id", "", "invitations"),
        (ClassHandOver, "to_person_id", "", "classes"),
        (ClassHandOver, "from_person_id", "", "classes"),
    ),
    "pupil": (
        (Placement, "pupil_id", "placement", "placements"),
        (Guardianship, "pupil_id", "guardianship", "guardianships"),
        (Bar, "pupil_id", "", "bars"),
        (Invitation, "pupil_id", "", "invitations"),
        (BindingRequest, "pupil_id", "", "requests"),
    ),
}
_BOUND: Final = "bound"
# What is encrypted has a blind index in its row (the date of birth with the name), and opening it takes long.
_NOT_IN_PRINT: Final = {"updated_at"} | {
    name
    for model in TABLES.values()
    for name, field in model._meta.fields_map.items()
    if isinstance(field, EncryptedText)
}


@dataclass(frozen=True, slots=True)
class Trace:
    """One row that was written: what it was before (None: it was made) and a fingerprint of what it became."""

    row_id: UUID
    before: dict[str, Any] | None
    after: str


class Traces:
    """All rows a batch of writes touched, each once: its first `before`, its last `after`."""

    def __init__(self) -> None:
        self.by_table: dict[str, dict[UUID, Trace]] = {table: {} for table in TABLES}

    def add(self, changes: Iterable[RowChange]) -> None:
        """Further changes, in the order in which they happened."""
        for change in changes:
            known = self.by_table[change.table].get(change.row_id)
            if change.after is None:
                # Taken away: of one that was there before everything is kept.
                del_trace = Trace(change.row_id, known.before if known else change.before, "")
                self.by_table[change.table][change.row_id] = del_trace
                continue
            before = known.before if known else change.before
            self.by_table[change.table][change.row_id] = Trace(change.row_id, before, fingerprint(change.after))

    def keep(self, table: str, traces: Iterable[Trace]) -> None:
        """Traces that were kept somewhere."""
        self.by_table[table].update({trace.row_id: trace for trace in traces})


def fingerprint(row: Mapping[str, Any]) -> str:
    """Of all columns but the moment of the last change, and but those whose own fingerprint stands beside them."""
    values = [value for name, value in row.items() if name not in _NOT_IN_PRINT]
    return hashlib.blake2b(repr(values).encode(), digest_size=8).hexdigest()


async def dependents(traces: Traces) -> Counter[str]:
    """What stands in the way of taking everything back, by kind; empty when nothing does."""
    found: Counter[str] = Counter()
    for table, rows in traces.by_table.items():
        found.update(await _changed(table, rows))
        made = [trace.row_id for trace in rows.values() if trace.before is None]
        for model, column, own, kind in _USES.get(table, ()):
            found[kind] += await _foreign_uses((model, column), made, set(traces.by_table.get(own, ())))
    return +found


async def take_back(traces: Traces) -> None:
    """Everything as it was. `dependents` was empty in the same transaction."""
    for table in reversed(list(TABLES)):
        rows = traces.by_table[table].values()
        for some in _slices(trace.row_id for trace in rows if trace.before is None and trace.after):
            await delete_many(TABLES[table], some)
        # Only one may act for a child: first those go back who did not.
        await _put_back(table, [trace for trace in rows if trace.before and trace.after and not _acted(trace)])
    for table in TABLES:
        rows = traces.by_table[table].values()
        await _put_back(table, [trace for trace in rows if trace.before and trace.after and _acted(trace)])
        await _make_again(table, [trace for trace in rows if trace.before and not trace.after])


def _acted(trace: Trace) -> bool:
    return bool(trace.before and trace.before.get("is_acting"))


async def _put_back(table: str, traces: Sequence[Trace]) -> None:
    """Rows that are still there become what they were."""
    model = TABLES[table]
    columns = [name for name in columns_of(model) if name != "id"]
    for start in range(0, len(traces), SLICE):
        some = traces[start : start + SLICE]
        await update_many(model, columns, await aside(len(some), _as_stored, model, (*columns, "id"), some))


async def _make_again(table: str, traces: Sequence[Trace]) -> None:
    model = TABLES[table]
    columns = columns_of(model)
    for start in range(0, len(traces), SLICE):
        some = traces[start : start + SLICE]
        await insert_many(model, columns, await aside(len(some), _as_stored, model, columns, some))


def _as_stored(model: type[Model], columns: Sequence[str], traces: Sequence[Trace]) -> list[Sequence[Any]]:
    """What the rows were, as the driver takes it."""
    readers = [model._meta.fields_map[name].to_python_value for name in columns]
    converts = stored_of(model, columns)
    found: list[Sequence[Any]] = []
    for trace in traces:
        before = trace.before or {}
        values = [read(before.get(name)) for name, read in zip(columns, readers, strict=True)]
        found.append(converted(values, converts))
    return found


async def _changed(table: str, rows: Mapping[UUID, Trace]) -> Counter[str]:
    """Rows that are not as they were left."""
    model, found = TABLES[table], Counter[str]()
    columns = [name for name in columns_of(model) if name == "updated_at" or name not in _NOT_IN_PRINT]
    converts = plain_of(model, columns)

    def compare(ids: Sequence[UUID], raw: Sequence[Sequence[Any]]) -> None:
        now = [dict(zip(columns, converted(row, converts), strict=True)) for row in raw]
        by_id = {row["id"]: row for row in now}
        for row_id in ids:
            row, after = by_id.get(str(row_id)), rows[row_id].after
            if (fingerprint(row) if row else "") != after:
                is_bound = bool(row and row.get("bound_at"))
                found[_BOUND if is_bound else _KIND_OF_TABLE.get(table, "other")] += 1

    for some in _slices(rows):
        raw = await select(model, columns, ("id", some))
        await aside(len(some), compare, some, raw)
    return found


async def _foreign_uses(where: tuple[type[Model], str], ids: Sequence[UUID], own: set[UUID]) -> int:
    model, column = where
    count = 0
    for some in _slices(ids):
        users = await select(model, ("id",), (column, some))
        count += sum((row_id if isinstance(row_id, UUID) else UUID(row_id)) not in own for (row_id,) in users)
    return count


def _slices(ids: Iterable[UUID]) -> list[list[UUID]]:
    whole = list(ids)
    return [whole[start : start + SLICE] for start in range(0, len(whole), SLICE)]
