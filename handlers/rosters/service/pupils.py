"""Planning a sheet of pupils: who is who, what would change, what cannot be. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from handlers.accounts.domain import ClassName, PupilStatus, class_name
from handlers.accounts.service.bulk import KnownPupil, KnownSchool
from handlers.accounts.service.bulk_rows import collect_young
from handlers.accounts.service.values import PersonValues, PupilValues
from handlers.rosters import texts
from handlers.rosters.domain import Coverage, Difference, Remark
from handlers.rosters.service.columns import SYSTEM_ID
from handlers.rosters.service.guardians import GuardianPlanner
from handlers.rosters.service.parsing import Parsed, PupilEntry
from handlers.rosters.service.planning import (
    ClassKey,
    Deed,
    Directory,
    GuardianDeed,
    Plan,
    Reports,
    RowProblem,
    clash,
    difference,
)

_WORDS = texts.FIELD_WORDS


class PupilPlanner:
    """Plans one sheet; made for it, used once."""

    def __init__(self, directory: Directory) -> None:
        self._known = directory
        self._people = directory.people
        self._today = directory.terms.today
        self._reports = Reports()
        self._guardians = GuardianPlanner(directory)
        self._deeds: list[Deed] = []
        self._new_classes: dict[ClassKey, None] = {}
        self._rows_of: dict[UUID, int] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._alike: dict[tuple[str, str], list[tuple[int, UUID, bool]]] = {}
        self._doubtful: set[str] = set()
        self._places: set[ClassKey] = set()

    def plan(self, rows: Sequence[Parsed], coverage: Coverage, progress: Callable[[float], None]) -> Plan:
        """The whole sheet. `progress` is told the share that is done, 0 to 1."""
        for done, parsed in enumerate(rows):
            if done % 500 == 0:
                progress(done / len(rows))
                collect_young()
            entry = parsed.entry
            if not isinstance(entry, PupilEntry):
                self._doubtful.add(parsed.name)
                self._reports.faulty(parsed)
                continue
            try:
                self._row(parsed, entry)
            except RowProblem as problem:
                self._doubtful.add(entry.name)
                self._reports.problem(parsed, problem)
        self._vanishing(coverage)
        classes = [f"{self._people.schools[school].name} {class_name(*name)}" for school, name in self._new_classes]
        counts = self._reports.counts(classes)
        touched = frozenset(self._guardians.touched)
        return Plan(self._reports.rows, self._deeds, tuple(self._new_classes), touched, counts)

    # ------------------------------------------------------------------------------------------------------------ a row
    def _row(self, parsed: Parsed, entry: PupilEntry) -> None:
        school = self._known.school(entry.school)
        key = (school.id, entry.school_class)
        self._places.add(key)
        known = self._match(entry, school)
        self._refuse_twice(entry, school, known, parsed)
        values, differences = self._changes(entry, school, known)
        deeds, persons, told = self._guardians.plan_row(entry, known, parsed)
        differences += told
        if known is None:
            self._warn_of_likeness(entry, school, parsed)
        self._keep(entry, key, known, (values, differences, deeds, persons))
        self._reports.good(parsed, is_new=known is None, differences=differences)

    def _keep(
        self,
        entry: PupilEntry,
        key: ClassKey,
        known: KnownPupil | None,
        made: tuple[PupilValues | None, list[Difference], Sequence[GuardianDeed], Sequence[PersonValues]],
    ) -> None:
        values, differences, deeds, persons = made
        if known is not None:
            self._rows_of[known.id] = entry.row
        if known is not None and not differences:
            return
        class_id = self._known.classes.get(key)
        if class_id is None:
            self._new_classes.setdefault(key)
        pupil_id = known.id if known else None
        self._deeds.append(Deed(entry.row, key, values, pupil_id, tuple(persons), tuple(deeds)))

    # --------------------------------------------------------------------------------------------------------- matching
    def _match(self, entry: PupilEntry, school: KnownSchool) -> KnownPupil | None:
        """The pupil the row is about, None for somebody new. Raises RowProblem."""
        by_id = self._known.by_id_number.get(entry.id_number or "")
        by_roster = self._known.by_roster_number.get(entry.roster_number or "")
        if entry.system_id is not None:
            return self._by_system_id(entry, by_id, by_roster)
        if by_id and by_roster and by_id is not by_roster:
            raise clash(_WORDS["roster_number"], texts.TWO_CHILDREN)
        known = by_id or by_roster
        if known is not None:
            if known.school_id not in self._people.schools:
                raise clash("", texts.IN_OTHER_SCHOOL)
            if known.name != entry.name:
                raise clash(_WORDS["name"], texts.NAME_DIFFERS)
        else:
            known = self._by_likeness(entry, school)
        if known is not None:
            _check_numbers(entry, known)
        return known

    def _by_system_id(self, entry: PupilEntry, by_id: KnownPupil | None, by_roster: KnownPupil | None) -> KnownPupil:
        known = self._people.pupils.get(_uuid(entry.system_id))
        if known is None or known.school_id not in self._people.schools:
            raise RowProblem(SYSTEM_ID, texts.SYSTEM_ID_WRONG)
        if by_id is not None and by_id is not known:
            raise clash(_WORDS["id_number"], texts.NUMBER_TAKEN)
        if by_roster is not None and by_roster is not known:
            raise clash(_WORDS["roster_number"], texts.NUMBER_TAKEN)
        return known

    def _by_likeness(self, entry: PupilEntry, school: KnownSchool) -> KnownPupil | None:
        """By name and date of birth in the school; else by name in the class, if one of both dates is not known."""
        class_id = self._known.classes.get((school.id, entry.school_class))
        here: list[KnownPupil] = []
        if entry.birth_date is not None:
            alike = self._known.by_match.get((entry.name, entry.birth_date.isoformat()), ())
            here = [pupil for pupil in alike if pupil.school_id == school.id]
        if not here and class_id is not None:
            alike = self._known.by_place.get((class_id, entry.name), ())
            here = [pupil for pupil in alike if entry.birth_date is None or pupil.birth_date is None]
        if len(here) > 1:
            here = [pupil for pupil in here if pupil.class_id == class_id] or here
        if len(here) > 1:
            raise clash(_WORDS["name"], texts.SEVERAL_LIKE)
        return here[0] if here else None

    def _refuse_twice(self, entry: PupilEntry, school: KnownSchool, known: KnownPupil | None, parsed: Parsed) -> None:
        """Each child stands in one row."""
        if known is not None and known.id in self._rows_of:
            raise RowProblem("", texts.SAME_AS_ROW.format(row=self._rows_of[known.id]))
        for name, number in (("id_number", entry.id_number), ("roster_number", entry.roster_number)):
            earlier = self._numbers.setdefault((name, number), entry.row) if number else entry.row
            if earlier != entry.row:
                raise RowProblem(_WORDS[name], texts.SAME_NUMBER_AS_ROW.format(row=earlier))
        if known is not None or entry.birth_date is None:
            return
        has_number = bool(entry.id_number or entry.roster_number)
        rows = self._alike.setdefault((entry.name, entry.birth_date.isoformat()), [])
        for row, school_id, had_number in rows:
            if school_id == school.id and not (has_number and had_number):
                raise RowProblem("", texts.SAME_AS_ROW.format(row=row))
            parsed.warnings.append(Remark(_WORDS["name"], texts.LIKELY_TWIN_ROW.format(row=row)))
        rows.append((entry.row, school.id, has_number))

    def _warn_of_likeness(self, entry: PupilEntry, school: KnownSchool, parsed: Parsed) -> None:
        if entry.birth_date is not None:
            alike = self._known.by_match.get((entry.name, entry.birth_date.isoformat()), ())
            if any(pupil.school_id != school.id for pupil in alike):
                parsed.warnings.append(Remark(_WORDS["name"], texts.LIKELY_ELSEWHERE))
        elif not entry.id_number and not entry.roster_number:
            parsed.warnings.append(Remark(_WORDS["birth_date"], texts.HARD_TO_TELL))
        if not any(guardian.phone for guardian in entry.guardians):
            parsed.warnings.append(Remark("", texts.NO_PHONE))

    # ---------------------------------------------------------------------------------------------------------- changes
    def _changes(
        self, entry: PupilEntry, school: KnownSchool, known: KnownPupil | None
    ) -> tuple[PupilValues | None, list[Difference]]:
        """What is written of the pupil, and the differences in words. The class is filled in when it exists."""
        birth = entry.birth_date.isoformat() if entry.birth_date else None
        said = {
            "name": entry.name,
            "sex": entry.sex,
            "birth_date": birth,
            "id_number": entry.id_number,
            "roster_number": entry.roster_number,
        }
        if known is None:
            return PupilValues(
                on=self._today, name=entry.name, sex=entry.sex, birth_date=entry.birth_date,
                id_number=entry.id_number, roster_number=entry.roster_number,
            ), []  # fmt: skip
        new = {name: value for name, value in said.items() if value is not None and value != getattr(known, name)}
        told = [difference(name, getattr(known, name), value) for name, value in new.items()]
        told += self._moves(entry, school, known)
        if not told:
            return None, []
        return PupilValues(
            on=self._today, id=known.id, name=new.get("name"), sex=new.get("sex"),
            birth_date=entry.birth_date if "birth_date" in new else None,
            id_number=new.get("id_number"), roster_number=new.get("roster_number"),
        ), told  # fmt: skip

    def _moves(self, entry: PupilEntry, school: KnownSchool, known: KnownPupil) -> list[Difference]:
        told: list[Difference] = []
        if known.school_id != school.id:
            told.append(difference("school", self._people.schools[known.school_id].name, school.name))
        if known.class_id is None or known.class_id != self._known.classes.get((school.id, entry.school_class)):
            told.append(difference("class", self._known.class_words(known.class_id), class_name(*entry.school_class)))
        if known.status is not PupilStatus.ENROLLED:
            told.append(difference("status", texts.STATUS_WORDS[known.status.value], texts.STATUS_WORDS["enrolled"]))
        return told

    # -------------------------------------------------------------------------------------------------------- vanishing
    def _vanishing(self, coverage: Coverage) -> None:
        """Who is enrolled where the sheet is the whole list, and not in it."""
        schools = {school for school, _ in self._places}
        classes = {self._known.classes.get(place) for place in self._places} - {None}
        missing = [
            pupil
            for pupil in self._people.pupils.values()
            if pupil.status is PupilStatus.ENROLLED
            and pupil.id not in self._rows_of
            and pupil.name not in self._doubtful
            and (pupil.school_id in schools if coverage is Coverage.SCHOOLS else pupil.class_id in classes)
        ]
        for pupil in sorted(missing, key=lambda each: (self._class_order(each), each.name, each.id)):
            place = self._known.place_words(pupil.school_id, pupil.class_id)
            self._reports.vanishing(pupil.name, place, pupil.id)

    def _class_order(self, pupil: KnownPupil) -> tuple[str, ClassName]:
        known = self._people.classes.get(pupil.class_id) if pupil.class_id else None
        return str(pupil.school_id), known.name if known else ClassName(99, 99)


def _check_numbers(entry: PupilEntry, known: KnownPupil) -> None:
    """Numbers that are known cannot become others without the child being named by the system's own."""
    if entry.id_number and known.id_number and entry.id_number != known.id_number:
        raise clash(_WORDS["id_number"], texts.ID_DIFFERS)
    if entry.roster_number and known.roster_number and entry.roster_number != known.roster_number:
        raise clash(_WORDS["roster_number"], texts.ROSTER_NUMBER_DIFFERS)


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        return UUID(int=0)
