"""What is given to be written about people: plain values, as somebody typed them or a sheet holds them.

In every class None means: leave it as it is; for something new: not known. To take a value away, name it in `cleared`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from handlers.accounts.domain import AppointmentKind, BindingWay, Relation, SchoolKind
from handlers.accounts.service.rows import RowChange


@dataclass(frozen=True, slots=True)
class Put:
    """What became of one item: the row's id, and everything that changed for it (nothing: it was so already)."""

    id: UUID
    changes: tuple[RowChange, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the row was made."""
        return any(change.row_id == self.id and change.before is None for change in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolValues:
    """A school, known by `id` or by its name in the township."""

    township_id: UUID
    name: str
    kind: SchoolKind | None = None
    parent_id: UUID | None = None
    place: str | None = None
    id: UUID | None = None
    cleared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassValues:
    """A class of a school year, known by `id` or by its place in the school."""

    school_id: UUID
    school_year: int
    grade: int
    number: int
    promoted_from_id: UUID | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilValues:
    """A child, known by `id`, else by roster number or identity number, else new.

    The school follows from the class; without a class it must be given for somebody new. `on` is the first day in the
    class.
    """

    on: date
    name: str | None = None
    school_id: UUID | None = None
    class_id: UUID | None = None
    sex: str | None = None
    birth_date: date | None = None
    roster_number: str | None = None
    id_number: str | None = None
    id: UUID | None = None
    cleared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonValues:
    """A grown-up, known by `id`, else by identity number, else by phone and name together, else new."""

    name: str | None = None
    phone: str | None = None
    id_number: str | None = None
    id: UUID | None = None
    cleared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianshipValues:
    """Somebody looks after a child: one row for each pair. `is_acting` True takes it from whoever had it.

    One that had ended begins again, unbound unless `bound_at` is given.
    """

    pupil_id: UUID
    person_id: UUID
    relation: Relation | None = None
    is_acting: bool | None = None
    bound_at: datetime | None = None
    bound_by: BindingWay | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentValues:
    """What somebody is charged with. The place its kind needs is given (`PLACE_OF_APPOINTMENT`), what lies above it
    follows. The same charge that goes on already is the same appointment."""

    person_id: UUID
    kind: AppointmentKind
    since: date
    until: date | None = None
    township_id: UUID | None = None
    school_id: UUID | None = None
    class_id: UUID | None = None
    subject: str = ""


def given(**values: Any) -> dict[str, Any]:
    """Those that are not None; text without space around it."""
    known = {name: value for name, value in values.items() if value is not None}
    return {name: value.strip() if type(value) is str else value for name, value in known.items()}


def changed_fields(put: Put) -> list[str]:
    """The names of the columns of the row itself that changed, never their values: for the audit."""
    own = [change for change in put.changes if change.row_id == put.id and change.after]
    changed = {
        name
        for change in own
        for name, value in (change.after or {}).items()
        if (change.before or {}).get(name) != value and not name.endswith("_index")
    }
    return sorted(changed - {"id", "created_at", "updated_at", "version"})
