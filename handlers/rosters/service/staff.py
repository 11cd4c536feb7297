"""Planning a sheet of staff: one row for each charge somebody has. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

from handlers.accounts.domain import APPOINTMENT_WORDS, PLACE_OF_APPOINTMENT, AppointmentKind, PlaceKind, class_name
from handlers.accounts.service.bulk import LEADING, KnownAppointment, KnownPerson, KnownSchool
from handlers.accounts.service.values import AppointmentValues, PersonValues
from handlers.rosters import texts
from handlers.rosters.domain import Coverage, Difference
from handlers.rosters.service.columns import SYSTEM_ID
from handlers.rosters.service.parsing import Parsed, StaffEntry
from handlers.rosters.service.planning import (
    ClassKey,
    Deed,
    Directory,
    PersonKey,
    Plan,
    Reports,
    RowProblem,
    clash,
    difference,
)

_WORDS = texts.FIELD_WORDS


class StaffPlanner:
    """Plans one sheet; made for it, used once."""

    def __init__(self, directory: Directory) -> None:
        self._known = directory
        self._people = directory.people
        self._terms = directory.terms
        self._reports = Reports()
        self._deeds: list[Deed] = []
        self._new_classes: dict[ClassKey, None] = {}
        self._rows_of: dict[UUID, int] = {}
        self._schools: set[UUID] = set()
        self._doubtful: set[str] = set()
        self._touched: set[UUID] = set()
        self._said: dict[tuple[UUID | PersonKey, str], tuple[str, int]] = {}
        self._charges: dict[tuple[object, ...], int] = {}
        self._heads: dict[ClassKey, int] = {}

    def plan(self, rows: Sequence[Parsed], coverage: Coverage, progress: Callable[[float], None]) -> Plan:
        """The whole sheet. `progress` is told the share that is done, 0 to 1."""
        for done, parsed in enumerate(rows):
            if done % 500 == 0:
                progress(done / len(rows))
            entry = parsed.entry
            if not isinstance(entry, StaffEntry):
                self._doubtful.add(parsed.name)
                self._reports.faulty(parsed)
                continue
            try:
                self._row(parsed, entry)
            except RowProblem as problem:
                self._doubtful.add(entry.name)
                self._reports.problem(parsed, problem)
        if coverage is Coverage.SCHOOLS:
            self._vanishing()
        classes = [f"{self._people.schools[school].name} {class_name(*name)}" for school, name in self._new_classes]
        counts = self._reports.counts(classes)
        return Plan(self._reports.rows, self._deeds, tuple(self._new_classes), frozenset(self._touched), counts)

    # ------------------------------------------------------------------------------------------------------------ a row
    def _row(self, parsed: Parsed, entry: StaffEntry) -> None:
        school = self._known.school(entry.school)
        self._schools.add(school.id)
        key = (school.id, entry.school_class) if entry.school_class else None
        charge = self._by_system_id(entry)
        person = self._person(entry, school, charge)
        who: UUID | PersonKey = person.id if person else _new_person(entry)
        if charge is None and person is not None:
            charge = self._charge_of(person, entry, school, key)
        if charge is None and entry.kind in LEADING and not self._terms.may_lead:
            raise RowProblem(_WORDS["kind"], texts.KIND_NOT_YOURS)
        self._refuse_twice(entry, who, charge, (school, key))
        differences = self._person_changes(entry, person, who)
        values, told = self._charge_changes(entry, charge, school, key)
        self._keep(entry, key, (who, person, charge), (values, bool(differences)))
        self._reports.good(parsed, is_new=charge is None, differences=differences + told)

    def _keep(
        self,
        entry: StaffEntry,
        key: ClassKey | None,
        found: tuple[UUID | PersonKey, KnownPerson | None, KnownAppointment | None],
        made: tuple[AppointmentValues | None, bool],
    ) -> None:
        who, person, charge = found
        values, is_person_changed = made
        if charge is not None:
            self._rows_of[charge.id] = entry.row
        if values is None and not is_person_changed:
            return
        if values is not None and key is not None and key not in self._known.classes:
            self._new_classes.setdefault(key)
        about = PersonValues(
            id=person.id if person else None, name=entry.name, phone=entry.phone, id_number=entry.id_number
        )
        persons = (about,) if person is None or is_person_changed else ()
        self._deeds.append(
            Deed(
                entry.row,
                key if values is not None else None,
                persons=persons,
                holder=who,
                appointment=values,
                appointment_id=charge.id if charge else None,
            )
        )

    # --------------------------------------------------------------------------------------------------------- matching
    def _by_system_id(self, entry: StaffEntry) -> KnownAppointment | None:
        if entry.system_id is None:
            return None
        try:
            charge = self._people.appointments.get(UUID(entry.system_id))
        except ValueError:
            charge = None
        if charge is None:
            raise RowProblem(SYSTEM_ID, texts.SYSTEM_ID_WRONG)
        if charge.kind is not entry.kind:
            raise clash(_WORDS["kind"], texts.SYSTEM_ID_WRONG)
        return charge

    def _person(self, entry: StaffEntry, school: KnownSchool, charge: KnownAppointment | None) -> KnownPerson | None:
        by_number = self._known.persons_by_id_number.get(entry.id_number or "")
        if charge is not None:
            known = self._people.persons[charge.person_id]
            if by_number is not None and by_number.id != known.id:
                raise clash(_WORDS["id_number"], texts.NUMBER_TAKEN)
            return known
        if by_number is not None:
            if by_number.name != entry.name:
                raise clash(_WORDS["name"], texts.NAME_DIFFERS)
            return by_number
        alike = self._known.persons_by_phone.get(entry.phone or "", ())
        found = next((person for person in alike if person.name == entry.name), None)
        if found is None:
            found = self._by_name(entry, school)
        if found is not None and found.id_number and entry.id_number:
            raise clash(_WORDS["id_number"], texts.NUMBER_TAKEN)
        return found

    def _by_name(self, entry: StaffEntry, school: KnownSchool) -> KnownPerson | None:
        """Somebody of that name on the staff of the school, if there is one only and nothing speaks against it."""
        here = {row.person_id for row in self._people.appointments.values() if row.school_id == school.id}
        named = [person for each in here if (person := self._people.persons.get(each)) and person.name == entry.name]
        if len(named) != 1 or (entry.phone and named[0].phone):
            return None
        return named[0]

    def _charge_of(
        self, person: KnownPerson, entry: StaffEntry, school: KnownSchool, key: ClassKey | None
    ) -> KnownAppointment | None:
        """The same charge that goes on already."""
        class_id = self._known.classes.get(key) if key else None
        if key is not None and class_id is None:
            return None
        for charge in self._known.appointments_of.get(person.id, ()):
            same = (charge.kind, charge.school_id, charge.class_id) == (entry.kind, school.id, class_id)
            if same and charge.id not in self._rows_of and entry.subject in (None, charge.subject):
                return charge
        return None

    def _refuse_twice(
        self,
        entry: StaffEntry,
        who: UUID | PersonKey,
        charge: KnownAppointment | None,
        place: tuple[KnownSchool, ClassKey | None],
    ) -> None:
        school, key = place
        if charge is not None and charge.id in self._rows_of:
            raise RowProblem("", texts.SAME_AS_ROW.format(row=self._rows_of[charge.id]))
        same = (who, entry.kind, school.id, key, entry.subject or "", entry.since)
        earlier = self._charges.setdefault(same, entry.row)
        if charge is None and earlier != entry.row:
            raise RowProblem("", texts.SAME_AS_ROW.format(row=earlier))
        if entry.kind is AppointmentKind.HEAD_TEACHER and key is not None and self._has_other_head(who, key, entry):
            raise clash(_WORDS["class"], texts.HAS_HEAD_TEACHER)

    def _has_other_head(self, who: UUID | PersonKey, key: ClassKey, entry: StaffEntry) -> bool:
        """In the same days: a class that passes on with the term has two rows."""
        class_id = self._known.classes.get(key)
        since = entry.since or self._terms.today
        for charge in self._people.appointments.values():
            is_head = charge.kind is AppointmentKind.HEAD_TEACHER and charge.class_id == class_id is not None
            if is_head and charge.person_id != who and _overlap((charge.since, charge.until), (since, entry.until)):
                return True
        if entry.until is None:
            return self._heads.setdefault(key, entry.row) != entry.row
        return False

    # ---------------------------------------------------------------------------------------------------------- changes
    def _person_changes(self, entry: StaffEntry, person: KnownPerson | None, who: UUID | PersonKey) -> list[Difference]:
        told = []
        said = {"name": entry.name, "phone": entry.phone, "id_number": entry.id_number}
        for name, value in said.items():
            if not value:
                continue
            first, row = self._said.setdefault((who, name), (value, entry.row))
            if first != value:
                raise RowProblem(_WORDS[name], texts.TWO_VALUES.format(row=row))
            if person is not None and value != getattr(person, name):
                told.append(difference(name, getattr(person, name), value))
        if told and person is not None:
            if person.id in self._terms.foreign:
                raise clash(told[0].field, texts.PERSON_NOT_YOURS)
            self._touched.add(person.id)
        return told

    def _charge_changes(
        self, entry: StaffEntry, charge: KnownAppointment | None, school: KnownSchool, key: ClassKey | None
    ) -> tuple[AppointmentValues | None, list[Difference]]:
        since = entry.since or (charge.since if charge else self._terms.today)
        values = AppointmentValues(
            person_id=UUID(int=0),
            kind=entry.kind,
            since=since,
            until=entry.until or (charge.until if charge else None),
            school_id=school.id if PLACE_OF_APPOINTMENT[entry.kind] is PlaceKind.SCHOOL else None,
            subject=entry.subject or (charge.subject if charge else ""),
        )
        if charge is None:
            return values, []
        class_id = self._known.classes.get(key) if key else None
        if charge.school_id != school.id or (key is not None and charge.class_id != class_id):
            raise clash(_WORDS["class"] if key else _WORDS["school"], texts.CHARGE_ELSEWHERE)
        if values.subject != charge.subject or values.since > charge.since:
            raise clash(_WORDS["subject"], texts.CHARGE_ELSEWHERE)
        told = [
            difference(name, getattr(charge, name), getattr(values, name))
            for name in ("since", "until")
            if getattr(values, name) != getattr(charge, name)
        ]
        if told and charge.kind in LEADING and not self._terms.may_lead:
            raise RowProblem(_WORDS["kind"], texts.KIND_NOT_YOURS)
        return (values if told else None), told

    # -------------------------------------------------------------------------------------------------------- vanishing
    def _vanishing(self) -> None:
        for charge in sorted(self._people.appointments.values(), key=lambda each: (str(each.school_id), each.id)):
            person = self._people.persons.get(charge.person_id)
            if charge.school_id not in self._schools or charge.id in self._rows_of or person is None:
                continue
            if person.name in self._doubtful or (charge.kind in LEADING and not self._terms.may_lead):
                continue
            place = self._known.place_words(charge.school_id, charge.class_id)
            words = " ".join(filter(None, (place, APPOINTMENT_WORDS[charge.kind], charge.subject)))
            self._reports.vanishing(person.name, words, charge.id)


def _new_person(entry: StaffEntry) -> PersonKey:
    where = "" if entry.phone else f"id {entry.id_number}" if entry.id_number else f"{entry.row}/0"
    return entry.name, entry.phone, where


def _overlap(one: tuple[date, date | None], other: tuple[date, date | None]) -> bool:
    return (one[1] is None or other[0] <= one[1]) and (other[1] is None or one[0] <= other[1])
