"""Reading people by the thousand, for rosters: plain values in slices, so that nobody else waits long.

Ids in, plain rows out; whoever calls has checked the rights and writes the audit. Numbers come in clear.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from tortoise.expressions import Q
from tortoise.models import Model

from bot.rights import Reach
from bot.storage.base import blind_index
from handlers.accounts.domain import (
    AppointmentKind,
    ClassName,
    PupilStatus,
    Relation,
)
from handlers.accounts.models import Appointment, Guardianship, Person, Pupil, School, SchoolClass, Township
from handlers.accounts.service.bulk_rows import Convert, aside, converted, select, values_of
from handlers.accounts.service.rows import chunks

Row = Sequence[Any]
# Rows in one statement: few enough that taking them from the driver does not hold up the event loop.
SLICE: Final = 900
# Whoever holds one of these is not changed by those who may not appoint them.
LEADING: Final = frozenset(
    {AppointmentKind.SCHOOL_LEADER, AppointmentKind.TOWNSHIP_ADMINISTRATOR, AppointmentKind.PROTECTION_LEAD}
)


@dataclass(frozen=True, slots=True)
class KnownSchool:
    """A school within reach."""

    id: UUID
    township_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class KnownClass:
    """A class of any year."""

    id: UUID
    school_id: UUID
    school_year: int
    name: ClassName


@dataclass(frozen=True, slots=True)
class KnownPupil:
    """A child as it is kept. `birth_date` is ISO text."""

    id: UUID
    school_id: UUID
    class_id: UUID | None
    name: str
    sex: str
    birth_date: str | None
    roster_number: str | None
    id_number: str | None
    status: PupilStatus


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A grown-up as they are kept."""

    id: UUID
    name: str
    phone: str | None
    id_number: str | None


@dataclass(frozen=True, slots=True)
class KnownGuardian:
    """Who looks after a child."""

    pupil_id: UUID
    person_id: UUID
    relation: Relation
    is_acting: bool
    has_ended: bool


@dataclass(frozen=True, slots=True)
class KnownAppointment:
    """A charge that goes on or is still to come."""

    id: UUID
    person_id: UUID
    kind: AppointmentKind
    school_id: UUID | None
    class_id: UUID | None
    subject: str
    since: date
    until: date | None


@dataclass(slots=True)
class People:
    """What is known of some schools and of whoever a roster names."""

    schools: dict[UUID, KnownSchool] = field(default_factory=dict)
    classes: dict[UUID, KnownClass] = field(default_factory=dict)
    pupils: dict[UUID, KnownPupil] = field(default_factory=dict)
    persons: dict[UUID, KnownPerson] = field(default_factory=dict)
    guardians: dict[UUID, list[KnownGuardian]] = field(default_factory=lambda: defaultdict(list))
    appointments: dict[UUID, KnownAppointment] = field(default_factory=dict)


class BulkReader:
    """Reads into `People`; each call adds what is not there yet."""

    def __init__(self, people: People) -> None:
        self.people = people

    async def schools(self, reach: Reach) -> None:
        """The open schools within reach, and their classes of all years."""
        rows = School.filter(closed_on__isnull=True)
        if not reach.is_any:
            rows = rows.filter(Q(id__in=list(reach.schools)) | Q(township_id__in=list(reach.townships)))
        for row in await rows.order_by("name").values_list("id", "township_id", "name"):
            self.people.schools[row[0]] = KnownSchool(*row)
        await self.classes(self.people.schools)

    async def classes(self, schools: Collection[UUID]) -> None:
        """The classes of schools."""
        columns = ("id", "school_id", "school_year", "grade", "number")

        def keep(row: Row) -> None:
            self.people.classes[row[0]] = KnownClass(row[0], row[1], row[2], ClassName(row[3], row[4]))

        await _each_by(SchoolClass, "school_id", schools, columns, keep)

    async def pupils_of(self, schools: Iterable[UUID]) -> None:
        """Everybody of the schools, those who have left too."""
        await self._pupils_by("school_id", schools)

    async def pupils_named(
        self,
        *,
        ids: Iterable[UUID] = (),
        id_numbers: Iterable[str] = (),
        roster_numbers: Iterable[str] = (),
        matches: Iterable[str] = (),
    ) -> None:
        """Children of any school, by what is theirs. `matches` are made with `match_text`."""
        await self._pupils_by("id", ids)
        await self._pupils_by("id_number_index", await _indexes("id_number", id_numbers))
        await self._pupils_by("roster_number_index", await _indexes("roster_number", roster_numbers))
        await self._pupils_by("match_index", await _indexes("match", matches))

    async def _pupils_by(self, column: str, values: Iterable[Any]) -> None:
        columns = ("id", "school_id", "school_class_id", "name", "sex", "birth_date")
        more = ("roster_number", "id_number", "status")

        def keep(row: Row) -> None:
            self.people.pupils[row[0]] = KnownPupil(*row)

        await _each_by(Pupil, column, values, (*columns, *more), keep)

    async def guardians_of(self, pupils: Iterable[UUID]) -> None:
        """Who looks after the children, or did, and these grown-ups."""
        columns = ("pupil_id", "person_id", "relation", "is_acting", "ended_on")
        persons: set[UUID] = set()
        new = set(pupils) - self.people.guardians.keys()

        def keep(row: Row) -> None:
            self.people.guardians[row[0]].append(KnownGuardian(row[0], row[1], row[2], row[3], row[4] is not None))
            persons.add(row[1])

        await _each_by(Guardianship, "pupil_id", new, columns, keep)
        await self.persons_named(ids=persons)

    async def persons_named(
        self, *, ids: Iterable[UUID] = (), phones: Iterable[str] = (), id_numbers: Iterable[str] = ()
    ) -> None:
        """Grown-ups by what is theirs."""
        found = set(ids)
        numbers = {"phone_index": ("phone", phones), "id_number_index": ("id_number", id_numbers)}
        for column, (purpose, values) in numbers.items():
            # Who is known already need not be opened again.
            await _each_by(Person, column, await _indexes(purpose, values), ("id",), lambda row: found.add(row[0]))
        columns = ("id", "name", "phone", "id_number", "is_erased")

        def keep(row: Row) -> None:
            if not row[4]:
                self.people.persons[row[0]] = KnownPerson(*row[:4])

        await _each_by(Person, "id", found - self.people.persons.keys(), columns, keep)

    async def appointments_of(self, schools: Iterable[UUID], today: date) -> None:
        """The charges at schools that are not over, and who holds them."""
        columns = ("id", "person_id", "kind", "school_id", "school_class_id", "subject", "since", "until")
        persons: set[UUID] = set()

        def keep(row: Row) -> None:
            if row[7] is None or row[7] >= today:
                self.people.appointments[row[0]] = KnownAppointment(*row)
                persons.add(row[1])

        await _each_by(Appointment, "school_id", schools, columns, keep)
        await self.persons_named(ids=persons)

    async def foreign(self, persons: Iterable[UUID], *, may_lead: bool, today: date) -> set[UUID]:
        """Those among the grown-ups whose affairs go beyond the schools read: children or charges elsewhere, and,
        for whoever may not appoint leaders, leaders."""
        own = set(self.people.schools)
        found: set[UUID] = set()
        wanted = list(persons)
        charges = ("person_id", "kind", "school_id", "until")
        for person_id, kind, school_id, until in await _all_by(Appointment, "person_id", wanted, charges):
            is_above = not may_lead and kind in LEADING
            if (until is None or until >= today) and (school_id not in own or is_above):
                found.add(person_id)
        pupil_of = await _all_by(Guardianship, "person_id", wanted, ("person_id", "pupil_id"))
        unknown = {pupil_id for _, pupil_id in pupil_of} - self.people.pupils.keys()
        school_of = {row.id: row.school_id for row in self.people.pupils.values()}
        school_of |= {row[0]: row[1] for row in await _all_by(Pupil, "id", unknown, ("id", "school_id"))}
        return found | {person_id for person_id, pupil_id in pupil_of if school_of.get(pupil_id) not in own}


async def township_names(ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """What townships are called."""
    return dict(await Township.filter(id__in=list(ids)).values_list("id", "name"))


async def _indexes(purpose: str, values: Iterable[str]) -> list[str]:
    each = set(values)
    return await aside(len(each), lambda: [blind_index(purpose, value) for value in each])


async def _each_by(
    model: type[Model], column: str, values: Iterable[Any], columns: tuple[str, ...], keep: Callable[[Row], object]
) -> None:
    """Keeps each row whose column has one of the values, in order of their ids, a slice at a time."""
    converts = values_of(model, columns)
    # A school has more rows than one statement should give. What else rows are found by has a few, and there a limit
    # would only tempt PostgreSQL to walk along the ids.
    limit = SLICE if column == "school_id" else 0
    for some in chunks(dict.fromkeys(values), SLICE):
        last = UUID(int=0)
        while True:
            rows = await select(model, ("id", *columns), (column, some), after=last if limit else None, limit=limit)
            await aside(len(rows), _keep_each, rows, converts, keep)
            if not limit or len(rows) < limit:
                break
            last = UUID(str(rows[-1][0]))


def _keep_each(rows: Iterable[Row], converts: Sequence[Convert | None], keep: Callable[[Row], object]) -> None:
    for row in rows:
        keep(converted(row[1:], converts))


async def _all_by(model: type[Model], column: str, values: Iterable[Any], columns: tuple[str, ...]) -> list[Row]:
    found: list[Row] = []
    await _each_by(model, column, values, columns, found.append)
    return found


async def lock_pupils(ids: Iterable[UUID]) -> None:
    """Nobody else changes these until the caller's transaction ends; in order, so that no two wait for each other."""
    for some in chunks(sorted(set(ids), key=str), SLICE):
        await select(Pupil, ("id",), ("id", some), lock=True)
