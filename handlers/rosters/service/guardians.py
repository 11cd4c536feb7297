"""Planning the guardians in a row of a sheet of pupils. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from handlers.accounts.domain import RELATION_WORDS
from handlers.accounts.service.bulk import KnownGuardian, KnownPerson, KnownPupil
from handlers.accounts.service.values import PersonValues
from handlers.rosters import texts
from handlers.rosters.domain import Difference, Remark
from handlers.rosters.service.parsing import GuardianEntry, Parsed, PupilEntry
from handlers.rosters.service.planning import Directory, GuardianDeed, PersonKey, RowProblem, clash

_YES_NO = {True: "是", False: "否", None: ""}


class GuardianPlanner:
    """Remembers over all rows who was named, so that brothers and sisters share a mother."""

    def __init__(self, directory: Directory) -> None:
        self._known = directory
        self._people = directory.people
        self.touched: set[UUID] = set()
        self._said: dict[tuple[UUID, str], tuple[str, int]] = {}
        self._names: dict[str, tuple[str, int]] = {}

    def plan_row(
        self, entry: PupilEntry, pupil: KnownPupil | None, parsed: Parsed
    ) -> tuple[list[GuardianDeed], list[PersonValues], list[Difference]]:
        """What is to be written, and the differences in words (of a new pupil none: all is new). Raises RowProblem."""
        links = list(self._people.guardians.get(pupil.id, ())) if pupil else []
        deeds: list[GuardianDeed] = []
        persons: list[PersonValues] = []
        told: list[Difference] = []
        for guardian in entry.guardians:
            self._warn_of_phone(guardian, entry.row, parsed)
            link = self._linked(guardian, links)
            if link is None:
                deed, words = self._new(guardian, entry.row)
                deeds.append(deed)
                told += words
                continue
            links.remove(link)
            told += self._known_guardian(guardian, link, entry.row, (deeds, persons))
        if len({deed.person for deed in deeds}) < len(deeds):
            raise RowProblem("监护人2姓名", texts.GUARDIAN_TWICE)
        return deeds, persons, told if pupil else []

    def _linked(self, guardian: GuardianEntry, links: Sequence[KnownGuardian]) -> KnownGuardian | None:
        """Which of the child's guardians is meant: by name and phone, by name, by phone and relation."""
        pairs = [(link, person) for link in links if (person := self._people.persons.get(link.person_id))]
        named = [(link, person) for link, person in pairs if person.name == guardian.name]
        exact = [link for link, person in named if person.phone == guardian.phone]
        if exact:
            return exact[0]
        if len(named) == 1 and not self._is_somebody_else(guardian, named[0][1]):
            return named[0][0]
        if guardian.phone:
            same = [
                link
                for link, person in pairs
                if person.phone == guardian.phone and link.relation == guardian.relation and not link.has_ended
            ]
            if len(same) == 1:
                return same[0]
        return None

    def _is_somebody_else(self, guardian: GuardianEntry, known: KnownPerson) -> bool:
        """Whether name and phone together are those of another known person."""
        found = self._by_phone(guardian)
        return found is not None and found.id != known.id

    def _by_phone(self, guardian: GuardianEntry) -> KnownPerson | None:
        alike = self._known.persons_by_phone.get(guardian.phone or "", ())
        return next((person for person in alike if person.name == guardian.name), None)

    def _new(self, guardian: GuardianEntry, row: int) -> tuple[GuardianDeed, list[Difference]]:
        if guardian.relation is None:
            raise RowProblem(f"监护人{guardian.place}关系", texts.RELATION_NEEDED)
        known = self._by_phone(guardian)
        where = "" if guardian.phone else f"{row}/{guardian.place}"
        person: UUID | PersonKey = known.id if known else (guardian.name, guardian.phone, where)
        words = f"{guardian.name}（{RELATION_WORDS[guardian.relation]}）"
        return GuardianDeed(person, guardian.relation, guardian.is_acting or False), [
            Difference(f"监护人{guardian.place}", "", words)
        ]

    def _known_guardian(
        self,
        guardian: GuardianEntry,
        link: KnownGuardian,
        row: int,
        made: tuple[list[GuardianDeed], list[PersonValues]],
    ) -> list[Difference]:
        deeds, persons = made
        person = self._people.persons[link.person_id]
        told = self._person_changes(guardian, person, row)
        if told:
            persons.append(PersonValues(id=person.id, name=guardian.name, phone=guardian.phone))
        head = f"监护人{guardian.place}"
        changes: list[Difference] = []
        if guardian.relation is not None and guardian.relation != link.relation:
            words = RELATION_WORDS[link.relation], RELATION_WORDS[guardian.relation]
            changes.append(Difference(f"{head}关系", *words))
        if guardian.is_acting is not None and guardian.is_acting != link.is_acting:
            changes.append(Difference(f"{head}实际照看", _YES_NO[link.is_acting], _YES_NO[guardian.is_acting]))
        if link.has_ended:
            changes.append(Difference(head, "", guardian.name))
        if changes:
            deeds.append(GuardianDeed(person.id, guardian.relation, guardian.is_acting))
        return told + changes

    def _person_changes(self, guardian: GuardianEntry, person: KnownPerson, row: int) -> list[Difference]:
        head = f"监护人{guardian.place}"
        told = []
        if guardian.name != person.name:
            told.append(Difference(f"{head}姓名", person.name, guardian.name))
        if guardian.phone and guardian.phone != person.phone:
            told.append(Difference(f"{head}电话", person.phone or "", guardian.phone))
        if told and person.id in self._known.terms.foreign:
            raise clash(told[0].field, texts.PERSON_NOT_YOURS)
        for name, value in (("姓名", guardian.name), ("电话", guardian.phone)):
            said, earlier = self._said.setdefault((person.id, name), (value, row)) if value else ("", row)
            if value and said != value:
                raise RowProblem(f"{head}{name}", texts.TWO_VALUES.format(row=earlier))
        if told:
            self.touched.add(person.id)
        return told

    def _warn_of_phone(self, guardian: GuardianEntry, row: int, parsed: Parsed) -> None:
        """Families share phones; mostly it is a slip."""
        if not guardian.phone:
            return
        column = f"监护人{guardian.place}电话"
        name, earlier = self._names.setdefault(guardian.phone, (guardian.name, row))
        if name != guardian.name:
            parsed.warnings.append(Remark(column, texts.SAME_PHONE.format(row=earlier)))
            return
        known = self._known.persons_by_phone.get(guardian.phone, ())
        if known and all(person.name != guardian.name for person in known):
            parsed.warnings.append(Remark(column, texts.SAME_PHONE_KNOWN))
