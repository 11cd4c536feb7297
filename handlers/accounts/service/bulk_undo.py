"""Taking back what a roster wrote, by the thousand: what depends on it is named first, then rows go or become what they
were. In the caller's transaction; whoever calls has checked the rights and writes the audit.

Of a row that was made only a fingerprint is kept: enough to see that nobody has changed it since.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from tortoise.models import Model

from bot.storage.rows import insert_rows
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
from handlers.accounts.service.bulk_rows import converted, plain_of, select
from handlers.accounts.service.rows import TABLES, RowChange

SLICE: Final = 200
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
    """Of all columns but the moment of the last change."""
    values = [value for name, value in row.items() if name != "updated_at"]
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
        made = [trace.row_id for trace in rows if trace.before is None and trace.after]
        for some in _slices(made):
            await TABLES[table].filter(id__in=some).delete()
            await asyncio.sleep(0)
        for trace in rows:
            # Only one may act for a child: first those go back who did not.
            if trace.before is not None and trace.after and not trace.before.get("is_acting"):
                await _put_back(table, trace)
    for table in TABLES:
        for trace in traces.by_table[table].values():
            if trace.before is not None and not (trace.after and not trace.before.get("is_acting")):
                await _put_back(table, trace)


async def _put_back(table: str, trace: Trace) -> None:
    assert trace.before is not None
    model = TABLES[table]
    fields = model._meta.fields_map
    values = {name: fields[name].to_python_value(value) for name, value in trace.before.items() if name != "id"}
    if trace.after:
        await model.filter(id=trace.row_id).update(**values)
    else:
        await insert_rows(model, [{"id": trace.row_id, **values}])


async def _changed(table: str, rows: Mapping[UUID, Trace]) -> Counter[str]:
    """Rows that are not as they were left."""
    found: Counter[str] = Counter()
    for some in _slices(rows):
        now = await _now(TABLES[table], some)
        for row_id in some:
            row, after = now.get(str(row_id)), rows[row_id].after
            if (fingerprint(row) if row else "") != after:
                is_bound = bool(row and row.get("bound_at"))
                found[_BOUND if is_bound else _KIND_OF_TABLE.get(table, "other")] += 1
        await asyncio.sleep(0)
    return found


async def _now(model: type[Model], ids: Sequence[UUID]) -> dict[str, dict[str, Any]]:
    """The rows as they are, by the text of their ids."""
    columns = list(model._meta.fields_db_projection)
    converts = plain_of(model, columns)
    rows = [converted(row, converts) for row in await select(model, columns, ("id", ids))]
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return {row["id"]: row for row in found}


async def _foreign_uses(where: tuple[type[Model], str], ids: Sequence[UUID], own: set[UUID]) -> int:
    model, column = where
    count = 0
    mine = {str(each) for each in own}
    for some in _slices(ids):
        users = await select(model, ("id",), (column, some))
        count += sum(str(user[0]) not in mine for user in users)
        await asyncio.sleep(0)
    return count


def _slices(ids: Iterable[UUID]) -> list[list[UUID]]:
    whole = list(ids)
    return [whole[start : start + SLICE] for start in range(0, len(whole), SLICE)]
