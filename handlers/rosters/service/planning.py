"""What planning pupils and planning staff share: what is known, looked up fast, and what comes out. Pure."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from handlers.accounts.domain import ClassName, PupilStatus, class_name, school_year_of
from handlers.accounts.service.bulk import KnownAppointment, KnownPerson, KnownPupil, KnownSchool, People
from handlers.accounts.service.values import AppointmentValues, PersonValues, PupilValues
from handlers.rosters import texts
from handlers.rosters.domain import Counts, Difference, Remark, RowReport, RowState
from handlers.rosters.service.parsing import Parsed

ClassKey = tuple[UUID, ClassName]
PersonKey = tuple[str, str | None, str]
"""Somebody new: name, phone, and for one without a phone where they stand, since a name alone is nobody."""


class RowProblem(Exception):
    """A row that cannot be applied; `remark` says why. Never leaves the planning."""

    def __init__(self, column: str, text: str, *, is_conflict: bool = False) -> None:
        super().__init__(text)
        self.remark = Remark(column, text)
        self.is_conflict = is_conflict


def clash(column: str, text: str) -> RowProblem:
    """What the row says contradicts what is known."""
    return RowProblem(column, text, is_conflict=True)


@dataclass(frozen=True, slots=True)
class GuardianDeed:
    """A guardianship to be made or changed, of somebody known by id or somebody new."""

    person: UUID | PersonKey
    relation: str | None
    is_acting: bool | None


@dataclass(frozen=True, slots=True)
class Deed:
    """What applying one row does. `class_key` names a class that may have to be made first."""

    row: int
    class_key: ClassKey | None = None
    pupil: PupilValues | None = None
    pupil_id: UUID | None = None
    persons: tuple[PersonValues, ...] = ()
    guardians: tuple[GuardianDeed, ...] = ()
    holder: UUID | PersonKey | None = None
    appointment: AppointmentValues | None = None
    appointment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a sheet would do."""

    reports: Sequence[RowReport]
    deeds: Sequence[Deed]
    new_classes: Sequence[ClassKey]
    touched: frozenset[UUID]
    """Grown-ups who are known and would be changed."""
    counts: Counts


@dataclass(slots=True)
class Terms:
    """Under what a sheet is planned. `foreign`: grown-ups whose affairs go beyond reach."""

    today: date
    may_lead: bool = False
    foreign: set[UUID] = field(default_factory=set)
    township_id: UUID | None = None


class Directory:
    """What is known, by everything a row may name it with."""

    def __init__(self, people: People, terms: Terms) -> None:
        self.people = people
        self.terms = terms
        self._years = running_years(people, school_year_of(terms.today))
        self.schools_by_name = {school.name: school for school in people.schools.values()}
        self.classes = {
            (row.school_id, row.name): row.id
            for row in people.classes.values()
            if row.school_year == self._years.get(row.school_id)
        }
        self.by_id_number: dict[str, KnownPupil] = {}
        self.by_roster_number: dict[str, KnownPupil] = {}
        self.by_match: dict[tuple[str, str], list[KnownPupil]] = defaultdict(list)
        self.by_place: dict[tuple[UUID | None, str], list[KnownPupil]] = defaultdict(list)
        self.persons_by_phone: dict[str, list[KnownPerson]] = defaultdict(list)
        self.persons_by_id_number: dict[str, KnownPerson] = {}
        for pupil in people.pupils.values():
            self._keep_pupil(pupil)
        for person in people.persons.values():
            if person.phone:
                self.persons_by_phone[person.phone].append(person)
            if person.id_number:
                self.persons_by_id_number[person.id_number] = person
        self.appointments_of: dict[UUID, list[KnownAppointment]] = defaultdict(list)
        for appointment in people.appointments.values():
            self.appointments_of[appointment.person_id].append(appointment)

    def _keep_pupil(self, pupil: KnownPupil) -> None:
        if pupil.id_number:
            self.by_id_number[pupil.id_number] = pupil
        if pupil.roster_number:
            self.by_roster_number[pupil.roster_number] = pupil
        if pupil.birth_date:
            self.by_match[pupil.name, pupil.birth_date].append(pupil)
        self.by_place[pupil.class_id, pupil.name].append(pupil)

    def school(self, name: str | None) -> KnownSchool:
        """The school of a row; the only one within reach need not be named. Raises RowProblem."""
        column = texts.FIELD_WORDS["school"]
        if name is None:
            if len(self.people.schools) == 1:
                return next(iter(self.people.schools.values()))
            raise RowProblem(column, texts.SCHOOL_NEEDED)
        found = self.schools_by_name.get("".join(name.split()))
        if found is None:
            like = difflib.get_close_matches(name, self.schools_by_name, 1, 0.6)
            raise RowProblem(column, texts.SCHOOL_LIKE.format(name=like[0]) if like else texts.SCHOOL_UNKNOWN)
        return found

    def year_of(self, school_id: UUID) -> int:
        """The school year a sheet of the school is about."""
        return self._years[school_id]

    def class_words(self, class_id: UUID | None) -> str:
        """How a class is called; of another year with the year."""
        known = self.people.classes.get(class_id) if class_id else None
        if known is None:
            return ""
        words = class_name(*known.name)
        return words if known.school_year == self._years.get(known.school_id) else f"{known.school_year}学年{words}"

    def place_words(self, school_id: UUID | None, class_id: UUID | None) -> str:
        """School and class."""
        school = self.people.schools.get(school_id) if school_id else None
        return " ".join(filter(None, (school.name if school else "", self.class_words(class_id))))


class Reports:
    """Collects what is to be said about the rows."""

    def __init__(self) -> None:
        self.rows: list[RowReport] = []

    def faulty(self, parsed: Parsed) -> None:
        """A row that could not be read."""
        self._add(parsed, RowState.FAULTY, faults=tuple(parsed.faults))

    def problem(self, parsed: Parsed, problem: RowProblem) -> None:
        """A row that cannot be applied."""
        state = RowState.CONFLICT if problem.is_conflict else RowState.FAULTY
        self._add(parsed, state, faults=(problem.remark,))

    def good(self, parsed: Parsed, *, is_new: bool, differences: Sequence[Difference]) -> None:
        """A row that can."""
        state = RowState.NEW if is_new else RowState.CHANGED if differences else RowState.UNCHANGED
        self._add(parsed, state, differences=tuple(differences))

    def vanishing(self, name: str, place: str, subject_id: UUID) -> None:
        """Somebody the sheet does not name."""
        self.rows.append(RowReport(0, RowState.VANISHING, name, place, subject_id=str(subject_id)))

    def _add(
        self,
        parsed: Parsed,
        state: RowState,
        *,
        faults: tuple[Remark, ...] = (),
        differences: tuple[Difference, ...] = (),
    ) -> None:
        warnings = tuple(parsed.warnings)
        self.rows.append(RowReport(parsed.row, state, parsed.name, parsed.place, faults, warnings, differences))

    def counts(self, new_classes: Iterable[str]) -> Counts:
        """How many of each."""
        by_state: dict[str, int] = defaultdict(int)
        for row in self.rows:
            by_state[row.state.value] += 1
        return Counts(dict(by_state), sum(bool(row.warnings) for row in self.rows), tuple(new_classes))


def running_years(people: People, this_year: int) -> dict[UUID, int]:
    """The year of the classes each school's children sit in: last year's until the school has moved them up."""
    years: dict[UUID, int] = {}
    for pupil in people.pupils.values():
        known = people.classes.get(pupil.class_id) if pupil.class_id else None
        if known is not None and pupil.status is PupilStatus.ENROLLED and known.school_id == pupil.school_id:
            years[known.school_id] = max(years.get(known.school_id, 0), known.school_year)
    return {school_id: years.get(school_id, this_year) for school_id in people.schools}


def difference(field_name: str, before: object, after: object) -> Difference:
    """In words."""
    return Difference(texts.FIELD_WORDS.get(field_name, field_name), str(before or ""), str(after or ""))
