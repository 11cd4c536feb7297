"""What the services of people return: never more than the page needs, numbers masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from handlers.accounts.domain import (
    APPOINTMENT_WORDS,
    RELATION_WORDS,
    AppointmentKind,
    PlacementReason,
    PupilStatus,
    Relation,
    SchoolKind,
    class_name,
    mask_number,
    mask_phone,
)
from handlers.accounts.models import Appointment, Guardianship, Pupil, School, SchoolClass

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PageOf(Generic[Item]):
    """Some of many. `next_cursor` asks for the next ones, None: these were the last. `total` counts all."""

    items: Sequence[Item]
    total: int
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class TownshipView:
    """A township; `schools` counts the open ones."""

    id: str
    name: str
    county: str
    province: str
    schools: int


@dataclass(frozen=True, slots=True)
class SchoolView:
    """A school or teaching point. `parent_id` is the school a point belongs to."""

    id: str
    township_id: str
    name: str
    kind: SchoolKind
    place: str
    parent_id: str | None
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class ClassView:
    """A class of a school year, with how many are in it. `head_teacher` is the name, "" for none."""

    id: str
    school_id: str
    school: str
    school_year: int
    grade: int
    number: int
    name: str
    pupils: int = 0
    head_teacher: str = ""
    head_teacher_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChildView:
    """A child as its guardian sees it. Without a class (it left, or waits for one) `grade` is None, `class_name` ""."""

    id: str
    name: str
    school_id: str
    school: str
    class_id: str | None
    class_name: str
    grade: int | None
    is_enrolled: bool
    township_id: str


@dataclass(frozen=True, slots=True)
class PupilView:
    """A line of a list. `guardians` counts those on the roster, `bound` those who proved it."""

    id: str
    name: str
    school_id: str
    school: str
    class_id: str | None
    class_name: str
    status: PupilStatus
    roster_number: str
    guardians: int
    bound: int


@dataclass(frozen=True, slots=True)
class GuardianView:
    """Who looks after a child; the phone is masked."""

    person_id: str
    name: str
    relation: Relation
    relation_name: str
    is_acting: bool
    is_bound: bool
    phone: str


@dataclass(frozen=True, slots=True)
class PlacementView:
    """A time in a class; `until` is its last day, None while it goes on."""

    school: str
    class_name: str
    school_year: int
    since: date
    until: date | None
    reason: PlacementReason


@dataclass(frozen=True, slots=True)
class PupilCard:
    """A child as the staff see it: numbers masked, of the date of birth the year. `version` guards an edit."""

    pupil: PupilView
    sex: str
    birth_year: int | None
    id_number: str
    left_on: date | None
    version: int
    guardians: Sequence[GuardianView] = ()
    places: Sequence[PlacementView] = ()


@dataclass(frozen=True, slots=True)
class PersonCard:
    """A grown-up about to be corrected; the phone is masked. `version` guards the edit, `wards` are the children."""

    id: str
    name: str
    phone: str
    version: int
    wards: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class UnreachableView:
    """A child none of whose guardians can be reached here. `guardians` counts those on the roster who are not bound."""

    id: str
    name: str
    school: str
    class_id: str | None
    class_name: str
    guardians: int


@dataclass(frozen=True, slots=True)
class StaffView:
    """Somebody and one charge of theirs; `until` None: open. The phone is masked."""

    appointment_id: str
    person_id: str
    name: str
    kind: AppointmentKind
    kind_name: str
    school: str
    class_id: str | None
    class_name: str
    subject: str
    since: date
    until: date | None
    phone: str


@dataclass(frozen=True, slots=True)
class HandOverView:
    """A class that passed, or is about to pass: the receipt. `duties` counts what was open, by kind in words."""

    id: str
    class_id: str
    class_name: str
    school: str
    from_person: str
    to_person: str
    to_person_id: str
    on: date
    is_accepted: bool
    duties: dict[str, int] = field(default_factory=dict)


def school_view(row: School) -> SchoolView:
    """Of a row."""
    return SchoolView(
        id=str(row.id),
        township_id=str(row.township_id),
        name=row.name,
        kind=row.kind,
        place=row.place,
        parent_id=str(row.parent_id) if row.parent_id else None,
        closed_on=row.closed_on,
    )


def pupil_view(row: Pupil, guardians: int, bound: int) -> PupilView:
    """Of a row that came with its school and class."""
    return PupilView(
        id=str(row.id),
        name=row.name,
        school_id=str(row.school_id),
        school=row.school.name,
        class_id=str(row.school_class_id) if row.school_class_id else None,
        class_name=name_of(row.school_class),
        status=row.status,
        roster_number=mask_number(row.roster_number),
        guardians=guardians,
        bound=bound,
    )


def guardian_view(row: Guardianship) -> GuardianView:
    """Of a row that came with its person."""
    return GuardianView(
        person_id=str(row.person_id),
        name=row.person.name,
        relation=row.relation,
        relation_name=RELATION_WORDS[row.relation],
        is_acting=row.is_acting,
        is_bound=row.bound_at is not None,
        phone=mask_phone(row.person.phone),
    )


def staff_view(row: Appointment) -> StaffView:
    """Of a row that came with its person, school and class."""
    return StaffView(
        appointment_id=str(row.id),
        person_id=str(row.person_id),
        name=row.person.name,
        kind=row.kind,
        kind_name=APPOINTMENT_WORDS[row.kind],
        school=row.school.name if row.school else "",
        class_id=str(row.school_class_id) if row.school_class_id else None,
        class_name=name_of(row.school_class),
        subject=row.subject,
        since=row.since,
        until=row.until,
        phone=mask_phone(row.person.phone),
    )


def name_of(school_class: SchoolClass | None) -> str:
    """The name of a class, "" for none."""
    return class_name(school_class.grade, school_class.number) if school_class else ""
